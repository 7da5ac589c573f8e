//! Numbers as people read them.

/// Three significant digits, and no more.
pub fn plain(value: f64) -> String {
    let size = value.abs();
    if (value - value.round()).abs() < 1e-9 || size >= 99.95 {
        let text = grouped_digits(&format!("{:.0}", size.round()));
        return if value < 0.0 && text != "0" {
            format!("-{text}")
        } else {
            text
        };
    }
    if size >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

pub fn grouped(count: usize) -> String {
    grouped_digits(&count.to_string())
}

fn grouped_digits(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.004, "0.00"),
            (3.714, "3.71"),
            (9.999, "10.0"),
            (39.96, "40.0"),
            (99.96, "100"),
            (347.6, "348"),
            (10_000.0, "10,000"),
            (1_234_567.8, "1,234,568"),
            (-0.25, "-0.25"),
            (-1500.0, "-1,500"),
            (2.0, "2"),
        ] {
            assert_eq!(plain(value), text);
        }
    }
}
