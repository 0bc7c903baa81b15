//! Layout of confusion matrices as heat maps: cell sizes, counts and shares in cells where they are readable, class
//! names at the edges, and a color bar.

use crate::plot::charts::mean_confusion::MeanConfusion;
use crate::plot::draw::color::{Color, GRID, INK, QUIET, WHITE};
use crate::plot::draw::font::{Font, HEADING, LABEL, SMALL, Weight};
use crate::plot::draw::grid::Grid;
use crate::plot::draw::page::{MARGIN, PageOptions};
use crate::plot::draw::shape::{Anchor, Rect, Stroke};
use crate::plot::draw::ticks::percent;
use crate::plot::format::svg::Svg;

/// Maximum width of class names in pixels; longer ones are shortened.
const WIDEST_NAME: f64 = 110.0;

const BAR: f64 = 78.0;
const GAP: f64 = 24.0;

/// Sizes of cells and labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    classes: usize,
    maps: usize,
    columns: usize,
    /// Side length of a cell.
    cell: f64,
    /// Width reserved for the names of true classes.
    left: f64,
    /// Height reserved for the names of predicted classes.
    bottom: f64,
    /// Whether the names of predicted classes are vertical.
    is_upright: bool,
    /// Font of the counts, and whether shares appear below them; `None` if the cells are too small for numbers.
    pub(crate) font: Option<(Font, bool)>,
}

impl Layout {
    /// Computes the layout of all matrices in a plot of this size.
    pub(crate) fn new(matrices: &[MeanConfusion], options: &PageOptions) -> Layout {
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
        let cell_of =
            |classes: usize| if maps > 1 { f64::min(wanted, (340.0 / classes as f64).min(76.0)) } else { wanted };
        let names = || matrices.iter().flat_map(|matrix| &matrix.names);
        let widest = names().map(|name| SMALL.room(name)).fold(0.0, f64::max).min(WIDEST_NAME);
        let left = widest + 10.0 + 16.0;
        let one = cell_of(classes) * classes as f64 + left;
        let inner = options.width.map(|width| width - 2.0 * MARGIN - BAR);
        let columns = Grid::columns_for(maps, inner.unwrap_or(880.0) + GAP, one + GAP);
        let mut cell = cell_of(classes);
        if let Some(inner) = inner {
            cell = ((inner - (columns - 1) as f64 * GAP) / columns as f64 - left) / classes as f64;
        }
        let mut layout = Layout { classes, maps, columns, cell, left, bottom: 0.0, is_upright: false, font: None };
        if let Some(height) = options.height {
            let rows = maps.div_ceil(columns) as f64;
            let room = (height - 110.0) / rows - widest - 44.0 - layout.top();
            layout.cell = layout.cell.min(room / classes as f64);
        }
        layout.cell = layout.cell.max(0.8);
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

    /// Returns the width of the whole plot.
    pub(crate) fn width(&self) -> f64 {
        let maps = self.columns as f64 * self.map_width() + (self.columns - 1) as f64 * GAP;
        (2.0 * MARGIN + maps + BAR).max(430.0)
    }

    /// Returns the height of the content.
    pub(crate) fn height(&self) -> f64 {
        self.rows() as f64 * self.map_height() + (self.rows() - 1) as f64 * 12.0
    }

    /// Draws the matrices into a rectangle.
    pub(crate) fn draw(&self, svg: &mut Svg, room: Rect, matrices: &[MeanConfusion]) {
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

    fn draw_map(&self, svg: &mut Svg, (x, y): (f64, f64), matrix: &MeanConfusion) {
        let side = self.cell * matrix.names.len() as f64;
        let map = Rect { x: x + self.left, y: y + self.top(), width: side, height: side };
        if self.maps > 1 {
            let label = HEADING.shorten(&matrix.label, self.map_width() - self.left);
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
        for number in 1..matrix.names.len() {
            let at = number as f64 * self.cell;
            let line = Stroke::solid(GRID, if self.cell > 12.0 { 0.8 } else { 0.4 });
            svg.line((map.x + at, map.y), (map.x + at, map.bottom()), line);
            svg.line((map.x, map.y + at), (map.right(), map.y + at), line);
        }
        svg.outline(map, Stroke::solid(GRID, 1.0));
        let every = (SMALL.size + 1.0) / self.cell; // names of very small cells would overlap
        let every = (every.ceil() as usize).max(1);
        for (number, name) in matrix.names.iter().enumerate().step_by(every) {
            let name = SMALL.shorten(name, WIDEST_NAME);
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

    fn draw_cell(&self, svg: &mut Svg, cell: Rect, matrix: &MeanConfusion, truth: usize, predicted: usize) {
        let share = matrix.share(truth, predicted);
        let fill = share.map_or(WHITE, shade);
        if fill != WHITE {
            svg.rect(cell, fill);
        }
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

/// Exponent applied to shares before they are mapped to colors.
const PULLED: f64 = 0.4;

/// Returns the color of a share. Small shares, which are the mistakes, get a larger part of the color range.
fn shade(share: f64) -> Color {
    Color::from_blues(share.powf(PULLED))
}

fn smaller(font: Font) -> Font {
    Font { size: (font.size * 0.8).max(7.0), weight: Weight::Regular }
}

/// Returns the largest font in which all counts fit their cells, and whether shares fit below them.
fn font(matrices: &[MeanConfusion], cell: f64) -> Option<(Font, bool)> {
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
        let fits = |(m, t, p): (&MeanConfusion, usize, usize)| {
            m.share(t, p).is_none_or(|share| small.width(&m.share_text(share)) <= room)
        };
        font.size + small.size + 4.0 <= room && all().all(fits)
    };
    let sizes = || [LABEL.size + 2.0, LABEL.size, 11.0, 10.0, 9.0].into_iter().map(of_size);
    let with_shares = sizes().find(|font| counts_fit(*font) && shares_fit(*font)).map(|font| (font, true));
    let smallest = [8.0, 7.0].into_iter().map(of_size);
    with_shares.or_else(|| sizes().chain(smallest).find(|font| counts_fit(*font)).map(|font| (font, false)))
}

/// Draws the color bar.
fn draw_bar(svg: &mut Svg, bar: Rect) {
    const STEPS: usize = 40;
    svg.text((bar.x, bar.y - 10.0), Anchor::Start, SMALL, QUIET, "share");
    let step = bar.height / STEPS as f64;
    for number in 0..STEPS {
        let share = 1.0 - (number as f64 + 0.5) / STEPS as f64;
        // slightly higher than a step, which avoids visible seams
        svg.rect(Rect { y: bar.y + number as f64 * step, height: step + 0.4, ..bar }, Color::from_blues(share));
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
