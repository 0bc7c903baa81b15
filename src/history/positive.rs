//! The positive class of two: the one that precision, recall, F1, AP, ROC AUC, the threshold and `pos_weight` are about.

use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::{DataRecord, History};
use crate::metrics::Metric;

/// The positive class, of two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PositiveClass {
    /// Its name.
    pub name: String,
    /// Its number among the classes, 0 or 1.
    pub index: usize,
    /// Why it is this one.
    pub chosen: ChosenBy,
}

/// Why a class is the positive one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// The experiment says so: `positive`.
    Stated,
    /// It is rarer than a third of the rows.
    Rarer,
    /// It is the second one, and neither is that rare.
    Second,
}

impl PositiveClass {
    /// The class, and why it is this one: "`fraud` (rarer than a third of the rows)".
    pub fn in_words(&self) -> String {
        let why = match self.chosen {
            ChosenBy::Stated => "",
            ChosenBy::Rarer => " (rarer than a third of the rows)",
            ChosenBy::Second => " (the second of two classes)",
        };
        format!("`{}`{why}", self.name)
    }
}

impl DataRecord {
    /// The number of the positive class; histories that do not state it are about the second of two classes.
    pub fn positive_index(&self) -> usize {
        usize::from(self.positive.as_ref().is_none_or(|positive| positive.index != 0))
    }

    /// The name of the positive class; `None` where there are not two classes.
    pub fn positive_name(&self) -> Option<&str> {
        let [first, second] = &self.classes[..] else { return None };
        Some(if self.positive_index() == 0 { first } else { second })
    }

    /// The positive class in words; `None` where there are not two classes.
    pub fn positive_in_words(&self) -> Option<String> {
        let name = self.positive_name()?;
        Some(self.positive.as_ref().map_or_else(|| format!("`{name}`"), PositiveClass::in_words))
    }
}

impl History {
    /// The metrics of it that are about the positive class, by name; none where there are not two classes.
    pub fn metrics_of_the_positive_class(&self) -> Vec<String> {
        if self.data.positive_name().is_none() {
            return Vec::new();
        }
        let of_test = self.test.iter().flat_map(|test| test.metrics.keys());
        let names = self.history.series.keys().chain(of_test).map(|name| name.trim_start_matches("val_"));
        let is_there: IndexSet<&str> = names.collect();
        let of_positives = Metric::ALL.iter().filter(|metric| metric.is_of_the_positive_class());
        of_positives.map(|metric| metric.name().into_owned()).filter(|name| is_there.contains(name.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trial_for_tests;

    #[test]
    fn a_history_that_does_not_state_it_is_about_the_second_class() {
        let mut data = trial_for_tests("a", 0, 0.5).data;
        assert_eq!((data.positive_index(), data.positive_name()), (1, None));
        data.classes = vec!["fraud".to_owned(), "legit".to_owned()];
        let old = serde_json::to_value(&data).unwrap();
        assert_eq!(old.get("positive"), None);
        let read: DataRecord = serde_json::from_value(old).unwrap();
        assert_eq!((read.positive_index(), read.positive_in_words().unwrap()), (1, "`legit`".to_owned()));
        data.positive = Some(PositiveClass { name: "fraud".to_owned(), index: 0, chosen: ChosenBy::Rarer });
        let read: DataRecord = serde_json::from_value(serde_json::to_value(&data).unwrap()).unwrap();
        assert_eq!((read.positive_index(), read.positive_name()), (0, Some("fraud")));
        assert_eq!(read.positive_in_words().unwrap(), "`fraud` (rarer than a third of the rows)");
    }
}
