//! Line charts as SVG.

use std::fmt::Write;

use super::escape;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 240.0;
/// Room for the numbers at the left, and for those below.
const LEFT: f64 = 60.0;
const BELOW: f64 = 24.0;
/// Points of a line; more are averaged.
const POINTS: usize = 300;

/// Colours that also differ in lightness (Okabe and Ito, 2008).
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933"];

pub struct Chart {
    pub title: &'static str,
    pub series: Vec<Series>,
}

/// A line, its points ascending in x.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

impl Chart {
    /// A heading and an `svg` element; nothing where there are no points.
    pub fn svg(&self) -> String {
        let lines: Vec<Vec<(f64, f64)>> = self.series.iter().map(|series| thin(&series.points)).collect();
        let all = || lines.iter().flatten();
        if all().next().is_none() {
            return String::new();
        }
        let (x0, x1) = range(all().map(|point| point.0));
        let (y0, y1) = range(all().map(|point| point.1));
        let x = |value: f64| LEFT + (value - x0) / (x1 - x0) * (WIDTH - LEFT - 10.0);
        let y = |value: f64| 10.0 + (y1 - value) / (y1 - y0) * (HEIGHT - BELOW - 10.0);

        let mut svg =
            format!("<h2>{}</h2>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n", self.title);
        // writing to a string cannot fail
        for value in [y0, (y0 + y1) / 2.0, y1] {
            let (at, right) = (y(value), WIDTH - 10.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                at + 4.0,
                number(value)
            );
        }
        for (value, anchor) in [(x0, "start"), (x1, "end")] {
            let (at, below) = (x(value), HEIGHT - 6.0);
            let _ = writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"{anchor}\">{}</text>",
                number(value)
            );
        }
        for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
            let points: Vec<String> = line.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
            let points = points.join(" ");
            let _ = match line.as_slice() {
                [only] => {
                    writeln!(
                        svg,
                        "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                        x(only.0),
                        y(only.1)
                    )
                }
                _ => writeln!(
                    svg,
                    "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{points}\"/>"
                ),
            };
        }
        svg + "</svg>\n" + &self.legend()
    }

    /// The names of the lines, where there is more than one.
    fn legend(&self) -> String {
        if self.series.len() < 2 {
            return String::new();
        }
        let names = self.series.iter().zip(COLOURS.iter().cycle()).map(|(series, colour)| {
            format!("<span style=\"color:{colour}\">&#9632;</span> {}", escape(&series.name))
        });
        format!("<p>{}</p>\n", names.collect::<Vec<_>>().join(" &#160; "))
    }
}

/// At most [`POINTS`] points: means of neighbours.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let finite: Vec<(f64, f64)> = points.iter().copied().filter(|point| point.1.is_finite()).collect();
    let size = finite.len().div_ceil(POINTS).max(1);
    finite
        .chunks(size)
        .map(|chunk| {
            let n = chunk.len() as f64;
            (
                chunk.iter().map(|point| point.0).sum::<f64>() / n,
                chunk.iter().map(|point| point.1).sum::<f64>() / n,
            )
        })
        .collect()
}

/// Least and largest value, apart.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low < high { (low, high) } else { (low - 0.5, high + 0.5) }
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 1e-3 => format!("{value:.1e}"),
        size if size < 10.0 => format!("{value:.3}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_averaged() {
        let points: Vec<(f64, f64)> = (0..600).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let thin = thin(&points);
        assert_eq!(thin.len(), 300);
        assert_eq!(thin[0], (0.5, 0.5));
    }

    #[test]
    fn a_flat_line_and_no_line_are_drawn_too() {
        let chart = |points| Chart { title: "t", series: vec![Series { name: "s".to_owned(), points }] };
        assert!(chart(vec![(1.0, 2.0), (2.0, 2.0)]).svg().contains("polyline"));
        assert!(chart(vec![(1.0, 2.0)]).svg().contains("circle"));
        assert_eq!(chart(vec![(1.0, f64::NAN)]).svg(), "");
    }
}
