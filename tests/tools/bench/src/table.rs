//! The figures as a table in Markdown, which is readable in a terminal too.

use std::fmt::Write;

use crate::{
    digits::{grouped, plain},
    figure::Figure,
    measure::Goal,
    stats::Range,
};

const HEAD: [&str; 7] = [
    "figure",
    "resources",
    "goal",
    "ours",
    "bare client",
    "ratio",
    "",
];

/// A row per figure, grouped by kind, the smallest cluster first.
pub fn table(figures: &[Figure]) -> String {
    let mut sorted: Vec<&Figure> = figures.iter().collect();
    sorted.sort_by_key(|figure| (figure.measure, figure.resources));
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(sorted.into_iter().map(row));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| length(cell))
                .max()
        })
        .map(|longest| longest.unwrap_or_default().max(3))
        .collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        push(&mut text, row, &widths);
        if at == 0 {
            let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
            push(&mut text, &rules, &widths);
        }
    }
    text
}

fn length(cell: &str) -> usize {
    cell.chars().count()
}

/// Numbers are aligned to the right.
fn is_number(column: usize) -> bool {
    (1..6).contains(&column)
}

fn rule((column, width): (usize, &usize)) -> String {
    if is_number(column) {
        format!("{}:", "-".repeat(width - 1))
    } else {
        "-".repeat(*width)
    }
}

fn push(text: &mut String, row: &[String], widths: &[usize]) {
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        // Writing to a string does not fail.
        let _ = if is_number(column) {
            write!(text, "| {cell:>width$} ")
        } else {
            write!(text, "| {cell:<width$} ")
        };
    }
    text.push_str("|\n");
}

fn row(figure: &Figure) -> [String; 7] {
    let (what, unit) = figure.measure.words();
    let resources = if figure.resources == 0 {
        String::new()
    } else {
        grouped(figure.resources)
    };
    let verdict = figure
        .met
        .map_or("", |met| if met { "met" } else { "missed" });
    [
        what.to_owned(),
        resources,
        figure
            .goal
            .map(|goal| wanted(goal, unit))
            .unwrap_or_default(),
        with_unit(figure.ours, unit) + &spread(figure.range),
        figure
            .bare
            .map(|bare| with_unit(bare, unit))
            .unwrap_or_default(),
        ratio(figure).unwrap_or_default(),
        verdict.to_owned(),
    ]
}

fn ratio(figure: &Figure) -> Option<String> {
    let range = figure.ratios.map(|ratios| ratios.range);
    Some(plain(figure.ratio()?) + &spread(range))
}

fn spread(range: Option<Range>) -> String {
    range.map_or_else(String::new, |Range { least, greatest }| {
        format!(" ({}–{})", plain(least), plain(greatest))
    })
}

fn wanted(goal: Goal, unit: &str) -> String {
    match goal {
        Goal::AtMost(0.0) => "0".to_owned(),
        Goal::AtMost(most) => format!("≤ {}", with_unit(most, unit)),
        Goal::RatioAtMost(most) => format!("ratio ≤ {most}"),
        Goal::RatioAtLeast(least) => format!("ratio ≥ {least}"),
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    let value = plain(value);
    match unit {
        "" => value,
        "/s" => format!("{value}/s"),
        unit => format!("{value} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measure;

    fn rendered() -> Vec<String> {
        let figures = [
            Figure::beside(Measure::CreateRate, 10_000, 310.0, Some(340.0)),
            Figure::new(Measure::IdleMemory, 0, 11.64),
            Figure::beside(Measure::CreateRate, 2_000, 290.0, Some(350.0)),
            Figure::new(Measure::RestartLists, 2_000, 60.0),
        ];
        table(&figures).lines().map(str::to_owned).collect()
    }

    #[test]
    fn rows_come_by_kind_and_then_by_size() {
        let lines = rendered();
        let starts = [
            "| figure",
            "| ---",
            "| memory",
            "| burst",
            "| burst",
            "| restart",
        ];
        assert_eq!(lines.len(), starts.len());
        for (line, start) in lines.iter().zip(starts) {
            assert!(line.starts_with(start), "{line}");
        }
        assert!(lines[3].contains(" 2,000 ") && lines[4].contains(" 10,000 "));
    }

    #[test]
    fn a_row_says_what_was_wanted_what_is_and_whether_it_is_met() {
        let lines = rendered();
        let cells: Vec<&str> = lines[3].split('|').map(str::trim).collect();
        assert_eq!(
            cells[3..8],
            ["ratio ≥ 0.9", "290/s", "350/s", "0.83", "missed"]
        );
        let cells: Vec<&str> = lines[2].split('|').map(str::trim).collect();
        assert_eq!(cells[2..8], ["", "≤ 12 MiB", "11.6 MiB", "", "", "met"]);
        let cells: Vec<&str> = lines[5].split('|').map(str::trim).collect();
        assert_eq!(cells[3..8], ["", "60", "", "", ""]);
    }

    #[test]
    fn all_rows_are_as_wide_as_the_head() {
        let lines = rendered();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert!(lines[1].contains("-: |"), "{}", lines[1]);
    }

    #[test]
    fn several_comparisons_have_their_spread_behind_the_median() {
        let comparisons = [(290.0, 315.0), (285.0, 300.0), (264.0, 300.0)];
        let figure = Figure::compared(Measure::CreateRate, 10_000, &comparisons);
        let cells = cells(figure);
        assert_eq!(
            cells[2..],
            ["ratio ≥ 0.9", "285/s", "300/s", "0.92 (0.88–0.95)", "met"]
        );
    }

    #[test]
    fn what_is_judged_by_itself_has_its_spread_there() {
        let comparisons = [(2.5, 20.0), (1.75, 21.0), (1.5, 28.0)];
        let figure = Figure::compared(Measure::NeighbourRotation, 10_000, &comparisons);
        let cells = cells(figure);
        assert_eq!(cells[3], "1.75 × (1.50–2.50)");
        assert_eq!(cells[5..], ["0.08 (0.05–0.12)", "met"]);
    }

    #[test]
    fn none_at_all_is_wanted_without_a_sign() {
        let figures = [Figure::new(Measure::RestartGets, 10_000, 3.0)];
        let text = table(&figures);
        assert!(
            text.contains("|    0 |    3 |") && text.contains("missed"),
            "{text}"
        );
    }

    fn cells(figure: Figure) -> Vec<String> {
        let text = table(&[figure]);
        let row = text.lines().last().expect("a row");
        let cells = row.split('|').map(|cell| cell.trim().to_owned());
        cells.skip(1).take(HEAD.len()).collect()
    }

    #[test]
    fn goals_are_worded_by_what_they_compare() {
        let goal = |measure| cells(Figure::new(measure, 10_000, 1.0))[2].clone();
        assert_eq!(goal(Measure::SettledMemory), "≤ 40 MiB");
        assert_eq!(goal(Measure::RotationMedian), "ratio ≤ 1.5");
        assert_eq!(goal(Measure::RotationRate), "ratio ≥ 0.9");
        assert_eq!(goal(Measure::LongestCreateWait), "≤ 2 ×");
        assert_eq!(goal(Measure::RestartLists), "");
    }

    #[test]
    fn units_stand_behind_the_numbers() {
        let ours = |measure, value| cells(Figure::new(measure, 100, value))[3].clone();
        assert_eq!(ours(Measure::RotationMedian, 9.25), "9.25 ms");
        assert_eq!(ours(Measure::CreateRate, 301.4), "301/s");
        assert_eq!(ours(Measure::RestartWrites, 0.0), "0");
        assert_eq!(ours(Measure::BinarySize, 9.22), "9.22 MB");
    }

    #[test]
    fn what_was_measured_without_a_resource_names_no_number() {
        assert_eq!(cells(Figure::new(Measure::ImageSize, 0, 11.0))[1], "");
        assert_eq!(
            cells(Figure::new(Measure::StartPeak, 1_000, 11.0))[1],
            "1,000"
        );
    }

    #[test]
    fn the_order_in_which_figures_came_does_not_matter() {
        let figures = [
            Figure::new(Measure::ImageSize, 0, 11.0),
            Figure::new(Measure::IdleCpu, 100, 0.1),
            Figure::new(Measure::IdleCpu, 10_000, 0.2),
        ];
        let turned: Vec<Figure> = figures.iter().rev().cloned().collect();
        assert_eq!(table(&figures), table(&turned));
    }

    #[test]
    fn a_table_of_nothing_is_a_head() {
        assert_eq!(table(&[]).lines().count(), 2);
    }
}
