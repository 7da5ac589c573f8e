//! The stand-in for a store.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use tokio::time::timeout;

use super::{
    LISTED, SKEWED, UNKNOWN, WRONG_SECRET, administrator, answer, compare, early, late, odd,
    powerless, stranger, with_secret_of,
};
use crate::{
    http_client::http_client,
    stores::{
        ListBuckets,
        stand_in::{Answer, Refusals, StandIn},
    },
    sts::Certificate,
};

#[tokio::test]
async fn the_stand_in_tells_a_right_pair_from_a_wrong_secret_and_an_unknown_id() -> Result<()> {
    let (admin, plain, stranger) = (administrator(), powerless(), stranger());
    let store = StandIn::start(Refusals::minio()).await?;
    store.accept_pair(&admin, Answer::buckets());
    store.accept_pair(&plain, Answer::access_denied());
    let wrong = with_secret_of(&admin, &stranger);
    let powerless_and_wrong = with_secret_of(&plain, &stranger);
    let rows = [
        ("right", ListBuckets::new(&admin), LISTED),
        (
            "without rights",
            ListBuckets::new(&plain),
            "403 AccessDenied",
        ),
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
    compare(&store.url(), &rows).await?;
    assert_eq!(store.count(), rows.len());
    Ok(())
}

#[tokio::test]
async fn the_table_of_the_stand_in_changes_while_it_runs() -> Result<()> {
    let admin = administrator();
    let renewed = with_secret_of(&admin, &stranger());
    let store = StandIn::start(Refusals::minio()).await?;
    let url = store.url();
    store.accept_pair(&admin, Answer::buckets());
    assert_eq!(answer(&url, &admin).await?, LISTED);
    store.accept_pair(&renewed, Answer::buckets());
    assert_eq!(answer(&url, &admin).await?, WRONG_SECRET);
    assert_eq!(answer(&url, &renewed).await?, LISTED);
    store.answer_all(Some(Answer::slow_down()));
    assert_eq!(answer(&url, &renewed).await?, "503 SlowDown");
    store.answer_all(None);
    assert_eq!(answer(&url, &renewed).await?, LISTED);
    store.accept_pair_or(&admin, Answer::buckets(), Answer::ceph_user_suspended());
    assert_eq!(answer(&url, &admin).await?, LISTED);
    assert_eq!(answer(&url, &renewed).await?, "403 UserSuspended");
    store.remove(&admin.id);
    assert_eq!(answer(&url, &renewed).await?, UNKNOWN);
    Ok(())
}

#[tokio::test]
async fn garage_tells_its_refusals_apart_by_the_message_alone() -> Result<()> {
    let (admin, stranger) = (administrator(), stranger());
    let store = StandIn::start(Refusals::minio()).await?;
    store.refuse_with(Refusals::garage());
    store.accept_pair(&admin, Answer::buckets());
    for (pair, message) in [
        (
            &stranger,
            format!("Forbidden: No such key: {}", stranger.id),
        ),
        (
            &with_secret_of(&admin, &stranger),
            "Forbidden: Invalid signature".to_owned(),
        ),
    ] {
        let answer = ListBuckets::new(pair).send(&store.url()).await?;
        assert_eq!(answer.to_string(), "403 AccessDenied");
        assert_eq!(answer.message, Some(message));
    }
    Ok(())
}

#[tokio::test]
async fn each_scripted_answer_is_played_to_any_signature() -> Result<()> {
    let odd = odd();
    let store = StandIn::start(Refusals::minio()).await?;
    for (scripted, wanted) in [
        (Answer::minio_disabled(), UNKNOWN),
        (Answer::r2_unauthorized(), "401 Unauthorized"),
        (Answer::ceph_user_suspended(), "403 UserSuspended"),
        (Answer::slow_down(), "503 SlowDown"),
        (
            Answer::moved_to_region("eu-west-3"),
            "301 PermanentRedirect",
        ),
        (
            Answer::wrong_region("us-east-1", "eu-west-3"),
            "400 AuthorizationHeaderMalformed",
        ),
    ] {
        store.answer(&odd.id, scripted);
        assert_eq!(answer(&store.url(), &odd).await?, wanted);
    }
    for scripted in [Answer::html(200), Answer::empty(403)] {
        store.answer(&odd.id, scripted.clone());
        let raw = Request::get(store.url())
            .header("authorization", authorization(&odd.id))
            .body(Full::default())?;
        let response = http_client("")?.request(raw).await?;
        assert_eq!(response.status().as_u16(), scripted.status);
        let body = response.into_body().collect().await?.to_bytes();
        assert_eq!(body, scripted.body.as_bytes());
    }
    Ok(())
}

#[tokio::test]
async fn the_stand_in_records_requests_without_what_signs_them() -> Result<()> {
    let admin = administrator();
    let store = StandIn::start(Refusals::minio()).await?;
    let request = ListBuckets::new(&admin).in_region("eu-west-3");
    request.send(&store.url()).await?;
    let unsigned = Request::get(store.url())
        .header("authorization", format!("Bearer {}", admin.secret))
        .header("x-amz-security-token", &admin.secret)
        .body(Full::default())?;
    let unsigned = http_client("")?.request(unsigned).await?;
    assert_eq!(unsigned.status().as_u16(), 400);
    timeout(Duration::from_secs(30), store.called(&admin.id, 1)).await?;

    let calls = store.calls();
    assert_eq!((calls.len(), store.calls_for(&admin.id).len()), (2, 1));
    let signed = &calls[0];
    assert_eq!((signed.method.as_str(), signed.status), ("GET", 403));
    assert_eq!(signed.path, "/?max-buckets=1");
    assert_eq!(signed.key_id.as_deref(), Some(admin.id.as_str()));
    assert_eq!(signed.region.as_deref(), Some("eu-west-3"));
    let authorization = signed.header("authorization").context("a header")?;
    assert!(authorization.contains(&admin.id), "{authorization}");
    assert!(authorization.ends_with("Signature=..."), "{authorization}");
    assert_eq!(calls[1].key_id, None);
    assert!(!format!("{calls:?}").contains(&admin.secret));
    Ok(())
}

#[tokio::test]
async fn a_signature_counts_only_with_the_hash_of_the_payload() -> Result<()> {
    let admin = administrator();
    let store = StandIn::start(Refusals::minio()).await?;
    store.accept_pair(&admin, Answer::buckets());
    let request = Request::get(store.url())
        .header("authorization", authorization(&admin.id))
        .body(Full::default())?;
    let response = http_client("")?.request(request).await?;
    assert_eq!(response.status().as_u16(), 400);
    let body = response.into_body().collect().await?.to_bytes();
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("<Code>InvalidRequest</Code>"), "{body}");
    Ok(())
}

#[tokio::test]
async fn the_stand_in_speaks_tls() -> Result<()> {
    let admin = administrator();
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let start = StandIn::start_tls_on(ip, Certificate::Valid, Refusals::minio());
    let (store, ca_pem) = start.await?;
    store.answer(&admin.id, Answer::buckets());
    let request = Request::get(store.url())
        .header("authorization", authorization(&admin.id))
        .body(Full::default())?;
    let response = http_client(&ca_pem)?.request(request).await?;
    assert_eq!(response.status().as_u16(), 200);
    assert!(ListBuckets::new(&admin).send(&store.url()).await.is_err());
    Ok(())
}

fn authorization(key_id: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key_id}/20260101/us-east-1/s3/aws4_request, \
         SignedHeaders=host, Signature=00"
    )
}
