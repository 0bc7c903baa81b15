//! Plot of class sizes: bars with counts and percentages, one column of bars for each part of the data.

use crate::config::hint::hinted;
use crate::history::number::counted;
use crate::plot::Plot;
use crate::plot::charts::metric_labels::list;
use crate::plot::draw::color::{AXIS, BLUE, GRID, INK, QUIET, WHITE};
use crate::plot::draw::font::{HEADING, LABEL, SMALL};
use crate::plot::draw::page::{MARGIN, Page, PageOptions};
use crate::plot::draw::shape::{Anchor, Rect, Stroke};
use crate::plot::draw::ticks::{logarithmic, number, percent};
use crate::plot::format::svg::Svg;
use crate::views::capital::capital;

/// Number of rows of each class in one part of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of the part: `training`, `test`, …
    pub name: String,
    /// Number of rows by class.
    pub rows: Vec<u64>,
}

impl Part {
    fn of(&self, class: usize) -> u64 {
        self.rows.get(class).copied().unwrap_or(0)
    }

    fn all(&self) -> u64 {
        self.rows.iter().sum()
    }
}

/// Maximum number of classes with a bar.
const MOST: usize = 60;

/// Ratio of the largest to the smallest class above which bars are drawn on a log scale.
const UNEVEN: f64 = 50.0;

const WIDEST_NAME: f64 = 140.0;
const PART_WIDTH: f64 = 330.0;
const LONE_WIDTH: f64 = 640.0;

/// Draws the classes of a data set in their order; if there are very many, the largest ones.
///
/// # Errors
/// When there are no classes.
pub fn draw(
    title: &str,
    subtitle: &str,
    classes: &[String],
    parts: &[Part],
    options: &PageOptions,
) -> anyhow::Result<Plot> {
    if classes.is_empty() || parts.is_empty() {
        let hint = "name a classification data set, or the column of the classes with `--target COLUMN`";
        return Err(hinted("there are no classes to plot", hint));
    }
    let mut shown: Vec<usize> = (0..classes.len()).collect();
    let mut notes = Vec::new();
    if shown.len() > MOST {
        shown.sort_by_key(|&class| std::cmp::Reverse(parts[0].of(class)));
        shown.truncate(MOST);
        notes.push(format!(
            "The {MOST} largest of {} are shown.",
            counted(classes.len(), "class").replace("classs", "classes")
        ));
    }
    let all = || parts.iter().flat_map(|part| shown.iter().map(|&class| part.of(class)));
    let most = all().max().unwrap_or(0).max(1) as f64;
    let least = all().filter(|rows| *rows > 0).min().unwrap_or(1) as f64;
    let is_log = most > UNEVEN * least;
    if is_log {
        notes.push("Log scale: each grid line is ten times the previous one.".to_owned());
    }
    let row = if shown.len() > 30 { 17.0 } else { 25.0 };
    let chart = Chart { classes, shown: &shown, parts, most, least, is_log, row };
    let descriptions: Vec<String> = parts.iter().map(|part| chart.describe(part)).collect();
    let page = Page {
        title: title.to_owned(),
        subtitle: subtitle.to_owned(),
        description: descriptions.join(" "),
        notes: notes.clone(),
        ..Page::default()
    };
    let width = options.width.unwrap_or(match parts.len() {
        1 => LONE_WIDTH,
        more => 2.0 * MARGIN + chart.left() + PART_WIDTH * more.min(3) as f64,
    });
    let height = chart.height(width - 2.0 * MARGIN);
    let size = [width, height, if row > 17.0 { 0.7 * height } else { height }];
    Ok(Plot { svg: page.draw(options, size, |svg, room| chart.draw(svg, room)), notes: Vec::new() })
}

struct Chart<'a> {
    classes: &'a [String],
    shown: &'a [usize],
    parts: &'a [Part],
    most: f64,
    least: f64,
    is_log: bool,
    row: f64,
}

const HEAD: f64 = 24.0;
const GAP: f64 = 18.0;

impl Chart<'_> {
    fn left(&self) -> f64 {
        let names = self.shown.iter().map(|&class| LABEL.room(&self.classes[class]));
        names.fold(0.0, f64::max).min(WIDEST_NAME) + 10.0
    }

    /// Returns the number of parts side by side.
    fn columns(&self, width: f64) -> usize {
        ((width - self.left()) / 190.0).floor().clamp(1.0, self.parts.len() as f64) as usize
    }

    fn height(&self, width: f64) -> f64 {
        let rows = self.parts.len().div_ceil(self.columns(width));
        rows as f64 * (self.head() + self.row * self.shown.len() as f64 + GAP) - GAP + 4.0
    }

    fn head(&self) -> f64 {
        if self.parts.len() > 1 { HEAD } else { 0.0 }
    }

    fn draw(&self, svg: &mut Svg, room: Rect) {
        let columns = self.columns(room.width);
        let rows = self.parts.len().div_ceil(columns);
        let left = self.left();
        let width = (room.width - left - GAP * (columns - 1) as f64) / columns as f64;
        let height = (room.height - GAP * (rows - 1) as f64) / rows as f64;
        for (number, part) in self.parts.iter().enumerate() {
            let (column, row) = (number % columns, number / columns);
            let y = room.y + row as f64 * (height + GAP);
            let frame = Rect {
                x: room.x + left + column as f64 * (width + GAP),
                y: y + self.head(),
                width,
                height: height - self.head(),
            };
            if self.parts.len() > 1 {
                let title = format!("{} ({})", capital(&part.name), counted(part.all() as usize, "row"));
                let title = HEADING.shorten(&title, width);
                svg.text((frame.x, y + HEADING.size), Anchor::Start, HEADING, INK, &title);
            }
            if column == 0 {
                self.draw_names(svg, room.x + left - 10.0, frame);
            }
            self.draw_bars(svg, frame, part);
        }
    }

    /// Returns the number of rows of a class and their percentage.
    fn count_text(&self, part: &Part, class: usize) -> String {
        let rows = part.of(class);
        let decimals = if rows == 0 { 0 } else { self.decimals(part) };
        let share = number(100.0 * rows as f64 / part.all().max(1) as f64, decimals);
        format!("{} ({share} %)", number(rows as f64, 0))
    }

    /// Returns the number of decimals that shows the smallest percentage of a part.
    fn decimals(&self, part: &Part) -> usize {
        let least = part.rows.iter().filter(|rows| **rows > 0).min().copied().unwrap_or(1) as f64;
        match least / part.all().max(1) as f64 {
            share if share >= 0.01 => 1,
            share if share >= 0.0001 => 2,
            _ => 4,
        }
    }

    fn draw_names(&self, svg: &mut Svg, right: f64, frame: Rect) {
        let step = frame.height / self.shown.len() as f64;
        for (place, &class) in self.shown.iter().enumerate() {
            let base = frame.y + (place as f64 + 0.5) * step + LABEL.cap_height() / 2.0;
            let name = LABEL.shorten(&self.classes[class], WIDEST_NAME);
            svg.text((right, base), Anchor::End, LABEL, INK, &name);
        }
    }

    fn draw_bars(&self, svg: &mut Svg, frame: Rect, part: &Part) {
        let each = self.parts.iter().flat_map(|part| self.shown.iter().map(move |&class| (part, class)));
        let widest = each.map(|(part, class)| SMALL.room(&self.count_text(part, class))).fold(0.0, f64::max);
        let longest = (frame.width - widest - 8.0).max(20.0);
        if self.is_log {
            for tick in logarithmic(self.first(), self.most, 40).iter().filter(|tick| tick.value > self.first()) {
                let x = frame.x + longest * self.share(tick.value);
                svg.line((x, frame.y), (x, frame.bottom()), Stroke::solid(GRID, 1.0));
            }
        }
        let step = frame.height / self.shown.len() as f64;
        for (place, &class) in self.shown.iter().enumerate() {
            let (y, length) = (frame.y + place as f64 * step, longest * self.share(part.of(class) as f64));
            if part.of(class) > 0 {
                svg.rect(Rect { x: frame.x, y: y + 0.17 * step, width: length.max(1.5), height: 0.66 * step }, BLUE);
            }
            let at = (frame.x + length + 6.0, y + 0.5 * step + SMALL.cap_height() / 2.0);
            let text = self.count_text(part, class);
            if self.is_log {
                // keeps grid lines of the log scale from crossing the numbers
                svg.rect(
                    Rect { x: at.0 - 3.0, y: y + 0.17 * step, width: SMALL.width(&text) + 6.0, height: 0.66 * step },
                    WHITE,
                );
            }
            svg.text(at, Anchor::Start, SMALL, QUIET, &text);
        }
        svg.line((frame.x, frame.y), (frame.x, frame.bottom()), Stroke::solid(AXIS, 1.0));
    }

    /// Returns the start of the log scale: a power of ten below the smallest count, so that its bar has a length.
    fn first(&self) -> f64 {
        let below = 10_f64.powf(self.least.log10().ceil() - 1.0);
        below.min(self.least / 2.0).max(0.1)
    }

    /// Returns the length of a bar as a share of the longest.
    fn share(&self, rows: f64) -> f64 {
        match self.is_log {
            _ if rows <= 0.0 => 0.0,
            true => ((rows / self.first()).ln() / (self.most / self.first()).ln()).max(0.0),
            false => rows / self.most,
        }
    }

    fn describe(&self, part: &Part) -> String {
        let all = part.all().max(1) as f64;
        let lines: Vec<String> = self
            .shown
            .iter()
            .map(|&class| {
                let rows = part.of(class) as f64;
                format!("{} {} ({})", self.classes[class], number(rows, 0), percent(rows / all))
            })
            .collect();
        format!("{}: {}.", part.name, list(&lines, 20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::layout_checks::{outside, overlapping};

    fn classes(count: usize, name: &str) -> Vec<String> {
        (0..count).map(|class| format!("{name}{class}")).collect()
    }

    fn part(name: &str, rows: &[u64]) -> Part {
        Part { name: name.to_owned(), rows: rows.to_vec() }
    }

    #[test]
    fn no_label_lies_outside_the_picture_or_upon_another() {
        let many: Vec<u64> = (0..100).map(|class| 10 * class + 1).collect();
        let two = [part("training", &[227_451, 394]), part("validation", &[45_490, 79]), part("test", &[56_864, 98])];
        for (names, parts) in [
            (classes(2, ""), two.to_vec()),
            (classes(2, "a class with quite a long name number "), two[..1].to_vec()),
            (classes(100, "c"), vec![part("training", &many)]),
            (classes(3, ""), vec![part("test", &[0, 0, 5])]),
        ] {
            for width in [None, Some(360.0), Some(1000.0)] {
                let drawn =
                    draw("Classes", "", &names, &parts, &PageOptions { width, ..PageOptions::default() }).unwrap().svg;
                assert_eq!(outside(&drawn), Vec::<String>::new(), "{} classes, {width:?}", names.len());
                assert_eq!(overlapping(&drawn), Vec::<String>::new(), "{} classes, {width:?}", names.len());
            }
        }
    }

    #[test]
    fn very_uneven_classes_are_on_a_log_scale_that_is_named_and_the_rare_one_has_a_bar() {
        let drawn = |rows: &[u64]| {
            draw("", "", &classes(2, ""), &[part("all", rows)], &PageOptions::default()).unwrap().svg.finish()
        };
        assert!(drawn(&[284_315, 492]).contains("Log scale") && drawn(&[284_315, 492]).contains("492 (0.17 %)"));
        assert!(!drawn(&[500, 400]).contains("Log scale"));
        let chart =
            Chart { classes: &[], shown: &[], parts: &[], most: 284_315.0, least: 492.0, is_log: true, row: 1.0 };
        assert!(chart.share(492.0) > 0.1 && chart.share(284_315.0) == 1.0 && chart.share(0.0) == 0.0);
    }
}
