//! versitygw 1.8.0.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::{
    LISTED, SKEWED, UNKNOWN, WRONG_SECRET, administrator, answer, compare, early, late, odd,
    powerless, stranger, with_secret_of,
};
use crate::{
    moto::KeyPair,
    stores::{Account, ListBuckets, Role, Versitygw},
    tests::caller::Caller,
};

const HERE: &str = "us-east-1";

fn account(pair: &KeyPair, role: Role) -> Account {
    let pair = pair.clone();
    Account { pair, role }
}

#[tokio::test]
async fn versitygw_says_of_each_pair_whether_it_is_right() -> Result<()> {
    let (admin, plain, odd, stranger) = (administrator(), powerless(), odd(), stranger());
    let accounts = [
        account(&admin, Role::Admin),
        account(&plain, Role::User),
        account(&odd, Role::UserPlus),
    ];
    let store = Versitygw::start(HERE, &accounts, None).await?;
    let wrong = with_secret_of(&admin, &stranger);
    let elsewhere = "400 AuthorizationHeaderMalformed";
    let rows = [
        ("right", ListBuckets::new(&admin), LISTED),
        ("the root's", ListBuckets::new(store.root()), LISTED),
        ("without rights", ListBuckets::new(&plain), LISTED),
        ("of another form", ListBuckets::new(&odd), LISTED),
        ("unknown ID", ListBuckets::new(&stranger), UNKNOWN),
        ("wrong secret", ListBuckets::new(&wrong), WRONG_SECRET),
        (
            "another region",
            ListBuckets::new(&admin).in_region("eu-west-3"),
            elsewhere,
        ),
        (
            "another region, unknown ID",
            ListBuckets::new(&stranger).in_region("eu-west-3"),
            elsewhere,
        ),
        ("signed 20 minutes ago", early(&admin), SKEWED),
        ("signed in 20 minutes", late(&admin), SKEWED),
    ];
    compare(store.url(), &rows).await?;
    let other = ListBuckets::new(&admin).in_region("eu-west-3");
    let message = other.send(store.url()).await?.message;
    let message = message.context("a message")?;
    assert!(message.contains(HERE), "{message}");
    let sts = Caller::new(&admin.id, &admin.secret);
    // The answer is that of S3, in which a client of STS finds no code.
    let not_allowed = Err("405 no code".to_owned());
    assert_eq!(sts.call(store.url()).await, not_allowed);
    Ok(())
}

#[tokio::test]
async fn versitygw_follows_changes_of_accounts_at_once_without_a_cache() -> Result<()> {
    let (first, second) = (administrator(), powerless());
    let renewed = with_secret_of(&first, &stranger());
    let store = Versitygw::start(HERE, &[account(&first, Role::User)], None).await?;
    assert_eq!(answer(store.url(), &first).await?, LISTED);
    store.set_accounts(&[account(&renewed, Role::User), account(&second, Role::User)])?;
    for (pair, wanted) in [
        (&first, WRONG_SECRET),
        (&renewed, LISTED),
        (&second, LISTED),
    ] {
        assert_eq!(answer(store.url(), pair).await?, wanted, "{pair:?}");
    }
    store.set_accounts(&[])?;
    for pair in [&renewed, &second] {
        assert_eq!(answer(store.url(), pair).await?, UNKNOWN, "{pair:?}");
    }
    assert_eq!(answer(store.url(), store.root()).await?, LISTED);
    Ok(())
}

/// The cache lasts 120 s by default.
#[tokio::test]
async fn versitygw_with_a_cache_knows_the_old_secret_only_until_the_cache_ends() -> Result<()> {
    let cache = Duration::from_secs(4);
    let first = administrator();
    let renewed = with_secret_of(&first, &stranger());
    let accounts = |pair| [account(pair, Role::User)];
    let store = Versitygw::start(HERE, &accounts(&first), Some(cache)).await?;
    let filled = Instant::now();
    assert_eq!(answer(store.url(), &first).await?, LISTED);
    store.set_accounts(&accounts(&renewed))?;
    let now = [
        answer(store.url(), &first).await?,
        answer(store.url(), &renewed).await?,
    ];
    // On a busy machine the cache may have ended meanwhile.
    if filled.elapsed() < cache {
        assert_eq!(now, [LISTED, WRONG_SECRET]);
    }
    let end = Instant::now() + Duration::from_mins(1);
    while answer(store.url(), &renewed).await? != LISTED {
        ensure!(Instant::now() < end, "the cache does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(answer(store.url(), &first).await?, WRONG_SECRET);
    Ok(())
}

#[tokio::test]
async fn versitygw_lists_buckets_for_its_own_region_and_for_the_default_one() -> Result<()> {
    let admin = administrator();
    let accounts = [account(&admin, Role::Admin)];
    let store = Versitygw::start("garage", &accounts, None).await?;
    let rows = [
        (
            "its own",
            ListBuckets::new(&admin).in_region("garage"),
            LISTED,
        ),
        ("the default", ListBuckets::new(&admin), LISTED),
        (
            "another",
            ListBuckets::new(&admin).in_region("eu-west-3"),
            "400 AuthorizationHeaderMalformed",
        ),
    ];
    compare(store.url(), &rows).await
}

#[tokio::test]
async fn stores_that_start_at_the_same_time_leave_nothing_behind() -> Result<()> {
    let admin = administrator();
    let accounts = [account(&admin, Role::Admin)];
    let (one, other) = tokio::try_join!(
        Versitygw::start(HERE, &accounts, None),
        Versitygw::start(HERE, &[], None),
    )?;
    assert_eq!(answer(one.url(), &admin).await?, LISTED);
    assert_eq!(answer(other.url(), &admin).await?, UNKNOWN);
    for store in [one, other] {
        let pid = store.component().pid().context("it runs")?;
        let directory = store.component().log().parent().context("a directory")?;
        let directory = directory.to_owned();
        drop(store);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        assert!(!directory.exists());
    }
    Ok(())
}
