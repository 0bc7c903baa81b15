//! What text is laid out on: so many columns wide, styled or plain.

use crate::cli::text::terminal;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many characters fit a line.
    pub width: usize,
    /// Whether the best figures are bold; where nothing can be, they have a `*`.
    pub styled: bool,
}

impl Page {
    /// Standard output: as wide as its terminal, and 80 where it goes to a file.
    pub fn of_output() -> Page {
        Page { width: terminal::width().max(40), styled: terminal::is_styled() }
    }

    /// Breaks a sentence between words into lines that fit, of no more than 100 characters; lines after the first are
    /// indented by so many blanks. A [`TOGETHER`] breaks nowhere, and comes out as a blank.
    pub fn wrapped(self, sentence: &str, indent: usize) -> String {
        let width = self.width.min(100);
        let mut lines = vec![String::new()];
        for word in sentence.split(' ') {
            let line = lines.last_mut().expect("never empty");
            if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(format!("{}{word}", " ".repeat(indent)));
            } else {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        lines.join("\n").replace(TOGETHER, " ")
    }
}

/// Between words that stay on one line.
pub const TOGETHER: char = '\u{a0}';

/// Words that stay on one line.
pub fn together(words: &str) -> String {
    words.replace(' ', &TOGETHER.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_between_words() {
        let page = Page { width: 12, styled: false };
        assert_eq!(page.wrapped("one two three four five", 2), "one two\n  three four\n  five");
        assert_eq!(
            page.wrapped("a word-that-is-longer-than-a-line stays", 0),
            "a\nword-that-is-longer-than-a-line\nstays"
        );
    }
}
