//! AWS regions and the partitions that they belong to.
//!
//! The name of a region becomes part of the host that receives a signed request, so nothing that
//! could end that part or begin another is ever taken for a region.

use std::fmt;

/// The most characters of a region's name.
const MAX_LENGTH: usize = 32;

/// A name that has the form of a region. Whether AWS has such a region is not known here: new ones
/// must not need a new operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

/// Endpoints that AWS offers beside those that every region has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum Variant {
    /// Endpoints with FIPS 140 validated cryptography, in regions of the United States
    Fips,
    /// Endpoints that also have IPv6 addresses
    DualStack,
}

/// A separate AWS, with its own accounts, keys and host names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// US `GovCloud`.
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
    /// US ISO.
    AwsIso,
    /// US ISOB.
    AwsIsoB,
    /// EU ISOE.
    AwsIsoE,
    /// US ISOF.
    AwsIsoF,
}

impl Region {
    /// Takes a text for a region.
    ///
    /// # Errors
    ///
    /// A sentence about what a region looks like, without the text: it may be anything.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() <= MAX_LENGTH && has_form_of_region(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err("region must be the name of an AWS region, such as eu-west-1".to_owned())
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition that has the region.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::ALL
            .into_iter()
            .find(|partition| {
                let prefix = partition.metadata().region_prefix;
                prefix.is_some_and(|prefix| self.0.starts_with(prefix))
            })
            .unwrap_or(Partition::Aws)
    }

    /// The regional endpoint of STS: the global one is not for every partition, and no VPC endpoint
    /// stands in for it.
    #[must_use]
    pub fn sts_endpoint(&self) -> String {
        format!(
            "https://sts.{}.{}",
            self.0,
            self.partition().metadata().dns_suffix
        )
    }

    /// The regional endpoint of STS in a variant. AWS does not have each variant in each region.
    #[must_use]
    pub fn sts_endpoint_of(&self, variant: Variant) -> String {
        let partition = self.partition();
        match variant {
            // The endpoints of GovCloud are FIPS endpoints.
            Variant::Fips if partition == Partition::AwsUsGov => self.sts_endpoint(),
            Variant::Fips => {
                let suffix = partition.metadata().dns_suffix;
                format!("https://sts-fips.{}.{suffix}", self.0)
            }
            Variant::DualStack => {
                format!("https://sts.{}.{}", self.0, partition.dual_stack_suffix())
            }
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Partition {
    /// Every partition.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsEusc,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
    ];

    /// The name, as the second part of an ARN has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.metadata().name
    }

    /// The partition of an ARN; none if it is one that is not known here.
    #[must_use]
    pub fn of_arn(arn: &str) -> Option<Self> {
        let (name, _) = arn.strip_prefix("arn:")?.split_once(':')?;
        Self::ALL
            .into_iter()
            .find(|partition| partition.name() == name)
    }

    /// The region that is enabled for every account of the partition.
    #[must_use]
    pub fn default_region(self) -> &'static str {
        self.metadata().default_region
    }

    /// What the names of dual-stack endpoints end with.
    fn dual_stack_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "api.aws",
            Self::AwsCn => "api.amazonwebservices.com.cn",
            Self::AwsEusc => "api.amazonwebservices.eu",
            Self::AwsIso => "api.aws.ic.gov",
            Self::AwsIsoB => "api.aws.scloud",
            Self::AwsIsoE => "api.cloud-aws.adc-e.uk",
            Self::AwsIsoF => "api.aws.hci.ic.gov",
        }
    }

    fn metadata(self) -> PartitionMetadata {
        let (name, region_prefix, dns_suffix, default_region) = match self {
            Self::Aws => ("aws", None, "amazonaws.com", "us-east-1"),
            Self::AwsCn => ("aws-cn", Some("cn-"), "amazonaws.com.cn", "cn-northwest-1"),
            Self::AwsUsGov => (
                "aws-us-gov",
                Some("us-gov-"),
                "amazonaws.com",
                "us-gov-west-1",
            ),
            Self::AwsEusc => ("aws-eusc", Some("eusc-"), "amazonaws.eu", "eusc-de-east-1"),
            Self::AwsIso => ("aws-iso", Some("us-iso-"), "c2s.ic.gov", "us-iso-east-1"),
            Self::AwsIsoB => (
                "aws-iso-b",
                Some("us-isob-"),
                "sc2s.sgov.gov",
                "us-isob-east-1",
            ),
            Self::AwsIsoE => (
                "aws-iso-e",
                Some("eu-isoe-"),
                "cloud.adc-e.uk",
                "eu-isoe-west-1",
            ),
            Self::AwsIsoF => (
                "aws-iso-f",
                Some("us-isof-"),
                "csp.hci.ic.gov",
                "us-isof-south-1",
            ),
        };
        PartitionMetadata {
            name,
            region_prefix,
            dns_suffix,
            default_region,
        }
    }
}

/// What AWS publishes about a partition. A region without one of the prefixes is commercial.
struct PartitionMetadata {
    name: &'static str,
    region_prefix: Option<&'static str>,
    dns_suffix: &'static str,
    default_region: &'static str,
}

/// Two to four letters, one or two words, a number of one or two digits, with `-` between them.
fn has_form_of_region(text: &str) -> bool {
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number =
        |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = text.split('-').collect();
    match parts.as_slice() {
        [area, words @ .., number] => {
            (2..=4).contains(&area.len())
                && matches!(words.len(), 1 | 2)
                && is_word(area)
                && words.iter().all(|word| is_word(word))
                && is_number(number)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
