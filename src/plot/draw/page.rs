//! Layout of a plot: title, subtitle and legend above the content, notes below it, and a margin.

use crate::plot::draw::color::{INK, QUIET};
use crate::plot::draw::font::{Font, LABEL, SMALL, TITLE};
use crate::plot::draw::grid::Grid;
use crate::plot::draw::legend::{Entry, Legend};
use crate::plot::draw::panel::Panel;
use crate::plot::draw::shape::{Anchor, Point, Rect};
use crate::plot::format::svg::Svg;

/// Margin on all sides, in pixels.
pub const MARGIN: f64 = 16.0;

/// Size and title of a plot, as far as the user sets them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageOptions {
    /// Width in pixels; the default depends on the kind of plot.
    pub width: Option<f64>,
    /// Height in pixels; the default depends on the kind of plot.
    pub height: Option<f64>,
    /// Title; the default is that of the experiment with the kind of plot.
    pub title: Option<String>,
}

/// Texts and legend around the content of a plot.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Title.
    pub title: String,
    /// Subtitle.
    pub subtitle: String,
    /// Description for screen readers.
    pub description: String,
    /// Legend entries of the groups.
    pub legend: Vec<Entry>,
    /// Legend entries that apply to all groups; they get rows of their own if not everything fits into one row.
    pub keys: Vec<Entry>,
    /// Notes below the plot.
    pub notes: Vec<String>,
}

impl Page {
    /// Draws the plot: texts and legend, and the content with `draw`. Unless the options say otherwise, the plot is `width`
    /// wide, and the content `height` high; it is never lower than `least`.
    pub fn draw(
        self,
        options: &PageOptions,
        [width, height, least]: [f64; 3],
        draw: impl FnOnce(&mut Svg, Rect),
    ) -> Svg {
        let width = options.width.unwrap_or(width);
        let inner = width - 2.0 * MARGIN;
        let whole_title = options.title.as_ref().unwrap_or(&self.title);
        let title = TITLE.wrap(whole_title, inner);
        let subtitle = if self.subtitle.is_empty() { Vec::new() } else { LABEL.wrap(&self.subtitle, inner) };
        let notes: Vec<String> = self.notes.iter().flat_map(|note| SMALL.wrap(note, inner)).collect();
        let legends = legends(self.legend, self.keys, inner);
        let lines = |count: usize, font: Font| count as f64 * font.leading();
        let mut header = MARGIN + lines(title.len(), TITLE) + lines(subtitle.len(), LABEL) + 8.0;
        let legend_at = header;
        if !legends.is_empty() {
            header += legends.iter().map(|legend| legend.height).sum::<f64>() + 8.0;
        }
        let footer = if notes.is_empty() { MARGIN } else { 8.0 + lines(notes.len(), SMALL) + MARGIN - 4.0 };
        let body_height = options.height.map_or(height, |height| (height - header - footer).max(least));
        let height = header + body_height + footer;
        let mut svg = Svg::new(width, height, whole_title, &self.description);
        let top = (MARGIN, MARGIN - 3.0);
        let below = draw_lines(&mut svg, top, TITLE, &title, true);
        draw_lines(&mut svg, below, LABEL, &subtitle, false);
        let mut at = legend_at;
        for legend in legends {
            legend.draw(&mut svg, (MARGIN, at));
            at += legend.height;
        }
        draw(&mut svg, Rect { x: MARGIN, y: header, width: inner, height: body_height });
        draw_lines(&mut svg, (MARGIN, height - footer + 8.0), SMALL, &notes, false);
        svg
    }

    /// Draws the plot as [`Page::draw`] does, with these panels one below the other.
    pub fn draw_panels(self, options: &PageOptions, size: [f64; 3], panels: Vec<Panel>) -> Svg {
        let grid = Grid { panels, columns: 1, shares_axes: false };
        self.draw(options, size, |svg, room| grid.draw(svg, room))
    }
}

/// Returns one legend if all entries fit into one row, otherwise one for the entries and one for the keys below it.
fn legends(entries: Vec<Entry>, keys: Vec<Entry>, width: f64) -> Vec<Legend> {
    let together = Legend::new([&entries[..], &keys[..]].concat(), width);
    let mut legends = match together.rows() {
        0 | 1 => vec![together],
        _ => vec![Legend::new(entries, width), Legend::new(keys, width)],
    };
    legends.retain(|legend| legend.height > 0.0);
    legends
}

/// Draws lines of text below each other, and returns the position after the last one.
fn draw_lines(svg: &mut Svg, (x, y): Point, font: Font, lines: &[String], is_title: bool) -> Point {
    let color = if is_title { INK } else { QUIET };
    for (number, line) in lines.iter().enumerate() {
        let base = y + number as f64 * font.leading() + font.size;
        svg.text((x, base), Anchor::Start, font, color, line);
    }
    (x, y + lines.len() as f64 * font.leading())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::plot::draw::axis::Axis;
    use crate::plot::draw::color::{BLUE, VERMILION};
    use crate::plot::draw::legend::Handle;
    use crate::plot::draw::panel::{Artist, TopLabel};
    use crate::plot::draw::shape::{LineStyle, Stroke};
    use crate::plot::draw::ticks::Unit;
    use crate::plot::layout_checks::{outside, overlapping};

    fn small(width: f64) -> Svg {
        let (solid, dashed) =
            (Stroke::solid(VERMILION, 2.0), Stroke { color: BLUE, width: 2.0, line_style: LineStyle::Dashed });
        let x = Axis::exact("epoch", Unit::Whole, [1.0, 3.0]);
        let mut panel = Panel::new("Loss", x, Axis::with_margins("loss", Unit::Plain, [0.1, 0.9]));
        panel.artists.push(Artist::Line(vec![(1.0, 0.9), (2.0, 0.4), (3.0, 0.1)], dashed));
        panel.artists.push(Artist::Line(vec![(1.0, 0.8), (2.0, f64::NAN), (3.0, 0.5)], solid));
        panel.top_labels.push(TopLabel { x: 3.0, text: "best epoch 3".to_owned(), is_left: true });
        let page = Page {
            title: "A <small> run".to_owned(),
            subtitle: "one & only".to_owned(),
            description: "Two curves.".to_owned(),
            legend: vec![Entry::new(Handle::Line(solid, None), "validation")],
            keys: vec![Entry::new(Handle::Line(dashed, None), "training")],
            notes: vec!["A note.".to_owned()],
        };
        page.draw_panels(&PageOptions::default(), [width, 120.0, 120.0], vec![panel])
    }

    #[test]
    fn a_small_picture_is_written_as_ever() {
        assert_snapshot!(small(260.0).finish());
    }

    #[test]
    fn the_legend_stands_above_the_panels_whatever_the_width() {
        for width in [150.0, 200.0, 260.0, 900.0] {
            let svg = small(width);
            assert_eq!((outside(&svg), overlapping(&svg)), (Vec::new(), Vec::new()), "{width}");
            let at = |text: &str| svg.placed().iter().find(|placed| placed.text == text).unwrap().room;
            assert!(at("training").bottom() <= at("Loss").y + 1.0 && at("validation").bottom() <= at("Loss").y + 1.0);
            assert!(at("A note.").y >= at("epoch").bottom() - 3.0);
        }
    }

    #[test]
    fn a_given_height_is_kept_and_a_body_is_never_lower_than_can_be_read() {
        let height = |height: f64| {
            let page = Page { title: "t".to_owned(), ..Page::default() };
            let options = PageOptions { height: Some(height), ..PageOptions::default() };
            page.draw(&options, [300.0, 200.0, 90.0], |_, _| {}).area().height
        };
        assert_eq!(height(400.0), 400.0);
        assert!(height(20.0) > 90.0);
    }
}
