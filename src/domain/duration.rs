//! Durations as fields and flags have them.

use std::time::Duration;

/// Hours, minutes and seconds in this order, each with as many digits as the schema allows. kube's
/// own parser accepts more, and panics on a number that is too large.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(char, usize, u64); 3] = [('h', 4, 3600), ('m', 5, 60), ('s', 6, 1)];
    let mut rest = text;
    let mut seconds: u64 = 0;
    for (unit, digits, size) in UNITS {
        let Some((number, after)) = rest.split_once(unit) else {
            continue;
        };
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || number.len() > digits {
            return None;
        }
        seconds += number.parse::<u64>().ok()? * size;
        rest = after;
    }
    rest.is_empty().then(|| Duration::from_secs(seconds))
}
