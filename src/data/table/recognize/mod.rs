//! Columns of text that are something else: numbers with marks, dates, ids, a sign for a missing value.
//!
//! One-hot encoding such a column makes a feature of each of its values, and the network learns nothing from them. So it
//! is refused with the line to write, unless `categories` names the column: then its text is what counts.

mod date_text;
pub mod dates;
mod missing;
pub mod number_format;

use crate::data::table::column::Column;
use crate::data::table::recognize::number_format::{NumberFormat, OTHER_FORMATS, finite};
use crate::data::table::values::Values;

/// More categories than this are not one-hot encoded unless `categories` names the column.
pub const MOST_CATEGORIES: usize = 50;

/// Fewer values are too few to call a column one of ids.
const FEWEST_IDS: usize = 10;

/// Signs that stand alone in a field where nothing is known.
const MARKS: [&str; 17] =
    ["?", "??", "???", ".", "..", "...", "-", "--", "---", "*", "**", "_", "/", "–", "—", "n.a.", "N.A."];

/// What a column is rather than categories.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What the column holds, a fragment that follows its name.
    pub what: String,
    /// A row that shows it.
    pub row: usize,
    /// What to write, where it can be read.
    fix: Option<String>,
    /// Whether each text may be a category all the same.
    may_be_category: bool,
    /// Whether the column may be better left out.
    may_be_left_out: bool,
}

impl Finding {
    /// What to write for a column of features of this name.
    pub fn hint(&self, name: &str) -> String {
        let category = format!("`categories = [\"{name}\"]` takes each text for a category");
        let left_out = format!("`drop = [\"{name}\"]` leaves the column out");
        let others = [self.may_be_left_out.then_some(left_out), self.may_be_category.then_some(category)];
        self.fix.iter().cloned().chain(others.into_iter().flatten()).collect::<Vec<_>>().join("; ")
    }

    /// What to write for a target.
    pub fn hint_for_target(&self) -> String {
        let class = "`task = \"classes\"` takes each text for a class".to_owned();
        let class = self.may_be_category.then_some(class);
        self.fix.iter().cloned().chain(class).collect::<Vec<_>>().join("; ")
    }
}

/// What a text is, apart from its column.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    /// A number in another format, such as `1,5`.
    OtherNumber,
    Percent,
    Currency,
    /// `inf`, `NaN` or a number beyond f64.
    NotFinite,
    Date,
    Mark,
    Word,
}

/// What a column of text holds that is no category; `None` of one that holds categories, or numbers.
pub fn recognize(column: &Column, numbers: NumberFormat) -> Option<Finding> {
    let Values::Text { distinct, places } = &column.values else { return None };
    let kinds: Vec<Kind> = distinct.iter().map(|text| kind_of(text, numbers)).collect();
    let rows = |of: &dyn Fn(Kind) -> bool| places.iter().flatten().filter(|&&place| of(kinds[place])).count();
    let first = |of: &dyn Fn(Kind) -> bool| places.iter().position(|place| place.is_some_and(|place| of(kinds[place])));
    let is_numeric = |kind: Kind| !matches!(kind, Kind::Date | Kind::Mark | Kind::Word);
    let (marks, all) = (rows(&|kind| kind == Kind::Mark), rows(&|_| true));
    let name = &column.name;
    if 2 * rows(&is_numeric) > all - marks {
        let row = first(&|kind| kind != Kind::Number)?;
        let kind = kinds[places[row]?];
        let is_slip = 2 * rows(&|kind| kind == Kind::Number) > all - marks;
        let text = column.text(row)?;
        let texts = distinct.iter().zip(&kinds).filter(|(_, kind)| matches!(kind, Kind::Number | Kind::OtherNumber));
        let fix = match kind {
            Kind::OtherNumber => in_other_format(&texts.map(|(text, _)| text.as_str()).collect::<Vec<_>>()),
            Kind::Percent => without_signs(name, "%"),
            Kind::Currency => without_signs(name, &text.chars().filter(|letter| is_sign(*letter)).collect::<String>()),
            Kind::NotFinite => format!(
                "correct the value, or count it as missing: `missing_values = [\"\", \"NA\", \"{text}\"]` with `missing = \"mean\"`"
            ),
            Kind::Mark => format!(
                "if it is a missing value, write `missing_values = [\"\", \"NA\", \"{text}\"]`, and `missing = \"mean\"` or `\"drop\"`"
            ),
            Kind::Date | Kind::Word | Kind::Number => "correct the value".to_owned(),
        };
        let what = match kind {
            Kind::OtherNumber if !is_slip => "holds numbers with a decimal comma or marks between thousands",
            Kind::Percent if !is_slip => "holds percentages",
            Kind::Currency if !is_slip => "holds amounts of money",
            _ => "holds numbers, and",
        };
        let (may_be_category, may_be_left_out) =
            (matches!(kind, Kind::Date | Kind::Word), what != "holds numbers, and");
        return Some(Finding { what: what.to_owned(), row, fix: Some(fix), may_be_category, may_be_left_out });
    }
    if 2 * rows(&|kind| kind == Kind::Date) > all - marks {
        let fix = format!("write `dates = [\"{name}\"]` to make numbers of them, days since 1970-01-01");
        let row = first(&|kind| kind == Kind::Date)?;
        let what = "holds dates".to_owned();
        return Some(Finding { what, row, fix: Some(fix), may_be_category: true, may_be_left_out: true });
    }
    let is_word = |(text, kind): (&String, &Kind)| *kind == Kind::Word && text.contains(char::is_alphanumeric);
    let has_words = distinct.iter().zip(&kinds).any(is_word);
    if let Some(row) = first(&|kind| kind == Kind::Mark).filter(|_| has_words) {
        let text = column.text(row)?;
        let fix = format!("if it is a missing value, write `missing_values = [\"\", \"NA\", \"{text}\"]`");
        let what = "holds text, and a sign that often marks a missing value".to_owned();
        return Some(Finding { what, row, fix: Some(fix), may_be_category: true, may_be_left_out: false });
    }
    if all >= FEWEST_IDS && 20 * distinct.len() >= 19 * all {
        let what = format!("holds {} different texts in {all} rows, as ids or names do", distinct.len());
        let row = first(&|_| true)?;
        return Some(Finding { what, row, fix: None, may_be_category: true, may_be_left_out: true });
    }
    None
}

/// What to look out for in a column of numbers; `None` where there is nothing. Known for certain only where the text of
/// the numbers is kept.
pub fn look_out(column: &Column) -> Option<String> {
    let Values::Numbers(numbers) = &column.values else { return None };
    let name = &column.name;
    let as_codes = format!("`categories = [\"{name}\"]` takes them for codes, `drop = [\"{name}\"]` leaves them out");
    let is_beyond = |number: &f64| number.fract() == 0.0 && number.abs() > 9_007_199_254_740_992.0;
    if let Some(row) = numbers.iter().position(is_beyond) {
        let text = column.text(row).unwrap_or_default();
        return Some(format!(
            "`{name}` holds whole numbers of more digits than a number keeps, such as {text}: {as_codes}"
        ));
    }
    let has_zero = |text: &&String| {
        let mut letters = text.bytes();
        letters.next() == Some(b'0') && letters.next().is_some_and(|letter| letter.is_ascii_digit())
    };
    if let Some(text) = column.written().and_then(|texts| texts.iter().find(has_zero)) {
        return Some(format!("`{name}` holds numbers with a leading zero, such as {text}: {as_codes}"));
    }
    const NAMES: [&str; 7] = ["id", "ids", "idx", "index", "key", "uuid", "unnamed"];
    let is_named =
        name.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).any(|word| NAMES.contains(&word))
            || name.ends_with("Id")
            || name.ends_with("ID");
    (is_named && are_distinct_whole(column, numbers)).then(|| as_ids(name))
}

/// The same for a column that counts the rows, which may well be a feature in a small example.
pub fn look_out_for_row_numbers(column: &Column) -> Option<String> {
    let Values::Numbers(numbers) = &column.values else { return None };
    let counts = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    (counts && are_distinct_whole(column, numbers)).then(|| as_ids(&column.name))
}

fn are_distinct_whole(column: &Column, numbers: &[f64]) -> bool {
    let is_whole = numbers.len() >= FEWEST_IDS && numbers.iter().all(|number| number.fract() == 0.0);
    is_whole && column.distinct() == numbers.len()
}

fn as_ids(name: &str) -> String {
    format!("`{name}` holds another whole number in each row, as ids do: `drop = [\"{name}\"]` leaves the column out")
}

fn kind_of(text: &str, numbers: NumberFormat) -> Kind {
    if numbers.parse(text).is_some() {
        return Kind::Number;
    }
    if MARKS.contains(&text) {
        return Kind::Mark;
    }
    if text.parse::<f64>().is_ok_and(|number| !number.is_finite()) {
        return Kind::NotFinite;
    }
    if !text.contains(|letter: char| letter.is_ascii_digit()) {
        return Kind::Word;
    }
    if dates::is_date(text) {
        return Kind::Date;
    }
    if is_in_any_format(text) {
        return Kind::OtherNumber;
    }
    let without = |is_dropped: fn(char) -> bool| text.replace(is_dropped, "");
    if text.contains('%') && is_in_any_format(without(|letter| letter == '%').trim()) {
        return Kind::Percent;
    }
    let amount = without(is_sign);
    let amount = amount.trim();
    if text.contains(is_sign) && is_in_any_format(amount) {
        return Kind::Currency;
    }
    let code = |code: &str| matches!(code.trim(), "EUR" | "USD" | "GBP" | "CHF" | "JPY" | "CNY" | "INR" | "Rs" | "kr");
    let around = text.find(|letter: char| letter.is_ascii_digit()).map(|start| text.split_at(start));
    let behind = text.rfind(|letter: char| letter.is_ascii_digit()).map(|end| text.split_at(end + 1));
    match (around, behind) {
        (Some((before, amount)), _) if code(before) && is_in_any_format(amount) => Kind::Currency,
        (_, Some((amount, after))) if code(after) && is_in_any_format(amount) => Kind::Currency,
        _ => Kind::Word,
    }
}

fn is_sign(letter: char) -> bool {
    matches!(letter, '$' | '€' | '£' | '¥' | '₹' | '₽' | '₩' | '₺')
}

fn is_in_any_format(text: &str) -> bool {
    finite(text).is_some() || OTHER_FORMATS.iter().any(|format| format.parse(text).is_some())
}

/// How to have these numbers read.
fn in_other_format(texts: &[&str]) -> String {
    let fits = |format: &&NumberFormat| texts.iter().all(|text| format.parse(text).is_some());
    let fitting: Vec<&NumberFormat> = OTHER_FORMATS.iter().filter(fits).collect();
    let lines = |format: &NumberFormat| match (format.decimal, format.thousands) {
        ('.', Some(mark)) => format!("`thousands = {:?}`", mark.to_string()),
        (decimal, None) => format!("`decimal = {:?}`", decimal.to_string()),
        (decimal, Some(mark)) => {
            format!("`decimal = {:?}` and `thousands = {:?}`", decimal.to_string(), mark.to_string())
        }
    };
    let only_commas = |formats: &[&NumberFormat]| matches!(formats, [first, second, ..] if first.thousands.is_none() && second.thousands == Some(','));
    match &fitting[..] {
        [] => "a number is written with a decimal point, and alike in all rows".to_owned(),
        both if only_commas(both) => {
            let text = texts.iter().find(|text| text.contains(',')).copied().unwrap_or_default();
            let (small, large) = (text.replace(',', "."), text.replace(',', ""));
            format!("write {} if `{text}` is {large}, or {} if it is {small}", lines(both[1]), lines(both[0]))
        }
        [first, ..] => format!("write {}", lines(first)),
    }
}

/// How to take signs off; letters such as `EUR` are no sign.
fn without_signs(name: &str, sign: &str) -> String {
    let Some(sign) = sign.chars().next() else { return "remove the currency from the file".to_owned() };
    format!(
        "remove `{sign}` from the file, as with pandas: `table[\"{name}\"] = table[\"{name}\"].str.replace(\"{sign}\", \"\")`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::reading::{Reading, TextColumns};

    fn column(fields: &[&str]) -> Column {
        let reading = Reading { text: TextColumns::All, ..Reading::new(';') };
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
            assert!(what.contains("holds numbers"), "{what}");
            assert_eq!(hint, format!("{line}; `drop = [\"c\"]` leaves the column out"), "{fields:?}");
        }
        let (what, row, hint) = found(&["1.5", "2.5", "3", "2,5"]);
        assert_eq!((&what[..], row), ("holds numbers, and", 3));
        assert!(hint.contains("decimal point"), "{hint}");
    }

    #[test]
    fn percentages_and_amounts_are_recognized() {
        for (fields, what, sign) in [
            (&["45%", "50 %", "10.5%"][..], "holds percentages", "`%`"),
            (&["$1,299.99", "-$50.00"], "holds amounts of money", "`$`"),
            (&["45,10 €", "€ 3"], "holds amounts of money", "`€`"),
        ] {
            let found = found(fields);
            assert_eq!((&found.0[..], found.1), (what, 0));
            assert!(found.2.contains(sign) && found.2.contains("drop = [\"c\"]"), "{}", found.2);
        }
        assert_eq!(found(&["12 EUR", "13 EUR", "USD 5"]).0, "holds amounts of money");
    }

    #[test]
    fn dates_ids_signs_and_numbers_that_are_not_finite_are_recognized() {
        assert!(found(&["2024-01-01", "2024-02-30", "2024-03-01"]).2.contains("`dates = [\"c\"]`"));
        assert!(found(&["31/12/2023 10:00", "1/1/2024 11:30"]).0.contains("dates"));
        for mark in ["?", ".", "-", "n.a."] {
            let (what, row, hint) = found(&["1", "2", mark, "4"]);
            assert_eq!((&what[..], row), ("holds numbers, and", 2));
            assert!(hint.contains(&format!("missing_values = [\"\", \"NA\", \"{mark}\"]")), "{hint}");
            let (_, row, hint) = found(&["a", "b", mark, "a"]);
            assert!(row == 2 && hint.contains("`categories = [\"c\"]`"), "{hint}");
        }
        for text in ["inf", "-Infinity", "1e400", "-1e999"] {
            let (what, row, hint) = found(&["1", "2", text, "4"]);
            assert_eq!((&what[..], row), ("holds numbers, and", 2));
            assert!(hint.contains("missing_values") && hint.contains(text), "{hint}");
        }
        let names: Vec<String> = (0..40).map(|row| format!("customer {row}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (what, row, hint) = found(&names);
        assert!(what == "holds 40 different texts in 40 rows, as ids or names do" && row == 0, "{what}");
        assert!(hint.contains("`drop = [\"c\"]`"), "{hint}");
        let mut nearly = names.clone();
        (nearly[1], nearly[2]) = (names[0], names[0]);
        assert!(found(&nearly).0.contains("38 different texts"));
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

    #[test]
    fn codes_in_columns_of_numbers_are_looked_out_for() {
        for (fields, words) in [
            (&["12345678901234567890", "1"][..], "such as 12345678901234567890"),
            (&["02139", "94105"], "such as 02139"),
        ] {
            let found = look_out(&column(fields)).unwrap();
            assert!(found.contains(words) && found.contains("drop = [\"c\"]"), "{found}");
        }
        for fields in [&["0.5", "0", "1e3"][..], &["3", "1", "2"]] {
            assert_eq!(look_out(&column(fields)), None);
        }
        let row_numbers: Vec<String> = (5..25).map(|row| row.to_string()).collect();
        let named = |name: &str, rows: &[String]| {
            let fields = rows.iter().map(String::as_str);
            Column::read(name.into(), fields, &Reading::new(','), |row| format!("row {row}")).unwrap()
        };
        for name in ["id", "customer_id", "PassengerId", "Unnamed: 0"] {
            assert!(look_out(&named(name, &row_numbers)).unwrap().contains("as ids do"), "{name}");
            assert_eq!(look_out(&named(name, &row_numbers[..5])), None);
        }
        assert_eq!(look_out(&named("width", &row_numbers)), None);
        assert!(look_out_for_row_numbers(&named("width", &row_numbers)).is_some());
    }
}
