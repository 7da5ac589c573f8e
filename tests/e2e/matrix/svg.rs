//! Charts of the series of a Prometheus, as one SVG image.

use std::fmt::Write;

use anyhow::Result;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 190.0;
const COLUMNS: usize = 2;
/// The margins around the lines: left, top, right, bottom.
const FREE: [f64; 4] = [44.0, 30.0, 12.0, 40.0];
/// Colours that colour-blind people can distinguish.
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// A line: its name, and seconds with values.
pub type Line = (String, Vec<(f64, f64)>);

/// Plots with their titles, side by side, over the same period.
pub fn picture(charts: &[(&str, Vec<Line>)], from: f64, to: f64) -> Result<String> {
    let rows = u32::try_from(charts.len().div_ceil(COLUMNS))?;
    let (width, height) = (WIDTH * 2.0, HEIGHT * f64::from(rows));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (number, (title, lines)) in charts.iter().enumerate() {
        let column = u32::try_from(number % COLUMNS)?;
        let row = u32::try_from(number / COLUMNS)?;
        let (x, y) = (WIDTH * f64::from(column), HEIGHT * f64::from(row));
        writeln!(svg, "<g transform=\"translate({x} {y})\">")?;
        draw(&mut svg, title, lines, (from, to))?;
        writeln!(svg, "</g>")?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn draw(svg: &mut String, title: &str, lines: &[Line], (from, to): (f64, f64)) -> Result<()> {
    let [left, top, right, bottom] = FREE;
    let (width, height) = (WIDTH - left - right, HEIGHT - top - bottom);
    let values = lines.iter().flat_map(|(_, points)| points.iter());
    let most = values
        .fold(0.0_f64, |most, (_, value)| most.max(*value))
        .max(1e-9);
    let floor = top + height;
    writeln!(
        svg,
        "<text x=\"{left}\" y=\"18\" font-weight=\"bold\">{title}</text>"
    )?;
    for part in [0.0, 0.5, 1.0] {
        let y = floor - height * part;
        writeln!(
            svg,
            "<path d=\"M{left} {y}h{width}\" stroke=\"#dddddd\"/><text x=\"{}\" y=\"{}\" \
             text-anchor=\"end\" fill=\"#555555\">{}</text>",
            left - 5.0,
            y + 4.0,
            short(most * part)
        )?;
    }
    for (number, (name, points)) in lines.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let place = |(at, value): &(f64, f64)| {
            let x = left + width * (at - from) / (to - from);
            format!("{x:.1},{:.1}", floor - height * value / most)
        };
        let points: Vec<String> = points.iter().map(place).collect();
        let x = left + 105.0 * f64::from(u32::try_from(number)?);
        let (y, points) = (floor + 28.0, points.join(" "));
        writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>\
             <text x=\"{x}\" y=\"{y}\" fill=\"{colour}\">{name}</text>"
        )?;
    }
    let seconds = to - from;
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#555555\">{seconds:.0} s</text>",
        left + width,
        floor + 13.0
    )?;
    Ok(())
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.0} M", value / 1e6),
        value if value >= 10.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}
