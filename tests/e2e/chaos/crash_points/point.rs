//! The point at which a process is killed: a request of a scenario, and how far this request gets.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use cluster::proxy::{Fault, Moment, Proxy, Recorded, RequestHead, Verb};
use tokio::sync::oneshot;

/// The kind of a request, the same in every run of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    verb: Verb,
    what: String,
    name: Option<String>,
    rehearsal: bool,
}

/// The nth request of its kind, and how far it gets before the process is killed.
#[derive(Clone, Debug)]
pub struct Point {
    kind: Kind,
    nth: usize,
    moment: Moment,
}

/// The number of lease requests per kind that are points: the lease is renewed for ever.
const RENEWALS: usize = 2;

impl Kind {
    fn of(head: &RequestHead) -> Self {
        Self {
            verb: head.verb,
            what: head.what(),
            // Each Event gets a new name.
            name: head.name.clone().filter(|_| head.resource != "events"),
            rehearsal: head.is_rehearsal(),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, nth, moment } = self;
        let name = kind.name.as_deref().unwrap_or_default();
        let rehearsal = if kind.rehearsal { " (rehearsed)" } else { "" };
        let (verb, what) = (kind.verb, &kind.what);
        write!(
            formatter,
            "{moment:?} {verb:?} {what} {name}{rehearsal} #{nth}"
        )
    }
}

/// Every point of a scenario with these requests.
pub fn points_of(requests: &[Recorded]) -> Vec<Point> {
    let mut seen: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for request in requests {
        let kind = Kind::of(&request.head);
        let nth = seen.entry(kind.clone()).or_default();
        *nth += 1;
        if request.resource == "leases" && *nth > RENEWALS {
            continue;
        }
        for moment in [Moment::Arrived, Moment::Committed, Moment::Answered] {
            points.push(Point {
                kind: kind.clone(),
                nth: *nth,
                moment,
            });
        }
    }
    points
}

/// Lets requests pass up to a point, and signals when it is reached. From then on no request is
/// forwarded, because the process counts as dead, although it still runs.
pub fn stop_at(proxy: &Proxy, point: &Point) -> oneshot::Receiver<()> {
    let (signal, reached) = oneshot::channel();
    let signal = std::sync::Mutex::new(Some(signal));
    let seen = AtomicUsize::new(0);
    let dead = Arc::new(AtomicBool::new(false));
    let point = point.clone();
    proxy.set_fault(Box::new(move |head| {
        if dead.load(Ordering::SeqCst) {
            return Fault::Hang;
        }
        if Kind::of(head) != point.kind || seen.fetch_add(1, Ordering::SeqCst) + 1 != point.nth {
            return Fault::Pass;
        }
        // Set before the answer is passed on, so that no request that follows the answer gets through.
        dead.store(true, Ordering::SeqCst);
        let signal = signal.lock().ok().and_then(|mut signal| signal.take());
        let signal = move || {
            let _ = signal.map(|signal| signal.send(()));
        };
        Fault::StopAt(point.moment, Box::new(signal))
    }));
    reached
}
