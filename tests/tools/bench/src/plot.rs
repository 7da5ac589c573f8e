//! Memory and time against the number of resources, as SVG. A straight line is a flat slope.

mod axis;
mod line;

use std::fmt::Write;

use crate::{digits::plain, figure::Figure, measure::Measure, stats::number};
use axis::Axis;
use line::{Line, of, seconds};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 306.0;
/// The size of one panel without its margins.
const PANEL: (f64, f64) = (330.0, 220.0);
const TOP: f64 = 40.0;
const LEFTS: [f64; 2] = [60.0, 500.0];
const COLOURS: [&str; 4] = ["#1f6feb", "#d1442f", "#1f6feb", "#d1442f"];

/// The whole picture.
pub fn plot(figures: &[Figure]) -> String {
    let memory = [
        of(figures, "settled", Measure::SettledMemory, |figure| {
            Some(figure.ours)
        }),
        of(figures, "peak of a start", Measure::StartPeak, |figure| {
            Some(figure.ours)
        }),
    ];
    let ours = |figure: &Figure| seconds(figure, Some(figure.ours));
    let bare = |figure: &Figure| seconds(figure, figure.bare);
    let time = [
        of(figures, "burst of creates", Measure::CreateRate, ours),
        of(figures, "burst of rotations", Measure::RotationRate, ours),
        of(figures, "creates, bare client", Measure::CreateRate, bare).dashed(),
        of(
            figures,
            "rotations, bare client",
            Measure::RotationRate,
            bare,
        )
        .dashed(),
    ];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let titles = ["memory of the operator, MiB", "time for all resources, s"];
    for ((left, title), lines) in LEFTS.iter().zip(titles).zip([&memory[..], &time[..]]) {
        panel(&mut svg, *left, title, lines);
    }
    svg + "</svg>\n"
}

fn panel(svg: &mut String, left: f64, title: &str, lines: &[Line]) {
    let points = || lines.iter().flat_map(|line| &line.points);
    let across = Axis::up_to(points().map(|(x, _)| *x).fold(0.0, f64::max));
    let up = Axis::up_to(points().map(|(_, y)| *y).fold(0.0, f64::max));
    let (width, height) = PANEL;
    let at = |(x, y): (f64, f64)| {
        (
            left + across.part(x) * width,
            TOP + height - up.part(y) * height,
        )
    };
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"20\" font-weight=\"bold\">{title}</text>"
    );
    for tick in up.ticks() {
        let (x, y) = at((0.0, tick));
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            x + width,
            x - 6.0,
            y + 4.0,
            plain(tick)
        );
    }
    for tick in across.ticks() {
        let (x, y) = at((tick, 0.0));
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#888888\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y + 4.0,
            y + 18.0,
            plain(tick)
        );
    }
    let (x, y) = (left + width / 2.0, TOP + height + 36.0);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">resources</text>"
    );
    for (number, line) in lines.iter().enumerate() {
        draw(svg, line, number, left, &at);
    }
}

fn draw(
    svg: &mut String,
    line: &Line,
    place: usize,
    left: f64,
    at: &impl Fn((f64, f64)) -> (f64, f64),
) {
    let colour = COLOURS
        .get(place % COLOURS.len())
        .copied()
        .unwrap_or("#000000");
    let dashes = if line.dashed {
        " stroke-dasharray=\"5 4\""
    } else {
        ""
    };
    let points: Vec<(f64, f64)> = line.points.iter().map(|point| at(*point)).collect();
    let path: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let style = format!("stroke=\"{colour}\" stroke-width=\"2\"{dashes}");
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" {style}/>",
        path.join(" ")
    );
    for (x, y) in points.iter().filter(|_| !line.dashed) {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
        );
    }
    let (x, y) = (left + 12.0, TOP + 12.0 + 16.0 * number(place));
    let _ = writeln!(
        svg,
        "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" {style}/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        x + 22.0,
        x + 28.0,
        y + 4.0,
        line.name
    );
}

#[cfg(test)]
mod tests {
    use super::{line::tests::figures, *};

    #[test]
    fn every_line_is_drawn_and_named() {
        let svg = plot(&figures());
        assert_eq!(svg.matches("<polyline").count(), 6);
        assert_eq!(svg.matches("<circle").count(), 12);
        for name in [
            "settled",
            "peak of a start",
            "creates, bare client",
            "resources",
        ] {
            assert!(svg.contains(name), "{name}");
        }
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn tags_are_closed_and_attributes_are_quoted() {
        let svg = plot(&figures());
        for line in svg.lines().filter(|line| !line.contains("svg")) {
            let closed = line.matches("/>").count() + line.matches("</text>").count();
            assert_eq!(
                line.matches('<').count() - line.matches("</").count(),
                closed,
                "{line}"
            );
            assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        }
    }

    #[test]
    fn nothing_lies_outside_of_the_picture() {
        let svg = plot(&figures());
        for list in svg.split("points=\"").skip(1) {
            for point in list.split('"').next().expect("points").split_whitespace() {
                let (x, y) = point.split_once(',').expect("two numbers");
                let (x, y): (f64, f64) = (x.parse().expect("x"), y.parse().expect("y"));
                assert!(
                    (0.0..=WIDTH).contains(&x) && (TOP..=HEIGHT).contains(&y),
                    "{point}"
                );
            }
        }
    }

    #[test]
    fn without_figures_there_are_axes_alone() {
        let svg = plot(&[]);
        assert!(
            svg.contains("<polyline points=\"\"") && !svg.contains("NaN"),
            "{svg}"
        );
    }

    /// The points of the lines, in the order in which they are drawn.
    fn drawn(svg: &str) -> Vec<Vec<(f64, f64)>> {
        let lists = svg.split("points=\"").skip(1);
        let numbers = |point: &str| {
            let (x, y) = point.split_once(',').expect("two numbers");
            (x.parse().expect("x"), y.parse().expect("y"))
        };
        lists
            .map(|list| list.split('"').next().expect("points"))
            .map(|list| list.split_whitespace().map(numbers).collect())
            .collect()
    }

    #[test]
    fn what_grows_evenly_is_a_straight_line() {
        let memory = |size, memory| Figure::new(Measure::SettledMemory, size, memory);
        let svg = plot(&[
            memory(1_000, 10.0),
            memory(4_000, 40.0),
            memory(2_000, 20.0),
        ]);
        let line = drawn(&svg).remove(0);
        let steep = |one: usize, other: usize| {
            let (from, to) = (line[one], line[other]);
            (to.1 - from.1) / (to.0 - from.0)
        };
        assert!((steep(0, 1) - steep(1, 2)).abs() < 0.01, "{line:?}");
        assert!(steep(0, 1) < 0.0, "more is higher up: {line:?}");
    }

    #[test]
    fn memory_is_at_the_left_and_time_at_the_right() {
        let lines = drawn(&plot(&figures()));
        let (memory, time) = lines.split_at(2);
        assert!(memory.iter().flatten().all(|(x, _)| *x < LEFTS[1]));
        assert!(time.iter().flatten().all(|(x, _)| *x >= LEFTS[1]));
    }

    #[test]
    fn the_bare_client_is_dashed_and_has_no_dots() {
        let svg = plot(&figures());
        let dashed = svg.lines().filter(|line| line.starts_with("<polyline"));
        let dashed: Vec<bool> = dashed.map(|line| line.contains("dasharray")).collect();
        assert_eq!(dashed, [false, false, false, false, true, true]);
    }

    #[test]
    fn ticks_are_the_numbers_that_people_read() {
        let svg = plot(&figures());
        for tick in ["2,500", "10,000", "60"] {
            assert!(svg.contains(&format!(">{tick}</text>")), "{tick}");
        }
    }

    #[test]
    fn the_same_figures_give_the_same_picture() {
        let turned: Vec<Figure> = figures().into_iter().rev().collect();
        assert_eq!(plot(&figures()), plot(&turned));
    }

    #[test]
    fn other_figures_leave_no_trace() {
        let mut more = figures();
        more.push(Figure::new(Measure::IdleCpu, 10_000, 0.2));
        assert_eq!(plot(&figures()), plot(&more));
    }
}
