//! Learning curves of the groups in the terminal, one chart for each metric: colored dots if colors are available, else a
//! letter for each line.

use std::fmt::Write;

use console::Style;

use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::Comparison;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::trial::Axis;

/// Maximum number of curves in a chart.
const MAX_CURVES: usize = 6;
/// Height of a chart, in lines of text.
const HEIGHT: usize = 10;
/// Ratio of the largest to the smallest value above which the y axis is logarithmic.
const LOG_RATIO: f64 = 50.0;

/// Returns charts of the loss and of the tested metric, on validation rows if possible, else on training rows.
pub(crate) fn render(groups: &[Group], comparison: &Comparison, axis: Axis, page: TextStyle) -> Vec<String> {
    let selected = selected_groups(groups, comparison);
    let mut parts: Vec<String> = Vec::new();
    for metric in metrics(groups, comparison) {
        let lines: Vec<Line> = selected
            .iter()
            .filter_map(|&index| {
                let points = mean_points(&groups[index], &metric, axis);
                (!points.is_empty()).then(|| Line { label: groups[index].label.clone(), index, points })
            })
            .collect();
        if lines.iter().any(|line| line.points.len() > 1) {
            parts.push(Chart { title: &metric, axis: axis.word(), lines: &lines }.render(page));
        } else if axis != Axis::Epoch && lines.is_empty() {
            parts.push(format!(
                "{metric}: not shown, because the number of {}s per epoch is unknown",
                axis.word().trim_end_matches('s')
            ));
        }
    }
    if let (Some(last), true) = (parts.last_mut(), selected.len() < groups.len()) {
        last.push('\n');
        last.push_str(&page.wrapped(
            &format!(
                "showing {} of {} runs: the baseline and {}; `runner plot` shows all",
                selected.len(),
                groups.len(),
                match (comparison.ranked_by(), comparison.has_validation) {
                    (None, _) => "the first ones named",
                    (Some(_), true) => "the best on validation rows",
                    (Some(_), false) => "the best on training rows",
                }
            ),
            2,
        ));
    }
    parts
}

fn metrics(groups: &[Group], comparison: &Comparison) -> Vec<String> {
    let count = |name: &str| groups.iter().filter(|group| group.metrics().contains(&name)).count();
    let main = comparison.tests.first().map(|test| metric_of(&test.metric));
    let main = main.map(|metric| metric.strip_prefix("val_").unwrap_or(metric));
    let mut chosen = Vec::new();
    for metric in ["loss"].into_iter().chain(main.filter(|metric| *metric != "loss")) {
        let val_metric = format!("val_{metric}");
        match (count(&val_metric), count(metric)) {
            (0, 0) => {}
            (validation, training) if validation >= training && validation > 0 => chosen.push(val_metric),
            _ => chosen.push(metric.to_owned()),
        }
    }
    chosen
}

/// Returns the indices of the groups to show: all, or the baseline and the best ones by the ranking metric.
fn selected_groups(groups: &[Group], comparison: &Comparison) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..groups.len()).collect();
    if indices.len() > MAX_CURVES {
        indices = comparison.best_first(groups).unwrap_or(indices);
        indices.retain(|&index| index != comparison.baseline);
        indices.insert(0, comparison.baseline);
        indices.truncate(MAX_CURVES);
        indices.sort_unstable();
    }
    indices
}

/// Returns the mean curve over trials, as points `(x, y)`.
fn mean_points(group: &Group, metric: &str, axis: Axis) -> Vec<(f64, f64)> {
    let (curve, x_by_epoch) = (group.mean_curve(metric), group.places(axis));
    let pairs = curve.epochs.iter().zip(curve.values);
    pairs.filter_map(|(epoch, value)| Some((*x_by_epoch.get(epoch)?, value))).filter(|(_, v)| v.is_finite()).collect()
}

/// A curve.
struct Line {
    /// Name in the legend.
    label: String,
    /// Index of its run, which determines the letter and color in every chart.
    index: usize,
    /// Points `(x, y)` from left to right, all finite.
    points: Vec<(f64, f64)>,
}

/// A chart of several curves.
struct Chart<'a> {
    title: &'a str,
    axis: &'a str,
    lines: &'a [Line],
}

impl Chart<'_> {
    /// Returns the chart, with the y scale on the left and the legend below.
    fn render(&self, page: TextStyle) -> String {
        let values = || self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
        let (low, high) = min_and_max(values());
        let is_log = low > 0.0 && high / low > LOG_RATIO;
        let scaled = |value: f64| if is_log { value.ln() } else { value };
        let (from, to) = min_and_max(self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)));
        let marks =
            [high, if is_log { (low * high).sqrt() } else { (low + high) / 2.0 }, low].map(number_format::short);
        let margin = marks.iter().map(|mark| mark.chars().count()).max().unwrap_or_default();
        let width = page.width.min(100).saturating_sub(margin + 2).max(20);
        let mut canvas = Canvas { width, cells: vec![CanvasCell::default(); width * HEIGHT] };
        for line in self.lines {
            let to_cell = |(x, y): (f64, f64)| {
                let across = if to > from { (x - from) / (to - from) } else { 0.5 };
                let up = if high > low { (scaled(y) - scaled(low)) / (scaled(high) - scaled(low)) } else { 0.5 };
                (across, up)
            };
            canvas.draw(line.index, &line.points.iter().copied().map(to_cell).collect::<Vec<_>>());
        }
        let scale = if is_log { ", logarithmic" } else { "" };
        let mut text = format!("{}{scale}\n", self.title);
        for (row, cells) in canvas.rows(page.styled).into_iter().enumerate() {
            let mark = match row {
                0 => &marks[0],
                row if row == HEIGHT / 2 => &marks[1],
                row if row == HEIGHT - 1 => &marks[2],
                _ => "",
            };
            let _ = writeln!(text, "{mark:>margin$} {}{}", if mark.is_empty() { "│" } else { "┤" }, cells.trim_end());
        }
        let (left, right) = (number_format::setting(rounded(from)), number_format::setting(rounded(to)));
        let room = width.saturating_sub(left.len() + right.len());
        let _ = writeln!(text, "{:margin$} └{}", "", "─".repeat(width));
        let _ = writeln!(text, "{:margin$}  {left}{}{right}", "", format_args!("{:^room$}", self.axis));
        let keys = self.lines.iter().map(|line| {
            let letter = letter(line.index).to_string();
            let key = colored(line.index, &letter, page.styled);
            // a label of one letter is the letter
            if line.label == letter { key } else { format!("{key} {}", line.label.replace(' ', "\u{a0}")) }
        });
        text + &page.wrapped(&keys.collect::<Vec<_>>().join("   "), 0)
    }
}

/// Grid of characters with two by four dots each.
struct Canvas {
    width: usize,
    cells: Vec<CanvasCell>,
}

/// A character of the canvas.
#[derive(Clone, Copy, Default)]
struct CanvasCell {
    /// Bits of the dots that are set, as in Unicode's Braille patterns.
    dots: u8,
    /// Line that was drawn last, which gives the color.
    line: Option<usize>,
    /// Line that was drawn first, which gives the letter.
    letter: Option<usize>,
}

impl Canvas {
    /// Draws a line through points, with both coordinates from 0 to 1, from the left and from below.
    fn draw(&mut self, line: usize, points: &[(f64, f64)]) {
        let (right, top) = (2 * self.width - 1, 4 * HEIGHT - 1);
        let dot = |(across, up): (f64, f64)| (across * right as f64, (1.0 - up) * top as f64);
        if let [point] = points {
            let (x, y) = dot(*point);
            self.set(x.round() as usize, y.round() as usize, line);
        }
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (dot(pair[0]), dot(pair[1]));
            let steps = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0) as usize;
            for step in 0..=steps {
                let share = step as f64 / steps as f64;
                self.set((x0 + share * (x1 - x0)).round() as usize, (y0 + share * (y1 - y0)).round() as usize, line);
            }
        }
    }

    fn set(&mut self, x: usize, y: usize, line: usize) {
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let index = (y / 4).min(HEIGHT - 1) * self.width + (x / 2).min(self.width - 1);
        let cell = &mut self.cells[index];
        cell.dots |= DOTS[y % 4][x % 2];
        cell.line = Some(line);
        cell.letter.get_or_insert(line);
    }

    fn rows(&self, styled: bool) -> Vec<String> {
        let cell = |cell: &CanvasCell| match (cell.line, cell.letter) {
            (Some(line), _) if styled => {
                let dots = char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' ');
                colored(line, &dots.to_string(), true)
            }
            (_, Some(line)) => letter(line).to_string(),
            _ => " ".to_owned(),
        };
        self.cells.chunks(self.width).map(|row| row.iter().map(cell).collect()).collect()
    }
}

fn letter(index: usize) -> char {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').collect();
    letters[index % letters.len()]
}

/// Returns text in the color of a line if `styled`. Color-blind readers can tell the colors apart.
fn colored(index: usize, text: &str, styled: bool) -> String {
    const COLORS: [u8; 6] = [33, 208, 36, 170, 220, 244];
    Style::new().color256(COLORS[index % COLORS.len()]).force_styling(styled).apply_to(text).to_string()
}

fn min_and_max(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Returns a value rounded for the label of an axis.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 10.0 { value.round() } else { (value * 100.0).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_from_corner_to_corner_with_the_scale_and_letters() {
        let lines = [
            Line { label: "falls".to_owned(), index: 0, points: vec![(1.0, 2.0), (5.0, 1.0)] },
            Line { label: "stays".to_owned(), index: 1, points: vec![(1.0, 1.0), (5.0, 1.0)] },
        ];
        let text = Chart { title: "loss", axis: "epoch", lines: &lines }.render(TextStyle { width: 40, styled: false });
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "loss");
        assert!(rows[1].starts_with("2.00 ┤AA"), "{text}");
        assert!(rows[10].starts_with("1.00 ┤BB"), "{text}");
        assert!(rows[12].trim_start().starts_with("1 ") && rows[12].ends_with(" 5"), "{text}");
        assert_eq!(rows[13], "A falls   B stays");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }
}
