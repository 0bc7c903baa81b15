//! Breaks lines between words.

use crate::views::document::statistic::{UNBROKEN, unbroken};

/// Breaks a sentence between words into lines of at most `width` characters; lines after the first are indented by
/// `indent` blanks. No line is broken in code in backticks, which can be copied then, between a number and its unit, or
/// at an [`UNBROKEN`] blank, which becomes a plain one. Color codes have no width.
pub fn wrap(sentence: &str, width: usize, indent: usize) -> String {
    let sentence = with_whole_code(sentence);
    let text = sentence.trim_start_matches(' ');
    let mut lines = vec![" ".repeat(sentence.len() - text.len())];
    for word in join_units(text).split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.trim().is_empty() && console::measure_text_width(line) + 1 + console::measure_text_width(word) > width
        {
            lines.push(format!("{}{word}", " ".repeat(indent)));
        } else {
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n").replace(UNBROKEN, " ")
}

/// Units that stay on the line of their number.
const UNITS: [&str; 11] = ["%", "ms", "s", "min", "h", "KiB", "MiB", "GiB", "MB", "GB", "epochs/s"];

/// Returns the text with unbroken blanks between numbers and their units.
fn join_units(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for word in text.split(' ') {
        let is_unit = UNITS.contains(&word.trim_end_matches([',', ';', '.', ')', ':']));
        let follows_number = joined.ends_with(|c: char| c.is_ascii_digit());
        match joined.is_empty() {
            true => {}
            false if is_unit && follows_number => joined.push(UNBROKEN),
            false => joined.push(' '),
        }
        joined.push_str(word);
    }
    joined
}

/// Returns the sentence with unbroken blanks in code in backticks. A backtick without a partner begins no code.
fn with_whole_code(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.split('`').collect();
    let parts = parts.iter().enumerate().map(|(place, part)| match place % 2 == 1 && place + 1 < parts.len() {
        true => unbroken(part),
        false => (*part).to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Breaks each line of a message that is longer than `width` between words. Lines of a quoted file, `3 | epochs = 2`, stay
/// whole.
pub fn wrap_message(message: &str, width: usize) -> String {
    let is_quoted = |line: &str| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        rest.starts_with('|')
    };
    let wrapped = message.split('\n').map(|line| {
        let indent = line.len() - line.trim_start_matches(' ').len() + 2;
        let fits = console::measure_text_width(line) <= width;
        if fits || is_quoted(line) { line.to_owned() } else { wrap(line, width, indent) }
    });
    wrapped.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_unit() {
        assert_eq!(wrap("in 83 ms, 180 epochs/s, 4 rows", 10, 0), "in 83 ms,\n180 epochs/s,\n4 rows");
        assert_eq!(wrap("a  s", 10, 0), "a  s");
    }

    #[test]
    fn code_stays_whole() {
        let hint = "hint: write `dates = [\"day\"]` to convert it (`--set a=[1, 2]`)";
        let wrapped = "hint: write\n  `dates = [\"day\"]` to\n  convert it\n  (`--set a=[1, 2]`)";
        assert_eq!(wrap_message(hint, 24), wrapped);
        assert_eq!(wrap("a ` b c", 4, 0), "a `\nb c", "no code");
        assert_eq!(wrap("`a b c d e`", 4, 0), "`a b c d e`", "it has more characters than a line");
    }

    #[test]
    fn a_message_is_broken_between_words_and_a_quoted_line_is_not() {
        let message = "error: one two three four\n3 | epochs = \"a long text\"\n  because five six seven";
        let wrapped = "error: one two\n  three four\n3 | epochs = \"a long text\"\n  because five\n    six seven";
        assert_eq!(wrap_message(message, 16), wrapped);
        assert_eq!(wrap_message(message, 80), message);
        let red = "\u{1b}[31merror:\u{1b}[0m one two";
        assert_eq!(wrap_message(red, 14), red, "color codes have no width");
    }
}
