//! Legends: rows of samples with their names above the panels, where they cover no data.

use crate::plot::draw::color::{Color, INK};
use crate::plot::draw::font::LABEL;
use crate::plot::draw::marker::{Marker, cross};
use crate::plot::draw::shape::{Anchor, Point, Rect, Stroke};
use crate::plot::format::svg::Svg;

/// Sample of a plotted element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Handle {
    /// A line with an optional marker.
    Line(Stroke, Option<Marker>),
    /// A line in a band.
    Band(Stroke),
    /// A marker.
    Marker(Marker, Color),
    /// A ring.
    Ring(Color),
    /// A short vertical line.
    VerticalTick(Color),
    /// A cross.
    Cross(Color),
    /// A filled box.
    Box(Color),
}

/// A sample with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The sample.
    pub handle: Handle,
    /// The name.
    pub name: String,
}

impl Entry {
    /// Creates an entry.
    pub fn new(handle: Handle, name: impl Into<String>) -> Entry {
        Entry { handle, name: name.into() }
    }

    fn width(&self) -> f64 {
        self.handle.width() + BESIDE + LABEL.room(&self.name)
    }
}

const BESIDE: f64 = 6.0;
const BETWEEN: f64 = 18.0;
const ROW: f64 = 18.0;

impl Handle {
    fn width(self) -> f64 {
        match self {
            Handle::Line(..) | Handle::Band(_) => 30.0,
            Handle::Box(_) | Handle::Marker(..) | Handle::Ring(_) | Handle::VerticalTick(_) | Handle::Cross(_) => 12.0,
        }
    }

    fn draw(self, svg: &mut Svg, (x, y): Point) {
        let middle = (x + self.width() / 2.0, y);
        let ends = ((x, y), (x + self.width(), y));
        match self {
            Handle::Line(stroke, marker) => {
                svg.line(ends.0, ends.1, stroke);
                if let Some(marker) = marker {
                    marker.draw(svg, middle, 3.4, stroke.color);
                }
            }
            Handle::Band(stroke) => {
                svg.rect(Rect { x, y: y - 6.0, width: self.width(), height: 12.0 }, stroke.color.lighter(BAND));
                svg.line(ends.0, ends.1, stroke);
            }
            Handle::Marker(marker, color) => marker.draw(svg, middle, 4.0, color),
            Handle::Ring(color) => svg.circle(middle, 4.5, None, Some(Stroke::solid(color, 1.6))),
            Handle::VerticalTick(color) => {
                svg.line((middle.0, y - 6.0), (middle.0, y + 6.0), Stroke::solid(color, 2.0));
            }
            Handle::Cross(color) => cross(svg, middle, 4.0, color),
            Handle::Box(color) => svg.rect(Rect { x, y: y - 5.0, width: 12.0, height: 10.0 }, color),
        }
    }
}

/// Share of white in the color of a band; the rest is its line's color.
pub const BAND: f64 = 0.78;

/// Legend entries with their positions.
#[derive(Debug)]
pub struct Legend {
    /// Each entry with its offset from the upper left corner.
    entries: Vec<(Entry, Point)>,
    /// Total height in pixels.
    pub height: f64,
}

impl Legend {
    /// Arranges entries within a width: in one row if they fit, otherwise in columns.
    pub fn new(entries: Vec<Entry>, width: f64) -> Legend {
        let shorter = |entry: Entry| {
            let room = width - entry.handle.width() - BESIDE;
            Entry { name: LABEL.shorten(&entry.name, room), ..entry }
        };
        let entries: Vec<Entry> = entries.into_iter().map(shorter).collect();
        let all: f64 = entries.iter().map(|entry| entry.width() + BETWEEN).sum::<f64>() - BETWEEN;
        let columns = columns(&entries, width);
        let mut placed = Vec::new();
        let mut x = 0.0;
        for (number, entry) in entries.into_iter().enumerate() {
            let row = number / columns.len();
            let at = if all <= width { (x, 0.0) } else { (columns[number % columns.len()], row as f64 * ROW) };
            x += entry.width() + BETWEEN;
            placed.push((entry, at));
        }
        let height = placed.last().map_or(0.0, |(_, at)| at.1 + ROW);
        Legend { entries: placed, height }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        (self.height / ROW).round() as usize
    }

    /// Draws the legend with its upper left corner at this point.
    pub fn draw(&self, svg: &mut Svg, (x, y): Point) {
        for (entry, (right, down)) in &self.entries {
            let middle = y + down + ROW / 2.0;
            entry.handle.draw(svg, (x + right, middle));
            let at = (x + right + entry.handle.width() + BESIDE, middle + LABEL.cap_height() / 2.0);
            svg.text(at, Anchor::Start, LABEL, INK, &entry.name);
        }
    }
}

/// Returns the left edges of as many columns as fit, each as wide as its widest entry.
fn columns(entries: &[Entry], width: f64) -> Vec<f64> {
    for count in (2..=entries.len()).rev() {
        let mut widths = vec![0.0_f64; count];
        for (number, entry) in entries.iter().enumerate() {
            widths[number % count] = widths[number % count].max(entry.width());
        }
        if widths.iter().sum::<f64>() + BETWEEN * (count - 1) as f64 <= width {
            let begins = widths.iter().scan(0.0, |x, width| {
                let begin = *x;
                *x += width + BETWEEN;
                Some(begin)
            });
            return begins.collect();
        }
    }
    vec![0.0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw::color::BLUE;

    fn entries(names: &[&str]) -> Vec<Entry> {
        names.iter().map(|name| Entry::new(Handle::Line(Stroke::solid(BLUE, 2.0), None), *name)).collect()
    }

    #[test]
    fn entries_that_fit_stand_in_one_row_and_others_in_columns() {
        let short = entries(&["a", "b", "c"]);
        assert_eq!(Legend::new(short, 400.0).height, ROW);
        let long = entries(&["a rather long name", "another long name", "b", "a third long name", "c", "d"]);
        let legend = Legend::new(long, 330.0);
        assert_eq!(legend.height, 3.0 * ROW);
        assert_eq!(legend.entries[0].1.0, legend.entries[2].1.0, "columns are aligned");
    }

    #[test]
    fn nothing_reaches_beyond_the_width_and_nothing_overlaps() {
        for width in [120.0, 200.0, 500.0, 900.0] {
            let legend =
                Legend::new(entries(&["one", "a name that is longer than any line may be", "three", "x"]), width);
            for (number, (entry, at)) in legend.entries.iter().enumerate() {
                assert!(at.0 + entry.width() <= width + 1e-9, "{entry:?} at {at:?} of {width}");
                let next = legend.entries.get(number + 1).filter(|(_, next)| next.1 == at.1);
                assert!(next.is_none_or(|(_, next)| next.0 >= at.0 + entry.width()), "{width}");
            }
        }
    }
}
