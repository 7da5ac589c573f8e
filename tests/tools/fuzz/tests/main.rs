//! The targets without and with guidance, and what they write as botocore reads it.

mod botocore;
mod guided;
mod replay;
#[path = "../../../support/report.rs"]
mod report;
