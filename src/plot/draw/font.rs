//! The font of plots and its text metrics.
//!
//! A subset of Inter is embedded in the binary, so that a plot has the same bytes on every machine. An SVG names the
//! font, and a viewer without it uses another one; [`SLACK`] reserves space for a wider font.

use std::sync::LazyLock;

use ttf_parser::Face;

/// Font families named in an SVG; the first one is embedded.
pub const FAMILIES: &str = "Inter, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif";

/// Factor by which text in another font may be wider.
pub const SLACK: f64 = 1.08;

const REGULAR: &[u8] = include_bytes!("fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("fonts/Inter-SemiBold.ttf");

/// Font weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// Weight of normal text.
    #[default]
    Regular,
    /// Weight of titles.
    SemiBold,
}

/// Font size and weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Font {
    /// Size in pixels.
    pub size: f64,
    /// Font weight.
    pub weight: Weight,
}

/// Font of the plot's title.
pub const TITLE: Font = Font { size: 15.0, weight: Weight::SemiBold };
/// Font of panel titles.
pub const HEADING: Font = Font { size: 12.5, weight: Weight::SemiBold };
/// Font of legends and labels.
pub const LABEL: Font = Font { size: 12.0, weight: Weight::Regular };
/// Font of numbers at axes and of notes.
pub const SMALL: Font = Font { size: 11.0, weight: Weight::Regular };

/// Returns the font files.
pub fn files() -> [&'static [u8]; 2] {
    [REGULAR, SEMI_BOLD]
}

static FACES: LazyLock<[Face<'static>; 2]> =
    LazyLock::new(|| files().map(|bytes| Face::parse(bytes, 0).expect("the embedded font is whole")));

/// Returns whether the embedded font has a letter.
pub fn has_letter(letter: char) -> bool {
    FACES[0].glyph_index(letter).is_some()
}

impl Font {
    /// Returns the width of a text in pixels.
    pub fn width(self, text: &str) -> f64 {
        let face = &FACES[usize::from(self.weight == Weight::SemiBold)];
        let advance = |letter: char| match face.glyph_index(letter) {
            Some(glyph) => f64::from(face.glyph_hor_advance(glyph).unwrap_or(0)),
            None => f64::from(face.units_per_em()), // another font draws this character, at most one em wide
        };
        text.chars().map(advance).sum::<f64>() * self.size / f64::from(face.units_per_em())
    }

    /// Returns the space reserved for a text, in pixels; it allows for a wider font.
    pub fn room(self, text: &str) -> f64 {
        self.width(text) * SLACK
    }

    /// Returns the line height in pixels.
    pub fn leading(self) -> f64 {
        (self.size * 1.4).round()
    }

    /// Returns the height of digits and capital letters in pixels.
    pub fn cap_height(self) -> f64 {
        self.size * 0.727
    }

    /// Returns the text, shortened to fit if necessary. An ellipsis replaces its middle, since series names often
    /// differ at the end.
    pub fn shorten(self, text: &str, room: f64) -> String {
        if self.room(text) <= room {
            return text.to_owned();
        }
        let letters: Vec<char> = text.chars().collect();
        for kept in (2..letters.len()).rev() {
            let (head, tail) = (kept - kept / 3, kept / 3);
            let shorter: String =
                letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect();
            if self.room(&shorter) <= room {
                return shorter;
            }
        }
        letters.first().map(|first| format!("{first}…")).unwrap_or_default()
    }

    /// Splits the text into lines that fit, at blanks; words that are too long are shortened.
    pub fn wrap(self, text: &str, room: f64) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let line = lines.last_mut().expect("never empty");
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if line.is_empty() || self.room(&longer) <= room {
                *line = longer;
            } else {
                lines.push(word.to_owned());
            }
        }
        lines.into_iter().map(|line| self.shorten(&line, room)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_digits_are_equally_wide_so_that_figures_stand_below_each_other() {
        let one = LABEL.width("1");
        assert!("023456789".chars().all(|digit| (LABEL.width(&digit.to_string()) - one).abs() < 1e-9));
        assert!(TITLE.width("Title") > LABEL.width("Title"));
    }

    #[test]
    fn every_sign_that_pictures_use_is_in_the_font() {
        for letter in "–—…±×−·°≤≥→✓✗⁰¹²³⁴⁵⁶⁷⁸⁹⁻ üéñςЖ".chars() {
            assert!(FACES.iter().all(|face| face.glyph_index(letter).is_some()), "{letter}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_end_and_fits() {
        let name = "a_very_long_name_of_an_experiment-with_a_variant-seed17";
        for room in [10.0, 40.0, 80.0, 160.0, 300.0] {
            let shorter = LABEL.shorten(name, room);
            assert!(LABEL.room(&shorter) <= room || shorter.chars().count() == 2, "{shorter}");
        }
        let shorter = LABEL.shorten(name, 160.0);
        assert!(shorter.starts_with("a_very") && shorter.contains('…') && shorter.ends_with("seed17"), "{shorter}");
        assert_eq!(LABEL.shorten("short", 160.0), "short");
    }

    #[test]
    fn a_text_is_broken_between_words_into_lines_that_fit() {
        let lines = SMALL.wrap("mean of 5 seeds, and the band is one standard deviation wide", 120.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| SMALL.room(line) <= 120.0), "{lines:?}");
        assert_eq!(SMALL.wrap("", 120.0), [""]);
    }
}
