//! Bodies that attack an XML parser.

use static_aws_credentials::{
    api::{Reason, Reason::*},
    domain::verdict::Answer,
};

use super::{
    asking::{ACCOUNT, ARN, answer_to_body, identity},
    raw::{failure, success},
};

#[tokio::test]
async fn s4_xml_that_is_made_to_hurt() {
    let ok = success(ACCOUNT, ARN);
    let lol = (0..60)
        .map(|n| format!("<!ENTITY l{} \"&l{n};&l{n};&l{n};&l{n};\">", n + 1))
        .collect::<Vec<_>>()
        .concat();
    let result = "<GetCallerIdentityResult>";
    let rows = [
        (
            "entities",
            format!(
                "<!DOCTYPE x [<!ENTITY l0 \"lol\">{lol}]>{}",
                ok.replace(ACCOUNT, "&l60;")
            ),
        ),
        (
            "an external entity",
            format!(
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
                ok.replace(ARN, "&e;")
            ),
        ),
        ("an unknown entity", ok.replace(ACCOUNT, "&lol;")),
        (
            "depth",
            format!("{}{}", "<GetCallerIdentityResponse>".repeat(2_000), ok),
        ),
        (
            "depth inside",
            ok.replace(result, &format!("{result}{}", "<a>".repeat(15_000))),
        ),
        (
            "another root",
            ok.replace("GetCallerIdentityResponse", "AssumeRoleResponse"),
        ),
        (
            "another result",
            ok.replace("GetCallerIdentityResult", "AssumeRoleResult"),
        ),
        (
            "two accounts",
            ok.replace(result, &format!("{result}<Account>210987654321</Account>")),
        ),
        (
            "two accounts, one with a prefix",
            ok.replace(
                result,
                &format!("{result}<x:Account xmlns:x=\"x\">210987654321</x:Account>"),
            ),
        ),
        (
            "two names",
            ok.replace(
                result,
                &format!("{result}<Arn>arn:aws:iam::{ACCOUNT}:root</Arn>"),
            ),
        ),
        (
            "no account",
            ok.replace(&format!("<Account>{ACCOUNT}</Account>"), ""),
        ),
        (
            "a comment in the name",
            ok.replace("orders", "or<!-- -->ders"),
        ),
        ("CDATA", ok.replace(ARN, &format!("<![CDATA[{ARN}]]>"))),
        (
            "a line break in the name",
            ok.replace("orders", "orders&#10;level=INFO"),
        ),
        ("no end", ok[..ok.len() / 2].to_owned()),
        (
            "an error with status 200",
            failure("InvalidClientTokenId", ""),
        ),
    ];
    for (what, body) in rows {
        let answer = answer_to_body(200, &body).await;
        assert_eq!(answer, Answer::Outage(StsUnexpectedResponse), "{what}");
    }
    let attributes = (0..3_000)
        .map(|n| format!(" a{n}=\"{n}\""))
        .collect::<Vec<_>>()
        .concat();
    let wide = ok.replace(result, &format!("<GetCallerIdentityResult{attributes}>"));
    let elsewhere = ok.replace("sts.amazonaws.com", "example.com");
    let prefix = ok
        .replace("<Account", "<x:Account")
        .replace("</Account", "</x:Account");
    for body in [wide, elsewhere, prefix] {
        assert_eq!(
            answer_to_body(200, &body).await,
            identity(),
            "says one thing"
        );
    }
}

#[tokio::test]
async fn s4_errors_that_are_made_to_hurt() {
    let known = failure("InvalidClientTokenId", "");
    let lol = format!(
        "<!DOCTYPE x [<!ENTITY l \"InvalidClientTokenId\">]>{}",
        failure("&l;", "")
    );
    let rows: [(&str, String, Reason); 4] = [
        ("entities", lol, StsAccessDenied),
        ("depth", "<ErrorResponse>".repeat(4_000), StsAccessDenied),
        (
            "no error",
            known.replace("Error>", "Errors>"),
            StsAccessDenied,
        ),
        ("no code", known.replace("Code>", "Kode>"), StsAccessDenied),
    ];
    for (what, body, reason) in rows {
        assert_eq!(
            answer_to_body(403, &body).await,
            Answer::Outage(reason),
            "{what}"
        );
    }
    assert_eq!(
        answer_to_body(403, &failure(&"x".repeat(60_000), "")).await,
        Answer::Undetermined(StsAccessDenied),
        "an error of AWS, with a long code"
    );
}
