//! Numbers in JSON and in text. In JSON, NaN and infinities are the strings "nan", "inf" and "-inf", so that the history
//! of a diverged run shows in which epoch it diverged.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number; "nan", "inf" or "-inf" in JSON if it is not finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Number(pub f64);

/// Formats a number with four decimals, with two from 1,000 on, or in scientific notation if it is very small or large.
pub fn brief(value: f64) -> String {
    match value {
        value if !value.is_finite() => Number(value).to_string(),
        value if value != 0.0 && value.abs() < 5e-4 => format!("{value:.1e}"),
        value if value.abs() >= 1e6 => format!("{value:.3e}"),
        value if value.abs() >= 1e3 => format!("{value:.2}"),
        value => unsigned_zero(format!("{value:.4}")),
    }
}

/// Returns a formatted number; a zero has no sign: `0.0000` for `-0.0000`.
pub fn unsigned_zero(number: String) -> String {
    let is_zero = !number.contains(|letter: char| letter.is_ascii_alphabetic() || ('1'..='9').contains(&letter));
    if is_zero { number.trim_start_matches(['-', '+']).to_owned() } else { number }
}

/// Formats a standard deviation with as many decimals as its mean.
pub fn spread(mean: Option<f64>, std: Option<f64>) -> String {
    match (mean, std) {
        (Some(mean), Some(std)) if (5e-4..1e3).contains(&mean.abs()) => format!("{std:.4}"),
        (Some(mean), Some(std)) if (1e3..1e6).contains(&mean.abs()) => format!("{std:.2}"),
        (_, std) => std.map_or("–".to_owned(), brief),
    }
}

/// Formats a p value with four decimals below 0.1, else two.
pub fn p_value(p: f64) -> String {
    match p {
        p if p < 1e-4 => "< 0.0001".to_owned(),
        p if p < 0.1 => format!("{p:.4}"),
        p => format!("{p:.2}"),
    }
}

/// Formats a count with commas between thousands.
pub fn count(count: usize) -> String {
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

/// Returns a count with its noun: `1 trial`, `1,234 trials`.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Formats a duration.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{} min {} s", s as u64 / 60, s as u64 % 60),
        s => format!("{} h {} min", s as u64 / 3600, s as u64 % 3600 / 60),
    }
}

/// Formats the value of a metric. NaN is "–" (undefined), except for a loss, where it means divergence.
pub fn of_name(name: &str, value: f64) -> String {
    match value.is_nan() && !name.ends_with("loss") {
        true => "–".to_owned(),
        false => brief(value),
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value if value.is_finite() => write!(f, "{value}"),
            value if value.is_nan() => f.write_str("nan"),
            value if value > 0.0 => f.write_str("inf"),
            _ => f.write_str("-inf"),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_finite() => serializer.serialize_f64(value),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number, \"nan\", \"inf\" or \"-inf\"")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                match text {
                    "nan" => Ok(Number(f64::NAN)),
                    "inf" => Ok(Number(f64::INFINITY)),
                    "-inf" => Ok(Number(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number; one that is not finite is written as a string.",
            "anyOf": [{ "type": "number" }, { "enum": ["nan", "inf", "-inf"] }]
        })
    }
}

/// Serializes an `f64` field as a [`Number`].
pub mod as_number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::history::number::Number;

    /// Serializes the value, as a string if it is not finite.
    ///
    /// # Errors
    /// If the serializer fails.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Number(*value).serialize(serializer)
    }

    /// Deserializes the output of [`serialize`].
    ///
    /// # Errors
    /// If it is not a number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Number::deserialize(deserializer).map(|number| number.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_has_no_sign() {
        assert_eq!([brief(-0.0), brief(-0.25), brief(f64::NEG_INFINITY)], ["0.0000", "-0.2500", "-inf"]);
        assert_eq!(["+0.00", "-0.01", "+1.00"].map(|text| unsigned_zero(text.to_owned())), ["0.00", "-0.01", "+1.00"]);
    }

    #[test]
    fn nan_and_infinity_survive_json() {
        let numbers = [1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(Number);
        let text = serde_json::to_string(&numbers).unwrap();
        assert_eq!(text, r#"[1.5,"nan","inf","-inf"]"#);
        let read: Vec<Number> = serde_json::from_str(&text).unwrap();
        assert!(read[1].0.is_nan());
        assert_eq!(read[2].0, f64::INFINITY);
        assert!(serde_json::from_str::<Number>("\"abc\"").is_err());
    }
}
