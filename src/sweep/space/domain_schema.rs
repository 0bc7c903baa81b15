//! The forms of the values of a setting, for the JSON Schema of experiment files.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::sweep::space::domain::Domain;

/// [`Domain`] as it is written in files.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the forms in the JSON Schema")]
enum Written {
    /// One of these values.
    Choices(Vec<Value>),
    /// A range.
    Range(Range),
    /// The value of another setting: `"= train.batch"`, `"= train.batch * 2"` or `"= train.batch / 2"`.
    Copy(String),
}

/// A range as it is written in files: one of `int`, `float` and `log`.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the forms in the JSON Schema")]
struct Range {
    /// Lowest and highest whole number.
    #[serde(default)]
    int: Option<[i64; 2]>,
    /// Lowest and highest number.
    #[serde(default)]
    float: Option<[f64; 2]>,
    /// Lowest and highest number above 0, whose logarithm is evenly distributed; `true` beside `int` or `float`.
    #[serde(default)]
    log: Option<Log>,
    /// Distance of neighboring values.
    #[serde(default)]
    step: Option<f64>,
}

/// `log` of a range.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the forms in the JSON Schema")]
enum Log {
    /// Whether the logarithm is evenly distributed.
    Whether(bool),
    /// Lowest and highest number.
    Range([f64; 2]),
}

impl JsonSchema for Domain {
    fn schema_name() -> Cow<'static, str> {
        "Domain".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}
