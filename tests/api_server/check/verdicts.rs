//! Every verdict, word for word, as text and as JSON, with its exit code.

use std::sync::Arc;

use anyhow::Result;
use cluster::sts::{Answer, Sts};

use crate::{
    check::{
        program::check,
        test_cluster::{ACCOUNT, ARN, PAIR, TestCluster, secret, sts},
    },
    suite::tests,
};

tests![
    a_proven_pair_is_accepted,
    a_pair_is_accepted_offline_for_its_form,
    what_is_unusual_is_noted,
    a_malformed_pair_is_rejected_and_aws_is_not_asked,
    what_aws_refuses_is_rejected,
    pins_and_the_root_rule_reject,
    an_account_is_judged_offline_by_the_key_id,
];

const OURS: &str = "  account  123456789012
  arn      arn:aws:iam::123456789012:user/connectors/orders
  key ID   …L2A3
  region   eu-west-1
";

/// Flags for a check of standard input against STS in eu-west-1.
pub fn asking(sts: &Sts) -> Vec<String> {
    let flags = ["-f", "-", "--region", "eu-west-1", "--sts-endpoint"];
    flags
        .iter()
        .map(ToString::to_string)
        .chain([sts.url()])
        .collect()
}

/// Appends flags.
pub fn with(mut flags: Vec<String>, more: &[&str]) -> Vec<String> {
    flags.extend(more.iter().map(ToString::to_string));
    flags
}

async fn a_proven_pair_is_accepted(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let input = secret(PAIR.0, PAIR.1);
    let text = format!(
        "accepted: IdentityVerified, Secret orders-key-pair
  AWS names arn:aws:iam::123456789012:user/connectors/orders
{OURS}"
    );
    check(asking(&sts))
        .input(input.clone())
        .prints(0, &text)
        .await?;
    let pins = [
        "--account-id",
        ACCOUNT,
        "--arn",
        "arn:aws:iam::*:user/connectors/*",
    ];
    check(with(asking(&sts), &pins))
        .input(input.clone())
        .prints(0, &text)
        .await?;
    let json = r#"{"verdict":"Accepted","reason":"IdentityVerified","message":"AWS names arn:aws:iam::123456789012:user/connectors/orders","notes":[],"secret":"orders-key-pair","resource":null,"namespace":null,"keyIdSuffix":"L2A3","identity":{"accountId":"123456789012","arn":"arn:aws:iam::123456789012:user/connectors/orders"},"region":"eu-west-1"}
"#;
    check(with(asking(&sts), &["-o", "json"]))
        .input(input)
        .prints(0, json)
        .await?;
    assert_eq!(sts.calls().len(), 3);
    assert!(sts.calls().iter().all(|call| call.region == "eu-west-1"));
    Ok(())
}

async fn a_pair_is_accepted_offline_for_its_form(_: Arc<TestCluster>) -> Result<()> {
    let text = "accepted: FormatOnly, Secret orders-key-pair
  the pair is well-formed; AWS was not asked
  key ID   …L2A3
";
    let input = secret(PAIR.0, PAIR.1);
    check(["-f", "-", "--offline"])
        .input(input.clone())
        .prints(0, text)
        .await?;
    let json = r#"{"verdict":"Accepted","reason":"FormatOnly","message":"the pair is well-formed; AWS was not asked","notes":[],"secret":"orders-key-pair","resource":null,"namespace":null,"keyIdSuffix":"L2A3","identity":null,"region":null}
"#;
    check(["-f", "-", "--offline", "-o", "json"])
        .input(input)
        .prints(0, json)
        .await
}

async fn what_is_unusual_is_noted(_: Arc<TestCluster>) -> Result<()> {
    let text = r#"accepted: FormatOnly, Secret orders-key-pair
  the pair is well-formed; AWS was not asked
  key ID   …4321
  note     key "AWS_ACCESS_KEY_ID" of Secret "orders-key-pair" does not look like an access key ID of AWS: AKIA and 16 of A-Z and 2-7
  note     key "AWS_SECRET_ACCESS_KEY" of Secret "orders-key-pair" does not look like a secret access key of AWS: 40 of A-Z, a-z, 0-9, / and +
"#;
    let input = secret("STOREKEY987654321", "a-secret-of-another-store");
    let run = check(["-f", "-", "--offline"])
        .input(input)
        .canary("a-secret-of-another-store");
    run.prints(0, text).await
}

async fn a_malformed_pair_is_rejected_and_aws_is_not_asked(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let input = secret(PAIR.0, &format!("{}\n", PAIR.1));
    let text = r#"REJECTED: TrailingNewline, Secret orders-key-pair
  key "AWS_SECRET_ACCESS_KEY" of Secret "orders-key-pair" ends with a line break; write it without one, for example with printf or --from-env-file
"#;
    check(asking(&sts))
        .input(input.clone())
        .prints(1, text)
        .await?;
    check(["-f", "-", "--offline"])
        .input(input.clone())
        .prints(1, text)
        .await?;
    let json = r#"{"verdict":"Rejected","reason":"TrailingNewline","message":"key \"AWS_SECRET_ACCESS_KEY\" of Secret \"orders-key-pair\" ends with a line break; write it without one, for example with printf or --from-env-file","notes":[],"secret":"orders-key-pair","resource":null,"namespace":null,"keyIdSuffix":null,"identity":null,"region":null}
"#;
    check(with(asking(&sts), &["-o", "json"]))
        .input(input)
        .prints(1, json)
        .await?;
    assert!(sts.calls().is_empty());
    Ok(())
}

async fn what_aws_refuses_is_rejected(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let wrong = "wSecretThatIsNotThatOfTheKeyID+/wSecretT";
    let text = "REJECTED: SignatureMismatch, Secret orders-key-pair
  AWS STS in eu-west-1 knows the access key ID, but the secret access key does not belong to it; copy both halves of one pair again
  key ID   …L2A3
  region   eu-west-1
";
    let run = check(asking(&sts))
        .input(secret(PAIR.0, wrong))
        .canary(wrong);
    run.prints(1, text).await?;

    let echo = format!("the credential {} expired", PAIR.1);
    sts.answer(PAIR.0, Answer::error(403, "ExpiredToken", &echo));
    let text = "REJECTED: CredentialsExpired, Secret orders-key-pair
  AWS STS in eu-west-1 says that the credentials have expired; create a new access key for the IAM user
  key ID   …L2A3
  region   eu-west-1
";
    check(asking(&sts))
        .input(secret(PAIR.0, PAIR.1))
        .prints(1, text)
        .await?;

    sts.answer(PAIR.0, Answer::unknown_key());
    let text = "REJECTED: AccessKeyUnknown, Secret orders-key-pair
  AWS STS in eu-west-1 does not know the access key ID: the key was deactivated or deleted, belongs to another partition, or the account has not enabled this region; check the key in IAM and --region
  key ID   …L2A3
  region   eu-west-1
  note     AWS may not know a key yet that was created within the last minute; with --wait 60s, check keeps asking
";
    check(asking(&sts))
        .input(secret(PAIR.0, PAIR.1))
        .prints(1, text)
        .await
}

async fn pins_and_the_root_rule_reject(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let input = secret(PAIR.0, PAIR.1);
    let other_user = "arn:aws:iam::123456789012:user/connectors/bills";
    for (flag, value, reason, message) in [
        ("--account-id", "999999999999", "PinMismatch", "the pair belongs to account 123456789012, and --account-id is 999999999999; use a pair of that account".to_owned()),
        ("--arn", other_user, "PinMismatch", format!("the pair belongs to {ARN}, which --arn does not match; use a pair of that user")),
    ] {
        let text = format!("REJECTED: {reason}, Secret orders-key-pair\n  {message}\n{OURS}");
        check(with(asking(&sts), &[flag, value])).input(input.clone()).prints(1, &text).await?;
    }
    let root = "arn:aws:iam::123456789012:root";
    sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, root, ACCOUNT);
    let ours = OURS.replace(ARN, root);
    let text = format!(
        "REJECTED: RootUserDenied, Secret orders-key-pair
  the pair belongs to the root user of account 123456789012; use a pair of an IAM user, or use --root-user allow
{ours}"
    );
    check(asking(&sts))
        .input(input.clone())
        .prints(1, &text)
        .await?;
    let text =
        format!("accepted: IdentityVerified, Secret orders-key-pair\n  AWS names {root}\n{ours}");
    check(with(asking(&sts), &["--root-user", "allow"]))
        .input(input)
        .prints(0, &text)
        .await
}

async fn an_account_is_judged_offline_by_the_key_id(_: Arc<TestCluster>) -> Result<()> {
    let offline = |account| ["-f", "-", "--offline", "--account-id", account];
    let run = check(offline(ACCOUNT))
        .input(secret(PAIR.0, PAIR.1))
        .run()
        .await?;
    assert_eq!(run.code, 0, "{}", run.output());
    let text = "REJECTED: AccountMismatch, Secret orders-key-pair
  the access key ID belongs to account 123456789012, and --account-id is 999999999999; use a pair of that account
  key ID   …L2A3
";
    check(offline("999999999999"))
        .input(secret(PAIR.0, PAIR.1))
        .prints(1, text)
        .await?;
    let text = "REJECTED: AccountUnknown, Secret orders-key-pair
  the access key ID does not encode its account, so --account-id cannot be checked without asking AWS; leave --offline out
  key ID   …L2A3
";
    let older = format!("AKIAI{}", &PAIR.0[5..]);
    check(offline(ACCOUNT))
        .input(secret(&older, PAIR.1))
        .prints(1, text)
        .await
}
