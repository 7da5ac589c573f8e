//! The StaticAwsCredentials operator.
