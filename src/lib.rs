//! The StaticAwsCredentials operator.

pub mod account;
pub mod api;
pub mod arn;
pub mod fair;
pub mod format;
pub mod layout;
pub mod pair;
pub mod region;
pub mod sts;
pub mod verdict;
