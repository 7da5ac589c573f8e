//! The picture of a recording: SVG, without a script and without a font of its own.
//!
//! The lines are drawn once. Two animations reveal them: a curtain that moves down, and the paper that moves up as soon
//! as the window is full. Where nothing is animated, or the reader prefers no motion, the picture is the end of the
//! recording.

use std::{fmt::Write as _, time::Duration};

use anyhow::Result;

use crate::{
    recording::{COLUMNS, ROWS},
    transcript::{Line, Style, Transcript},
};

/// The size of a character.
const CELL: (f64, f64) = (8.4, 18.0);
/// The place of the foot of a character in its line.
const FOOT: f64 = 14.0;
const MARGIN: f64 = 16.0;
/// The picture shortens longer pauses to this one.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the end is shown before the picture begins again.
const END: Duration = Duration::from_secs(10);
const TITLE: &str = "A recording of cargo demo; pauses are shortened to 2 seconds";
const PAPER: &str = "#0d1117";

const STYLE: &str = "\
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:#e6edf3;\
white-space:pre}\n\
.h{font-weight:bold;fill:#fff}\n\
.f{fill:#9da7b3}\n\
.g{fill:#56d364}\n\
.c{fill:#79c0ff}\n\
.n{opacity:0}\n";

/// Draws a recording.
pub(crate) fn picture(transcript: &Transcript) -> Result<String> {
    let clock = Clock::of(transcript);
    let count = transcript.lines.len();
    let (width, height) = (CELL.0 * f64::from(COLUMNS), CELL.1 * f64::from(ROWS));
    let (all_width, all_height) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {all_width} {all_height}\" role=\"img\" \
         xml:space=\"preserve\">\n<title>{TITLE}</title>\n<style>\n{STYLE}{}</style>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"{PAPER}\" stroke=\"#57606a\"/>\n\
         <svg x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{width}\" height=\"{height}\">\n\
         <g class=\"p\" transform=\"translate(0 {})\">\n",
        animations(transcript, &clock)?,
        all_width - 1.0,
        all_height - 1.0,
        lifted(count)?,
    );
    for (row, line) in transcript.lines.iter().enumerate() {
        if !line.runs.is_empty() {
            writeln!(
                svg,
                "<text y=\"{}\">{}</text>",
                top(row)? + FOOT,
                runs(line)
            )?;
        }
    }
    writeln!(
        svg,
        "<rect class=\"w\" width=\"{width}\" height=\"{}\" transform=\"translate(0 {})\" fill=\"{PAPER}\"/>",
        top(count)?,
        top(count)?,
    )?;
    for (number, notice) in transcript.notices.iter().enumerate() {
        let (y, text) = (top(notice.row)? + FOOT, escaped(&notice.text));
        writeln!(svg, "<text class=\"n n{number}\" y=\"{y}\">{text}</text>")?;
    }
    svg.push_str("</g>\n</svg>\n</svg>\n");
    Ok(svg)
}

/// The times of the picture.
struct Clock {
    /// When something changes: in the recording, and in the picture.
    moments: Vec<(Duration, Duration)>,
    whole: Duration,
}

impl Clock {
    fn of(transcript: &Transcript) -> Self {
        let lines = transcript.lines.iter().map(|line| line.at);
        let notices = transcript.notices.iter();
        let notices = notices.flat_map(|notice| [notice.from, notice.until]);
        let mut changes: Vec<Duration> = lines.chain(notices).collect();
        changes.sort();
        changes.dedup();
        let (mut before, mut shown) = (Duration::ZERO, Duration::ZERO);
        let mut moments = Vec::new();
        for at in changes {
            shown += at.saturating_sub(before).min(PAUSE);
            before = at;
            moments.push((at, shown));
        }
        Self {
            moments,
            whole: shown + END,
        }
    }

    /// The part of the picture's duration that has passed at a time of the recording, in percent.
    fn percent(&self, at: Duration) -> String {
        let moment = self.moments.iter().find(|(known, _)| *known == at);
        let shown = moment.map(|(_, shown)| *shown).unwrap_or_default();
        format!(
            "{:.2}%",
            100.0 * shown.as_secs_f64() / self.whole.as_secs_f64()
        )
    }
}

fn animations(transcript: &Transcript, clock: &Clock) -> Result<String> {
    let (mut paper, mut curtain) = (String::new(), String::new());
    let mut lines = transcript.lines.iter().enumerate().peekable();
    while let Some((row, line)) = lines.next() {
        let (at, count) = (clock.percent(line.at), row + 1);
        // Of lines that appear together, the last one decides.
        if lines
            .peek()
            .is_some_and(|(_, next)| clock.percent(next.at) == at)
        {
            continue;
        }
        write!(paper, "{at}{{transform:translateY({}px)}}", lifted(count)?)?;
        write!(curtain, "{at}{{transform:translateY({}px)}}", top(count)?)?;
    }
    let seconds = format!("{:.1}s step-end infinite", clock.whole.as_secs_f64());
    let mut css = format!("@keyframes p{{{paper}}}\n@keyframes w{{{curtain}}}\n");
    let mut animated = format!(".p{{animation:p {seconds}}}\n.w{{animation:w {seconds}}}\n");
    for (number, notice) in transcript.notices.iter().enumerate() {
        let (from, until) = (clock.percent(notice.from), clock.percent(notice.until));
        writeln!(
            css,
            "@keyframes n{number}{{0%{{opacity:0}}{from}{{opacity:1}}{until}{{opacity:0}}}}"
        )?;
        writeln!(animated, ".n{number}{{animation:n{number} {seconds}}}")?;
    }
    Ok(format!(
        "{css}@media (prefers-reduced-motion:no-preference){{\n{animated}}}\n"
    ))
}

/// The height of this number of lines.
fn top(lines: usize) -> Result<f64> {
    Ok(CELL.1 * f64::from(u32::try_from(lines)?))
}

/// The place of the paper when this number of lines is written.
fn lifted(lines: usize) -> Result<f64> {
    // The row under the last line, where notices appear, is in the window.
    let hidden = (lines + 1).saturating_sub(usize::from(ROWS));
    Ok(0.0 - top(hidden)?)
}

fn runs(line: &Line) -> String {
    let run = |(style, text): &(Style, String)| {
        let class = match style {
            Style::Plain => return escaped(text),
            Style::Heading => 'h',
            Style::Faint => 'f',
            Style::Good => 'g',
            Style::Command => 'c',
        };
        format!("<tspan class=\"{class}\">{}</tspan>", escaped(text))
    };
    line.runs.iter().map(run).collect()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::tests::recorded;

    #[test]
    fn pauses_are_shortened_and_lines_appear_at_their_times() -> Result<()> {
        let transcript = recorded(&[
            (0, "\r\x1b[Ka & <b>\r\n"),
            (1, "\r\x1b[K… waiting"),
            (9, "\r\x1b[Kheld\r\n"),
        ])?;
        let svg = picture(&transcript)?;
        // 1 s, then 2 s in the place of 8 s, then the end.
        assert!(svg.contains("13.0s step-end infinite"), "{svg}");
        assert!(
            svg.contains("<text y=\"32\">a &amp; &lt;b&gt;</text>"),
            "{svg}"
        );
        let curtain =
            "@keyframes w{0.00%{transform:translateY(36px)}23.08%{transform:translateY(54px)}}";
        assert!(svg.contains(curtain), "{svg}");
        let notice = "@keyframes n0{0%{opacity:0}7.69%{opacity:1}23.08%{opacity:0}}";
        assert!(svg.contains(notice), "{svg}");
        Ok(())
    }

    #[test]
    fn without_animations_the_picture_is_the_end_of_the_recording() -> Result<()> {
        let lines = "line\r\n".repeat(99);
        let svg = picture(&recorded(&[(0, &lines)])?)?;
        // 100 lines with the command, of which 29 and the row for a notice are in the window.
        assert!(
            svg.contains("<g class=\"p\" transform=\"translate(0 -1278)\">"),
            "{svg}"
        );
        let curtain =
            "<rect class=\"w\" width=\"840\" height=\"1800\" transform=\"translate(0 1800)\"";
        assert!(svg.contains(curtain), "{svg}");
        Ok(())
    }
}
