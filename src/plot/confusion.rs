//! Confusion matrices as heat maps: counts and shares of the true class, a map for each group.

use anyhow::anyhow;

use crate::compare::group::Group;
use crate::hint::Hint;
use crate::plot::color::{Color, GRID, INK, QUIET, WHITE};
use crate::plot::font::{Font, HEADING, LABEL, SMALL, Weight};
use crate::plot::grid::Grid;
use crate::plot::names::{count, list};
use crate::plot::page::{Body, MARGIN, Page, Size};
use crate::plot::svg::{Anchor, Rect, Stroke, Svg};
use crate::plot::ticks::{number, percent};
use crate::plot::{Drawn, subject};

/// So many groups are drawn at most.
const MOST_GROUPS: usize = 12;

/// Names of classes are shortened to so many pixels.
const WIDEST_NAME: f64 = 110.0;

const BAR: f64 = 78.0;
const GAP: f64 = 24.0;

/// The confusion matrix of a group: the mean over its trials.
#[derive(Clone, Debug, PartialEq)]
struct Matrix {
    label: String,
    /// Rows by true class, then by predicted class.
    counts: Vec<Vec<f64>>,
    names: Vec<String>,
    /// How many trials it is the mean of.
    trials: usize,
}

/// Draws the confusion matrices of groups.
///
/// # Errors
/// When none of them has one.
pub fn draw(groups: &[Group], size: Size) -> anyhow::Result<Drawn> {
    let mut notes = Vec::new();
    let (mut shown, mut matrices) = (Vec::new(), Vec::new());
    for group in groups {
        match Matrix::of(group) {
            Some(matrix) => {
                shown.push(group);
                matrices.push(matrix);
            }
            None => notes.push(format!("`{}` has no confusion matrix: it is left out", group.label)),
        }
    }
    if matrices.is_empty() {
        let hint = "it is there for classes, where there are test rows";
        return Err(anyhow!("none of these has a confusion matrix").context(Hint(hint.to_owned())));
    }
    if matrices.len() > MOST_GROUPS {
        notes.push(format!("the first {MOST_GROUPS} of {} are drawn", matrices.len()));
        matrices.truncate(MOST_GROUPS);
        shown.truncate(MOST_GROUPS);
    }
    let thing = subject::thing(&shown);
    let mut subtitle = subject::subtitle(&shown);
    if matrices.iter().any(|matrix| matrix.trials > 1) {
        subtitle += ": mean counts";
    }
    let layout = Layout::of(&matrices, size);
    let mut below = vec!["Counts of test rows; shares and colors are of the true class.".to_owned()];
    if layout.font.is_none() {
        below = vec!["Colors stand for shares of the true class; counts are in the histories.".to_owned()];
    }
    let partial = shown.iter().zip(&matrices).filter(|(group, matrix)| matrix.trials < group.trials.len());
    below.extend(
        partial.map(|(group, matrix)| format!("{}: {} with test figures.", group.label, count(matrix.trials, thing))),
    );
    let told: Vec<String> = matrices.iter().map(Matrix::told).collect();
    let page = Page {
        title: subject::titled(&shown, "confusion matrix"),
        subtitle,
        description: told.join(" "),
        notes: below,
        ..Page::default()
    };
    let body = Body::of(size, layout.height());
    let svg = page.draw(size.width.unwrap_or(layout.width()), body, |svg, room| layout.draw(svg, room, &matrices));
    Ok(Drawn { svg, notes })
}

impl Matrix {
    fn of(group: &Group) -> Option<Matrix> {
        let histories: Vec<_> = group.trials.iter().filter_map(|trial| trial.history()).collect();
        let all: Vec<&Vec<Vec<u64>>> = histories.iter().filter_map(|h| h.test.as_ref()?.confusion.as_ref()).collect();
        let classes = all.first()?.len();
        let is_square =
            |matrix: &&&Vec<Vec<u64>>| matrix.len() == classes && matrix.iter().all(|row| row.len() == classes);
        let all: Vec<_> = all.iter().filter(is_square).collect();
        let mean = |truth: usize, predicted: usize| {
            all.iter().map(|matrix| matrix[truth][predicted] as f64).sum::<f64>() / all.len() as f64
        };
        let counts = (0..classes).map(|t| (0..classes).map(|p| mean(t, p)).collect()).collect();
        let named = &histories.first()?.data.classes;
        let names = (0..classes).map(|class| named.get(class).cloned().unwrap_or_else(|| class.to_string())).collect();
        (classes > 0 && !all.is_empty()).then(|| Matrix {
            label: group.label.clone(),
            counts,
            names,
            trials: all.len(),
        })
    }

    /// The share of a cell's true class; `None` where that has no row.
    fn share(&self, truth: usize, predicted: usize) -> Option<f64> {
        let all: f64 = self.counts[truth].iter().sum();
        (all > 0.0).then(|| self.counts[truth][predicted] / all)
    }

    fn count_text(&self, truth: usize, predicted: usize) -> String {
        let value = self.counts[truth][predicted];
        let is_whole = self.counts.iter().flatten().all(|count| count.fract() == 0.0);
        number(value, usize::from(!is_whole && value < 10_000.0))
    }

    /// A share with one decimal; of few classes, whose rates are looked at closely, with more where it is small.
    fn share_text(&self, share: f64) -> String {
        match share {
            _ if self.names.len() <= 3 => percent(share),
            share if share < 0.0005 => "< 0.1 %".to_owned(),
            share => format!("{} %", number(share * 100.0, 1)),
        }
    }

    /// What is to be seen, in words.
    fn told(&self) -> String {
        let all: f64 = self.counts.iter().flatten().sum();
        let right: f64 = (0..self.counts.len()).map(|class| self.counts[class][class]).sum();
        let mut wrong: Vec<(f64, usize, usize)> = Vec::new();
        for (truth, row) in self.counts.iter().enumerate() {
            wrong.extend(
                row.iter().enumerate().filter(|(p, count)| *p != truth && **count > 0.0).map(|(p, c)| (*c, truth, p)),
            );
        }
        wrong.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
        let often = wrong.iter().take(3).map(|(_, truth, predicted)| {
            format!(
                "{} predicted as {} ({})",
                self.names[*truth],
                self.names[*predicted],
                self.count_text(*truth, *predicted)
            )
        });
        let often: Vec<String> = often.collect();
        let often: Vec<&str> = often.iter().map(String::as_str).collect();
        let share = if all > 0.0 { percent(right / all) } else { "none".to_owned() };
        let mistakes =
            if often.is_empty() { String::new() } else { format!(" Most frequent mistakes: {}.", list(&often, 3)) };
        format!("{}: {share} of {} rows are right.{mistakes}", self.label, number(all, 0))
    }
}

/// Where cells and labels are.
#[derive(Clone, Copy, Debug)]
struct Layout {
    classes: usize,
    maps: usize,
    columns: usize,
    /// The side of a cell.
    cell: f64,
    /// For the names of true classes.
    left: f64,
    /// For the names of predicted classes.
    bottom: f64,
    /// Whether names of predicted classes are read upwards.
    is_upright: bool,
    /// Letters of counts, and whether shares stand below them; `None` where no number fits.
    font: Option<(Font, bool)>,
}

impl Layout {
    fn of(matrices: &[Matrix], size: Size) -> Layout {
        let classes = matrices.iter().map(|matrix| matrix.names.len()).max().unwrap_or(1);
        let maps = matrices.len();
        let wanted = match classes {
            ..=2 => 104.0,
            3..=5 => 78.0,
            6..=12 => 54.0,
            13..=25 => 34.0,
            26..=45 => 20.0,
            _ => 900.0 / classes as f64,
        };
        let cell_of = |classes: usize| if maps > 1 { f64::min(wanted, 340.0 / classes as f64) } else { wanted };
        let names = || matrices.iter().flat_map(|matrix| &matrix.names);
        let widest = names().map(|name| SMALL.room(name)).fold(0.0, f64::max).min(WIDEST_NAME);
        let left = widest + 10.0 + 16.0;
        let one = cell_of(classes) * classes as f64 + left;
        let inner = size.width.map(|width| width - 2.0 * MARGIN - BAR);
        let columns = Grid::columns_for(maps, inner.unwrap_or(880.0) + GAP, one + GAP);
        let mut cell = cell_of(classes);
        if let Some(inner) = inner {
            cell = ((inner - (columns - 1) as f64 * GAP) / columns as f64 - left) / classes as f64;
        }
        let mut layout = Layout { classes, maps, columns, cell, left, bottom: 0.0, is_upright: false, font: None };
        if let Some(height) = size.height {
            let rows = maps.div_ceil(columns) as f64;
            let room = (height - 110.0) / rows - widest - 44.0 - layout.top();
            layout.cell = layout.cell.min(room / classes as f64);
        }
        layout.cell = layout.cell.max(3.0);
        layout.is_upright = widest + 6.0 > layout.cell;
        layout.bottom = if layout.is_upright { widest + 12.0 } else { 20.0 } + 18.0;
        layout.font = font(matrices, layout.cell);
        layout
    }

    fn top(&self) -> f64 {
        if self.maps > 1 { 22.0 } else { 0.0 }
    }

    fn rows(&self) -> usize {
        self.maps.div_ceil(self.columns)
    }

    fn map_width(&self) -> f64 {
        self.left + self.cell * self.classes as f64
    }

    fn map_height(&self) -> f64 {
        self.top() + self.cell * self.classes as f64 + self.bottom
    }

    /// Of the whole picture.
    fn width(&self) -> f64 {
        let maps = self.columns as f64 * self.map_width() + (self.columns - 1) as f64 * GAP;
        (2.0 * MARGIN + maps + BAR).max(430.0)
    }

    /// Of the body.
    fn height(&self) -> f64 {
        self.rows() as f64 * self.map_height() + (self.rows() - 1) as f64 * 12.0
    }

    fn draw(&self, svg: &mut Svg, room: Rect, matrices: &[Matrix]) {
        for (number, matrix) in matrices.iter().enumerate() {
            let (column, row) = (number % self.columns, number / self.columns);
            let x = room.x + column as f64 * (self.map_width() + GAP);
            let y = room.y + row as f64 * (self.map_height() + 12.0);
            self.draw_map(svg, (x, y), matrix);
        }
        let x = room.x + self.columns as f64 * (self.map_width() + GAP) - GAP + 22.0;
        let height = (self.cell * self.classes as f64).clamp(60.0, 220.0);
        draw_bar(svg, Rect { x, y: room.y + self.top() + 20.0, width: 12.0, height: height - 20.0 });
    }

    fn draw_map(&self, svg: &mut Svg, (x, y): (f64, f64), matrix: &Matrix) {
        let side = self.cell * matrix.names.len() as f64;
        let map = Rect { x: x + self.left, y: y + self.top(), width: side, height: side };
        if self.maps > 1 {
            let label = HEADING.shortened(&matrix.label, self.map_width() - self.left);
            svg.text((map.x, y + HEADING.size), Anchor::Start, HEADING, INK, &label);
        }
        for truth in 0..matrix.names.len() {
            for predicted in 0..matrix.names.len() {
                let cell = Rect {
                    x: map.x + predicted as f64 * self.cell,
                    y: map.y + truth as f64 * self.cell,
                    width: self.cell,
                    height: self.cell,
                };
                self.draw_cell(svg, cell, matrix, truth, predicted);
            }
        }
        svg.outline(map, Stroke::solid(GRID, 1.0));
        let every = (SMALL.size + 1.0) / self.cell; // names of very small cells would lie upon each other
        let every = (every.ceil() as usize).max(1);
        for (number, name) in matrix.names.iter().enumerate().step_by(every) {
            let name = SMALL.shortened(name, WIDEST_NAME);
            let middle = (number as f64 + 0.5) * self.cell;
            let base = map.y + middle + SMALL.cap_height() / 2.0;
            svg.text((map.x - 8.0, base), Anchor::End, SMALL, INK, &name);
            match self.is_upright {
                true => {
                    let at = (map.x + middle + SMALL.cap_height() / 2.0, map.bottom() + 7.0);
                    svg.upright_text(at, Anchor::End, SMALL, INK, &name);
                }
                false => svg.text((map.x + middle, map.bottom() + 15.0), Anchor::Middle, SMALL, INK, &name),
            }
        }
        svg.upright_text((x + 10.0, map.middle().1), Anchor::Middle, SMALL, QUIET, "true class");
        svg.text((map.middle().0, map.bottom() + self.bottom - 4.0), Anchor::Middle, SMALL, QUIET, "predicted class");
    }

    fn draw_cell(&self, svg: &mut Svg, cell: Rect, matrix: &Matrix, truth: usize, predicted: usize) {
        let share = matrix.share(truth, predicted);
        let fill = share.map_or(WHITE, shade);
        svg.rect(cell, fill);
        svg.outline(cell, Stroke::solid(if self.cell > 8.0 { GRID } else { fill }, 0.6));
        let Some((font, has_shares)) = self.font else { return };
        let (x, y) = cell.middle();
        if matrix.counts[truth][predicted] == 0.0 {
            return svg.text((x, y + font.cap_height() / 2.0), Anchor::Middle, font, QUIET, "0");
        }
        let ink = fill.ink_on();
        let count = matrix.count_text(truth, predicted);
        match share.filter(|_| has_shares) {
            Some(share) => {
                svg.text((x, y - 1.5), Anchor::Middle, font, ink, &count);
                let small = smaller(font);
                svg.text((x, y + small.cap_height() + 5.5), Anchor::Middle, small, ink, &matrix.share_text(share));
            }
            None => svg.text((x, y + font.cap_height() / 2.0), Anchor::Middle, font, ink, &count),
        }
    }
}

/// Shares are raised to this power before they are colored.
const PULLED: f64 = 0.4;

/// The color of a share: small ones are pulled apart, since mistakes are what is looked for.
fn shade(share: f64) -> Color {
    Color::of_share(share.powf(PULLED))
}

fn smaller(font: Font) -> Font {
    Font { size: (font.size * 0.8).max(7.0), weight: Weight::Regular }
}

/// The largest letters in which all counts fit their cells, with shares below them where these fit too.
fn font(matrices: &[Matrix], cell: f64) -> Option<(Font, bool)> {
    let room = cell * 0.9;
    let all = || {
        matrices.iter().flat_map(|matrix| {
            let classes = 0..matrix.names.len();
            classes.clone().flat_map(move |truth| classes.clone().map(move |predicted| (matrix, truth, predicted)))
        })
    };
    let of_size = |size: f64| Font { size, weight: Weight::Regular };
    let counts_fit = |font: Font| all().all(|(m, t, p)| font.width(&m.count_text(t, p)) <= room) && font.size <= room;
    let shares_fit = |font: Font| {
        let small = smaller(font);
        let fits = |(m, t, p): (&Matrix, usize, usize)| {
            m.share(t, p).is_none_or(|share| small.width(&m.share_text(share)) <= room)
        };
        font.size + small.size + 4.0 <= room && all().all(fits)
    };
    let sizes = || [LABEL.size + 2.0, LABEL.size, 11.0, 10.0, 9.0].into_iter().map(of_size);
    let with_shares = sizes().find(|font| counts_fit(*font) && shares_fit(*font)).map(|font| (font, true));
    let smallest = [8.0, 7.0].into_iter().map(of_size);
    with_shares.or_else(|| sizes().chain(smallest).find(|font| counts_fit(*font)).map(|font| (font, false)))
}

/// What colors stand for.
fn draw_bar(svg: &mut Svg, bar: Rect) {
    const STEPS: usize = 40;
    svg.text((bar.x, bar.y - 10.0), Anchor::Start, SMALL, QUIET, "share");
    let step = bar.height / STEPS as f64;
    for number in 0..STEPS {
        let share = 1.0 - (number as f64 + 0.5) / STEPS as f64;
        // each a little higher than its step, so that no seam is seen
        svg.rect(Rect { y: bar.y + number as f64 * step, height: step + 0.4, ..bar }, Color::of_share(share));
    }
    svg.outline(bar, Stroke::solid(GRID, 1.0));
    for share in [0.0, 0.01, 0.1, 0.25, 0.5, 1.0] {
        let y = bar.bottom() - f64::powf(share, PULLED) * bar.height;
        svg.line((bar.right(), y), (bar.right() + 3.0, y), Stroke::solid(QUIET, 1.0));
        let is_free = !(share == 0.01 || share == 0.25) || bar.height > 130.0;
        if is_free {
            svg.text((bar.right() + 6.0, y + SMALL.cap_height() / 2.0), Anchor::Start, SMALL, QUIET, &percent(share));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::Record;
    use crate::history::tested::TestRecord;
    use crate::plot::tests_of_pictures::{groups, outside, overlapping};

    fn tested(many: usize, trials: usize, classes: usize, name: &str) -> Vec<Group> {
        let mut groups = groups(many, trials, 2);
        for (seed, trial) in groups.iter_mut().flat_map(|group| &mut group.trials).enumerate() {
            let Record::Ours(history) = &mut trial.record else { unreachable!("made here") };
            let count =
                |t: usize, p: usize| if t == p { 950 + seed as u64 } else { ((t * 7 + p * 3 + seed) % 5) as u64 };
            let confusion = (0..classes).map(|t| (0..classes).map(|p| count(t, p)).collect()).collect();
            history.test = Some(TestRecord { confusion: Some(confusion), ..TestRecord::default() });
            history.data.classes = (0..classes).map(|class| format!("{name}{class}")).collect();
        }
        groups
    }

    #[test]
    fn no_label_lies_outside_the_picture_or_upon_another() {
        for (many, trials, classes, name) in [
            (1, 1, 2, ""),
            (1, 5, 10, ""),
            (1, 1, 10, "a rather long class name "),
            (1, 1, 26, "c"),
            (1, 1, 100, ""),
            (5, 1, 3, "class "),
        ] {
            for width in [None, Some(420.0), Some(1200.0)] {
                let drawn = draw(&tested(many, trials, classes, name), Size { width, height: None }).unwrap().svg;
                assert_eq!(outside(&drawn), Vec::<String>::new(), "{classes} classes at {width:?}");
                assert_eq!(overlapping(&drawn), Vec::<String>::new(), "{classes} classes at {width:?}");
            }
        }
    }

    #[test]
    fn counts_are_means_over_trials_and_shares_are_of_the_true_class() {
        let matrix = Matrix::of(&tested(1, 2, 2, "")[0]).unwrap();
        assert_eq!(matrix.counts[0][0], 950.5);
        assert_eq!(matrix.count_text(0, 0), "950.5");
        let row: f64 = matrix.counts[0].iter().sum();
        assert_eq!(matrix.share(0, 0), Some(950.5 / row));
        let none = Matrix { counts: vec![vec![0.0, 0.0], vec![1.0, 1.0]], ..matrix };
        assert_eq!((none.share(0, 0), none.share(1, 0)), (None, Some(0.5)));
        assert!(none.told().contains("1 predicted as 0 (1)"), "{}", none.told());
    }

    #[test]
    fn a_run_without_classes_is_told() {
        assert!(draw(&groups(1, 1, 2), Size::default()).is_err());
    }
}
