//! A program whose clock is wrong.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::tools::skewed_by;
use anyhow::{Result, ensure};

#[test]
fn a_program_believes_in_another_time() -> Result<()> {
    for skew in [-600, 600] {
        let mut date = Command::new("date");
        let output = date.arg("+%s").envs(skewed_by(skew)?).output()?;
        let printed: i64 = String::from_utf8(output.stdout)?.trim().parse()?;
        let now: Duration = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let off = printed - i64::try_from(now.as_secs())?;
        ensure!((skew - 10..=skew + 10).contains(&off), "off by {off} s");
    }
    Ok(())
}
