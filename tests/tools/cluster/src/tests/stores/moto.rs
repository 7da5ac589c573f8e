//! moto, as strict as AWS.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use serde_json::json;

use super::{
    LISTED, SKEWED, UNKNOWN, WRONG_SECRET, compare, early, late, stranger, with_secret_of,
};
use crate::{moto::Moto, stores::ListBuckets};

#[tokio::test]
async fn moto_tells_a_right_pair_without_rights_apart_from_a_wrong_one() -> Result<()> {
    let moto = Moto::start(IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
    for user in ["lister", "plain"] {
        moto.create_user(user).await?;
    }
    let lister = moto.create_access_key("lister").await?;
    let plain = moto.create_access_key("plain").await?;
    let inactive = moto.create_access_key("plain").await?;
    moto.set_key_active("plain", &inactive.id, false).await?;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
    });
    let params = json!({
        "UserName": "lister", "PolicyName": "list", "PolicyDocument": policy.to_string(),
    });
    moto.call("iam", "put_user_policy", params).await?;
    let stranger = stranger();
    let wrong = with_secret_of(&lister, &stranger);
    let powerless_and_wrong = with_secret_of(&plain, &stranger);
    let rows = [
        ("right", ListBuckets::new(&lister), LISTED),
        (
            "without rights",
            ListBuckets::new(&plain),
            "403 AccessDenied",
        ),
        ("deactivated", ListBuckets::new(&inactive), UNKNOWN),
        ("unknown ID", ListBuckets::new(&stranger), UNKNOWN),
        ("wrong secret", ListBuckets::new(&wrong), WRONG_SECRET),
        (
            "wrong secret, without rights",
            ListBuckets::new(&powerless_and_wrong),
            WRONG_SECRET,
        ),
        (
            "another region",
            ListBuckets::new(&lister).in_region("eu-west-3"),
            LISTED,
        ),
        ("signed 20 minutes ago", early(&lister), SKEWED),
        ("signed in 20 minutes", late(&lister), SKEWED),
    ];
    compare(moto.url(), &rows).await
}
