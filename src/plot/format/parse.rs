//! Parses an SVG for rendering. Only the embedded font is used, so that the bytes are the same everywhere, unless a text
//! has letters that it lacks, such as Chinese ones: then the fonts of the system are used as well.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use anyhow::Context;
use fontdb::Database;
use resvg::usvg;
use ttf_parser::Face;

use crate::plot::draw::font;

/// A parsed SVG.
#[derive(Debug)]
pub struct Parsed {
    /// Its elements; texts are outlines.
    pub tree: usvg::Tree,
    /// The letters that no font has. They are drawn as empty boxes.
    pub missing: String,
}

static EMBEDDED: LazyLock<Arc<Database>> = LazyLock::new(|| Arc::new(embedded()));

static WITH_SYSTEM: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = embedded();
    fonts.load_system_fonts();
    Arc::new(fonts)
});

fn embedded() -> Database {
    let mut fonts = Database::new();
    font::files().into_iter().for_each(|file| fonts.load_font_data(file.to_vec()));
    fonts.set_sans_serif_family("Inter");
    fonts
}

/// Parses an SVG.
///
/// # Errors
/// When it is not a valid SVG.
pub fn parse(svg: &str) -> anyhow::Result<Parsed> {
    let foreign: BTreeSet<char> =
        svg.chars().filter(|letter| !letter.is_control() && !font::has_letter(*letter)).collect();
    let fonts = if foreign.is_empty() { &*EMBEDDED } else { &*WITH_SYSTEM };
    let missing = missing(fonts, foreign);
    let options =
        usvg::Options { fontdb: Arc::clone(fonts), font_family: "Inter".to_owned(), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options).context("failed to parse the plot as SVG")?;
    Ok(Parsed { tree, missing })
}

/// Returns the letters that none of the fonts has.
fn missing(fonts: &Database, mut letters: BTreeSet<char>) -> String {
    for face in fonts.faces() {
        if letters.is_empty() {
            break;
        }
        let retain = |data: &[u8], index: u32| {
            if let Ok(face) = Face::parse(data, index) {
                letters.retain(|letter| face.glyph_index(*letter).is_none());
            }
        };
        fonts.with_face_data(face.id, retain);
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_no_font_has_are_named_and_a_plain_plot_needs_no_font_of_the_system() {
        // a letter of the Private Use Area
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><text>a\u{100000}</text></svg>";
        let parsed = parse(svg).unwrap();
        assert_eq!(parsed.missing, "\u{100000}");
        assert!(Arc::ptr_eq(parse(&svg.replace('\u{100000}', "ü")).unwrap().tree.fontdb(), &*EMBEDDED));
        assert!(parse("no SVG").is_err());
    }
}
