//! The cost of one more resource, from the figures of several sizes.

use crate::{
    figure::Figure,
    measure::Measure,
    stats::{number, slope},
};

const KIB: f64 = 1024.0;

/// For each size whose tenth was measured too.
pub fn slopes(figures: &[Figure]) -> Vec<Figure> {
    let mut sizes: Vec<usize> = figures.iter().map(|figure| figure.resources).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let each = sizes.into_iter().filter(|size| *size >= 10);
    each.flat_map(|size| {
        [
            memory(figures, size),
            flat(figures, size),
            time(figures, size),
        ]
    })
    .flatten()
    .collect()
}

fn find(figures: &[Figure], measure: Measure, size: usize) -> Option<&Figure> {
    let mut figures = figures.iter();
    figures.find(|figure| figure.measure == measure && figure.resources == size)
}

/// In KiB, between a tenth of the size and the size.
fn of_one_more(figures: &[Figure], size: usize) -> Option<f64> {
    let point = |size: usize| {
        let memory = find(figures, Measure::SettledMemory, size)?.ours;
        Some((number(size), memory * KIB))
    };
    slope(point(size / 10)?, point(size)?)
}

fn memory(figures: &[Figure], size: usize) -> Option<Figure> {
    let each = of_one_more(figures, size)?;
    Some(Figure::new(Measure::MemoryOfOneMore, size, each))
}

fn flat(figures: &[Figure], size: usize) -> Option<Figure> {
    let before = of_one_more(figures, size / 10).filter(|each| *each > 0.0)?;
    let ratio = of_one_more(figures, size)? / before;
    Some(Figure::new(Measure::MemorySlope, size, ratio))
}

/// The API server has a slope of its own, which the bare client's figures show.
fn time(figures: &[Figure], size: usize) -> Option<Figure> {
    let small = find(figures, Measure::RotationRate, size / 10)?;
    let large = find(figures, Measure::RotationRate, size)?;
    let bare = small
        .bare
        .zip(large.bare)
        .map(|(small, large)| small / large);
    let ours = small.ours / large.ours;
    Some(Figure::beside(Measure::TimeSlope, size, ours, bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memories(points: &[(usize, f64)]) -> Vec<Figure> {
        let figure =
            |(size, memory): &(usize, f64)| Figure::new(Measure::SettledMemory, *size, *memory);
        points.iter().map(figure).collect()
    }

    fn value(figures: &[Figure], measure: Measure, size: usize) -> Option<f64> {
        find(figures, measure, size).map(|figure| figure.ours)
    }

    #[test]
    fn memory_that_grows_in_a_straight_line_is_flat() {
        let found = slopes(&memories(&[(100, 10.1), (1_000, 11.0), (10_000, 20.0)]));
        let each = value(&found, Measure::MemoryOfOneMore, 10_000).expect("a slope");
        assert!((each - 1.024).abs() < 1e-9, "{each}");
        let ratio = value(&found, Measure::MemorySlope, 10_000).expect("a ratio");
        assert!((ratio - 1.0).abs() < 1e-9, "{ratio}");
        assert_eq!(
            find(&found, Measure::MemorySlope, 10_000).and_then(|f| f.met),
            Some(true)
        );
    }

    #[test]
    fn memory_that_grows_ever_faster_is_not() {
        let found = slopes(&memories(&[(100, 10.0), (1_000, 11.0), (10_000, 31.0)]));
        let flat = find(&found, Measure::MemorySlope, 10_000).expect("a ratio");
        assert!(flat.ours > 1.9 && flat.met == Some(false), "{flat:?}");
    }

    #[test]
    fn without_the_tenth_there_is_no_slope() {
        assert!(slopes(&memories(&[(2_000, 12.0), (10_000, 20.0)])).is_empty());
        assert_eq!(slopes(&memories(&[(1_000, 12.0), (10_000, 20.0)])).len(), 1);
    }

    #[test]
    fn time_is_judged_by_what_the_bare_client_loses_too() {
        let rate = |size, ours, bare| Figure::beside(Measure::RotationRate, size, ours, Some(bare));
        let found = slopes(&[rate(1_000, 300.0, 400.0), rate(10_000, 200.0, 300.0)]);
        let time = find(&found, Measure::TimeSlope, 10_000).expect("a slope");
        assert!((time.ours - 1.5).abs() < 1e-9);
        assert_eq!(time.ratio().map(|ratio| ratio < 1.25), Some(true));
        assert_eq!(time.met, Some(true));
    }

    #[test]
    fn memory_that_shrinks_at_first_has_no_flatness() {
        let found = slopes(&memories(&[(100, 12.0), (1_000, 11.0), (10_000, 31.0)]));
        assert!(find(&found, Measure::MemorySlope, 10_000).is_none());
        assert!(find(&found, Measure::MemoryOfOneMore, 10_000).is_some());
    }

    #[test]
    fn time_that_only_the_operator_loses_is_missed() {
        let rate = |size, ours| Figure::beside(Measure::RotationRate, size, ours, Some(300.0));
        let found = slopes(&[rate(1_000, 300.0), rate(10_000, 200.0)]);
        let time = find(&found, Measure::TimeSlope, 10_000).expect("a slope");
        assert_eq!(time.met, Some(false));
    }
}
