//! The STS stand-in against AWS's own client.

use std::time::{Duration, Instant};

use crate::sts::{Answer, Certificate, Identity, Sts};
use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::caller::Caller;

const ID: &str = "AKIARZPUZDIKEXAMPLE2";
const SECRET: &str = "t9PkVZ0/aSecretOfTheStandInOnly+0123456789";
const ACCOUNT: &str = "123456789012";
const ARN: &str = "arn:aws:iam::123456789012:user/team/reader";

async fn with_pair() -> Result<Sts> {
    let sts = Sts::start().await?;
    sts.accept_pair(ID, SECRET, ACCOUNT, ARN, "AIDAEXAMPLE");
    Ok(sts)
}

async fn call(sts: &Sts) -> Result<String, String> {
    caller().call(&sts.url()).await
}

fn identity() -> Identity {
    Identity {
        account: ACCOUNT.to_owned(),
        arn: ARN.to_owned(),
        user_id: "AIDAEXAMPLE".to_owned(),
    }
}

fn caller() -> Caller<'static> {
    Caller::new(ID, SECRET)
}

fn refused(what: &str) -> Result<String, String> {
    Err(what.to_owned())
}

#[tokio::test]
async fn a_right_signature_is_accepted_and_the_call_is_remembered() -> Result<()> {
    let sts = with_pair().await?;
    assert_eq!(call(&sts).await, Ok(ARN.to_owned()));
    let calls = sts.calls_for(ID);
    assert_eq!((calls.len(), calls[0].region.as_str()), (1, "eu-west-1"));
    assert!(sts.calls_for("AKIASOMEBODYELSE0000").is_empty());
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_an_unknown_id() -> Result<()> {
    let sts = with_pair().await?;
    let liar = Caller {
        secret: "t9PkVZ0/aSecretOfTheStandInOnly+0123456788",
        ..caller()
    };
    assert_eq!(
        liar.call(&sts.url()).await,
        refused("403 SignatureDoesNotMatch")
    );
    sts.answers(ID, []);
    assert_eq!(call(&sts).await, refused("403 InvalidClientTokenId"));
    Ok(())
}

#[tokio::test]
async fn a_clock_that_is_off_by_more_than_five_minutes_is_refused() -> Result<()> {
    let sts = with_pair().await?;
    for (minutes, expected) in [
        (-6, refused("403 SignatureDoesNotMatch")),
        (-4, Ok(ARN.to_owned())),
        (4, Ok(ARN.to_owned())),
        (6, refused("403 SignatureDoesNotMatch")),
    ] {
        let skewed = caller().off_by_minutes(minutes);
        assert_eq!(skewed.call(&sts.url()).await, expected, "{minutes} min");
    }
    Ok(())
}

#[tokio::test]
async fn answers_come_in_turn_and_the_last_one_stays() -> Result<()> {
    let sts = with_pair().await?;
    let accepted = Answer::Verify {
        secret: SECRET.to_owned(),
        identity: identity(),
    };
    sts.answers(ID, [Answer::unknown_key(), Answer::Throttle, accepted]);
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        outcomes.push(call(&sts).await);
    }
    assert_eq!(
        outcomes,
        [
            refused("403 InvalidClientTokenId"),
            refused("400 Throttling"),
            Ok(ARN.to_owned()),
            Ok(ARN.to_owned())
        ]
    );
    let called = tokio::time::timeout(Duration::from_secs(30), sts.called(ID, 4)).await;
    called.context("four calls are not seen")
}

#[tokio::test]
async fn each_fault_looks_to_the_client_as_it_should() -> Result<()> {
    let sts = with_pair().await?;
    let page = Answer::Custom {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html></html>".to_vec(),
    };
    for (answer, expected) in [
        (
            Answer::error(500, "InternalFailure", "no"),
            "500 InternalFailure",
        ),
        (Answer::Html(403), "403 no code"),
        (
            Answer::Redirect("http://127.0.0.1:9/".to_owned()),
            "307 no code",
        ),
        (Answer::Hang, "time-out"),
        (
            Answer::SlowDrip(identity(), Duration::from_secs(1)),
            "time-out",
        ),
        (Answer::Cut, "no connection"),
        (Answer::Garbage, "200 no code"),
        (page, "200 no code"),
    ] {
        let name = format!("{answer:?}");
        sts.answer(ID, answer);
        let impatient = Caller {
            limit: Duration::from_secs(if expected == "time-out" { 1 } else { 20 }),
            ..caller()
        };
        assert_eq!(
            impatient.call(&sts.url()).await,
            refused(expected),
            "{name}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_takes_as_long_as_it_is_told_to() -> Result<()> {
    let sts = with_pair().await?;
    let delay = Duration::from_millis(150);
    sts.delay(delay);
    let began = Instant::now();
    call(&sts).await.map_err(anyhow::Error::msg)?;
    anyhow::ensure!(began.elapsed() >= delay);
    Ok(())
}

/// Not through AWS's client, which would keep all of it in memory.
#[tokio::test]
async fn a_huge_answer_does_not_end_by_itself() -> Result<()> {
    let sts = with_pair().await?;
    sts.answer(ID, Answer::Huge);
    let url = sts.url();
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-length: 24\r\nauthorization: \
         AWS4-HMAC-SHA256 Credential={ID}/20260101/eu-west-1/sts/aws4_request, \
         SignedHeaders=host, Signature=00\r\n\r\nAction=GetCallerIdentity"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut some = vec![0; 32 << 20];
    let read = stream.read_exact(&mut some);
    tokio::time::timeout(Duration::from_mins(1), read).await??;
    assert!(some.starts_with(b"HTTP/1.1 200 OK"));
    Ok(())
}

#[tokio::test]
async fn a_client_that_trusts_the_ca_gets_through_unless_the_certificate_is_bad() -> Result<()> {
    let localhost = "127.0.0.1".parse()?;
    for (kind, expected) in [
        (Certificate::Valid, Ok(ARN.to_owned())),
        (Certificate::WrongHost, refused("no connection")),
        (Certificate::Expired, refused("no connection")),
    ] {
        let (sts, ca_pem) = Sts::start_tls_on(localhost, kind).await?;
        sts.accept_pair(ID, SECRET, ACCOUNT, ARN, "AIDAEXAMPLE");
        let trusting = Caller {
            ca_pem: &ca_pem,
            ..caller()
        };
        assert_eq!(trusting.call(&sts.url()).await, expected, "{kind:?}");
        assert_eq!(
            caller().call(&sts.url()).await,
            refused("no connection"),
            "{kind:?} without the CA"
        );
    }
    Ok(())
}
