//! Settings that layers without settings have in PyTorch and Keras. They may be written with the values that the layers
//! use: `{ softmax = { dim = -1 } }`, `{ flatten = { start_dim = 1 } }`, `{ relu = {} }`.

use serde::de::{Deserialize, Deserializer, Error};

use crate::config::shorthand::{FromNumber, number_or_table};

/// Settings of `softmax` and its logarithm.
#[derive(serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Softmax {
    #[serde(alias = "axis")]
    dim: i64,
}

impl Default for Softmax {
    fn default() -> Self {
        Softmax { dim: -1 }
    }
}

impl FromNumber for Softmax {
    fn from_number(number: f64) -> Result<Self, String> {
        Ok(Softmax { dim: number as i64 })
    }
}

/// Reads the settings of softmax: the dimension is the last one.
pub fn of_softmax<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match number_or_table::<D, Softmax>(deserializer)?.dim {
        -1 | 1 => Ok(()),
        dim => Err(D::Error::custom(format!(
            "softmax is over the last dimension of each row: `dim` must be -1 or 1, found {dim}"
        ))),
    }
}

/// Settings of `flatten`.
#[derive(serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flatten {
    start_dim: i64,
    end_dim: i64,
}

impl Default for Flatten {
    fn default() -> Self {
        Flatten { start_dim: 1, end_dim: -1 }
    }
}

/// Reads the settings of `flatten`: all dimensions but the first, that of the rows.
pub fn of_flatten<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let Flatten { start_dim, end_dim } = Flatten::deserialize(deserializer)?;
    match (start_dim, end_dim) {
        (1, -1) => Ok(()),
        (1, end) => {
            Err(D::Error::custom(format!("`end_dim` must be -1, found {end}: a row is always flattened whole")))
        }
        (start, _) => {
            Err(D::Error::custom(format!("`start_dim` must be 1, found {start}: a row is always flattened whole")))
        }
    }
}

/// Settings of `relu` and other activations.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Activation {
    #[serde(rename = "inplace")]
    _inplace: bool,
}

/// Reads the settings of an activation: `inplace` changes no value.
pub fn of_activation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    Activation::deserialize(deserializer).map(drop)
}

#[cfg(test)]
mod tests {
    use crate::config::shorthand::NamedList;
    use crate::network::layer::Layer;

    fn read(text: &str) -> Result<Vec<Layer>, String> {
        serde_json::from_str::<NamedList<Layer>>(text).map(|layers| layers.0).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_layers_do_anyway_may_be_written() {
        for settings in ["{ \"dim\": 1 }", "{ \"axis\": -1 }", "{}", "-1"] {
            assert_eq!(read(&format!("[{{ \"softmax\": {settings} }}]")), Ok(vec![Layer::Softmax]), "{settings}");
        }
        assert_eq!(read(r#"["log_softmax", { "log_softmax": { "dim": 1 } }]"#).unwrap()[1], Layer::LogSoftmax);
        assert_eq!(read(r#"[{ "flatten": { "start_dim": 1 } }]"#), Ok(vec![Layer::Flatten]));
        assert_eq!(read(r#"[{ "relu": { "inplace": true } }, { "tanh": {} }]"#), Ok(vec![Layer::Relu, Layer::Tanh]));
    }

    #[test]
    fn what_they_do_not_do_is_refused_in_words() {
        let fault = |text: &str| read(text).unwrap_err();
        assert!(fault(r#"[{ "softmax": { "dim": 0 } }]"#).contains("`dim` must be -1 or 1, found 0"));
        assert!(fault(r#"[{ "flatten": { "start_dim": 2 } }]"#).contains("`start_dim` must be 1"));
        assert!(fault(r#"[{ "tanh": { "beta": 2 } }]"#).contains("unknown field `beta`"));
    }
}
