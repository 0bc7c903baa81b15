//! Grid of panels with aligned frames.

use crate::plot::draw::panel::{FrameLabels, Panel};
use crate::plot::draw::shape::Rect;
use crate::plot::format::svg::Svg;

/// Panels in rows and columns.
#[derive(Debug)]
pub struct Grid {
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Number of columns.
    pub columns: usize,
    /// Whether all panels have the same axes; numbers and names then appear only at the outer panels.
    pub shares_axes: bool,
}

const GAP: f64 = 20.0;

impl Grid {
    /// Returns the number of columns for panels that are at least `least` pixels wide; rows are filled evenly.
    pub fn columns_for(panels: usize, width: f64, least: f64) -> usize {
        let fitting = ((width / least) as usize).clamp(1, panels.max(1));
        panels.max(1).div_ceil(panels.max(1).div_ceil(fitting))
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.panels.len().div_ceil(self.columns.max(1))
    }

    /// Draws the panels into a rectangle.
    pub fn draw(&self, svg: &mut Svg, room: Rect) {
        for (panel, frame, around) in self.placed(room) {
            panel.draw(svg, frame, around);
        }
    }

    /// Returns each panel with its frame and the settings for the area around it.
    pub fn placed(&self, room: Rect) -> Vec<(&Panel, Rect, FrameLabels)> {
        let (columns, rows) = (self.columns.max(1), self.rows().max(1));
        let place = |number: usize| (number % columns, number / columns);
        let has_numbers = |number: usize| !self.shares_axes || place(number).0 == 0;
        let has_name = |number: usize| !self.shares_axes || place(number).1 == rows - 1;
        let widest = |of: &dyn Fn(usize) -> f64, wanted: &dyn Fn(usize) -> bool| {
            (0..self.panels.len()).filter(|number| wanted(*number)).map(of).fold(0.0, f64::max)
        };
        // All frames are equally wide: the space for labels beside them is subtracted first.
        let of_columns = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..columns).map(|column| widest(of, &|n| place(n).0 == column)).collect()
        };
        let left = of_columns(&|n| self.panels[n].side_margins(has_numbers(n)).0);
        let right = of_columns(&|n| self.panels[n].side_margins(has_numbers(n)).1);
        let taken: f64 = left.iter().chain(&right).sum::<f64>() + GAP * (columns - 1) as f64;
        let width = ((room.width - taken) / columns as f64).max(20.0);
        let x = |column: usize| {
            let before: f64 = (0..column).map(|c| left[c] + width + right[c] + GAP).sum();
            room.x + before + left[column]
        };
        let top_labels = |row: usize| {
            let frame = |n: usize| Rect { x: x(place(n).0), y: 0.0, width, height: 1.0 };
            let rows =
                (0..self.panels.len()).filter(|n| place(*n).1 == row).map(|n| self.panels[n].top_label_rows(frame(n)));
            rows.max().unwrap_or(0)
        };
        let around = |n: usize| FrameLabels {
            has_numbers: has_numbers(n),
            has_name: has_name(n),
            top_label_rows: top_labels(place(n).1),
        };
        let of_rows = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..rows).map(|row| widest(of, &|n| place(n).1 == row)).collect()
        };
        let above = of_rows(&|n| self.panels[n].vertical_margins(around(n)).0);
        let below = of_rows(&|n| self.panels[n].vertical_margins(around(n)).1);
        let gap = if self.shares_axes { 8.0 } else { 12.0 };
        let taken: f64 = above.iter().chain(&below).sum::<f64>() + gap * (rows - 1) as f64;
        let shares = of_rows(&|n| self.panels[n].share);
        let unit = (room.height - taken) / shares.iter().sum::<f64>();
        let height = |row: usize| (shares[row] * unit).max(20.0);
        let y = |row: usize| {
            let before: f64 = (0..row).map(|r| above[r] + height(r) + below[r] + gap).sum();
            room.y + before + above[row]
        };
        let frame = |n: usize| Rect { x: x(place(n).0), y: y(place(n).1), width, height: height(place(n).1) };
        self.panels.iter().enumerate().map(|(n, panel)| (panel, frame(n), around(n))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw::axis::Axis;
    use crate::plot::draw::panel::{EndLabel, TopLabel};
    use crate::plot::draw::ticks::Unit;

    fn panel(largest: f64) -> Panel {
        let x = Axis::exact("epoch", Unit::Whole, [1.0, 30.0]);
        let mut panel = Panel::new("loss", x, Axis::with_margins("loss", Unit::Plain, [0.0, largest]));
        panel.top_labels.push(TopLabel { x: 16.0, text: "best epoch 16".to_owned(), is_left: true });
        panel.top_labels.push(TopLabel { x: 17.0, text: "overfits from 17".to_owned(), is_left: false });
        panel.top_labels.push(TopLabel { x: 30.0, text: "the end of all that is".to_owned(), is_left: false });
        panel
    }

    #[test]
    fn panels_fill_rows_evenly() {
        assert_eq!(Grid::columns_for(4, 900.0, 280.0), 2);
        assert_eq!(Grid::columns_for(3, 900.0, 280.0), 3);
        assert_eq!(Grid::columns_for(2, 400.0, 280.0), 1);
        assert_eq!(Grid::columns_for(1, 100.0, 280.0), 1);
    }

    #[test]
    fn frames_are_aligned_and_all_labels_lie_in_the_room() {
        for shares_axes in [false, true] {
            let mut panels = vec![panel(1.0), panel(12_345.0), panel(1e-7), panel(3.0)];
            panels[3].end_labels.push(EndLabel {
                y: 1.0,
                text: "a label at the end".to_owned(),
                color: crate::plot::draw::color::BLUE,
            });
            let grid = Grid { panels, columns: 2, shares_axes };
            let room = Rect { x: 10.0, y: 20.0, width: 700.0, height: 500.0 };
            let placed = grid.placed(room);
            assert_eq!(placed[0].1.x, placed[2].1.x);
            assert_eq!(placed[0].1.y, placed[1].1.y);
            let mut svg = Svg::new(720.0, 540.0, "", "");
            grid.draw(&mut svg, room);
            for text in svg.placed() {
                let Rect { x, y, .. } = text.room;
                assert!(x >= room.x - 1.0 && text.room.right() <= room.right() + 1.0, "{text:?}");
                assert!(y >= room.y - 3.0 && text.room.bottom() <= room.bottom() + 1.0, "{text:?}");
            }
        }
    }
}
