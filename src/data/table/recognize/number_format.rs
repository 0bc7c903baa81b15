//! Number formats of a table: the decimal mark and the thousands separator.

use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;

/// Decimal mark and thousands separator of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberFormat {
    /// `.` or `,`.
    pub decimal: char,
    /// Separator of groups of three digits; `None` if there is none.
    #[serde(default)]
    pub thousands: Option<char>,
}

impl Default for NumberFormat {
    fn default() -> Self {
        NumberFormat { decimal: '.', thousands: None }
    }
}

/// Formats, other than the default, that are recognized; more likely ones first.
pub const OTHER_FORMATS: [NumberFormat; 7] = [
    NumberFormat { decimal: ',', thousands: None },
    NumberFormat { decimal: '.', thousands: Some(',') },
    NumberFormat { decimal: ',', thousands: Some('.') },
    NumberFormat { decimal: '.', thousands: Some(' ') },
    NumberFormat { decimal: ',', thousands: Some(' ') },
    NumberFormat { decimal: '.', thousands: Some('\'') },
    NumberFormat { decimal: ',', thousands: Some('\'') },
];

impl NumberFormat {
    /// Checks the two marks.
    ///
    /// # Errors
    /// When a mark is not allowed, or both are equal; the key is relative to the data set.
    pub fn check(self) -> Result<(), Invalid> {
        if !matches!(self.decimal, '.' | ',') {
            let fault = Invalid::new("decimal", format!("must be `.` or `,`, found {:?}", self.decimal));
            return Err(fault.hint("write `decimal = \",\"` for numbers such as 1,5"));
        }
        match self.thousands {
            Some(mark) if mark == self.decimal => {
                let fault = Invalid::new("thousands", format!("is {mark:?}, the same as `decimal`"));
                Err(fault.hint("write `decimal = \",\"` and `thousands = \".\"` for numbers such as 1.299,99"))
            }
            Some(mark) if !matches!(mark, '.' | ',' | ' ' | '\'' | '_') => {
                let message = format!("must be `.`, `,`, `'`, `_` or a space, found {mark:?}");
                Err(Invalid::new("thousands", message))
            }
            _ => Ok(()),
        }
    }

    /// Parses a finite number; −0 becomes 0. Groups between thousands separators must have three digits.
    pub fn parse(self, text: &str) -> Option<f64> {
        if self == NumberFormat::default() {
            return finite(text);
        }
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(place) => text.split_at(place),
            None => (text, ""),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let sign = if mantissa.starts_with('-') { "-" } else { "" };
        let (whole, fraction) = unsigned.split_once(self.decimal).unwrap_or((unsigned, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = self.without_thousands(whole)?;
        if !digits(&whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        finite(&format!("{sign}{whole}.{fraction}{exponent}"))
    }

    /// Returns the digits of an integer without thousands separators; `None` if a group does not have three digits.
    fn without_thousands(self, whole: &str) -> Option<String> {
        let Some(mark) = self.thousands else { return Some(whole.to_owned()) };
        let is_mark = |letter: char| match mark {
            ' ' => matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
            '\'' => matches!(letter, '\'' | '’'),
            mark => letter == mark,
        };
        let groups: Vec<&str> = whole.split(is_mark).collect();
        let [first, others @ ..] = &groups[..] else { return None };
        let fits = others.is_empty() || (matches!(first.len(), 1..=3) && others.iter().all(|group| group.len() == 3));
        fits.then(|| groups.concat())
    }
}

/// Parses a finite number in the default format; −0 becomes 0.
pub fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number + 0.0)
}

/// Returns whether two texts are equal, or the same integer with and without `.0`: programs that store a column as
/// floats write `1` as `1.0`. A code such as `01` is no integer here.
pub fn same(a: &str, b: &str) -> bool {
    a == b || whole(a).is_some_and(|digits| whole(b) == Some(digits))
}

/// Returns the digits of an integer, without `.0`.
fn whole(text: &str) -> Option<&str> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let is_plain = unsigned == "0" || unsigned.starts_with(|first: char| matches!(first, '1'..='9'));
    let fits = is_plain && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    (fits && fraction.bytes().all(|byte| byte == b'0')).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EURO: NumberFormat = NumberFormat { decimal: ',', thousands: Some('.') };

    #[test]
    fn numbers_are_read_with_their_marks_and_a_point_is_never_taken_for_the_other_thing() {
        let read = |decimal: char, thousands: Option<char>, text: &str| NumberFormat { decimal, thousands }.parse(text);
        assert_eq!(read(',', None, "1,5"), Some(1.5));
        assert_eq!(read(',', None, "-,25"), Some(-0.25));
        assert_eq!(read(',', None, "1.5"), None);
        assert_eq!(EURO.parse("1.299,99"), Some(1299.99));
        assert_eq!(EURO.parse("1.000"), Some(1000.0));
        assert_eq!(EURO.parse("12.345.678"), Some(12_345_678.0));
        assert_eq!(EURO.parse("999,50"), Some(999.5));
        for wrong in ["1.5", "1.29,9", "1299.99", ".500", "1..000", "1,2,3", "", "-", "1,299.99", "12e"] {
            assert_eq!(EURO.parse(wrong), None, "{wrong}");
        }
        assert_eq!(read('.', Some(','), "1,299.99"), Some(1299.99));
        assert_eq!(read(',', Some(' '), "1\u{a0}234,5"), Some(1234.5));
        assert_eq!(read(',', Some(' '), "+1 234"), Some(1234.0));
        assert_eq!(read('.', Some('\''), "1'234’567.5"), Some(1_234_567.5));
        assert_eq!(read(',', None, "1,5e3"), Some(1500.0));
        assert_eq!(read(',', None, "1e400"), None);
    }

    #[test]
    fn marks_that_cannot_be_used_are_refused() {
        let fault = |decimal, thousands| NumberFormat { decimal, thousands }.check().map_err(|fault| fault.to_string());
        assert_eq!(fault(',', Some('.')), Ok(()));
        assert_eq!(fault(';', None).unwrap_err(), "`decimal` must be `.` or `,`, found ';'");
        assert_eq!(fault(',', Some(',')).unwrap_err(), "`thousands` is ',', the same as `decimal`");
        assert!(fault('.', Some('5')).is_err());
    }

    #[test]
    fn a_whole_number_is_the_same_as_a_float_and_codes_are_themselves_alone() {
        for (a, b) in [("1", "1.0"), ("-999", "-999.00"), ("0", "0."), ("a", "a"), ("01", "01")] {
            assert!(same(a, b) && same(b, a), "{a} {b}");
        }
        for (a, b) in
            [("1", "01"), ("1000", "1e3"), ("1.1", "1.10"), ("9007199254740992", "9007199254740993"), ("", "0")]
        {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}
