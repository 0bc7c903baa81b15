//! PDF output: vector graphics on one page, with all texts as outlines, so that no font is needed to show it.

use anyhow::{Context, bail};
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};
use resvg::tiny_skia::{Path, PathSegment, Point, Transform};
use resvg::usvg::{self, FillRule, Group, LineCap, LineJoin, Node, Paint, Tree};

/// Marks a PDF made by runner, in its document information.
const PRODUCER: &str = "runner";

/// PDF points per SVG pixel: an inch has 72 points and 96 pixels.
const POINTS_PER_PIXEL: f32 = 0.75;

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFO: Ref = Ref::new(5);

/// First object of the opacities.
const OPACITIES: i32 = 6;

/// Returns a parsed SVG as a PDF with one page of its size.
///
/// # Errors
/// When it has an element that plots of runner do not have, such as a gradient.
pub fn render(tree: &Tree, title: &str) -> anyhow::Result<Vec<u8>> {
    let [width, height] = [tree.size().width(), tree.size().height()].map(|side| side * POINTS_PER_PIXEL);
    let mut writer = Writer { content: Content::new(), opacities: Vec::new() };
    // the y axis of PDF points up
    writer.content.transform([POINTS_PER_PIXEL, 0.0, 0.0, -POINTS_PER_PIXEL, 0.0, height]);
    writer.group(tree.root())?;
    let mut pdf = Pdf::new();
    pdf.document_info(INFO).producer(TextStr(PRODUCER)).title(TextStr(title));
    pdf.catalog(CATALOG).pages(PAGES);
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let mut page = pdf.page(PAGE);
    page.parent(PAGES).media_box(Rect::new(0.0, 0.0, width, height)).contents(CONTENT);
    let mut resources = page.resources();
    let mut states = resources.ext_g_states();
    for place in 0..writer.opacities.len() {
        states.pair(Name(opacity_name(place).as_bytes()), opacity_ref(place));
    }
    states.finish();
    resources.finish();
    page.finish();
    for (place, opacity) in writer.opacities.iter().enumerate() {
        pdf.ext_graphics(opacity_ref(place)).non_stroking_alpha(*opacity).stroking_alpha(*opacity);
    }
    let content = compressed(&writer.content.finish())?;
    pdf.stream(CONTENT, &content).filter(Filter::FlateDecode);
    Ok(pdf.finish())
}

/// Returns whether the bytes are the beginning of a PDF made by runner.
pub fn is_made_by_runner(bytes: &[u8]) -> bool {
    let mark = format!("/Producer ({PRODUCER})");
    bytes.starts_with(b"%PDF") && bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
}

fn opacity_name(place: usize) -> String {
    format!("a{place}")
}

fn opacity_ref(place: usize) -> Ref {
    Ref::new(OPACITIES + place as i32)
}

fn compressed(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).context("failed to compress the plot")
}

struct Writer {
    content: Content,
    /// The distinct opacities below 1.
    opacities: Vec<f32>,
}

impl Writer {
    fn group(&mut self, group: &Group) -> anyhow::Result<()> {
        if group.mask().is_some() || !group.filters().is_empty() || group.opacity().get() < 1.0 {
            bail!("a PDF cannot show a mask, a filter or a transparent group");
        }
        self.content.save_state();
        if let Some(clip) = group.clip_path() {
            clip.root().children().iter().for_each(|node| self.outline(node));
            self.content.clip_nonzero().end_path();
        }
        for node in group.children() {
            match node {
                Node::Group(inner) => self.group(inner)?,
                Node::Path(path) if path.is_visible() => self.path(path)?,
                Node::Path(_) => {}
                Node::Text(text) => self.group(text.flattened())?,
                Node::Image(_) => bail!("a PDF cannot show an image"),
            }
        }
        self.content.restore_state();
        Ok(())
    }

    /// Adds the outline of a clip path's element to the current path.
    fn outline(&mut self, node: &Node) {
        match node {
            Node::Path(path) => self.segments(path.data(), path.abs_transform()),
            Node::Group(group) => group.children().iter().for_each(|node| self.outline(node)),
            Node::Text(_) | Node::Image(_) => {}
        }
    }

    fn path(&mut self, path: &usvg::Path) -> anyhow::Result<()> {
        if let Some(fill) = path.fill() {
            let [red, green, blue] = color(fill.paint())?;
            self.content.save_state().set_fill_rgb(red, green, blue);
            self.opacity(fill.opacity().get());
            self.segments(path.data(), path.abs_transform());
            match fill.rule() {
                FillRule::NonZero => self.content.fill_nonzero(),
                FillRule::EvenOdd => self.content.fill_even_odd(),
            };
            self.content.restore_state();
        }
        if let Some(stroke) = path.stroke() {
            let [red, green, blue] = color(stroke.paint())?;
            self.content.save_state().set_stroke_rgb(red, green, blue);
            self.opacity(stroke.opacity().get());
            self.content.set_line_width(stroke.width().get()).set_miter_limit(stroke.miterlimit().get());
            self.content.set_line_cap(match stroke.linecap() {
                LineCap::Butt => LineCapStyle::ButtCap,
                LineCap::Round => LineCapStyle::RoundCap,
                LineCap::Square => LineCapStyle::ProjectingSquareCap,
            });
            self.content.set_line_join(match stroke.linejoin() {
                LineJoin::Miter | LineJoin::MiterClip => LineJoinStyle::MiterJoin,
                LineJoin::Round => LineJoinStyle::RoundJoin,
                LineJoin::Bevel => LineJoinStyle::BevelJoin,
            });
            if let Some(dashes) = stroke.dasharray() {
                self.content.set_dash_pattern(dashes.iter().copied(), stroke.dashoffset());
            }
            self.segments(path.data(), path.abs_transform());
            self.content.stroke().restore_state();
        }
        Ok(())
    }

    fn opacity(&mut self, opacity: f32) {
        if opacity >= 1.0 {
            return;
        }
        let place = self.opacities.iter().position(|known| *known == opacity).unwrap_or_else(|| {
            self.opacities.push(opacity);
            self.opacities.len() - 1
        });
        self.content.set_parameters(Name(opacity_name(place).as_bytes()));
    }

    /// Adds a path to the current path. PDF has no quadratic curves; each is written as the same cubic one.
    fn segments(&mut self, path: &Path, transform: Transform) {
        let Some(path) = path.clone().transform(transform) else { return };
        let mut last = Point::zero();
        for segment in path.segments() {
            match segment {
                PathSegment::MoveTo(to) => {
                    self.content.move_to(to.x, to.y);
                    last = to;
                }
                PathSegment::LineTo(to) => {
                    self.content.line_to(to.x, to.y);
                    last = to;
                }
                PathSegment::QuadTo(control, to) => {
                    let part = |end: f32, control: f32| end + (control - end) * 2.0 / 3.0;
                    let toward = |end: Point| Point::from_xy(part(end.x, control.x), part(end.y, control.y));
                    let (first, second) = (toward(last), toward(to));
                    self.content.cubic_to(first.x, first.y, second.x, second.y, to.x, to.y);
                    last = to;
                }
                PathSegment::CubicTo(first, second, to) => {
                    self.content.cubic_to(first.x, first.y, second.x, second.y, to.x, to.y);
                    last = to;
                }
                PathSegment::Close => {
                    self.content.close_path();
                }
            }
        }
    }
}

/// Returns red, green and blue, from 0 to 1.
fn color(paint: &Paint) -> anyhow::Result<[f32; 3]> {
    match paint {
        Paint::Color(color) => Ok([color.red, color.green, color.blue].map(|value| f32::from(value) / 255.0)),
        _ => bail!("a PDF cannot show a gradient or a pattern"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw::color::{BLUE, INK};
    use crate::plot::draw::font::TITLE;
    use crate::plot::draw::shape;
    use crate::plot::format::parse::parse;
    use crate::plot::format::svg::Svg;

    #[test]
    fn a_pdf_has_the_size_of_the_plot_in_points_the_clip_and_the_letters_as_outlines() {
        let mut svg = Svg::new(80.0, 40.0, "a plot", "");
        svg.clipped(shape::Rect { x: 0.0, y: 0.0, width: 20.0, height: 40.0 }, |svg| {
            svg.polygon(&[(0.0, 0.0), (90.0, 0.0), (0.0, 90.0)], BLUE, 0.25);
        });
        svg.text((30.0, 30.0), shape::Anchor::Start, TITLE, INK, "M");
        let text = svg.finish();
        let pdf = render(&parse(&text).unwrap().tree, "a plot").unwrap();
        assert!(is_made_by_runner(&pdf[..1024.min(pdf.len())]));
        assert_eq!(pdf, render(&parse(&text).unwrap().tree, "a plot").unwrap(), "the same bytes");
        let plain = String::from_utf8_lossy(&pdf);
        assert!(plain.contains("/MediaBox [0 0 60 30]") && plain.contains("/ca 0.25"), "{plain}");
        let from = pdf.windows(6).position(|window| window == b"stream").unwrap() + 7;
        let mut content = String::new();
        std::io::Read::read_to_string(&mut flate2::read::ZlibDecoder::new(&pdf[from..]), &mut content).unwrap();
        let operators: Vec<&str> = content.lines().filter_map(|line| line.rsplit(' ').next()).collect();
        assert!(operators.contains(&"W"), "a clip: {content}");
        assert!(!operators.contains(&"Tj") && operators.iter().filter(|one| **one == "f").count() == 3, "{content}");
    }
}
