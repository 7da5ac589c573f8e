//! The identity of a state: everything that a decision can depend on, without the values of versions, UIDs and the time
//! of day.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use static_aws_credentials::domain::{
    fingerprint::Fingerprint, index::NamespacedName, reconcile::RuntimeState,
};

use super::transitions::Budget;
use crate::sim::{Event, FIRST_VERSION, NAMESPACE, Process, World, universe};

/// A hash of a state. 1 in 10^26 searches of a million states has a collision.
pub fn key(world: &World, budget: Budget) -> u128 {
    let text = canonical(&text(world), world);
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, &text, budget).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

fn text(world: &World) -> String {
    let mut text = String::new();
    for secret in world.store.secrets.values() {
        json(&mut text, secret);
    }
    for resource in world.store.resources.values() {
        json(&mut text, resource);
    }
    let aws = &world.aws;
    line(
        &mut text,
        &(
            aws.outage,
            aws.breaks_signatures,
            aws.inactive(),
            &world.vouched,
        ),
    );
    for pair in universe()
        .iter()
        .flat_map(|pair| [pair.clone(), pair.clone().with_wrong_secret()])
    {
        let since = |at: Duration| world.now.saturating_sub(at);
        let refused = aws.refused(&pair.id, &pair.secret);
        let refused = refused.map(|(first, last)| (since(first), since(last)));
        line(&mut text, &(aws.accepted(&pair.id, &pair.secret), refused));
    }
    process(&mut text, world, &world.process);
    if let Some(other) = &world.other {
        process(&mut text, world, other);
    }
    text
}

fn process(text: &mut String, world: &World, process: &Process) {
    text.push_str("process ");
    for (name, object) in &process.watched {
        json(text, object);
        let key = NamespacedName::new(NAMESPACE, name);
        line(text, &process.index.view(&key));
    }
    let left = |at: &Duration| at.checked_sub(world.now);
    let timers: Vec<_> = process
        .timers
        .iter()
        .map(|(name, at)| (name, left(at)))
        .collect();
    line(text, &(&process.woken, timers));
    let mut known: Vec<_> = process.remembered.iter().collect();
    known.sort_by_key(|(uid, _)| *uid);
    for (uid, remembered) in known {
        text.push_str(uid);
        memory(text, process, remembered);
    }
    let mut replies = BTreeSet::new();
    for ((fingerprint, region), (answer, at)) in &process.replies {
        let age = world.now.saturating_sub(*at);
        replies.insert(format!(
            "{:?} {region} {answer:?} {age:?}",
            name(process, *fingerprint)
        ));
    }
    line(text, &replies);
    for event in process.untold(&world.store) {
        match &**event {
            Event::Resource(object) | Event::ResourceGone(object) => json(text, object),
            of_a_secret => line(text, of_a_secret),
        }
    }
}

fn memory(text: &mut String, process: &Process, remembered: &RuntimeState) {
    let memory = &remembered.memory;
    let proof = memory.proof.as_ref();
    let proof = proof.map(|it| (name(process, it.fingerprint), &it.place, &it.identity));
    let published = memory.published.map(|it| name(process, it));
    let settling = memory.settling.map(|it| name(process, it));
    let look = memory
        .look
        .map(|look| process.looks.get(&format!("{look:?}")));
    line(text, &(look, proof, published, settling, memory.failures));
    if let Some(written) = &remembered.written {
        line(text, &written.version);
        json(text, &written.status);
    }
    line(text, &remembered.failures);
    // The fields from the timer on, most of which are private.
    let whole = format!("{remembered:?}");
    let private = whole.split_once(" timer: ").map(|(_, rest)| rest);
    text.push_str(private.expect("there is a timer"));
}

/// The pair of a fingerprint.
fn name(process: &Process, fingerprint: Fingerprint) -> (&str, &str) {
    let pair = process.pairs.get(&fingerprint);
    let pair = pair.expect("a fingerprint of a pair that exists");
    (&pair.id, &pair.secret)
}

fn line(text: &mut String, what: &impl std::fmt::Debug) {
    let _ = writeln!(text, "{what:?}");
}

fn json(text: &mut String, what: &impl serde::Serialize) {
    let mut value = serde_json::to_value(what).expect("it is JSON");
    forget_times(&mut value);
    let _ = writeln!(text, "{value}");
}

/// No decision here depends on when a condition changed, or an object was created or published.
fn forget_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for idle in ["lastTransitionTime", "creationTimestamp", "time"] {
                fields.remove(idle);
            }
            fields.values_mut().for_each(forget_times);
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(forget_times),
        _ => {}
    }
}

/// Replaces versions and UIDs by their rank, and times by their distance from now.
fn canonical(text: &str, world: &World) -> String {
    let found = numbers(text, world);
    let ranks = |kind: char| {
        let of_kind = found.iter().filter(|it| it.kind == kind);
        let all: BTreeSet<i128> = of_kind.map(|it| it.value).collect();
        all.into_iter().zip(0..).collect::<BTreeMap<i128, i128>>()
    };
    let (versions, uids) = (ranks('v'), ranks('u'));
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for it in found {
        let number = match it.kind {
            'v' => versions[&it.value],
            'u' => uids[&it.value],
            _ => it.value,
        };
        out.push_str(&text[end..it.at]);
        let _ = write!(out, "{}{number}", it.kind);
        end = it.at + it.length;
    }
    out.push_str(&text[end..]);
    out
}

/// A number that differs between two runs of the same scenario.
struct Number {
    kind: char,
    at: usize,
    length: usize,
    value: i128,
}

fn numbers(text: &str, world: &World) -> Vec<Number> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text.as_bytes().get(at) {
        let rest = &text[at..];
        let next = match first {
            b'1' => version(rest).map(|it| ('v', it)),
            b'u' => uid(rest).map(|it| ('u', it)),
            b'2' | b'I' => time(rest, world).map(|it| ('t', it)),
            _ => None,
        };
        let mut length = 1;
        if let Some((kind, (value, found_length))) = next {
            length = found_length;
            found.push(Number {
                kind,
                at,
                length,
                value,
            });
        }
        at += length;
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    found
}

type Found = Option<(i128, usize)>;

fn digits(text: &str) -> (&str, usize) {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    (&text[..length], length)
}

fn version(text: &str) -> Found {
    let (digits, length) = digits(text);
    let number: u64 = (length == 10).then(|| digits.parse().ok())??;
    let is_version = (FIRST_VERSION..FIRST_VERSION + 100_000).contains(&number);
    is_version.then_some((i128::from(number), length))
}

fn uid(text: &str) -> Found {
    let (digits, length) = digits(text.strip_prefix("uid-")?);
    Some((digits.parse().ok()?, length + 4))
}

/// The age of a time, of the wall clock or the monotonic clock.
fn time(text: &str, world: &World) -> Found {
    if let Some(rest) = text.strip_prefix("Instant { ") {
        let end = rest.find('}')? + 1;
        let base = format!("{:?}", world.mono());
        let ago = nanoseconds(&base[10..])? - nanoseconds(&rest[..end])?;
        return Some((ago, end + 10));
    }
    let stamp = text
        .get(..20)
        .filter(|stamp| stamp.starts_with("20") && stamp.ends_with('Z'))?;
    let at: k8s_openapi::jiff::Timestamp = stamp.parse().ok()?;
    Some((i128::from(world.wall().as_second() - at.as_second()), 20))
}

fn nanoseconds(text: &str) -> Option<i128> {
    let number = |after: &str| {
        let (_, rest) = text.split_once(after)?;
        digits(rest).0.parse::<i128>().ok()
    };
    Some(number("tv_sec: ")? * 1_000_000_000 + number("tv_nsec: ")?)
}
