//! The value of another setting, times or divided by a number: `= network.layers.0.linear.units * 2`.

use serde_json::Value;

/// The value of another setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// Key of the other setting.
    pub key: String,
    /// What is done with its value.
    pub(super) operation: Option<(Operation, f64)>,
    /// The formula as it was written, for messages.
    pub(super) text: String,
}

/// What is done with the value of another setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It is multiplied by a number.
    Times,
    /// It is divided by a number.
    DividedBy,
}

impl Formula {
    /// Parses `= KEY`, `= KEY * 2` or `= KEY / 2`.
    ///
    /// # Errors
    /// If it is none of them.
    pub fn parse(text: &str) -> Result<Formula, String> {
        let text = text.trim();
        let invalid = || format!("a formula must be `= KEY`, `= KEY * 2` or `= KEY / 2`, found `{text}`");
        let rest = text.strip_prefix('=').ok_or_else(invalid)?.trim();
        let split = |sign: char, operation| Some((rest.split_once(sign)?, operation));
        let (key, operation) = match split('*', Operation::Times).or_else(|| split('/', Operation::DividedBy)) {
            None => (rest, None),
            Some(((key, number), operation)) => {
                let number: f64 = number.trim().parse().map_err(|_| invalid())?;
                if !number.is_finite() || number == 0.0 {
                    return Err(format!("`{text}` must use a finite number other than 0"));
                }
                (key.trim_end(), Some((operation, number)))
            }
        };
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
        match is_key {
            true => Ok(Formula { key: key.to_owned(), operation, text: text.to_owned() }),
            false => Err(invalid()),
        }
    }

    /// Returns the result for a value of the other setting. A whole number stays whole if it can.
    ///
    /// # Errors
    /// If the value is not a number, and the formula calculates.
    pub fn apply(&self, value: &Value) -> Result<Value, String> {
        let Some((operation, number)) = self.operation else { return Ok(value.clone()) };
        let Some(from) = value.as_f64() else {
            return Err(format!("`{}` needs a number, but `{}` is `{value}`", self.text, self.key));
        };
        let result = match operation {
            Operation::Times => from * number,
            Operation::DividedBy => from / number,
        };
        let is_whole = (value.is_i64() || value.is_u64()) && result.fract() == 0.0 && result.abs() < 9e15;
        Ok(if is_whole { (result as i64).into() } else { result.into() })
    }

    /// Returns the formula as [`Self::parse`] reads it, with the key that `self` has.
    pub fn to_text(&self) -> String {
        match self.operation {
            None => format!("= {}", self.key),
            Some((Operation::Times, number)) => format!("= {} * {number}", self.key),
            Some((Operation::DividedBy, number)) => format!("= {} / {number}", self.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_formula_copies_multiplies_or_divides() {
        let result = |text: &str, value: Value| Formula::parse(text).unwrap().apply(&value);
        assert_eq!(result("= train.batch", json!("full")), Ok(json!("full")));
        assert_eq!(result("=train.batch*2", json!(32)), Ok(json!(64)));
        assert_eq!(result("= a.b / 2", json!(33)), Ok(json!(16.5)));
        assert_eq!(result("= a.b / 2", json!(32)), Ok(json!(16)));
        assert_eq!(result("= a.b * 0.5", json!(0.25)), Ok(json!(0.125)));
        assert!(result("= a.b * 2", json!("full")).unwrap_err().contains("needs a number"));
        for text in ["=", "= ", "a.b", "= a.b * ", "= a.b * x", "= a.b + 1", "= a.b / 0", "= a b", "= a.b * inf"] {
            assert!(Formula::parse(text).is_err(), "{text}");
        }
    }
}
