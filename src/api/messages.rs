//! What the CEL rules of the definition demand. A message is the path of a field, a blank and one of these texts.
//! `check` evaluates the same rules and prints the same messages.

/// A name that the API server accepts for a Secret.
pub const SECRET_NAME: &str = "must be the name of a Secret: lower-case letters, digits, '-' and '.', with a letter or digit at both ends of each part";
/// A key that the API server accepts in the data of a Secret.
pub const DATA_KEY: &str = "must be a key of a Secret: letters, digits, '-', '_' and '.', other than '.' and not beginning with '..'";
/// A name of a key.
pub const NO_KEY_MATERIAL: &str = "must be the name of a key and not the key material itself";
/// Two different keys of the source.
pub const TWO_KEYS: &str = "must differ from spec.secretRef.accessKeyIdKey";
/// The form of a region.
pub const REGION: &str = "must be an AWS region such as eu-west-1";
/// A region for STS.
pub const REGION_AT_IDENTITY: &str =
    "must be set when spec.validation.level is Identity, unless spec.classRef names a class";
/// A region for keys that hold one.
pub const REGION_OF_KEYS: &str =
    "must be set when spec.target.keys has a key for Region or ConfigFile";
/// A region, account or user that only AWS has.
pub const ABSENT_BESIDE_CLASS: &str =
    "must be absent beside spec.classRef, since the class describes the store";
/// A name that the API server accepts for a class.
pub const CLASS_NAME: &str = "must be the name of an AwsCredentialsClass: lower-case letters, digits, '-' and '.', with a letter or digit at both ends of each part";
/// An address of a store.
pub const ENDPOINT_URL: &str = "must be https:// or http:// with a host and optionally a port, without a path, a query or a user, such as https://minio.example.com:9000";
/// Plain HTTP only by consent.
pub const PLAIN_HTTP: &str = "must begin with https://, unless spec.allowPlainHttp is true";
/// Certificates.
pub const CA_BUNDLE: &str = "must be one or more certificates in PEM, each between BEGIN CERTIFICATE and END CERTIFICATE, without a private key";
/// A region of a store.
pub const SIGNING_REGION: &str = "must be the region of the store: lower-case letters, digits and '-', such as us-east-1, auto or garage";
/// The bounds of the settling time.
pub const SETTLING: &str = "must be 0s to 10m, in minutes and seconds, such as 90s or 2m";
/// Names of namespaces.
pub const NAMESPACES: &str =
    "must be names of namespaces: lower-case letters, digits and '-', each name once";
/// The form of an account ID.
pub const ACCOUNT_ID: &str = "must be an AWS account ID: 12 digits";
/// The form of an ARN.
pub const ARN: &str = "must be the ARN of an IAM user or root user, such as arn:aws:iam::123456789012:user/connectors/*";
/// No ARN without STS.
pub const ARN_AT_IDENTITY: &str =
    "must be absent unless spec.validation.level is Identity, since only STS knows the ARN";
/// One account in both pins.
pub const ARN_ACCOUNT: &str =
    "must name the account in spec.validation.accountId, or '*' for its account";
/// An ARN that some pair of the region can have.
pub const ARN_PARTITION: &str = "must lie in the partition of spec.region";
/// The bounds of the interval.
pub const INTERVAL: &str =
    "must be 5m to 168h, in hours, minutes and seconds, such as 30m or 1h30m";
/// One way to name the pair.
pub const FILE_OR_KEYS: &str = "must not be set beside accessKeyIdKey or secretAccessKeyKey";
/// A name that every SDK reads alike in brackets.
pub const PROFILE: &str =
    "must be the name of a profile: letters, digits, and the signs . _ / % @ : + and -";
/// A target that is not the source.
pub const TWO_SECRETS: &str = "must differ from spec.secretRef.name";
/// A default target with a name that is not too long.
pub const TARGET_OF_LONG_NAME: &str = "must be set when metadata.name has more than 241 characters, since its default appends '-credentials'";
/// A default target that is not the source.
pub const TARGET_OF_SOURCE: &str = "must be set when its default, metadata.name followed by '-credentials', is spec.secretRef.name";
/// Different layouts.
pub const DIFFERENT_LAYOUTS: &str = "must name each layout once";
/// A target with both halves of the pair.
pub const WHOLE_PAIR: &str = "must name at least one layout, unless spec.target.keys has a key for AccessKeyId and one for SecretAccessKey, or one for CredentialsFile or ProcessJson";
/// One writer of each key.
pub const KEYS_BESIDE_LAYOUTS: &str =
    "must not name a key that a layout in spec.target.layouts writes";
/// The bound of the keys of a map.
pub const SHORT_KEYS: &str = "must have keys of at most 253 characters";
/// As [`DATA_KEY`], for the keys of a map.
pub const DATA_KEYS: &str = "must have only valid keys of a Secret: letters, digits, '-', '_' and '.', other than '.' and not beginning with '..'";
/// As [`NO_KEY_MATERIAL`], for the keys of a map.
pub const NO_KEY_MATERIAL_IN_KEYS: &str =
    "must have names for its keys and not the key material itself";
/// Workloads for one of the scopes.
pub const WORKLOADS_OF_SCOPE: &str = "must name workloads when spec.rotation.restart.scope is Workloads, and be absent when it is Consumers";
/// Names that the API server accepts for workloads.
pub const WORKLOAD_NAMES: &str = "must have names of lower-case letters, digits, '-' and '.'";
/// The bounds of the number of concurrent restarts.
pub const MAX_CONCURRENT: &str = "must be 1 to 50";
