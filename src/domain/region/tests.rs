//! Regions, their partitions, and the host that a signed request goes to.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::domain::region::{Partition, Region, Variant};
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use proptest::prelude::*;

/// At least two regions of every partition.
const REGIONS: &[(&str, Partition, &str)] = &[
    ("us-east-1", Partition::Aws, "sts.us-east-1.amazonaws.com"),
    ("eu-west-1", Partition::Aws, "sts.eu-west-1.amazonaws.com"),
    (
        "ap-southeast-7",
        Partition::Aws,
        "sts.ap-southeast-7.amazonaws.com",
    ),
    (
        "il-central-1",
        Partition::Aws,
        "sts.il-central-1.amazonaws.com",
    ),
    (
        "mx-central-1",
        Partition::Aws,
        "sts.mx-central-1.amazonaws.com",
    ),
    (
        "zz-nowhere-42",
        Partition::Aws,
        "sts.zz-nowhere-42.amazonaws.com",
    ),
    (
        "cn-north-1",
        Partition::AwsCn,
        "sts.cn-north-1.amazonaws.com.cn",
    ),
    (
        "cn-northwest-1",
        Partition::AwsCn,
        "sts.cn-northwest-1.amazonaws.com.cn",
    ),
    (
        "us-gov-east-1",
        Partition::AwsUsGov,
        "sts.us-gov-east-1.amazonaws.com",
    ),
    (
        "us-gov-west-1",
        Partition::AwsUsGov,
        "sts.us-gov-west-1.amazonaws.com",
    ),
    (
        "eusc-de-east-1",
        Partition::AwsEusc,
        "sts.eusc-de-east-1.amazonaws.eu",
    ),
    (
        "eusc-de-west-1",
        Partition::AwsEusc,
        "sts.eusc-de-west-1.amazonaws.eu",
    ),
    (
        "us-iso-east-1",
        Partition::AwsIso,
        "sts.us-iso-east-1.c2s.ic.gov",
    ),
    (
        "us-iso-west-1",
        Partition::AwsIso,
        "sts.us-iso-west-1.c2s.ic.gov",
    ),
    (
        "us-isob-east-1",
        Partition::AwsIsoB,
        "sts.us-isob-east-1.sc2s.sgov.gov",
    ),
    (
        "us-isob-west-1",
        Partition::AwsIsoB,
        "sts.us-isob-west-1.sc2s.sgov.gov",
    ),
    (
        "eu-isoe-west-1",
        Partition::AwsIsoE,
        "sts.eu-isoe-west-1.cloud.adc-e.uk",
    ),
    (
        "eu-isoe-east-1",
        Partition::AwsIsoE,
        "sts.eu-isoe-east-1.cloud.adc-e.uk",
    ),
    (
        "us-isof-south-1",
        Partition::AwsIsoF,
        "sts.us-isof-south-1.csp.hci.ic.gov",
    ),
    (
        "us-isof-east-1",
        Partition::AwsIsoF,
        "sts.us-isof-east-1.csp.hci.ic.gov",
    ),
];

fn endpoint_of_sdk(region: &str, variant: Option<Variant>) -> String {
    let params = Params::builder()
        .region(region)
        .use_global_endpoint(false)
        .use_fips(variant == Some(Variant::Fips))
        .use_dual_stack(variant == Some(Variant::DualStack))
        .build()
        .unwrap();
    let resolver = DefaultResolver::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let endpoint = runtime
        .block_on(resolver.resolve_endpoint(&params))
        .unwrap();
    endpoint.url().to_owned()
}

#[test]
fn a_region_has_the_partition_and_the_endpoint_that_aws_gives_it() {
    for &(name, partition, host) in REGIONS {
        let region = Region::parse(name).unwrap();
        assert_eq!(region.as_str(), name);
        assert_eq!(region.to_string(), name);
        assert_eq!(region.partition(), partition, "{name}");
        assert_eq!(region.sts_endpoint(), format!("https://{host}"));
        assert_eq!(region.sts_endpoint(), endpoint_of_sdk(name, None));
    }
}

/// The test does not check which variants exist in AWS: the names follow a rule, as in the SDK.
#[test]
fn a_variant_has_the_endpoint_that_the_sdk_asks() {
    for &(name, ..) in REGIONS {
        let region = Region::parse(name).unwrap();
        for variant in [Variant::Fips, Variant::DualStack] {
            let endpoint = region.sts_endpoint_of(variant);
            assert_eq!(
                endpoint,
                endpoint_of_sdk(name, Some(variant)),
                "{variant:?}"
            );
        }
    }
}

const NO_REGIONS: &[&str] = &[
    "",
    "-",
    "us",
    "us-east",
    "us-east-",
    "us-east-1-",
    "-us-east-1",
    "us--east-1",
    "us-east-123",
    "us-a-b-c-1",
    "u-east-1",
    "abcde-east-1",
    "us-east-1.evil.com",
    "us-east-1.evil.com#",
    "us-east-1.evil.com/?",
    "us-east-1@evil.com",
    "@evil.com",
    "us-east-1#",
    "us-east-1?",
    "us-east-1/",
    "us-east-1\\",
    "us-east-1:443",
    "us-east-1\0",
    "us-east-1\n",
    "us-east-1\r\nHost: evil.com",
    " us-east-1",
    "us-east-1 ",
    "us-east-1%2e",
    "US-EAST-1",
    "us-east-\u{661}",
    "us-e\u{430}st-1",
    "us\u{2010}east\u{2010}1",
    "us-east-1\u{3002}evil\u{3002}com",
    "xn--east-1",
    "us-\u{fc}ber-1",
    "aws-global",
    "localhost",
    "127.0.0.1",
    "[::1]",
];

#[test]
fn a10_what_could_reach_another_host_is_no_region() {
    let kibibyte = format!("us-{}-1", "a".repeat(1024));
    let long = [kibibyte, "us-".repeat(400_000)];
    let long = long.iter().map(String::as_str);
    for text in NO_REGIONS.iter().copied().chain(long) {
        let message = Region::parse(text).unwrap_err();
        assert_eq!(
            message,
            "region must be the name of an AWS region, such as eu-west-1"
        );
    }
}

#[test]
fn a_region_has_at_most_32_characters() {
    assert!(Region::parse(&format!("us-{}-1", "a".repeat(27))).is_ok());
    assert!(Region::parse(&format!("us-{}-1", "a".repeat(28))).is_err());
}

#[test]
fn the_default_region_of_a_partition_lies_in_it() {
    for partition in Partition::ALL {
        let region = Region::parse(partition.default_region()).unwrap();
        assert_eq!(region.partition(), partition);
    }
}

#[test]
fn the_partition_of_an_arn_is_its_second_part() {
    for partition in Partition::ALL {
        let arn = format!("arn:{}:iam::123456789012:user/alice", partition.name());
        assert_eq!(Partition::of_arn(&arn), Some(partition));
    }
    for arn in [
        "",
        "arn",
        "arn:aws",
        "aws:iam",
        "arn::iam",
        "arn:aws-new:iam::123456789012:root",
        "arn:AWS:iam::123456789012:root",
        "x:aws:iam::123456789012:root",
    ] {
        assert_eq!(Partition::of_arn(arn), None, "{arn}");
    }
}

/// The host of the URL, as an HTTP client parses it.
fn host(url: &str) -> String {
    let uri: axum::http::Uri = url.parse().unwrap();
    assert_eq!(uri.scheme_str(), Some("https"));
    assert_eq!((uri.path(), uri.query(), uri.port()), ("/", None, None));
    uri.host().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn a10_whatever_is_taken_for_a_region_leads_to_a_host_of_aws(
        text in prop_oneof![
            any::<String>(),
            "[a-z.@#:/%-]{0,8}-[a-z]{1,5}-[0-9]{1,3}",
            "(us|cn|eusc|us-gov|us-iso[bf]?|eu-isoe)-[a-z.@#-]{1,5}-[0-9]{1,3}[a-z.@#/\\\\]{0,2}",
        ],
    ) {
        let Ok(region) = Region::parse(&text) else {
            return Ok(());
        };
        let host = host(&region.sts_endpoint());
        let suffix = host.strip_prefix(&format!("sts.{text}.")).unwrap();
        let suffixes = [
            "amazonaws.com",
            "amazonaws.com.cn",
            "amazonaws.eu",
            "c2s.ic.gov",
            "sc2s.sgov.gov",
            "cloud.adc-e.uk",
            "csp.hci.ic.gov",
        ];
        prop_assert!(suffixes.contains(&suffix), "{host}");
        prop_assert!(!text.contains('.') && text.is_ascii());
    }
}
