//! The width and style of the output.

use crate::cli::text::terminal;
use crate::cli::text::wrap::wrap;
pub use crate::views::document::statistic::unbroken as together;

/// Width and style of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// Maximum number of characters in a line.
    pub width: usize,
    /// Whether the best metrics are bold; otherwise they have a `*`.
    pub styled: bool,
}

impl TextStyle {
    /// Returns the width and style of stdout; 80 characters if it is no terminal.
    pub fn of_output() -> TextStyle {
        TextStyle { width: terminal::width().max(40), styled: terminal::is_styled() }
    }

    /// Breaks a sentence between words into lines that fit, of at most 100 characters; lines after the first are indented
    /// by `indent` blanks. No line is broken at a blank of [`together`], which becomes a plain one.
    pub fn wrapped(self, sentence: &str, indent: usize) -> String {
        wrap(sentence, self.width.min(100), indent)
    }

    /// Returns a sentence in lines that fit, after a mark that says whether an expectation is met.
    pub fn marked(self, is_met: bool, sentence: &str) -> String {
        let (mark, color): (_, fn(&str) -> String) =
            if is_met { ("✓", terminal::green) } else { ("✗", terminal::red) };
        self.wrapped(&format!("{mark} {sentence}"), 2).replacen(mark, &color(mark), 1) // color codes have no width
    }
}

/// Breaks a sentence between words into lines that fit stdout.
pub fn wrapped(sentence: &str) -> String {
    TextStyle::of_output().wrapped(sentence, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_between_words() {
        let page = TextStyle { width: 12, styled: false };
        assert_eq!(page.wrapped("one two three four five", 2), "one two\n  three four\n  five");
        assert_eq!(
            page.wrapped("a word-that-is-longer-than-a-line stays", 0),
            "a\nword-that-is-longer-than-a-line\nstays"
        );
    }
}
