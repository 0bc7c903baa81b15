//! A panel: two axes, and lines, bands and marks between them.
//!
//! A panel describes what to draw; [`crate::plot::draw::grid`] determines its position. Labels of positions on the
//! horizontal axis are above the frame, labels of lines are to its right, so that they cover no data.

use crate::plot::draw::axis::{Axis, Scale};
use crate::plot::draw::color::{AXIS, Color, GRID, INK, QUIET, SHADE, WHITE};
use crate::plot::draw::font::{HEADING, SMALL};
use crate::plot::draw::label_spacing::spread_out;
use crate::plot::draw::legend::BAND;
use crate::plot::draw::line::{split_at_gaps, thin};
use crate::plot::draw::marker::{Marker, cross};
use crate::plot::draw::shape::{Anchor, LineStyle, Point, Rect, Stroke};
use crate::plot::draw::ticks::Tick;
use crate::plot::format::svg::Svg;

/// A panel.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Title above the panel.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Elements to draw, from bottom to top.
    pub artists: Vec<Artist>,
    /// Labels above the frame.
    pub top_labels: Vec<TopLabel>,
    /// Labels to the right of the frame.
    pub end_labels: Vec<EndLabel>,
    /// Height of the frame relative to those of other rows, usually 1.
    pub share: f64,
}

/// An element between the axes, in data coordinates.
#[derive(Clone, Debug)]
pub enum Artist {
    /// A shaded background from one x to another.
    Span(f64, f64),
    /// A vertical line at an x.
    VerticalLine(f64, Stroke),
    /// A line through points, interrupted at non-finite values; an isolated point is a dot.
    Line(Vec<Point>, Stroke),
    /// A band: x, lower and upper value of each point.
    Band(Vec<(f64, f64, f64)>, Color),
    /// A marker.
    Marker(Point, Marker, f64, Color),
    /// A ring.
    Ring(Point, Color),
    /// A short vertical line through a point.
    VerticalTick(Point, Color),
    /// A cross.
    Cross(Point, Color),
}

/// A label above the frame at an x.
#[derive(Clone, Debug, PartialEq)]
pub struct TopLabel {
    /// The x.
    pub x: f64,
    /// The text.
    pub text: String,
    /// Whether the label is to the left of its x, if there is space.
    pub is_left: bool,
}

/// A label to the right of the frame at a y.
#[derive(Clone, Debug, PartialEq)]
pub struct EndLabel {
    /// The y.
    pub y: f64,
    /// The text.
    pub text: String,
    /// The color of its line.
    pub color: Color,
}

/// Settings for the area around a panel's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameLabels {
    /// Whether the vertical axis has numbers.
    pub has_numbers: bool,
    /// Whether the horizontal axis has a name.
    pub has_name: bool,
    /// Number of label rows above the frame.
    pub top_label_rows: usize,
}

const TITLE_ROW: f64 = 21.0;
const TOP_LABEL_ROW: f64 = 15.0;
const NUMBERS_ROW: f64 = 18.0;
const NAME_ROW: f64 = 16.0;
const LEADER_WIDTH: f64 = 16.0;
const MAX_END_LABEL_WIDTH: f64 = 130.0;

impl Panel {
    /// Creates an empty panel.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Panel {
        let title = if y.scale == Scale::Log { format!("{} (log scale)", title.into()) } else { title.into() };
        Panel { title, ..Panel::untitled(x, y) }
    }

    /// Creates an empty panel without title.
    pub fn untitled(x: Axis, y: Axis) -> Panel {
        Panel {
            title: String::new(),
            x,
            y,
            artists: Vec::new(),
            top_labels: Vec::new(),
            end_labels: Vec::new(),
            share: 1.0,
        }
    }

    /// Returns the space needed to the left and right of the frame.
    pub fn side_margins(&self, has_numbers: bool) -> (f64, f64) {
        let numbers = self.y.ticks(6).iter().map(|tick| SMALL.room(&tick.label)).fold(0.0, f64::max);
        let ends = self
            .end_labels
            .iter()
            .map(|end| SMALL.room(&end.text).min(MAX_END_LABEL_WIDTH) + LEADER_WIDTH + 4.0)
            .fold(0.0, f64::max);
        let last = self.x.ticks(6).last().map_or(0.0, |tick| SMALL.room(&tick.label) / 2.0);
        (if has_numbers { numbers + 8.0 } else { 0.0 }, ends.max(last).max(4.0))
    }

    /// Returns the space needed above and below the frame.
    pub fn vertical_margins(&self, around: FrameLabels) -> (f64, f64) {
        let name = if around.has_name && !self.x.name.is_empty() { NAME_ROW } else { 0.0 };
        let title = if self.title.is_empty() { 4.0 } else { TITLE_ROW };
        (title + around.top_label_rows as f64 * TOP_LABEL_ROW, NUMBERS_ROW + name)
    }

    /// Returns the number of label rows above the frame.
    pub fn top_label_rows(&self, frame: Rect) -> usize {
        self.placed_top_labels(frame).iter().map(|flag| flag.row + 1).max().unwrap_or(0)
    }

    /// Positions the labels above the frame next to their x; labels that would overlap go into separate rows.
    fn placed_top_labels(&self, frame: Rect) -> Vec<PlacedTopLabel> {
        let mut placed: Vec<PlacedTopLabel> = Vec::new();
        for flag in &self.top_labels {
            let Some(x) = self.x.share(flag.x).map(|share| frame.x + share * frame.width) else { continue };
            let text = SMALL.shorten(&flag.text, frame.width);
            let room = SMALL.room(&text);
            let fits = |(left, right): (f64, f64)| left >= frame.x - 1e-6 && right <= frame.right() + 1e-6;
            let wishes = if flag.is_left { [Anchor::End, Anchor::Start] } else { [Anchor::Start, Anchor::End] };
            let text_position = |anchor: Anchor| if anchor == Anchor::End { x - 4.0 } else { x + 4.0 };
            let fitting = wishes.into_iter().find(|anchor| fits(anchor.span(text_position(*anchor), room)));
            let (anchor, at) = match fitting {
                Some(anchor) => (anchor, text_position(anchor)),
                None => (Anchor::Start, (frame.right() - room).max(frame.x)),
            };
            let span = anchor.span(at, room);
            let is_free = |row: usize| {
                let others = placed.iter().filter(|other| other.row == row);
                others.into_iter().all(|other| span.1 + 8.0 < other.span.0 || other.span.1 + 8.0 < span.0)
            };
            let row = (0..).find(|&row| is_free(row)).expect("a row above all others is free");
            placed.push(PlacedTopLabel { x, at, anchor, span, row, text });
        }
        placed
    }

    /// Draws the panel with this frame.
    pub fn draw(&self, svg: &mut Svg, frame: Rect, around: FrameLabels) {
        let (above, _) = self.vertical_margins(around);
        let room = frame.width + self.side_margins(around.has_numbers).1;
        let title = HEADING.shorten(&self.title, room);
        svg.text((frame.x, frame.y - above + HEADING.size), Anchor::Start, HEADING, INK, &title);
        for artist in &self.artists {
            if let Artist::Span(from, to) = artist {
                let [from, to] = [from, to].map(|x| self.x.share(*x).unwrap_or(0.0).clamp(0.0, 1.0) * frame.width);
                svg.rect(Rect { x: frame.x + from, width: (to - from).max(0.0), ..frame }, SHADE);
            }
        }
        self.draw_axes(svg, frame, around);
        self.draw_top_labels(svg, frame);
        let lines = self.artists.iter().filter(|artist| artist.is_clipped());
        svg.clipped(frame.inset(-1.0, -1.0, -1.0, -1.0), |svg| {
            lines.for_each(|artist| self.draw_artist(svg, frame, artist))
        });
        self.artists
            .iter()
            .filter(|artist| !artist.is_clipped())
            .for_each(|artist| self.draw_artist(svg, frame, artist));
        self.draw_end_labels(svg, frame);
    }

    /// Converts data coordinates to pixels.
    fn at(&self, frame: Rect, (x, y): Point) -> Option<Point> {
        let (right, up) = (self.x.share(x)?, self.y.share(y)?);
        // limits coordinates far outside the frame, which an SVG cannot represent
        Some((frame.x + right.clamp(-9.0, 9.0) * frame.width, frame.bottom() - up.clamp(-9.0, 9.0) * frame.height))
    }

    fn draw_axes(&self, svg: &mut Svg, frame: Rect, around: FrameLabels) {
        let grid = Stroke::solid(GRID, 1.0);
        for tick in self.y.ticks(((frame.height / 27.0) as usize).clamp(2, 6)) {
            let Some(up) = self.y.share(tick.value) else { continue };
            let y = frame.bottom() - up * frame.height;
            if !tick.label.is_empty() {
                svg.line((frame.x, y), (frame.right(), y), grid);
            }
            if around.has_numbers {
                svg.text((frame.x - 7.0, y + SMALL.cap_height() / 2.0), Anchor::End, SMALL, QUIET, &tick.label);
            }
        }
        svg.line((frame.x, frame.bottom()), (frame.right(), frame.bottom()), Stroke::solid(AXIS, 1.0));
        for tick in self.x_ticks(frame) {
            let Some(x) = self.x.share(tick.value).map(|share| frame.x + share * frame.width) else { continue };
            let length = if tick.label.is_empty() { 2.0 } else { 4.0 };
            svg.line((x, frame.bottom()), (x, frame.bottom() + length), Stroke::solid(AXIS, 1.0));
            svg.text((x, frame.bottom() + 15.0), Anchor::Middle, SMALL, QUIET, &tick.label);
        }
        if around.has_name {
            let at = (frame.middle().0, frame.bottom() + NUMBERS_ROW + 12.0);
            svg.text(at, Anchor::Middle, SMALL, QUIET, &self.x.name);
        }
    }

    /// Returns as many ticks as fit without overlapping numbers.
    fn x_ticks(&self, frame: Rect) -> Vec<Tick> {
        let fits = |ticks: &[Tick]| {
            let mut last = f64::NEG_INFINITY;
            ticks.iter().filter(|tick| !tick.label.is_empty()).all(|tick| {
                let middle = self.x.share(tick.value).unwrap_or(0.0) * frame.width;
                let (left, right) = Anchor::Middle.span(middle, SMALL.room(&tick.label));
                let is_free = left > last + 8.0;
                last = right;
                is_free
            })
        };
        let most = ((frame.width / 45.0) as usize).clamp(1, 10);
        (1..=most).rev().map(|most| self.x.ticks(most)).find(|ticks| fits(ticks)).unwrap_or_default()
    }

    fn draw_top_labels(&self, svg: &mut Svg, frame: Rect) {
        for PlacedTopLabel { x, at, anchor, row, text, .. } in self.placed_top_labels(frame) {
            let base = frame.y - 5.0 - row as f64 * TOP_LABEL_ROW;
            svg.line((x, base - SMALL.cap_height()), (x, frame.y), Stroke::solid(AXIS, 1.0));
            svg.text((at, base), anchor, SMALL, INK, &text);
        }
    }

    fn draw_artist(&self, svg: &mut Svg, frame: Rect, artist: &Artist) {
        let at = |point: Point| self.at(frame, point);
        // marks beyond the frame, as with a range that the user sets, are left out
        let inside = |point: Point| {
            let is_in = |share: Option<f64>| share.is_some_and(|share| (-0.002..=1.002).contains(&share));
            if is_in(self.x.share(point.0)) && is_in(self.y.share(point.1)) { at(point) } else { None }
        };
        match artist {
            Artist::Span(..) => {}
            Artist::VerticalLine(x, stroke) => {
                if let Some(x) = self.x.share(*x).map(|share| frame.x + share * frame.width) {
                    svg.line((x, frame.y), (x, frame.bottom()), *stroke);
                }
            }
            Artist::Line(points, stroke) => {
                for piece in split_at_gaps(points.iter().map(|point| at(*point))) {
                    match piece[..] {
                        [lone] => svg.circle(lone, 1.5 * stroke.width.max(1.5), Some(stroke.color), None),
                        _ => svg.path(&thin(piece), *stroke),
                    }
                }
            }
            Artist::Band(points, color) => self.draw_band(svg, frame, points, *color),
            Artist::Marker(point, marker, radius, color) => {
                inside(*point).into_iter().for_each(|at| marker.draw(svg, at, *radius, *color));
            }
            Artist::Ring(point, color) => {
                if let Some(at) = inside(*point) {
                    svg.circle(at, 5.0, None, Some(Stroke::solid(WHITE, 3.4)));
                    svg.circle(at, 5.0, None, Some(Stroke::solid(*color, 1.6)));
                }
            }
            Artist::VerticalTick(point, color) => {
                if let Some((x, y)) = inside(*point) {
                    svg.line((x, y - 8.0), (x, y + 8.0), Stroke::solid(WHITE, 4.0));
                    svg.line((x, y - 7.0), (x, y + 7.0), Stroke::solid(*color, 2.0));
                }
            }
            Artist::Cross(point, color) => inside(*point).into_iter().for_each(|at| cross(svg, at, 4.5, *color)),
        }
    }

    /// A lower end that cannot be shown, such as below zero on a log scale, is drawn at the bottom of the frame.
    fn draw_band(&self, svg: &mut Svg, frame: Rect, points: &[(f64, f64, f64)], color: Color) {
        let both = |&(x, low, high): &(f64, f64, f64)| {
            let high = self.at(frame, (x, high))?;
            let low = self.at(frame, (x, low)).map_or(frame.bottom(), |(_, y)| y);
            Some((high, low))
        };
        let mut run: Vec<(Point, f64)> = Vec::new();
        let mut runs = Vec::new();
        for point in points.iter().map(both).chain([None]) {
            match point {
                Some(point) => run.push(point),
                None => runs.push(std::mem::take(&mut run)),
            }
        }
        let is_lone = runs.iter().map(Vec::len).sum::<usize>() == 1;
        for run in runs.into_iter().filter(|run| is_lone || run.len() > 1) {
            if let [((x, high), low)] = run[..] {
                svg.line((x, high), (x, low), Stroke::solid(color.lighter(0.5), 3.0));
                continue;
            }
            let upper = thin(run.iter().map(|(high, _)| *high).collect());
            let lower = thin(run.iter().map(|((x, _), low)| (*x, *low)).collect());
            let corners: Vec<Point> = upper.into_iter().chain(lower.into_iter().rev()).collect();
            svg.polygon(&corners, color, 1.0 - BAND);
        }
    }

    fn draw_end_labels(&self, svg: &mut Svg, frame: Rect) {
        let shares = self.end_labels.iter().map(|end| self.y.share(end.y).unwrap_or(0.0).clamp(0.0, 1.0));
        let wished: Vec<f64> = shares.map(|share| frame.bottom() - share * frame.height).collect();
        let placed = spread_out(&wished, SMALL.size + 2.0, frame.y + 3.0, frame.bottom() - 3.0);
        for ((end, wished), y) in self.end_labels.iter().zip(wished).zip(placed) {
            let x = frame.right();
            let leader = Stroke { color: end.color, width: 1.0, line_style: LineStyle::Solid };
            svg.path(
                &[(x + 2.0, wished), (x + 5.0, wished), (x + LEADER_WIDTH - 5.0, y), (x + LEADER_WIDTH - 2.0, y)],
                leader,
            );
            let text = SMALL.shorten(&end.text, MAX_END_LABEL_WIDTH);
            svg.text((x + LEADER_WIDTH, y + SMALL.cap_height() / 2.0), Anchor::Start, SMALL, INK, &text);
        }
    }
}

impl Artist {
    /// Returns whether the element is clipped to the frame.
    fn is_clipped(&self) -> bool {
        matches!(self, Artist::VerticalLine(..) | Artist::Line(..) | Artist::Band(..))
    }
}

/// A label above the frame with its position.
struct PlacedTopLabel {
    x: f64,
    at: f64,
    anchor: Anchor,
    span: (f64, f64),
    row: usize,
    text: String,
}
