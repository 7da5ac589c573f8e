//! The relevant parts of `kubectl`'s output.

use crate::screen::wrap;

/// The condition Ready from the output of `kubectl describe`, with its long line wrapped.
pub(crate) fn ready_in(described: &str) -> Option<String> {
    let (_, conditions) = described.split_once("Conditions:")?;
    let mut blocks = conditions.split("Last Transition Time:");
    let ready = blocks.find(|block| {
        let mut lines = block.lines().map(str::trim);
        lines.any(|line| line.starts_with("Type:") && line.ends_with(" Ready"))
    })?;
    let mut shown = vec!["…".to_owned()];
    for line in ready.lines().skip(1) {
        let Some((name, value)) = line.trim().split_once(':') else {
            continue;
        };
        for (number, part) in wrap(value, 84).into_iter().enumerate() {
            let name = if number == 0 {
                format!("{name}:")
            } else {
                String::new()
            };
            shown.push(format!("{name:<9}{part}"));
        }
        if name == "Type" {
            return Some(shown.join("\n"));
        }
    }
    None
}

/// Some columns of a table; `…` marks that there are more.
pub(crate) fn columns(table: &str, wanted: &[&str]) -> String {
    let head = table.lines().next().unwrap_or_default();
    let starts: Vec<usize> = { head.char_indices() }
        .filter(|(at, character)| *character != ' ' && (*at == 0 || head[..*at].ends_with("  ")))
        .map(|(at, _)| at)
        .collect();
    let cells = |line: &str| {
        let mut shown = String::new();
        for (number, start) in starts.iter().enumerate() {
            let end = starts.get(number + 1).copied();
            let cell = |line: &str| {
                let end = end.unwrap_or(line.len()).min(line.len());
                line.get(*start..end).unwrap_or_default().to_owned()
            };
            if wanted.contains(&cell(head).trim()) {
                shown.push_str(&cell(line));
            }
        }
        format!("{}   …", shown.trim_end())
    };
    table.lines().map(cells).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_description_the_condition_ready_is_left_with_its_long_line_broken() {
        let message = "word ".repeat(20);
        let described = format!(
            "Name: x\nStatus:\n  Conditions:\n    Last Transition Time:  t\n    Message: other\n    \
             Reason: R1\n    Status: True\n    Type:   Verified\n    Last Transition Time:  t\n    \
             Message:  {message}\n    Reason:   R2\n    Status:   False\n    Type:     Ready\n  \
             Observed Generation:  1\nEvents: <none>\n"
        );
        let (long, short) = (vec!["word"; 17].join(" "), ["word"; 3].join(" "));
        let expected = format!(
            "…\nMessage: {long}\n         {short}\nReason:  R2\nStatus:  False\nType:    Ready"
        );
        assert_eq!(ready_in(&described), Some(expected));
        assert_eq!(ready_in("Name: x"), None);
    }

    #[test]
    fn of_a_table_the_wanted_columns_are_left() {
        let table = "NAME    READY   REASON WITH SPACE   KEY\norders  True    Published           L2A3\nx       False\n";
        let expected = "NAME    READY   KEY   …\norders  True    L2A3   …\nx       False   …";
        assert_eq!(columns(table, &["NAME", "READY", "KEY"]), expected);
    }
}
