//! Inconclusive answers of AWS.

use std::time::Duration;

use crate::sim::{SOURCE, TARGET, World, alpha, beta, resource};
use static_aws_credentials::api::{ConditionType, OnRejected, Reason};

const SILENT: [Reason; 5] = [
    Reason::StsUnreachable,
    Reason::StsUnavailable,
    Reason::StsThrottled,
    Reason::StsAccessDenied,
    Reason::ClockSkew,
];

#[test]
fn an_unproven_pair_is_awaited_while_aws_says_nothing() {
    for reason in SILENT {
        let mut world = World::new();
        world.aws.outage = Some(reason);
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.settle();
        let name = reason.as_str();
        assert_eq!(
            world.state(),
            format!(
                "Ready=False {name}, Verified=Unknown {name}, Published=False NotPublished, Reconciling"
            )
        );
        assert_eq!(world.target(), None);
        world.aws.outage = None;
        world.advance(Duration::from_mins(7));
        assert_eq!(world.target(), Some(alpha()));
    }
}

#[test]
fn a_new_pair_is_not_published_while_aws_says_nothing_and_the_old_one_stays() {
    let mut world = World::published();
    world.aws.outage = Some(Reason::StsUnreachable);
    world.fill(SOURCE, &beta());
    world.settle();
    assert_eq!(
        world.state(),
        "Ready=False StsUnreachable, Verified=Unknown StsUnreachable, Published=True ServingLastKnownGood, Reconciling"
    );
    assert_eq!(world.target(), Some(alpha()));
    world.aws.outage = None;
    world.advance(Duration::from_mins(7));
    assert_eq!(world.target(), Some(beta()));
}

#[test]
fn a_published_pair_stays_ready_while_aws_says_nothing() {
    let outages = SILENT
        .into_iter()
        .chain([Reason::RegionDisabled, Reason::OptInRequired]);
    for reason in outages {
        let mut world = World::published();
        let proven = world.status().last_verified_time;
        world.aws.outage = Some(reason);
        world.advance(Duration::from_hours(3));
        assert_eq!(
            world.state(),
            format!(
                "Ready=True Published, Verified=Unknown {}, Published=True Published",
                reason.as_str()
            )
        );
        assert_eq!(world.target(), Some(alpha()));
        assert_eq!(world.status().last_verified_time, proven);
        world.aws.outage = None;
        world.advance(Duration::from_hours(2));
        assert!(world.state().contains("Verified=True IdentityVerified"));
    }
}

/// A Secret of another owner had the target's name when the pair was proven.
#[test]
fn a_proven_pair_that_was_never_published_is_not_published_while_aws_says_nothing() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.edit(TARGET, |_| {});
    world.store.apply(resource("orders"));
    world.settle();
    assert!(world.state().contains("Verified=True IdentityVerified"));
    world.aws.outage = Some(Reason::StsUnreachable);
    world.advance(Duration::from_hours(2));
    world.store.delete(TARGET, None).unwrap();
    world.settle();
    assert_eq!(world.target(), None);
}

#[test]
fn each_answer_that_says_nothing_tells_what_to_do() {
    for (reason, words) in [
        (Reason::StsUnreachable, "check DNS, egress and TLS"),
        (Reason::StsUnavailable, "fails; it is asked again"),
        (Reason::StsThrottled, "asks to slow down"),
        (Reason::StsAccessDenied, "let sts:GetCallerIdentity"),
        (Reason::ClockSkew, "set the clock"),
        (Reason::RegionDisabled, "activate STS"),
        (Reason::OptInRequired, "enable the region"),
        (Reason::StsRegionMismatch, "write {region}"),
        (Reason::StsUnexpectedResponse, "not one of STS"),
    ] {
        let mut world = World::new();
        world.aws.outage = Some(reason);
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.settle();
        let message = world.message(ConditionType::Verified);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_region_that_is_switched_off_needs_a_person_before_anything_is_published() {
    for reason in [Reason::RegionDisabled, Reason::OptInRequired] {
        let mut world = World::new();
        world.aws.outage = Some(reason);
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.settle();
        assert!(world.state().ends_with("Stalled"), "{}", world.state());
        assert!(world.message(ConditionType::Ready).contains("eu-west-1"));
        world.aws.outage = None;
        world.advance(Duration::from_mins(7));
        assert_eq!(world.target(), Some(alpha()));
    }
}

#[test]
fn questions_about_an_unproven_pair_grow_rarer_up_to_five_minutes() {
    let mut world = World::new();
    world.aws.outage = Some(Reason::StsThrottled);
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.settle();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let pause = world.next_look("orders").unwrap();
        pauses.push(pause.as_secs());
        world.advance(pause);
    }
    assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);
    let writes = world
        .log
        .iter()
        .filter(|request| *request == "status orders");
    assert_eq!(writes.count(), 1, "the same answer is reported once");
}

#[test]
fn questions_about_a_published_pair_grow_rarer_as_far_as_the_reason_allows() {
    for (reason, expected) in [
        (Reason::StsUnavailable, [12; 7]),
        (Reason::StsUnreachable, [12; 7]),
        (Reason::StsThrottled, [30, 60, 120, 240, 300, 300, 300]),
        // Only a person can enable the region.
        (Reason::RegionDisabled, [30, 60, 120, 240, 480, 600, 600]),
    ] {
        let mut world = World::published_with(|spec| spec.validation.interval = "10m".to_owned());
        world.aws.outage = Some(reason);
        world.advance(Duration::from_mins(10));
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let pause = world.next_look("orders").unwrap();
            pauses.push(pause.as_secs());
            world.advance(pause);
        }
        assert_eq!(pauses, expected, "{reason:?}");
    }
}

/// During an outage, a call waits for the endpoint's first answer and costs nothing, so pauses stay short.
#[test]
fn an_endpoint_that_gives_no_answer_is_looked_at_every_few_seconds() {
    for reason in [Reason::StsUnreachable, Reason::StsUnavailable] {
        let mut world = World::new();
        world.aws.outage = Some(reason);
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.settle();
        let mut pauses = Vec::new();
        for _ in 0..5 {
            let pause = world.next_look("orders").unwrap();
            pauses.push(pause.as_secs());
            world.advance(pause);
        }
        assert_eq!(pauses, [2, 4, 8, 12, 12]);
    }
}

#[test]
fn the_pause_after_silence_is_never_the_same_for_all() {
    for (jitter, least, most) in [
        (0.0, 1_600, 1_600),
        (0.5, 2_000, 2_000),
        (1.0, 2_400, 2_400),
    ] {
        let mut world = World::new();
        world.jitter = jitter;
        world.aws.outage = Some(Reason::StsThrottled);
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.settle();
        let pause = world.next_look("orders").unwrap().as_millis();
        assert!((least..=most).contains(&pause), "{pause}");
    }
}

#[test]
fn an_answer_from_another_partition_proves_nothing() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    let mut orders = resource("orders");
    orders.spec.region = Some("cn-north-1".to_owned());
    world.store.apply(orders);
    world.advance(Duration::from_mins(3));
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{}",
        world.state()
    );
    assert_eq!(world.target(), None);
}

#[test]
fn two_resources_share_one_answer_about_a_pair() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.fill("second-key-pair", &alpha());
    world.store.apply(resource("orders"));
    world.store.apply(resource("second"));
    world.settle_twice();
    assert_eq!(world.questions(), 1);
    assert_eq!(world.pair_in("second-credentials"), Some(alpha()));
}

#[test]
fn an_expiry_by_the_word_of_aws_is_no_refusal_since_its_keys_do_not_expire() {
    use OnRejected::{Keep, Withdraw};
    for (replaced, policy) in [
        (false, Keep),
        (false, Withdraw),
        (true, Keep),
        (true, Withdraw),
    ] {
        let mut world = World::published_with(|spec| spec.validation.on_rejected = policy);
        world.endpoint_replaced = replaced;
        world.aws.expired.insert(alpha().id);
        world.advance(Duration::from_hours(3));
        let state = world.state();
        if replaced {
            // Keys of a store other than AWS may expire.
            assert!(
                state.starts_with("Ready=False CredentialsExpired"),
                "{state}"
            );
            continue;
        }
        assert_eq!(world.target(), Some(alpha()));
        assert_eq!(
            state,
            "Ready=True Published, Verified=Unknown StsUnexpectedResponse, Published=True Published"
        );
    }
}

#[test]
fn an_account_that_the_key_id_does_not_encode_is_no_identity_unless_the_endpoint_is_replaced() {
    for replaced in [false, true] {
        let mut world = World::new();
        world.endpoint_replaced = replaced;
        world.aws.canned = Some("999999999999".to_owned());
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.settle();
        if replaced {
            assert_eq!(world.target(), Some(alpha()));
            continue;
        }
        assert_eq!(world.target(), None);
        let state = world.state();
        assert!(
            state.starts_with("Ready=False StsUnexpectedResponse"),
            "{state}"
        );
        let message = world.message(ConditionType::Ready);
        for account in ["999999999999", "123456789012"] {
            assert!(message.contains(account), "{message}");
        }
        world.aws.canned = None;
        world.advance(Duration::from_mins(6));
        assert_eq!(world.target(), Some(alpha()));
    }
}
