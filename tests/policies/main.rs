//! The chart's admission policies on a real API server, with real accounts. The operator's account is bound to
//! cluster-admin on purpose: every rejection comes from the policies alone.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod api_check;
mod attempt;
mod bound;
mod checked;
mod cycle;
mod fence;
mod fence_content;
mod fence_creates;
mod fence_updates;
mod guards;
mod injection;
mod injection_hot;
mod injection_hot_refused;
mod injection_qos;
mod injection_refused;
mod injection_where;
mod life;
mod only;
mod operator;
mod requester;
mod restarts;
mod stage;
mod status;
#[path = "../support/suite.rs"]
mod suite;

use anyhow::Result;
use stage::Stage;
use suite::Suite;

fn main() -> Result<()> {
    let suite = Suite::open(6, Stage::set)?;
    let conclusion = suite.play(tests(), |stage, test| test(stage));
    suite.end(&conclusion)
}

fn tests() -> impl IntoIterator<Item = suite::Tests<Stage>> {
    [
        fence::tests(),
        fence_content::tests(),
        fence_creates::tests(),
        fence_updates::tests(),
        only::tests(),
        bound::tests(),
        status::tests(),
        requester::tests(),
        restarts::tests(),
        life::tests(),
        injection::tests(),
        injection_where::tests(),
        injection_refused::tests(),
        injection_hot::tests(),
        injection_hot_refused::tests(),
        injection_qos::tests(),
        checked::tests(),
        guards::tests(),
        api_check::tests(),
    ]
}
