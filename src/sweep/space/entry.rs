//! An entry of a space: one setting with its values, or several that are varied together.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::values::is_same;
use crate::sweep::space::domain::Domain;
use crate::sweep::space::origin::Origin;

/// One setting with its values, or several that are varied together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Full keys: one, or those of a `zip`.
    pub keys: Vec<String>,
    /// The values.
    pub values: Values,
    /// Conditions under which it is varied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Where it was written.
    #[serde(skip)]
    pub origin: Origin,
}

/// Values of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// Values of one setting.
    One(Domain),
    /// Values of several settings, in rows: a row has the value of each.
    Rows(Vec<Vec<Value>>),
}

/// A condition: another setting has one of these values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Full key of the other setting.
    pub key: String,
    /// The values.
    pub values: Vec<Value>,
}

impl Entry {
    /// Returns the number of values; `None` for a continuous range.
    pub fn count(&self) -> Option<u64> {
        match &self.values {
            Values::One(domain) => domain.count(),
            Values::Rows(rows) => Some(rows.len() as u64),
        }
    }

    /// Whether it takes the value of another setting.
    pub fn is_copy(&self) -> bool {
        matches!(self.values, Values::One(Domain::Copy(_)))
    }

    /// Whether it is of `[sweep.space]`, not of `[[sweep.zip]]` or `[[sweep.when]]`.
    pub fn is_replaceable(&self) -> bool {
        matches!(self.values, Values::One(_)) && self.conditions.is_empty()
    }

    /// Whether a configuration with these values meets the conditions.
    pub fn is_met(&self, set: &IndexMap<String, Value>) -> bool {
        self.conditions.iter().all(|condition| set.get(&condition.key).is_some_and(|value| condition.allows(value)))
    }

    /// Returns the value of each key at a position between 0 and 1 (excluded).
    pub fn values_at_position(&self, position: f64) -> Vec<Value> {
        match &self.values {
            Values::One(domain) => vec![domain.value(position)],
            Values::Rows(rows) => rows[((position * rows.len() as f64) as usize).min(rows.len() - 1)].clone(),
        }
    }

    /// Returns the value of each key with an index below the count.
    pub fn values_at_index(&self, index: u64) -> Vec<Value> {
        match &self.values {
            Values::One(domain) => vec![domain.at(index)],
            Values::Rows(rows) => rows[index as usize].clone(),
        }
    }

    /// Returns the values that one of its keys can have, if they are a list.
    pub fn choices(&self, key: &str) -> Option<Vec<&Value>> {
        match &self.values {
            Values::One(Domain::Choices(choices)) => Some(choices.iter().collect()),
            Values::One(_) => None,
            Values::Rows(rows) => {
                let place = self.keys.iter().position(|own| own == key)?;
                Some(rows.iter().map(|row| &row[place]).collect())
            }
        }
    }

    /// Whether no configuration varies both: a setting in their conditions cannot have values of both.
    pub fn excludes(&self, other: &Entry) -> bool {
        self.conditions.iter().any(|condition| {
            let same_key = other.conditions.iter().filter(|theirs| theirs.key == condition.key);
            same_key.into_iter().any(|theirs| !theirs.values.iter().any(|value| condition.allows_value(value)))
        })
    }
}

impl Condition {
    /// Returns whether the other setting may have this value. A choice with settings, `{ sgd = { lr = 0.1 } }`, is also
    /// named by its name, `"sgd"`.
    pub fn allows(&self, value: &Value) -> bool {
        self.allows_value(value) || choice_name(value).is_some_and(|name| self.allows_value(&name.into()))
    }

    fn allows_value(&self, value: &Value) -> bool {
        self.values.iter().any(|wanted| is_same(wanted, value))
    }
}

/// Returns the name of a choice, such as an optimizer: `sgd` for `"sgd"` and `{ sgd = { lr = 0.1 } }`.
pub fn choice_name(value: &Value) -> Option<&str> {
    match value {
        Value::String(name) => Some(name),
        Value::Object(fields) if fields.len() == 1 => fields.keys().next().map(String::as_str),
        _ => None,
    }
}
