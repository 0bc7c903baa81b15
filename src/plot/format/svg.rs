//! SVG output: elements are written one after the other, with coordinates in hundredths of a pixel, so that the same
//! plot always has the same bytes.

use std::fmt::Write;

use crate::data::store::checksum::sha256;
use crate::plot::draw::color::Color;
use crate::plot::draw::font::{FAMILIES, Font, Weight};
use crate::plot::draw::shape::{Anchor, Point, Rect, Stroke, short};

/// Marks an SVG made by runner.
pub const MADE_BY: &str = "<!-- made by runner -->";

/// A text with its position, for layout checks.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedText {
    /// The text.
    pub text: String,
    /// The space reserved for it; it allows for a wider font.
    pub room: Rect,
}

/// An SVG under construction.
#[derive(Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    description: String,
    body: String,
    /// Prefix of element IDs, so that several plots can be embedded in one page.
    name: String,
    clips: usize,
    placed: Vec<PlacedText>,
}

impl Svg {
    /// Creates an empty plot with a white background. Screen readers use the title and the description.
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Svg {
        let name = format!("p{}", &sha256(format!("{title}\n{description}").as_bytes())[..6]);
        let (title, description) = (title.to_owned(), description.to_owned());
        Svg { width, height, title, description, body: String::new(), name, clips: 0, placed: Vec::new() }
    }

    /// Returns the area of the whole plot.
    pub fn area(&self) -> Rect {
        Rect { x: 0.0, y: 0.0, width: self.width, height: self.height }
    }

    /// Returns the title for screen readers.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the texts that were drawn, with their positions.
    pub fn placed(&self) -> &[PlacedText] {
        &self.placed
    }

    fn put(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// Draws a filled rectangle.
    pub fn rect(&mut self, rect: Rect, fill: Color) {
        self.put(&format!("<rect {} fill=\"{fill}\"/>", rect_attributes(rect)));
    }

    /// Draws the outline of a rectangle.
    pub fn outline(&mut self, rect: Rect, stroke: Stroke) {
        self.put(&format!("<rect {} fill=\"none\" {}/>", rect_attributes(rect), stroke.attributes()));
    }

    /// Draws a line from one point to another.
    pub fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(short);
        self.put(&format!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" {}/>", stroke.attributes()));
    }

    /// Draws a line through points.
    pub fn path(&mut self, points: &[Point], stroke: Stroke) {
        let attributes = stroke.attributes();
        self.put(&format!("<path d=\"{}\" fill=\"none\" stroke-linejoin=\"round\" {attributes}/>", path_data(points)));
    }

    /// Draws a filled polygon.
    pub fn polygon(&mut self, corners: &[Point], fill: Color, opacity: f64) {
        let opacity = if opacity < 1.0 { format!(" fill-opacity=\"{}\"", short(opacity)) } else { String::new() };
        self.put(&format!("<path d=\"{}Z\" fill=\"{fill}\"{opacity}/>", path_data(corners)));
    }

    /// Draws a filled polygon with an outline.
    pub fn outlined_polygon(&mut self, corners: &[Point], fill: Color, stroke: Stroke) {
        self.put(&format!("<path d=\"{}Z\" fill=\"{fill}\" {}/>", path_data(corners), stroke.attributes()));
    }

    /// Draws filled cells of a grid without antialiasing, which would leave seams.
    pub fn cells(&mut self, path: &str, fill: Color) {
        self.put(&format!("<path d=\"{path}\" fill=\"{fill}\" shape-rendering=\"crispEdges\"/>"));
    }

    /// Draws a circle with a fill, an outline or both.
    pub fn circle(&mut self, center: Point, radius: f64, fill: Option<Color>, stroke: Option<Stroke>) {
        let [x, y, radius] = [center.0, center.1, radius].map(short);
        let fill = fill.map_or("none".to_owned(), |color| color.to_string());
        let stroke = stroke.map(|stroke| format!(" {}", stroke.attributes())).unwrap_or_default();
        self.put(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\"{stroke}/>"));
    }

    /// Draws a text with its baseline at `at`.
    pub fn text(&mut self, at: Point, anchor: Anchor, font: Font, color: Color, text: &str) {
        if text.is_empty() {
            return;
        }
        let (left, right) = anchor.span(at.0, font.room(text));
        let room = Rect { x: left, y: at.1 - font.size * 0.95, width: right - left, height: font.size * 1.2 };
        self.placed.push(PlacedText { text: text.to_owned(), room });
        self.put(&format!(
            "<text x=\"{}\" y=\"{}\"{}</text>",
            short(at.0),
            short(at.1),
            text_attributes(anchor, font, color, text)
        ));
    }

    /// Draws a text that reads from bottom to top, with its baseline at `at`.
    pub fn upright_text(&mut self, at: Point, anchor: Anchor, font: Font, color: Color, text: &str) {
        if text.is_empty() {
            return;
        }
        let (low, high) = anchor.span(0.0, font.room(text));
        let room = Rect { x: at.0 - font.size * 0.95, y: at.1 - high, width: font.size * 1.2, height: high - low };
        self.placed.push(PlacedText { text: text.to_owned(), room });
        let turned = format!("transform=\"translate({} {}) rotate(-90)\"", short(at.0), short(at.1));
        self.put(&format!("<text {turned}{}</text>", text_attributes(anchor, font, color, text)));
    }

    /// Clips what `draw` draws to the rectangle.
    pub fn clipped(&mut self, rect: Rect, draw: impl FnOnce(&mut Svg)) {
        self.clips += 1;
        let name = format!("{}-clip{}", self.name, self.clips);
        self.put(&format!("<clipPath id=\"{name}\"><rect {}/></clipPath>", rect_attributes(rect)));
        self.put(&format!("<g clip-path=\"url(#{name})\">"));
        draw(self);
        self.put("</g>");
    }

    /// Returns the finished SVG.
    pub fn finish(self) -> String {
        let [width, height] = [self.width, self.height].map(short);
        let (title, description) = (escape_xml(&self.title), escape_xml(&self.description));
        let name = &self.name;
        let size = format!("width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
        let read = format!("role=\"img\" aria-labelledby=\"{name}-title {name}-desc\"");
        let mut svg =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" {size} {read} font-family=\"{FAMILIES}\">\n{MADE_BY}\n");
        // writing to a String cannot fail
        let _ =
            writeln!(svg, "<title id=\"{name}-title\">{title}</title>\n<desc id=\"{name}-desc\">{description}</desc>");
        let _ = writeln!(svg, "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
        svg + &self.body + "</svg>\n"
    }
}

/// Returns a path through points.
fn path_data(points: &[Point]) -> String {
    let mut path = String::new();
    for (number, (x, y)) in points.iter().enumerate() {
        let step = ["L", "M"][usize::from(number == 0)];
        let _ = write!(path, "{step}{} {}", short(*x), short(*y)); // writing to a String cannot fail
    }
    path
}

fn rect_attributes(Rect { x, y, width, height }: Rect) -> String {
    let [x, y, width, height] = [x, y, width, height].map(short);
    format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

/// Returns the attributes and the content of a text element.
fn text_attributes(anchor: Anchor, font: Font, color: Color, text: &str) -> String {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = if font.weight == Weight::SemiBold { " font-weight=\"600\"" } else { "" };
    format!("{anchor} font-size=\"{}\"{weight} fill=\"{color}\">{}", short(font.size), escape_xml(text))
}

/// Escapes a text for XML, and removes characters that XML does not allow.
fn escape_xml(text: &str) -> String {
    let allowed =
        |letter: &char| matches!(letter, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..) && *letter != '\u{7f}';
    let mut escape_xml = String::new();
    for letter in text.chars().filter(allowed) {
        match letter {
            '&' => escape_xml.push_str("&amp;"),
            '<' => escape_xml.push_str("&lt;"),
            '>' => escape_xml.push_str("&gt;"),
            '"' => escape_xml.push_str("&quot;"),
            letter => escape_xml.push(letter),
        }
    }
    escape_xml
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw::color::INK;
    use crate::plot::draw::font::LABEL;

    #[test]
    fn names_with_signs_of_xml_are_shown_as_they_are() {
        let mut svg = Svg::new(10.0, 10.0, "a < b & \"c\"", "");
        svg.text((1.0, 2.0), Anchor::End, LABEL, INK, "<b>\u{1}\u{0}");
        let text = svg.finish();
        assert!(text.contains("a &lt; b &amp; &quot;c&quot;") && text.contains(">&lt;b&gt;</text>"), "{text}");
    }

    #[test]
    fn the_room_of_a_text_goes_with_its_anchor() {
        let mut svg = Svg::new(100.0, 100.0, "", "");
        svg.text((50.0, 20.0), Anchor::End, LABEL, INK, "abc");
        svg.upright_text((50.0, 80.0), Anchor::Start, LABEL, INK, "abc");
        let [across, up] = svg.placed() else { panic!("two texts") };
        assert!((across.room.right() - 50.0).abs() < 1e-9 && across.room.width > 15.0);
        assert!((up.room.bottom() - 80.0).abs() < 1e-9 && up.room.height > 15.0 && up.room.width < 15.0);
    }
}
