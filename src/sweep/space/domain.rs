//! Values that a setting can take in a sweep: a list of choices, a range, or the value of another setting.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value};

use crate::config::suggest;
use crate::config::values::{has_non_finite, is_same};
use crate::sweep::space::formula::Formula;

/// Largest absolute value of an end of an `int` range: larger whole numbers are not exact as floating point numbers.
const LARGEST: i64 = 1 << 53;

/// Significant digits of values drawn from a continuous range.
const DIGITS: i32 = 6;

/// The forms of a range in messages.
pub const FORMS: &str = "a list such as `[32, 64]`, `{ int = [16, 256] }`, `{ float = [0.0, 0.5] }`, \
                         `{ log = [1e-4, 1e-1] }`, or `\"= KEY\"`";

/// Values that a setting can take.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// One of these values.
    Choices(Vec<Value>),
    /// A whole number, both ends included.
    Int {
        /// Lowest value.
        low: i64,
        /// Highest value.
        high: i64,
        /// Distance of neighboring values.
        step: i64,
        /// Whether the logarithm is evenly distributed instead of the value.
        log: bool,
    },
    /// A number; with a step a multiple of it above `low`.
    Float {
        /// Lowest value.
        low: f64,
        /// Highest value.
        high: f64,
        /// Distance of neighboring values.
        step: Option<f64>,
    },
    /// A number whose logarithm is evenly distributed.
    Log {
        /// Lowest value, above 0.
        low: f64,
        /// Highest value.
        high: f64,
    },
    /// The value of another setting.
    Copy(Formula),
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Domain::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Domain {
    /// Reads values as they are written in a file.
    ///
    /// # Errors
    /// If they have none of the forms, or a range is empty.
    pub fn from_value(value: Value) -> Result<Domain, String> {
        match value {
            Value::Array(choices) => Domain::choices(choices),
            Value::Object(table) => range(&table),
            Value::String(text) if text.trim_start().starts_with('=') => Formula::parse(&text).map(Domain::Copy),
            other => Err(format!("the values of a setting must be {FORMS}, found `{other}`")),
        }
    }

    /// Returns a list of choices.
    ///
    /// # Errors
    /// If it is empty, contains a value twice, or a number that is not finite.
    pub fn choices(choices: Vec<Value>) -> Result<Domain, String> {
        if choices.is_empty() {
            return Err("the list of choices is empty; write at least one value".to_owned());
        }
        if choices.iter().any(has_non_finite) {
            return Err("choices must be finite numbers, found `nan` or `inf`".to_owned());
        }
        for (place, choice) in choices.iter().enumerate() {
            if choices[..place].iter().any(|other| is_same(other, choice)) {
                return Err(format!("the choice `{}` is listed twice; remove one of them", shown(choice)));
            }
        }
        Ok(Domain::Choices(choices))
    }

    /// Returns a range of whole numbers.
    ///
    /// # Errors
    /// If it is empty, or has a logarithm of 0.
    pub fn int(low: i64, high: i64, step: Option<i64>, log: bool) -> Result<Domain, String> {
        check_order("int", low, high)?;
        if let Some(outside) = [low, high].into_iter().find(|end| end.abs() > LARGEST) {
            return Err(format!("`int` must lie between -{LARGEST} and {LARGEST}, found {outside}"));
        }
        if log && low < 1 {
            return Err(format!("`int` with `log` must begin at 1 or above, found {low}: there is no logarithm of 0"));
        }
        match step {
            Some(_) if log => return Err("`step` and `log` cannot be used together; remove one of them".to_owned()),
            Some(..=0) => return Err(format!("`step` must be at least 1, found {}", step.unwrap_or_default())),
            Some(step) if step > high - low => return Err(step_is_large(step, low, high)),
            _ => {}
        }
        Ok(Domain::Int { low, high, step: step.unwrap_or(1), log })
    }

    /// Returns a range of numbers.
    ///
    /// # Errors
    /// If it is empty.
    pub fn float(low: f64, high: f64, step: Option<f64>) -> Result<Domain, String> {
        check_finite("float", [low, high])?;
        check_order("float", low, high)?;
        match step {
            Some(step) if !(step.is_finite() && step > 0.0) => {
                return Err(format!("`step` must be finite and above 0, found {step}"));
            }
            Some(step) if step > high - low => return Err(step_is_large(step, low, high)),
            _ => {}
        }
        Ok(Domain::Float { low, high, step })
    }

    /// Returns a range of numbers whose logarithm is evenly distributed.
    ///
    /// # Errors
    /// If it is empty, or does not begin above 0.
    pub fn log(low: f64, high: f64) -> Result<Domain, String> {
        check_finite("log", [low, high])?;
        check_order("log", low, high)?;
        match low > 0.0 {
            true => Ok(Domain::Log { low, high }),
            false => Err(format!("`log` must begin above 0, found {low}: there is no logarithm of 0")),
        }
    }

    /// Returns the ends of a range, and whether its logarithm is evenly distributed; `None` for a list or a copy.
    pub fn range(&self) -> Option<(f64, f64, bool)> {
        match *self {
            Domain::Int { low, high, log, .. } => Some((low as f64, high as f64, log)),
            Domain::Float { low, high, .. } => Some((low, high, false)),
            Domain::Log { low, high } => Some((low, high, true)),
            Domain::Choices(_) | Domain::Copy(_) => None,
        }
    }

    /// Returns the number of values; `None` for a continuous range.
    pub fn count(&self) -> Option<u64> {
        match self {
            Domain::Choices(choices) => Some(choices.len() as u64),
            Domain::Int { low, high, step, .. } => Some(((high - low) / step) as u64 + 1),
            Domain::Float { low, high, step: Some(step) } => Some(steps(*low, *high, *step) + 1),
            Domain::Float { step: None, .. } | Domain::Log { .. } => None,
            Domain::Copy(_) => Some(1),
        }
    }

    /// Returns the value with this index of a range or list that has a count.
    pub fn at(&self, index: u64) -> Value {
        match self {
            Domain::Choices(choices) => choices[index as usize].clone(),
            Domain::Int { low, step, .. } => (low + step * index as i64).into(),
            Domain::Float { low, high, step: Some(step) } => rounded((low + step * index as f64).min(*high), 12).into(),
            Domain::Float { low, .. } | Domain::Log { low, .. } => (*low).into(),
            Domain::Copy(_) => Value::Null,
        }
    }

    /// Returns the value at a position between 0 and 1 (excluded). Equal parts of the interval have equal shares of the
    /// values, of a logarithmic range equal ratios.
    pub fn value(&self, position: f64) -> Value {
        let index = |count: u64| ((position * count as f64) as u64).min(count - 1);
        match self {
            Domain::Int { low, high, log: true, .. } => {
                // each number has the share of the interval from half a unit below to half a unit above it
                let [from, to] = [*low as f64 - 0.5, *high as f64 + 0.5].map(f64::ln);
                ((from + position * (to - from)).exp().round() as i64).clamp(*low, *high).into()
            }
            Domain::Float { low, high, step: None } => self.nearest(low + position * (high - low)),
            Domain::Log { low, high } => self.nearest(low * (position * (high / low).ln()).exp()),
            other => other.at(index(other.count().unwrap_or(1))),
        }
    }

    /// Returns the value of a range that is nearest to a number, of a continuous range with a limited number of digits. For
    /// choices, the number is the index of one of them.
    pub fn nearest(&self, number: f64) -> Value {
        let steps = |low: f64, step: f64| ((number - low) / step).round().max(0.0) as u64;
        let last = || self.count().unwrap_or(1) - 1;
        match self {
            Domain::Float { low, high, step: None } => {
                let decimals = DIGITS - 1 - (high - low).log10().floor() as i32;
                decimal(number, decimals).clamp(*low, *high).into()
            }
            Domain::Log { low, high } => {
                // a narrow range needs further digits
                let digits = DIGITS - (high / low).ln().log10().floor().min(0.0) as i32;
                rounded(number, digits).clamp(*low, *high).into()
            }
            Domain::Int { low, step, .. } => self.at(steps(*low as f64, *step as f64).min(last())),
            Domain::Float { low, step: Some(step), .. } => self.at(steps(*low, *step).min(last())),
            Domain::Choices(_) | Domain::Copy(_) => self.at((number.max(0.0) as u64).min(last())),
        }
    }
}

/// Reads a range: one of `int`, `float` and `log`, with `step` or `log = true`.
fn range(table: &Map<String, Value>) -> Result<Domain, String> {
    const KEYS: [&str; 4] = ["int", "float", "log", "step"];
    if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("unknown field `{unknown}`, expected one of {}", suggest::list(&KEYS)));
    }
    let is_log = table.get("log").and_then(Value::as_bool).unwrap_or(false);
    let ranges: Vec<&str> =
        KEYS[..3].iter().copied().filter(|key| table.get(*key).is_some_and(|value| !value.is_boolean())).collect();
    let [kind] = ranges[..] else {
        return Err(match ranges.len() {
            0 => format!("a range has one of the keys `int`, `float` and `log`; write {FORMS}"),
            _ => format!("a range has only one of {}; use one of them", suggest::list(&ranges)),
        });
    };
    let Some([low, high]) = table[kind].as_array().map(Vec::as_slice) else {
        return Err(format!(
            "`{kind}` must be the lowest and the highest value, `[low, high]`, found `{}`",
            table[kind]
        ));
    };
    let number = |key: &str, value: &Value| {
        value.as_f64().ok_or_else(|| format!("`{key}` must have finite numbers, found {}", found(value)))
    };
    let whole = |key: &str, value: &Value| {
        value.as_i64().ok_or_else(|| format!("`{key}` must have whole numbers, found {}", found(value)))
    };
    let step = table.get("step");
    match kind {
        "int" => {
            let step = step.map(|step| whole("step", step)).transpose()?;
            Domain::int(whole(kind, low)?, whole(kind, high)?, step, is_log)
        }
        _ => {
            let step = step.map(|step| number("step", step)).transpose()?;
            let [low, high] = [number(kind, low)?, number(kind, high)?];
            match (kind, is_log, step) {
                ("float", false, step) => Domain::float(low, high, step),
                (_, _, Some(_)) => Err("`step` and `log` cannot be used together; remove one of them".to_owned()),
                _ => Domain::log(low, high),
            }
        }
    }
}

/// Returns a value of a range for messages. `nan` and `inf` are null in JSON.
fn found(value: &Value) -> String {
    if value.is_null() { "`nan` or `inf`".to_owned() } else { format!("`{value}`") }
}

fn check_finite(kind: &str, ends: [f64; 2]) -> Result<(), String> {
    match ends.into_iter().find(|end| !end.is_finite()) {
        Some(end) => Err(format!("`{kind}` must have finite numbers, found {end}")),
        None => Ok(()),
    }
}

fn check_order<T: PartialOrd + std::fmt::Display>(kind: &str, low: T, high: T) -> Result<(), String> {
    if low < high {
        return Ok(());
    }
    Err(match low > high {
        true => format!("`{kind}` is an empty range: {low} is greater than {high}; write the lowest value first"),
        false => format!("`{kind}` is a range of the single value {low}; write a list, `[{low}]`, or a wider range"),
    })
}

fn step_is_large(step: impl std::fmt::Display, low: impl std::fmt::Display, high: impl std::fmt::Display) -> String {
    format!("`step` must not be greater than the range from {low} to {high}, found {step}")
}

/// Returns the number of steps between two numbers; a step that ends on `high` up to rounding counts.
fn steps(low: f64, high: f64, step: f64) -> u64 {
    ((high - low) / step + 1e-9).floor() as u64
}

/// Rounds to significant digits.
fn rounded(value: f64, digits: i32) -> f64 {
    format!("{value:.*e}", (digits - 1).clamp(0, 17) as usize).parse().unwrap_or(value)
}

/// Rounds to decimals, which may be negative.
fn decimal(value: f64, decimals: i32) -> f64 {
    match decimals {
        0.. => format!("{value:.*}", decimals.min(300) as usize).parse().unwrap_or(value),
        _ => {
            let unit = 10_f64.powi(-decimals);
            (value / unit).round() * unit
        }
    }
}

/// Returns a value without the quotes of a text.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
