//! SeaweedFS 4.48.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{
    LISTED, SKEWED, UNKNOWN, WRONG_SECRET, administrator, answer, compare, early, late, odd, pair,
    powerless, stranger, with_secret_of,
};
use crate::{
    stores::{Identity, ListBuckets, SeaweedFs},
    tests::caller::Caller,
};

#[tokio::test]
async fn seaweedfs_says_of_each_pair_whether_it_is_right() -> Result<()> {
    let (admin, plain, odd, stranger) = (administrator(), powerless(), odd(), stranger());
    let store = SeaweedFs::start(&[
        Identity::new("admin", &admin, &["Admin"]),
        Identity::new("plain", &plain, &[]),
        Identity::new("odd", &odd, &["Read:somewhere"]),
    ])
    .await?;
    let wrong = with_secret_of(&admin, &stranger);
    let powerless_and_wrong = with_secret_of(&plain, &stranger);
    let rows = [
        ("right", ListBuckets::new(&admin), LISTED),
        ("without rights", ListBuckets::new(&plain), LISTED),
        ("of another form", ListBuckets::new(&odd), LISTED),
        ("unknown ID", ListBuckets::new(&stranger), UNKNOWN),
        ("wrong secret", ListBuckets::new(&wrong), WRONG_SECRET),
        (
            "wrong secret, without rights",
            ListBuckets::new(&powerless_and_wrong),
            WRONG_SECRET,
        ),
        (
            "another region",
            ListBuckets::new(&admin).in_region("eu-west-3"),
            LISTED,
        ),
        ("signed 20 minutes ago", early(&admin), SKEWED),
        ("signed in 20 minutes", late(&admin), SKEWED),
    ];
    compare(store.url(), &rows).await?;
    let sts = Caller::new(&admin.id, &admin.secret);
    // The answer is that of S3, in which a client of STS finds no code.
    let unavailable = Err("503 no code".to_owned());
    assert_eq!(sts.call(store.url()).await, unavailable);
    Ok(())
}

#[tokio::test]
async fn seaweedfs_follows_changes_of_identities_without_a_restart() -> Result<()> {
    let (first, second) = (administrator(), powerless());
    let renewed = with_secret_of(&first, &stranger());
    let mut store = SeaweedFs::start(&[Identity::new("first", &first, &["Admin"])]).await?;
    let pid = store.component().pid();
    store
        .set_identities(&[
            Identity::new("first", &renewed, &["Admin"]),
            Identity::new("second", &second, &[]),
        ])
        .await?;
    for (pair, wanted) in [
        (&first, WRONG_SECRET),
        (&renewed, LISTED),
        (&second, LISTED),
    ] {
        assert_eq!(answer(store.url(), pair).await?, wanted, "{pair:?}");
    }
    store
        .set_identities(&[Identity::new("second", &second, &[])])
        .await?;
    for (pair, wanted) in [(&renewed, UNKNOWN), (&second, LISTED)] {
        assert_eq!(answer(store.url(), pair).await?, wanted, "{pair:?}");
    }
    store.set_identities(&[]).await?;
    assert_eq!(answer(store.url(), &second).await?, UNKNOWN);
    store
        .set_identities(&[Identity::new("first", &first, &[])])
        .await?;
    assert_eq!(answer(store.url(), &first).await?, LISTED);
    assert_eq!(store.component().pid(), pid);
    Ok(())
}

#[tokio::test]
async fn seaweedfs_without_identities_accepts_every_pair() -> Result<()> {
    let random = pair("AKIARZPUZDIKRANDOM23", "any");
    let admin = administrator();
    let mut store = SeaweedFs::start(&[]).await?;
    for pair in [&random, &admin, &odd()] {
        assert_eq!(answer(store.url(), pair).await?, LISTED, "{pair:?}");
    }
    // Not even the clock counts.
    assert_eq!(early(&random).send(store.url()).await?.to_string(), LISTED);
    assert!(store.set_identities(&[]).await.is_err());

    let url = store.url().to_owned();
    store
        .restart(&[Identity::new("admin", &admin, &["Admin"])])
        .await?;
    assert_eq!(answer(&url, &random).await?, UNKNOWN);
    assert_eq!(answer(&url, &admin).await?, LISTED);

    store.restart(&[]).await?;
    assert_eq!(answer(&url, &random).await?, LISTED);
    Ok(())
}

#[tokio::test]
async fn seaweedfs_comes_back_on_the_same_port_after_an_outage() -> Result<()> {
    let admin = administrator();
    let mut store = SeaweedFs::start(&[Identity::new("admin", &admin, &["Admin"])]).await?;
    let url = store.url().to_owned();
    store.stop().await?;
    assert!(ListBuckets::new(&admin).send(&url).await.is_err());
    store.resume().await?;
    assert_eq!(store.url(), url);
    assert_eq!(answer(&url, &admin).await?, LISTED);
    assert_eq!(answer(&url, &stranger()).await?, UNKNOWN);
    let other = powerless();
    store
        .restart(&[Identity::new("other", &other, &[])])
        .await?;
    assert_eq!(answer(&url, &admin).await?, UNKNOWN);
    assert_eq!(answer(&url, &other).await?, LISTED);
    Ok(())
}

#[tokio::test]
async fn seaweedfs_leaves_nothing_behind() -> Result<()> {
    let admin = administrator();
    let store = SeaweedFs::start(&[Identity::new("admin", &admin, &["Admin"])]).await?;
    let pid = store.component().pid().context("it runs")?;
    let url = store.url().to_owned();
    let directory = store.component().log().parent().context("a directory")?;
    let directory = directory.to_owned();
    let log = std::fs::read_to_string(store.component().log())?;
    drop(store);
    assert!(ListBuckets::new(&admin).send(&url).await.is_err());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!directory.exists());
    for socket in sockets(&log) {
        assert!(!Path::new(socket).exists(), "{socket}");
    }
    Ok(())
}

/// Every socket that the log names.
fn sockets(log: &str) -> Vec<&str> {
    let words = log.split([' ', '\n', '"', ',', '[', ']']);
    let found: Vec<&str> = words
        .filter(|word| {
            word.starts_with('/') && Path::new(word).extension().is_some_and(|end| end == "sock")
        })
        .collect();
    assert!(found.len() >= 4, "{found:?}");
    found
}
