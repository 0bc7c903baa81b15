//! Markdown's tables, and how figures stand in them.

use std::ops::Range;

use serde_json::Value;

/// A table, line by line.
pub struct Table {
    lines: Vec<String>,
}

impl Table {
    /// An empty table; the columns in `numbers` are aligned to the right.
    pub fn new(header: impl IntoIterator<Item = String>, numbers: Range<usize>) -> Self {
        let header: Vec<String> = header.into_iter().collect();
        let rule = (0..header.len()).map(|column| if numbers.contains(&column) { "--:|" } else { "---|" });
        let rule = format!("|{}", rule.collect::<String>());
        Table { lines: vec![line(header), rule] }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.lines.push(line(cells));
    }

    /// The lines, each with its end.
    pub fn text(self) -> String {
        self.lines.join("\n") + "\n"
    }
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells = cells.into_iter().map(|cell| cell.replace('|', "\\|").replace('\n', " "));
    let cells = cells.map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") });
    format!("|{}", cells.collect::<String>())
}

/// ✓ or ✗.
pub fn mark(good: bool) -> char {
    if good { '✓' } else { '✗' }
}

/// A figure of a history, a word of it, or the number that JSON has no name for.
pub fn shown(value: &Value, decimals: usize) -> String {
    match value {
        Value::Number(number) => figure(number.as_f64().unwrap_or(f64::NAN), decimals),
        Value::String(word) => word.clone(),
        _ => "not available".to_owned(),
    }
}

/// A number with so many decimals; a whole one without, and by powers of ten where decimals would show nothing.
pub fn figure(value: f64, decimals: usize) -> String {
    match value {
        value if value.fract() == 0.0 && value.abs() < 1e6 => format!("{value}"),
        value if value.abs() < 5.0 * 10.0_f64.powi(-(decimals as i32)) || value.abs() >= 1e6 => format!("{value:.1e}"),
        value => format!("{value:.decimals$}"),
    }
}

/// How many decimals are written of any number in a text, four at least and seven at most.
pub fn decimals(text: &str) -> usize {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).count();
    let written = text.split('.').skip(1).map(digits).max().unwrap_or_default();
    written.clamp(4, 7)
}

/// A count with commas between thousands.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The mean of the numbers among these; the only one as it is, and what is no number where one is none.
pub fn mean(values: &[&Value]) -> Value {
    match values {
        [] => Value::Null,
        [one] => (*one).clone(),
        several => {
            let numbers: Option<Vec<f64>> = several.iter().map(|value| value.as_f64()).collect();
            match numbers {
                Some(numbers) => (numbers.iter().sum::<f64>() / numbers.len() as f64).into(),
                None => several.iter().find(|value| !value.is_number()).map_or(Value::Null, |value| (*value).clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_keeps_its_columns_whatever_is_in_it() {
        let mut table = Table::new(["a", "b", "c"].map(str::to_owned), 2..3);
        table.row(["x|y", "", "two\nlines"].map(str::to_owned));
        assert_eq!(table.text(), "| a | b | c |\n|---|---|--:|\n| x\\|y | | two lines |\n");
    }

    #[test]
    fn figures_read_well() {
        for (value, decimals, text) in [
            (json!(0.123456), 4, "0.1235"),
            (json!(2.40226794), 7, "2.4022679"),
            (json!(1.0), 4, "1"),
            (json!(16), 4, "16"),
            (json!(0.00012), 4, "1.2e-4"),
            (json!(1.5e9), 4, "1.5e9"),
            (json!("nan"), 4, "nan"),
            (json!("overfitting"), 4, "overfitting"),
            (json!(null), 4, "not available"),
        ] {
            assert_eq!(shown(&value, decimals), text);
        }
        assert_eq!((decimals("≥ 0.9"), decimals("2.4022679 ± 0.00001"), decimals("> last.loss")), (4, 7, 4));
        assert_eq!((count(52_650), count(7)), ("52,650".to_owned(), "7".to_owned()));
    }

    #[test]
    fn a_mean_with_what_is_no_number_is_none() {
        assert_eq!(mean(&[&json!(1.0), &json!(2.0)]), json!(1.5));
        assert_eq!(mean(&[&json!(1.0), &json!("nan")]), json!("nan"));
        assert_eq!((mean(&[&json!("good")]), mean(&[])), (json!("good"), Value::Null));
    }
}
