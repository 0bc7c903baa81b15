//! Recognizes text columns that are no categories: numbers with signs, dates, ids, a mark for missing values.
//!
//! One-hot encoding would make a feature of each value of these columns, and a network learns nothing from such
//! features. So these columns are errors that show the setting to write, unless `categories` names the column.

mod date_text;
pub mod dates;
pub mod missing;
pub mod number_columns;
pub mod number_format;

use crate::data::table::column::Column;
use crate::data::table::recognize::number_columns::FEWEST_IDS;
use crate::data::table::recognize::number_format::{NumberFormat, OTHER_FORMATS, finite};
use crate::data::table::values::Values;
use crate::history::number::count;

/// Maximum number of categories of a one-hot column, unless `categories` names it.
pub const MOST_CATEGORIES: usize = 50;

/// Marks of unknown values.
const MARKS: [&str; 17] =
    ["?", "??", "???", ".", "..", "...", "-", "--", "---", "*", "**", "_", "/", "–", "—", "n.a.", "N.A."];

/// Kind of the content of a text column that is no categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Numbers with a decimal comma or thousands separators.
    OtherNumbers,
    /// Percentages or amounts of money.
    Signs,
    /// Numbers, and some texts.
    OddTexts,
    /// Dates.
    Dates,
    /// Text, and a mark of missing values.
    Mark,
    /// A different text in almost every row.
    Ids,
}

/// Content of a text column that is no categories.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Kind of the content.
    pub content: Content,
    /// Description of the content, a fragment that follows the name of the column.
    pub what: String,
    /// Index of an example row.
    pub row: usize,
    /// Setting that allows the column to be read, if there is one.
    fix: Option<String>,
    /// Whether the values may still be categories.
    may_be_category: bool,
    /// Whether dropping the column may be better.
    may_be_left_out: bool,
}

impl Finding {
    /// Returns the hint for a feature column with this name.
    pub fn hint(&self, name: &str) -> String {
        let category = format!("write `categories = [\"{name}\"]` to use each text as a category");
        let left_out = format!("write `drop = [\"{name}\"]` to leave the column out");
        let others = [self.may_be_left_out.then_some(left_out), self.may_be_category.then_some(category)];
        self.fix.iter().cloned().chain(others.into_iter().flatten()).collect::<Vec<_>>().join(", or ")
    }

    /// Returns the hint for a target column.
    pub fn hint_for_target(&self) -> String {
        let class = "write `task = \"classes\"` to use each text as a class".to_owned();
        let class = self.may_be_category.then_some(class);
        self.fix.iter().cloned().chain(class).collect::<Vec<_>>().join(", or ")
    }
}

/// Kind of a text, without regard to its column.
#[derive(Clone, Copy, PartialEq)]
enum TextKind {
    Number,
    /// Number in another format, such as `1,5`.
    OtherNumber,
    Percent,
    Currency,
    /// `inf`, `NaN`, or a number too large for f64.
    NotFinite,
    Date,
    Mark,
    Word,
}

/// Returns the content of a text column that is no categories; `None` for categories and numbers.
pub fn recognize(column: &Column, numbers: NumberFormat) -> Option<Finding> {
    let Values::Text { distinct, places } = &column.values else { return None };
    let kinds: Vec<TextKind> = distinct.iter().map(|text| text_kind(text, numbers)).collect();
    let rows = |of: &dyn Fn(TextKind) -> bool| places.iter().flatten().filter(|&&place| of(kinds[place])).count();
    let first =
        |of: &dyn Fn(TextKind) -> bool| places.iter().position(|place| place.is_some_and(|place| of(kinds[place])));
    let is_numeric = |kind: TextKind| !matches!(kind, TextKind::Date | TextKind::Mark | TextKind::Word);
    let (marks, all) = (rows(&|kind| kind == TextKind::Mark), rows(&|_| true));
    let name = &column.name;
    if 2 * rows(&is_numeric) > all - marks {
        let row = first(&|kind| kind != TextKind::Number)?;
        let kind = kinds[places[row]?];
        let is_slip = 2 * rows(&|kind| kind == TextKind::Number) > all - marks;
        let text = column.text(row)?;
        let texts =
            distinct.iter().zip(&kinds).filter(|(_, kind)| matches!(kind, TextKind::Number | TextKind::OtherNumber));
        let fix = match kind {
            TextKind::OtherNumber => in_other_format(&texts.map(|(text, _)| text.as_str()).collect::<Vec<_>>()),
            TextKind::Percent => without_signs(name, "%"),
            TextKind::Currency => {
                without_signs(name, &text.chars().filter(|letter| is_sign(*letter)).collect::<String>())
            }
            TextKind::NotFinite => format!(
                "correct the value, or count it as missing: `na_values = [\"{text}\"]` with `missing = \"mean\"`"
            ),
            TextKind::Mark => format!(
                "if it is a missing value, write `na_values = [\"{text}\"]`, and `missing = \"mean\"` or `\"drop\"`"
            ),
            TextKind::Date | TextKind::Word | TextKind::Number => "correct the value".to_owned(),
        };
        let what = match kind {
            TextKind::OtherNumber if !is_slip => "has numbers with a decimal comma or thousands separators",
            TextKind::Percent if !is_slip => "has percentages",
            TextKind::Currency if !is_slip => "has amounts of money",
            _ => "is numeric, but has",
        };
        let content = match kind {
            TextKind::OtherNumber => Content::OtherNumbers,
            TextKind::Percent | TextKind::Currency if !is_slip => Content::Signs,
            _ => Content::OddTexts,
        };
        let (may_be_category, may_be_left_out) =
            (matches!(kind, TextKind::Date | TextKind::Word), what != "is numeric, but has");
        return Some(Finding { content, what: what.to_owned(), row, fix: Some(fix), may_be_category, may_be_left_out });
    }
    if 2 * rows(&|kind| kind == TextKind::Date) > all - marks {
        let texts: Vec<Option<String>> = (0..places.len()).map(|row| column.text(row)).collect();
        let fix = match dates::read(&texts, None) {
            Err(fault) if fault.is_ambiguous => fault.hint(name),
            _ => format!("write `dates = [\"{name}\"]` to convert them to days since 1970-01-01"),
        };
        let row = first(&|kind| kind == TextKind::Date)?;
        let (content, what) = (Content::Dates, "has dates".to_owned());
        return Some(Finding { content, what, row, fix: Some(fix), may_be_category: true, may_be_left_out: true });
    }
    let is_word = |(text, kind): (&String, &TextKind)| *kind == TextKind::Word && text.contains(char::is_alphanumeric);
    let has_words = distinct.iter().zip(&kinds).any(is_word);
    if let Some(row) = first(&|kind| kind == TextKind::Mark).filter(|_| has_words) {
        let text = column.text(row)?;
        let fix = format!("if it is a missing value, write `na_values = [\"{text}\"]`");
        let (content, what) = (Content::Mark, "has text, and a sign that often marks a missing value".to_owned());
        return Some(Finding { content, what, row, fix: Some(fix), may_be_category: true, may_be_left_out: false });
    }
    if all >= FEWEST_IDS && 20 * distinct.len() >= 19 * all {
        let what = format!("has {} distinct texts in {} rows, like ids or names", count(distinct.len()), count(all));
        let row = first(&|_| true)?;
        let content = Content::Ids;
        return Some(Finding { content, what, row, fix: None, may_be_category: true, may_be_left_out: true });
    }
    None
}

/// Maximum number of distinct texts in a column of numbers that may all mark missing values.
const MOST_MARKS: usize = 3;

/// Returns the texts of a column that seem to mark missing values: signs such as `?`, and in a column of numbers a few
/// other texts.
pub fn missing_marks(column: &Column, numbers: NumberFormat) -> Vec<String> {
    let Values::Text { distinct, .. } = &column.values else { return Vec::new() };
    let of_kind = |is_mark: &dyn Fn(TextKind) -> bool| -> Vec<String> {
        distinct.iter().filter(|text| is_mark(text_kind(text, numbers))).cloned().collect()
    };
    match recognize(column, numbers).map(|found| found.content) {
        Some(Content::OddTexts) => {
            let odd = of_kind(&|kind| kind != TextKind::Number);
            if odd.len() <= MOST_MARKS { odd } else { of_kind(&|kind| kind == TextKind::Mark) }
        }
        Some(Content::Mark) => of_kind(&|kind| kind == TextKind::Mark),
        _ => Vec::new(),
    }
}

/// Returns the formats, more likely ones first, in which all numbers of a column can be read; `None` if the column has no
/// numbers in other formats.
pub fn other_number_formats(column: &Column, numbers: NumberFormat) -> Option<Vec<NumberFormat>> {
    let Values::Text { distinct, .. } = &column.values else { return None };
    recognize(column, numbers).filter(|found| found.content == Content::OtherNumbers)?;
    let is_number = |text: &&str| matches!(text_kind(text, numbers), TextKind::Number | TextKind::OtherNumber);
    Some(formats_of(&distinct.iter().map(String::as_str).filter(is_number).collect::<Vec<_>>()))
}

/// Returns the formats in which all texts are numbers, more likely ones first.
fn formats_of(texts: &[&str]) -> Vec<NumberFormat> {
    let fits = |format: &NumberFormat| texts.iter().all(|text| format.parse(text).is_some());
    OTHER_FORMATS.into_iter().filter(fits).collect()
}

fn text_kind(text: &str, numbers: NumberFormat) -> TextKind {
    let is_not_finite = |text: &str| text.parse::<f64>().is_ok_and(|number| !number.is_finite());
    let is_amount = |text: &str| text.contains(is_sign) && is_in_any_format(text.replace(is_sign, "").trim());
    if numbers.parse(text).is_some() {
        TextKind::Number
    } else if MARKS.contains(&text) {
        TextKind::Mark
    } else if is_not_finite(text) {
        TextKind::NotFinite
    } else if !text.contains(is_digit) {
        TextKind::Word
    } else if dates::is_date(text) {
        TextKind::Date
    } else if is_in_any_format(text) {
        TextKind::OtherNumber
    } else if text.contains('%') && is_in_any_format(text.replace('%', "").trim()) {
        TextKind::Percent
    } else if is_amount(text) || has_currency_code(text) {
        TextKind::Currency
    } else {
        TextKind::Word
    }
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

/// Returns whether a text is a number before or after the code of a currency.
fn has_currency_code(text: &str) -> bool {
    let is_code =
        |code: &str| matches!(code.trim(), "EUR" | "USD" | "GBP" | "CHF" | "JPY" | "CNY" | "INR" | "Rs" | "kr");
    let before = text.find(is_digit).map(|start| text.split_at(start));
    let after = text.rfind(is_digit).map(|end| text.split_at(end + 1));
    before.is_some_and(|(code, amount)| is_code(code) && is_in_any_format(amount))
        || after.is_some_and(|(amount, code)| is_code(code) && is_in_any_format(amount))
}

fn is_sign(letter: char) -> bool {
    matches!(letter, '$' | '€' | '£' | '¥' | '₹' | '₽' | '₩' | '₺')
}

fn is_in_any_format(text: &str) -> bool {
    finite(text).is_some() || OTHER_FORMATS.iter().any(|format| format.parse(text).is_some())
}

/// Returns the settings to write for numbers in another format.
fn in_other_format(texts: &[&str]) -> String {
    let fitting = formats_of(texts);
    let lines = |format: &NumberFormat| match (format.decimal, format.thousands) {
        ('.', Some(mark)) => format!("`thousands = {:?}`", mark.to_string()),
        (decimal, None) => format!("`decimal = {:?}`", decimal.to_string()),
        (decimal, Some(mark)) => {
            format!("`decimal = {:?}` and `thousands = {:?}`", decimal.to_string(), mark.to_string())
        }
    };
    let only_commas = |formats: &[NumberFormat]| matches!(formats, [first, second, ..] if first.thousands.is_none() && second.thousands == Some(','));
    match &fitting[..] {
        [] => "write numbers with a decimal point, in the same format in all rows".to_owned(),
        both if only_commas(both) => {
            let text = texts.iter().find(|text| text.contains(',')).copied().unwrap_or_default();
            let (small, large) = (text.replace(',', "."), text.replace(',', ""));
            format!("write {} if `{text}` is {large}, or {} if it is {small}", lines(&both[1]), lines(&both[0]))
        }
        [first, ..] => format!("write {}", lines(first)),
    }
}

/// Returns how to remove a sign, such as `$`; letters such as `EUR` are no sign.
fn without_signs(name: &str, sign: &str) -> String {
    let Some(sign) = sign.chars().next() else { return "remove the currency from the file".to_owned() };
    format!(
        "remove `{sign}` from the file, as with pandas: `table[\"{name}\"] = table[\"{name}\"].str.replace(\"{sign}\", \"\")`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::field_format::{FieldFormat, TextColumns};

    fn column(fields: &[&str]) -> Column {
        let reading = FieldFormat { text: TextColumns::All, ..FieldFormat::new(';') };
        Column::read("c".into(), fields.iter().copied(), &reading, |row| format!("row {row}")).unwrap()
    }

    fn found(fields: &[&str]) -> (String, usize, String) {
        let finding = recognize(&column(fields), NumberFormat::default()).unwrap_or_else(|| panic!("{fields:?}"));
        (finding.what.clone(), finding.row, finding.hint("c"))
    }

    #[test]
    fn numbers_with_marks_are_recognized_with_the_line_that_reads_them() {
        for (fields, line) in [
            (&["1,5", "2", "0,25"][..], "write `decimal = \",\"`"),
            (&["1.299,99", "2.500,00", "999,50", "1.000"], "write `decimal = \",\"` and `thousands = \".\"`"),
            (&["1,299.99", "2,500.00", "999.50", "1,000"], "write `thousands = \",\"`"),
            (&["1,299", "12,500"], "write `thousands = \",\"` if `1,299` is 1299, or `decimal = \",\"` if it is 1.299"),
            (&["1 234,5", "12,5"], "write `decimal = \",\"` and `thousands = \" \"`"),
            (&["1\u{a0}234", "2\u{a0}000"], "write `thousands = \" \"`"),
            (&["1'234.50", "12.50"], "write `thousands = \"'\"`"),
        ] {
            let (what, _, hint) = found(fields);
            assert!(what.contains("has numbers"), "{what}");
            assert_eq!(hint, format!("{line}, or write `drop = [\"c\"]` to leave the column out"), "{fields:?}");
        }
        let (what, row, hint) = found(&["1.5", "2.5", "3", "2,5"]);
        assert_eq!((&what[..], row), ("is numeric, but has", 3));
        assert!(hint.contains("decimal point"), "{hint}");
    }

    #[test]
    fn percentages_and_amounts_are_recognized() {
        for (fields, what, sign) in [
            (&["45%", "50 %", "10.5%"][..], "has percentages", "`%`"),
            (&["$1,299.99", "-$50.00"], "has amounts of money", "`$`"),
            (&["45,10 €", "€ 3"], "has amounts of money", "`€`"),
        ] {
            let found = found(fields);
            assert_eq!((&found.0[..], found.1), (what, 0));
            assert!(found.2.contains(sign) && found.2.contains("drop = [\"c\"]"), "{}", found.2);
        }
        assert_eq!(found(&["12 EUR", "13 EUR", "USD 5"]).0, "has amounts of money");
    }

    #[test]
    fn dates_ids_signs_and_numbers_that_are_not_finite_are_recognized() {
        assert!(found(&["2024-01-01", "2024-02-30", "2024-03-01"]).2.contains("`dates = [\"c\"]`"));
        assert!(found(&["31/12/2023 10:00", "1/1/2024 11:30"]).0.contains("dates"));
        for mark in ["?", ".", "-", "n.a."] {
            let (what, row, hint) = found(&["1", "2", mark, "4"]);
            assert_eq!((&what[..], row), ("is numeric, but has", 2));
            assert!(hint.contains(&format!("na_values = [\"{mark}\"]")), "{hint}");
            let (_, row, hint) = found(&["a", "b", mark, "a"]);
            assert!(row == 2 && hint.contains("`categories = [\"c\"]`"), "{hint}");
        }
        for text in ["inf", "-Infinity", "1e400", "-1e999"] {
            let (what, row, hint) = found(&["1", "2", text, "4"]);
            assert_eq!((&what[..], row), ("is numeric, but has", 2));
            assert!(hint.contains("na_values") && hint.contains(text), "{hint}");
        }
        let names: Vec<String> = (0..40).map(|row| format!("customer {row}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (what, row, hint) = found(&names);
        assert!(what == "has 40 distinct texts in 40 rows, like ids or names" && row == 0, "{what}");
        assert!(hint.contains("`drop = [\"c\"]`"), "{hint}");
        let mut nearly = names.clone();
        (nearly[1], nearly[2]) = (names[0], names[0]);
        assert!(found(&nearly).0.contains("38 distinct texts"));
    }

    #[test]
    fn categories_are_left_alone() {
        let words = ["Rome", "Oslo", "Rome", "Paris"];
        let many: Vec<&str> = words.iter().cycle().take(60).copied().collect();
        for fields in [
            &many[..],
            &["+", "-", "+"],
            &["True", "False", "True"],
            &["a", "b", "c"],
            &["1st", "2nd", "3rd"],
            &["10-19", "20-29", "10-19"],
            &["A1", "B2", "A1"],
            &["v1.2.3", "v1.10.0"],
        ] {
            assert_eq!(recognize(&column(fields), NumberFormat::default()), None, "{fields:?}");
        }
    }
}
