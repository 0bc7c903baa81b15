//! Reference values: results that somebody else published for the same experiment, shown next to this run's results.
//!
//! They are not expectations: a published run without a seed cannot be repeated exactly. Values that must hold belong in
//! `[[expect]]`.

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::history::metric_path::lookup_number;
use crate::history::number::Number;
use crate::history::trial_fields::ReferenceComparison;
use crate::history::trial_history::History;

/// A published value of one metric: a `[[reference]]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The path of the metric: `last.loss`.
    #[serde(rename = "metric")]
    pub value: String,
    /// The published value.
    #[serde(rename = "value")]
    pub figure: f64,
    /// The variant that the value belongs to, if the experiment has variants.
    #[serde(default)]
    pub variant: Option<String>,
    /// Whether the published run is reproducible to the last digit, with the first of the experiment's seeds.
    #[serde(default)]
    pub exact: bool,
}

/// A `[[reference]]` table as it is written. In the former `[[theirs]]`, `value` was the metric and `figure` the value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    metric: Option<String>,
    value: Option<NameOrNumber>,
    figure: Option<f64>,
    variant: Option<String>,
    #[serde(default)]
    exact: bool,
}

/// The value of the key `value`: the published number, or in a `[[theirs]]` table the path of the metric.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number")]
enum NameOrNumber {
    Number(f64),
    Name(String),
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { metric, value, figure, variant, exact } = Written::deserialize(deserializer)?;
        let (value, figure) = match (metric, value, figure) {
            (Some(metric), Some(NameOrNumber::Number(value)), None) => (metric, value),
            (None, Some(NameOrNumber::Name(metric)), Some(figure)) | (Some(metric), None, Some(figure)) => {
                (metric, figure)
            }
            (Some(_), Some(NameOrNumber::Name(_)), _) => {
                return Err(Error::custom("`metric` and `value` both name the metric: `value` must be the number"));
            }
            (_, Some(NameOrNumber::Number(_)), Some(_)) => {
                return Err(Error::custom("`value` and `figure` are the same key: `figure` is its former name"));
            }
            (None, Some(NameOrNumber::Number(_)) | None, _) => return Err(Error::missing_field("metric")),
            (None, Some(NameOrNumber::Name(_)), None) => {
                return Err(Error::custom("`value` must be a number, and `metric` is missing"));
            }
            (Some(_), None, None) => return Err(Error::missing_field("value")),
        };
        Ok(Reference { value, figure, variant, exact })
    }
}

/// Records in each trial the reference values of its variant, next to the trial's own values.
pub fn compare_with_references(references: &[Reference], histories: &mut [History]) {
    for trial in histories {
        let of_variant =
            references.iter().filter(|reference| reference.variant.as_ref().is_none_or(|v| *v == trial.variant));
        let compared = of_variant.map(|reference| ReferenceComparison {
            value: reference.value.clone(),
            theirs: reference.figure,
            ours: lookup_number(trial, &reference.value).map(Number),
            exact: reference.exact,
        });
        trial.theirs = compared.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trial_history::trial_for_tests as trial;

    fn parse(text: &str) -> Result<Reference, String> {
        toml_edit::de::from_str::<Reference>(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn references_are_recorded_in_the_trials_of_their_variant() {
        let references = [
            parse("metric = \"last.loss\"\nvalue = 0.0074\nvariant = \"a\"").unwrap(),
            parse("metric = \"last.f1\"\nvalue = 1\nexact = true").unwrap(),
        ];
        let mut trials = [trial("a", 0, 0.25), trial("b", 0, 0.5)];
        compare_with_references(&references, &mut trials);
        let loss =
            ReferenceComparison { value: "last.loss".into(), theirs: 0.0074, ours: Some(Number(0.25)), exact: false };
        let f1 = ReferenceComparison { value: "last.f1".into(), theirs: 1.0, ours: None, exact: true };
        assert_eq!(trials[0].theirs, [loss, f1.clone()]);
        assert_eq!(trials[1].theirs, [f1]);
    }

    #[test]
    fn the_former_keys_are_read_and_the_new_ones_are_written() {
        let old = parse("value = \"last.loss\"\nfigure = 1").unwrap();
        assert_eq!(old, parse("metric = \"last.loss\"\nvalue = 1.0").unwrap());
        let json = serde_json::to_value(&old).unwrap();
        assert_eq!((&json["metric"], &json["value"]), (&"last.loss".into(), &1.0.into()));
        assert_eq!(serde_json::from_value::<Reference>(json).unwrap(), old);
    }

    #[test]
    fn a_table_with_both_names_of_a_key_is_refused_and_both_are_named() {
        let both = parse("metric = \"last.loss\"\nvalue = \"last.loss\"\nfigure = 1").unwrap_err();
        assert!(both.contains("`metric` and `value`"), "{both}");
        let both = parse("metric = \"last.loss\"\nvalue = 1\nfigure = 1").unwrap_err();
        assert!(both.contains("`value` and `figure`"), "{both}");
        assert_eq!(parse("metric = \"last.loss\"").unwrap_err(), "missing field `value`");
        assert!(parse("value = \"last.loss\"").unwrap_err().contains("`metric` is missing"));
        assert_eq!(parse("value = 1").unwrap_err(), "missing field `metric`");
        assert_eq!(parse("figure=1").unwrap_err(), "missing field `metric`");
        assert_eq!(parse("metric = \"last.loss\"\nvalue = [1]").unwrap_err(), "expected a number");
    }
}
