//! The condition during restarts, and how long they last.

use std::time::Duration;

use crate::domain::rotation::{
    Recheck,
    restart::{self, Blocker},
    tests::{AFTER, PUBLISHED, time},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::{NONE, condition, has_condition, status, under_way};

#[test]
fn restarts_go_on_until_all_workloads_are_healthy() {
    let mut checking = under_way(&[], None);
    assert_eq!(
        restart::judge(&mut checking, NONE, Duration::ZERO, time(AFTER)),
        Some(Recheck::Later)
    );
    assert!(checking.restarts.is_some() && !has_condition(&checking));

    let mut going = under_way(&["Deployment/a", "Deployment/b"], Some(&["Deployment/c"]));
    assert_eq!(
        restart::judge(&mut going, NONE, Duration::ZERO, time(AFTER)),
        Some(Recheck::Soon)
    );
    let (truth, reason, message) = condition(&going);
    assert_eq!((truth, reason), ("Unknown", "RestartsProgressing"));
    assert!(message.contains("Deployment/a, Deployment/b") && message.contains("1 more"));
    assert!(restart::in_progress(&going));

    let mut done = under_way(&[], Some(&[]));
    assert_eq!(
        restart::judge(&mut done, NONE, Duration::ZERO, time(AFTER)),
        None
    );
    let (truth, reason, message) = condition(&done);
    assert_eq!((truth, reason), ("True", "ConsumersRestarted"));
    assert!(
        message == "restarted for revision 2 and healthy: 4 workloads",
        "{message}"
    );
    assert!(!restart::in_progress(&done));
    let mut none_restarted = under_way(&[], Some(&[]));
    none_restarted.restarts.as_mut().unwrap().restarted = 0;
    restart::judge(&mut none_restarted, NONE, Duration::ZERO, time(AFTER));
    assert_eq!(
        condition(&none_restarted).2,
        "no workload needed a restart for revision 2"
    );
    assert_eq!(
        restart::judge(&mut done, NONE, Duration::ZERO, time(AFTER)),
        None
    );
}

#[test]
fn a_rollout_that_takes_minutes_is_reported_as_held() {
    let timeout = Duration::from_mins(5);
    let mut held = under_way(&["StatefulSet/db"], Some(&["Deployment/c"]));
    restart::judge(
        &mut held,
        NONE,
        Duration::ZERO,
        time("2026-01-01T12:10:00Z"),
    );
    restart::judge(&mut held, NONE, timeout, time("2026-01-01T12:15:00Z"));
    assert_eq!(condition(&held).1, "RestartsProgressing");
    let slow = timeout + Duration::from_secs(1);
    let again = restart::judge(&mut held, NONE, slow, time("2026-01-01T12:15:01Z"));
    assert_eq!(again, Some(Recheck::Soon));
    let (truth, reason, message) = condition(&held);
    assert_eq!((truth, reason), ("False", "RestartsHeld"));
    assert!(
        message.contains("StatefulSet/db") && message.contains("since 2026-01-01T12:10:00Z"),
        "{message}"
    );
    assert!(message.contains("delete that pod by hand"), "{message}");
}

#[test]
fn a_change_of_the_wall_clock_does_not_count_as_waiting() {
    for now in ["2026-01-01T06:00:00Z", "2026-01-01T18:00:00Z"] {
        let mut going = under_way(&["StatefulSet/db"], Some(&[]));
        going.restarts.as_mut().unwrap().restarting_since = Some(Time(time(AFTER)));
        restart::judge(&mut going, NONE, Duration::from_secs(20), time(now));
        assert_eq!(condition(&going).1, "RestartsProgressing", "{now}");
    }
}

#[test]
fn workloads_that_were_gone_before_they_were_healthy_are_counted_apart() {
    let mut done = under_way(&[], Some(&[]));
    done.restarts.as_mut().unwrap().gone = 1;
    restart::judge(&mut done, NONE, Duration::ZERO, time(AFTER));
    assert_eq!(
        condition(&done).2,
        "restarted for revision 2 and healthy: 4 workloads; deleted before they were healthy: 1"
    );
}

#[test]
fn a_blocker_is_named() {
    let blocked = |why: &Blocker| {
        let mut status = under_way(&[], Some(&["Deployment/a"]));
        restart::mark_blocked(&mut status, why, time(AFTER));
        let (truth, reason, message) = condition(&status);
        assert!(restart::in_progress(&status));
        (format!("{truth} {reason}"), message.to_owned())
    };
    let refused = Blocker::Refused("Deployment/a".to_owned(), "quotas say no".to_owned());
    let (what, message) = blocked(&refused);
    assert_eq!(what, "False RestartsHeld");
    assert!(message.contains("Deployment/a: quotas say no"), "{message}");
    let many: Vec<String> = (0..12).map(|n| format!("Deployment/{n}")).collect();
    let (what, message) = blocked(&Blocker::Missing(many));
    assert_eq!(what, "False RestartsHeld");
    assert!(message.contains("Deployment/9 and 2 more"), "{message}");
    let (what, _) = blocked(&Blocker::NotAllowed);
    assert_eq!(what, "Unknown RestartsNotAllowed");
    let mut waiting = under_way(&[], None);
    restart::waits(&mut waiting, time(AFTER));
    assert_eq!(condition(&waiting).1, "RestartsPending");
}

#[test]
fn restarts_go_on_only_while_the_resource_is_ready() {
    let ready = |truth: &str| {
        let mut status = status(2);
        status.conditions = serde_json::from_value(json!([{
            "type": "Ready", "status": truth, "reason": "Published", "message": "",
            "lastTransitionTime": PUBLISHED,
        }]))
        .unwrap();
        restart::may_go_on(&status)
    };
    assert!(ready("True") && !ready("False") && !ready("Unknown"));
}
