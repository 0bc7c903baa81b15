//! A column of a table: its cells, and how wide texts are wrapped or shortened.

use std::collections::HashSet;

use console::{Style, measure_text_width};

use crate::cli::text::text_style::TextStyle;
use crate::views::document::statistic::UNBROKEN;

/// A column with its header.
#[derive(Clone, Debug)]
pub struct Column {
    header: String,
    cells: Vec<Cell>,
    is_text: bool,
}

/// One row of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The text, of one or several lines.
    pub text: String,
    /// Whether it is the best of its column.
    pub is_best: bool,
}

impl Cell {
    /// Returns a cell that is not marked.
    pub fn plain(text: String) -> Cell {
        Cell { text, is_best: false }
    }
}

impl Column {
    /// Returns a column of numbers, aligned to the right.
    pub fn numbers(header: impl Into<String>, cells: impl IntoIterator<Item = Cell>) -> Column {
        Column { header: header.into(), cells: cells.into_iter().collect(), is_text: false }
    }

    /// Returns a column of words, aligned to the left.
    pub fn words(header: impl Into<String>, cells: impl IntoIterator<Item = String>) -> Column {
        let cells = cells.into_iter().map(|text| Cell { text, is_best: false });
        Column { header: header.into(), cells: cells.collect(), is_text: true }
    }

    /// Returns a column of numbers if each cell is a number, empty or `–`, else a column of words.
    pub fn values(header: impl Into<String>, cells: Vec<String>) -> Column {
        let is_number = |cell: &String| ["", "–"].contains(&cell.as_str()) || cell.parse::<f64>().is_ok();
        Column { is_text: !cells.iter().all(is_number), ..Column::words(header, cells) }
    }

    /// Returns the header.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Returns the text of each row.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|cell| cell.text.as_str())
    }

    /// Returns whether it is a column of words.
    pub fn is_text(&self) -> bool {
        self.is_text
    }

    /// Returns the column with its first rows only.
    pub fn first(mut self, rows: usize) -> Column {
        self.cells.truncate(rows);
        self
    }

    /// Returns whether all of its cells are empty.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.text == "–")
    }

    /// Returns the width in characters.
    pub fn width(&self) -> usize {
        self.texts().chain([self.header()]).map(widest_line).max().unwrap_or_default()
    }

    /// Returns the text of a row; row 0 is the header.
    pub(super) fn row(&self, row: usize) -> &str {
        row.checked_sub(1).map_or(&self.header, |row| &self.cells[row].text)
    }

    /// Returns the width of the longest word of the texts.
    pub fn longest_word(&self) -> usize {
        self.texts().flat_map(words).map(measure_text_width).max().unwrap_or_default()
    }

    /// Returns the width of the longest part of a word of the texts, with its indentation; `in_names` also breaks names at
    /// their parts.
    pub fn longest_part(&self, in_names: bool) -> usize {
        let of_word = |word: &str| {
            let word: Vec<char> = word.chars().collect();
            let is_end = |at: &usize| is_break(&word, *at) || in_names && is_break_in_name(&word, *at);
            let ends: Vec<usize> = (1..word.len()).filter(is_end).chain([word.len()]).collect();
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let part = |(start, end): (usize, &usize)| end - start + if start > 0 { INDENT.len() } else { 0 };
            starts.zip(&ends).map(part).max().unwrap_or_default()
        };
        self.texts().flat_map(words).map(of_word).max().unwrap_or_default()
    }

    /// Returns the number of cells.
    pub(super) fn rows(&self) -> usize {
        self.cells.len()
    }

    /// Returns whether a cell is the best of the column.
    pub(super) fn has_best(&self) -> bool {
        self.cells.iter().any(|cell| cell.is_best)
    }

    /// Returns a line of a row with this width; row 0 is the header.
    pub(super) fn padded(&self, row: usize, line: usize, width: usize, page: TextStyle) -> String {
        let text = self.row(row).lines().nth(line).unwrap_or_default();
        let is_best = line == 0 && row > 0 && self.cells[row - 1].is_best;
        let blanks = " ".repeat(width - measure_text_width(text));
        let bold = Style::new().bold().force_styling(page.styled);
        let shown = if is_best && page.styled { bold.apply_to(text).to_string() } else { text.to_owned() };
        let mark = if is_best && !page.styled { "*" } else { " " };
        if self.is_text { format!("{shown}{blanks}{mark}") } else { format!("{blanks}{shown}{mark}") }
    }

    /// Breaks texts into lines of at most this width.
    pub fn wrap_to(&mut self, most: usize) {
        for cell in self.cells.iter_mut().filter(|cell| widest_line(&cell.text) > most) {
            cell.text = wrapped(&cell.text, most);
        }
    }

    /// Shortens cells to this width: at the end, or in the middle if two cells would otherwise become equal. If cells would
    /// become equal in both ways, none is shortened.
    pub(super) fn cut_labels_to(&mut self, most: usize) {
        let distinct = |texts: &[String]| texts.iter().collect::<HashSet<_>>().len();
        let texts: Vec<String> = self.texts().map(str::to_owned).collect();
        for tail in [0, most / 2] {
            let cut: Vec<String> = texts.iter().map(|text| cut(text, most, tail)).collect();
            if distinct(&cut) == distinct(&texts) {
                self.cells.iter_mut().zip(cut).for_each(|(cell, text)| cell.text = text);
                return;
            }
        }
    }
}

/// Indentation of the rest of a word.
const INDENT: &str = "  ";

/// Returns the words of a text; an [`UNBROKEN`] blank is part of a word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\n']).filter(|word| !word.is_empty())
}

/// Returns whether a word can be broken before this character: between the items of a list, the parts of a path, or a key
/// and its value.
fn is_break(word: &[char], at: usize) -> bool {
    matches!(word[at - 1], ',' | '/' | '=')
}

/// Returns whether a name can be broken before this character: at an [`UNBROKEN`] blank, or behind a dot and so on, but not
/// in a number.
fn is_break_in_name(word: &[char], at: usize) -> bool {
    match word[at - 1] {
        UNBROKEN => true,
        '.' | '_' | '-' => word[at].is_alphabetic(),
        _ => false,
    }
}

/// Returns text in lines of at most `most` characters, broken at blanks. A longer word is broken between its parts if it
/// has some, else in a name, and continues with an indentation.
fn wrapped(text: &str, most: usize) -> String {
    let most = most.max(INDENT.len() + 2);
    let mut lines = vec![String::new()];
    for word in words(text) {
        let mut word: Vec<char> = word.chars().collect();
        let line = lines.last_mut().expect("never empty");
        let blank = if line.is_empty() { "" } else { " " };
        if line.chars().count() + blank.len() + word.len() <= most {
            line.push_str(blank);
            line.extend(&word);
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        let mut indent = "";
        while indent.len() + word.len() > most {
            let room = most - indent.len();
            let last = |can_break: fn(&[char], usize) -> bool| (1..=room).rev().find(|&at| can_break(&word, at));
            let end = last(is_break).or_else(|| last(is_break_in_name)).unwrap_or(room);
            let line = lines.last_mut().expect("never empty");
            line.push_str(indent);
            line.extend(word.drain(..end));
            lines.push(String::new());
            indent = INDENT;
        }
        let line = lines.last_mut().expect("never empty");
        line.push_str(indent);
        line.extend(word);
    }
    lines.join("\n")
}

/// Returns the width of the widest line.
fn widest_line(text: &str) -> usize {
    text.lines().map(measure_text_width).max().unwrap_or_default()
}

/// Returns text of at most `most` characters, with `tail` characters of its end.
fn cut(text: &str, most: usize, tail: usize) -> String {
    if widest_line(text) <= most {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let head: String = characters[..most.saturating_sub(tail + 1).min(characters.len())].iter().collect();
    let tail: String = characters[characters.len().saturating_sub(tail)..].iter().collect();
    format!("{}…{tail}", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_continue_on_the_next_line() {
        assert_eq!(wrapped("optimizer=adamw lr=0.1 seeds=0..4", 15), "optimizer=adamw\nlr=0.1\nseeds=0..4");
        assert_eq!(
            wrapped("train.loss.cross_entropy.label_smoothing", 26),
            "train.loss.cross_entropy.\n  label_smoothing"
        );
        assert_eq!(wrapped("a abcdefghij", 5), "a\nabcde\n  fgh\n  ij");
        assert_eq!(wrapped("layers=conv2d\u{a0}4,my_layer", 15), "layers=\n  conv2d\u{a0}4,\n  my_layer");
    }
}
