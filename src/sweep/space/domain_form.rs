//! The form of values in the record of a sweep, which is the one of experiment files.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::sweep::space::domain::Domain;

impl Serialize for Domain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_value(self).serialize(serializer)
    }
}

/// Returns values as [`Domain::from_value`] reads them.
fn to_value(domain: &Domain) -> Value {
    match domain {
        Domain::Choices(choices) => Value::Array(choices.clone()),
        Domain::Int { low, high, log: true, .. } => json!({ "int": [low, high], "log": true }),
        Domain::Int { low, high, step: 1, .. } => json!({ "int": [low, high] }),
        Domain::Int { low, high, step, .. } => json!({ "int": [low, high], "step": step }),
        Domain::Float { low, high, step: None } => json!({ "float": [low, high] }),
        Domain::Float { low, high, step: Some(step) } => json!({ "float": [low, high], "step": step }),
        Domain::Log { low, high } => json!({ "log": [low, high] }),
        Domain::Copy(formula) => formula.to_text().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_record_is_read_as_the_same_values() {
        for written in [
            json!([8, "adam", { "sgd": { "lr": 0.1, "momentum": 0.9 } }]),
            json!({ "int": [16, 256] }),
            json!({ "int": [16, 256], "step": 16 }),
            json!({ "int": [16, 256], "log": true }),
            json!({ "float": [0.0, 0.5] }),
            json!({ "float": [0.0, 0.30000000000000004], "step": 0.1 }),
            json!({ "log": [1e-4, 0.1] }),
            json!("= train.batch"),
            json!("= train.batch * 0.1"),
            json!("= train.batch / 3"),
        ] {
            let domain = Domain::from_value(written.clone()).unwrap();
            let text = serde_json::to_string(&domain).unwrap();
            assert_eq!(serde_json::from_str::<Domain>(&text).unwrap(), domain, "{text}");
            assert_eq!(to_value(&domain), written);
        }
    }
}
