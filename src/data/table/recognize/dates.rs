//! Dates as numbers: days since 1970-01-01, with the time of day as a fraction.
//!
//! If no format is stated, the order of day, month and year must be the only one that fits all fields of a column. If
//! two orders fit, as in `03/04/2024`, the column is an error, because a guess would be wrong in half of the world.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::table::recognize::date_text::{NO_DATE, by_pattern, days, month_named, split_time, time_of_day};

/// Date columns: a list of names, or the format of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a list of columns, or `{ column = \"%d/%m/%Y\" }`")]
pub enum Dates {
    /// Columns whose format is detected.
    Columns(Vec<String>),
    /// Columns with the format of their dates, as in Python's `strptime`.
    Formats(IndexMap<String, String>),
}

/// Format of the dates of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// Day, month and year in this order, with any separator and an optional time of day.
    Order(Order),
    /// Format of Python's `strptime`.
    Pattern(String),
}

/// A date column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DateColumn {
    /// Name of the column.
    pub name: String,
    /// Format of the dates; `None` if it is to be detected.
    pub format: Option<DateFormat>,
}

/// Order of day, month and year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// 2024-12-31
    YearMonthDay,
    /// 31/12/2024
    DayMonthYear,
    /// 12/31/2024
    MonthDayYear,
}

const ORDERS: [Order; 3] = [Order::YearMonthDay, Order::DayMonthYear, Order::MonthDayYear];

/// Reason why a column is no date column.
#[derive(Debug, PartialEq, Eq)]
pub struct DateError {
    /// Row of the field that does not fit.
    pub row: Option<usize>,
    /// What is wrong with the field.
    message: String,
    /// Whether all dates can be read with the day first and with the month first.
    pub is_ambiguous: bool,
}

impl DateError {
    /// Returns what is wrong with a column; `field` is the field at the row, and `place` the name of the row.
    pub fn describe(&self, column: &str, field: &str, place: Option<&str>) -> String {
        match place {
            None => format!("has no date in the date column `{column}`"),
            Some(place) if self.is_ambiguous => format!(
                "has ambiguous dates in column `{column}`: in `{field}`, {place}, and all others, the day or the month may \
                 be first"
            ),
            Some(place) => format!("has `{field}` in {place}, column `{column}`, {}", self.message),
        }
    }

    /// Returns the hint: what to write instead.
    pub fn hint(&self, column: &str) -> String {
        match self.is_ambiguous {
            true => format!(
                "write `dates = {{ {0} = \"%d/%m/%Y\" }}` (day first) or `dates = {{ {0} = \"%m/%d/%Y\" }}` (month first)",
                toml_key(column)
            ),
            false if self.row.is_none() => format!("leave the column out: write `drop = [\"{column}\"]`"),
            false => format!("correct the value, list it under `na_values`, or remove `{column}` from `dates`"),
        }
    }
}

/// Returns a name as a TOML key.
fn toml_key(name: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { format!("{name:?}") }
}

impl Dates {
    /// Returns the names of the columns.
    pub fn names(&self) -> Vec<String> {
        match self {
            Dates::Columns(names) => names.clone(),
            Dates::Formats(formats) => formats.keys().cloned().collect(),
        }
    }

    /// Returns the columns with the stated formats.
    pub fn columns(&self) -> Vec<DateColumn> {
        match self {
            Dates::Columns(names) => names.iter().map(|name| DateColumn { name: name.clone(), format: None }).collect(),
            Dates::Formats(formats) => {
                let column = |(name, format): (&String, &String)| DateColumn {
                    name: name.clone(),
                    format: Some(DateFormat::Pattern(format.clone())),
                };
                formats.iter().map(column).collect()
            }
        }
    }

    /// Checks the formats.
    ///
    /// # Errors
    /// When a format has an unknown directive, or no day, month and year; the key is relative to the data set.
    pub fn check(&self) -> Result<(), Invalid> {
        let Dates::Formats(formats) = self else { return Ok(()) };
        formats.iter().try_for_each(|(name, format)| {
            let directives: Vec<char> = directives(format);
            let unknown = directives.iter().find(|directive| !"YymdbBHIMSfpzTFD%".contains(**directive));
            let has = |any: &str| directives.iter().any(|directive| any.contains(*directive));
            let fault = |message: String| {
                let hint = "such as `%d/%m/%Y`, `%Y-%m-%dT%H:%M:%S` or `%b %d, %Y`";
                Err(Invalid::new(format!("dates.{name}"), message).hint(hint))
            };
            match unknown {
                Some(unknown) => fault(format!("has `%{unknown}`, which is unknown, in `{format}`")),
                None if !(has("FD") || has("Yy") && has("mbB") && has("d")) => {
                    fault(format!("must have a year, a month and a day, found `{format}`"))
                }
                None => Ok(()),
            }
        })
    }
}

/// Returns the letters after each `%`.
fn directives(format: &str) -> Vec<char> {
    let mut letters = format.chars();
    std::iter::from_fn(|| letters.find(|letter| *letter == '%').map(|_| letters.next().unwrap_or(' '))).collect()
}

/// Returns the days since 1970-01-01 of these fields, NaN for missing ones, and the format.
///
/// # Errors
/// When a field is no date in the format, or several orders of day and month fit.
pub fn read<T: AsRef<str>>(
    fields: &[Option<T>],
    format: Option<&DateFormat>,
) -> Result<(Vec<f64>, DateFormat), DateError> {
    let in_format = |format: DateFormat| {
        let mut days = Vec::with_capacity(fields.len());
        for (row, field) in fields.iter().enumerate() {
            days.push(match field {
                None => f64::NAN,
                Some(text) => format.parse(text.as_ref()).map_err(|why| (row, why))?,
            });
        }
        Ok((days, format))
    };
    let fault = |(row, why): (usize, String), format: &DateFormat| {
        let why = if why == NO_DATE { String::new() } else { format!(": {why}") };
        let message = format!("where a date {} was expected{why}", format.describe());
        DateError { row: Some(row), message, is_ambiguous: false }
    };
    if let Some(format) = format {
        return in_format(format.clone()).map_err(|failed| fault(failed, format));
    }
    let (mut fitting, mut failed) = (Vec::new(), Vec::new());
    for order in ORDERS {
        match in_format(DateFormat::Order(order)) {
            Ok(read) => fitting.push(read),
            Err(at) => failed.push((at, DateFormat::Order(order))),
        }
    }
    match fitting.len() {
        0 => {
            // report the order that fits the most rows, and has the most specific reason
            let fits = |((row, why), _): &((usize, String), DateFormat)| (*row, why != NO_DATE);
            let (at, format) = failed.into_iter().rev().max_by_key(fits).expect("there are three orders");
            Err(fault(at, &format))
        }
        1 => Ok(fitting.remove(0)),
        _ => {
            let row = fields.iter().position(Option::is_some);
            Err(DateError { row, message: String::new(), is_ambiguous: row.is_some() })
        }
    }
}

/// Returns whether a text is a date in any order. Date columns are recognized by it.
pub fn is_date(text: &str) -> bool {
    // eight digits are a number more often than a date
    text.contains(|letter: char| !letter.is_ascii_digit())
        && ORDERS.iter().any(|order| DateFormat::Order(*order).parse(text).is_ok())
}

impl DateFormat {
    fn describe(&self) -> String {
        match self {
            DateFormat::Order(Order::YearMonthDay) => "such as 2024-12-31".to_owned(),
            DateFormat::Order(Order::DayMonthYear) => "such as 31/12/2024".to_owned(),
            DateFormat::Order(Order::MonthDayYear) => "such as 12/31/2024".to_owned(),
            DateFormat::Pattern(pattern) => format!("in the format `{pattern}`"),
        }
    }

    /// Returns the days since 1970-01-01, or the reason why the text is no date.
    fn parse(&self, text: &str) -> Result<f64, String> {
        match self {
            DateFormat::Order(order) => {
                let (date, time) = split_time(text);
                Ok(order.date(date)? + time.map_or(Ok(0.0), time_of_day)?)
            }
            DateFormat::Pattern(pattern) => by_pattern(text, pattern),
        }
    }
}

impl Order {
    fn date(self, text: &str) -> Result<f64, String> {
        let not = || NO_DATE.to_owned();
        let is_packed = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = match is_packed {
            true if self == Order::YearMonthDay => vec![&text[..4], &text[4..6], &text[6..]],
            _ => text.split([' ', ',', '/', '-', '.']).filter(|part| !part.is_empty()).collect(),
        };
        let &[first, second, third] = &parts[..] else { return Err(not()) };
        let (year, month, day) = match self {
            Order::YearMonthDay => (first, second, third),
            Order::DayMonthYear => (third, second, first),
            Order::MonthDayYear => (third, first, second),
        };
        let number = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
            let is_number = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<i32>().ok()).flatten().ok_or_else(not)
        };
        let month = match month_named(month) {
            Some(month) => month,
            None => number(month, 1..=2)?,
        };
        days(number(year, 4..=4)?, month, number(day, 1..=2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> Result<(Vec<f64>, DateFormat), DateError> {
        read(&texts.iter().map(|text| (!text.is_empty()).then_some(*text)).collect::<Vec<_>>(), None)
    }

    /// Python: (datetime(…) - datetime(1970, 1, 1)).total_seconds() / 86400
    #[test]
    fn dates_are_days_since_1970() {
        for (text, days) in [
            ("1970-01-01", 0.0),
            ("1969-12-31", -1.0),
            ("2024-02-29", 19782.0),
            ("2024/02/29", 19782.0),
            ("20240229", 19782.0),
            ("29.02.2024", 19782.0),
            ("29 Feb 2024", 19782.0),
            ("February 29, 2024", 19782.0),
            ("2024-02-29T12:00:00Z", 19782.5),
            ("2024-02-29 06:00", 19782.25),
            ("2024-02-29T00:00:00+02:00", 19781.916666666668),
            ("2/29/2024 6:00 PM", 19782.75),
            ("1900-03-01", -25508.0),
        ] {
            let (found, _) = column(&[text]).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
            assert!((found[0] - days).abs() < 1e-9, "{text}: {found:?}");
            assert!(is_date(text) || text == "20240229");
        }
        for text in ["2024", "1.5", "1-2-3", "12:30", "2024-13-01", "+49 171 5", "1.2.3.4", "x-y-z", "may", "20240229"]
        {
            assert!(!is_date(text), "{text}");
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_the_one_that_fits_every_row_or_must_be_stated() {
        let (days, format) = column(&["03/04/2024", "", "31/12/2023"]).unwrap();
        assert_eq!((days[0], days[2], format.clone()), (19816.0, 19722.0, DateFormat::Order(Order::DayMonthYear)));
        assert!(days[1].is_nan());
        assert_eq!(read(&[Some("03/04/2024")], Some(&format)).unwrap().0, [19816.0]);
        assert_eq!(column(&["03/04/2024", "12/31/2023"]).unwrap().0[0], 19786.0);
        let fault = column(&["", "03/04/2024", "05-06-2024"]).unwrap_err();
        assert_eq!(fault.row, Some(1));
        assert!(
            fault.describe("day", "03/04/2024", Some("row 1")).contains("the day or the month may be first"),
            "{fault:?}"
        );
        assert!(fault.hint("signed up").contains("dates = { \"signed up\" = \"%d/%m/%Y\" }"));
    }

    #[test]
    fn dates_that_do_not_exist_are_named_with_the_reason() {
        for (texts, row, words) in [
            (&["2024-01-31", "2024-02-30"][..], 1, "February 2024 has 29 days"),
            (&["2023-02-29"], 0, "February 2023 has 28 days"),
            (&["31/04/2023"], 0, "April 2023 has 30 days"),
            (&["31/12/2023", "31/13/2023"], 1, "there is no month 13"),
            (&["2024-01-01", "soon"], 1, "such as 2024-12-31 was expected"),
            (&["2024-01-01 25:00"], 0, "is not a time of day"),
        ] {
            let fault = column(texts).unwrap_err();
            assert_eq!(fault.row, Some(row), "{fault:?}");
            assert!(fault.message.contains(words), "{fault:?}");
        }
    }

    #[test]
    fn stated_formats_are_those_of_strptime() {
        let days = |text: &str, format: &str| by_pattern(text, format);
        assert_eq!(days("03/04/2024", "%d/%m/%Y"), Ok(19816.0));
        assert_eq!(days("3/4/24", "%m/%d/%y"), Ok(19786.0));
        assert_eq!(days("29-Feb-2024 06h", "%d-%b-%Y %Hh"), Ok(19782.25));
        assert_eq!(days("2024-02-29T12:00:00.500+0000", "%FT%H:%M:%S.%f%z"), Ok(19782.5 + 0.5 / 86_400.0));
        assert_eq!(days("02/29/24 12:00 AM", "%m/%d/%y %I:%M %p"), Ok(19782.0));
        for (text, format) in
            [("2024-1", "%Y-%m-%d"), ("2024-01-01x", "%F"), ("x", "%F"), ("2024-01-01 24:00", "%F %H:%M")]
        {
            assert!(days(text, format).is_err(), "{text}");
        }
        let check = |format: &str| Dates::Formats(IndexMap::from([("a".into(), format.into())])).check();
        assert_eq!(check("%d.%m.%Y"), Ok(()));
        assert!(check("%d.%m.%Q").unwrap_err().to_string().contains("`dates.a` has `%Q`, which is unknown"));
        assert!(check("%d.%m").unwrap_err().message.contains("a year, a month and a day"));
        assert!(check("100%").is_err());
    }
}
