//! The StaticAwsCredentials operator.

pub mod account;
pub mod api;
pub mod arn;
pub mod format;
pub mod layout;
pub mod pair;
pub mod region;
pub mod verdict;
