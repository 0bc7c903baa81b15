//! The values of a setting on an axis, for tables and plots of a sweep.

use crate::sweep::labels::Labels;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::ranking::Ranking;
use crate::sweep::space::entry::{Entry, Values};

/// Ratio of the largest to the smallest value from which an axis can be logarithmic.
pub const DECADES: f64 = 20.0;

/// A setting with its value in each configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingColumn {
    /// Short label: `lr`.
    pub label: String,
    /// The values as text in the order of the ranking; `None` if a configuration does not set it.
    pub texts: Vec<Option<String>>,
    /// What the positions mean.
    pub scale: SettingScale,
    /// Positions of the values: the numbers, or the indices of the choices.
    pub values: Vec<Option<f64>>,
}

/// What the positions on the axis of a setting mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingScale {
    /// They are the values.
    Linear,
    /// They are the values, which span decades.
    Log,
    /// They are indices of these choices.
    Choices(Vec<String>),
}

impl SettingColumn {
    /// Returns the settings that differ between these configurations, in the order of the space.
    pub fn of_ranking(record: &SweepRecord, labels: &Labels, ranking: &Ranking) -> Vec<SettingColumn> {
        let column = |label: &&str| {
            let texts = ranking.results.iter().map(|result| labels.value(label, &result.configuration.set));
            let keys = labels.keys().iter().filter(|key| labels.label(key) == *label);
            let of_ranges: Vec<bool> = keys.filter_map(|key| range_is_log(record, key)).collect();
            let is_log = (!of_ranges.is_empty()).then(|| of_ranges.contains(&true));
            SettingColumn::new(label, texts.collect(), is_log)
        };
        labels.labels().iter().map(column).filter(|column| column.differs()).collect()
    }

    /// Returns a setting with these values: numbers if all of them are. `is_log` is the scale of its range, if it has one.
    fn new(label: &str, texts: Vec<Option<String>>, is_log: Option<bool>) -> SettingColumn {
        let present = || texts.iter().flatten();
        let number = |text: &String| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let numbers: Option<Vec<f64>> = present().map(number).collect();
        let (scale, values) = match numbers {
            Some(numbers) => {
                let is_log =
                    is_log.unwrap_or_else(|| spans_decades(&numbers)) && numbers.iter().all(|number| *number > 0.0);
                let scale = if is_log { SettingScale::Log } else { SettingScale::Linear };
                (scale, texts.iter().map(|text| text.as_ref().and_then(number)).collect())
            }
            None => {
                let mut choices: Vec<String> = present().cloned().collect();
                choices.sort();
                choices.dedup();
                let place = |text: &String| choices.iter().position(|choice| choice == text).map(|place| place as f64);
                let values = texts.iter().map(|text| text.as_ref().and_then(place)).collect();
                (SettingScale::Choices(choices), values)
            }
        };
        SettingColumn { label: label.to_owned(), texts, scale, values }
    }

    fn differs(&self) -> bool {
        self.texts.iter().any(|text| *text != self.texts[0])
    }

    /// Returns the position of a value on an axis over all of them, from 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        let (low, high) = range(&self.values.iter().copied().flatten().collect::<Vec<_>>());
        let share = match self.scale {
            SettingScale::Log => (value / low).ln() / (high / low).ln(),
            SettingScale::Linear | SettingScale::Choices(_) => (value - low) / (high - low),
        };
        if share.is_finite() { share } else { 0.5 }
    }
}

/// Whether the range of a setting is logarithmic; `None` if it has no range.
pub fn range_is_log(record: &SweepRecord, key: &str) -> Option<bool> {
    let mut of_key = record.search.space.iter().filter(|entry| entry.keys.iter().any(|other| other == key));
    let is_log = |entry: &Entry| match &entry.values {
        Values::One(domain) => domain.range().map(|(.., is_log)| is_log),
        Values::Rows(_) => None,
    };
    of_key.find_map(is_log)
}

/// Whether numbers span decades and their logarithms are spread more evenly than the numbers themselves.
pub fn spans_decades(numbers: &[f64]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let [low, .., high] = sorted[..] else { return false };
    if low <= 0.0 || high / low < DECADES {
        return false;
    }
    let middle = sorted[sorted.len() / 2];
    let off = |share: f64| (share - 0.5).abs();
    off((middle / low).ln() / (high / low).ln()) <= off((middle - low) / (high - low))
}

/// Returns the smallest and the largest number.
pub(super) fn range(numbers: &[f64]) -> (f64, f64) {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    (low, numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> SettingColumn {
        let text = |text: &&str| Some((*text).to_owned()).filter(|text| text != "-");
        SettingColumn::new("lr", texts.iter().map(text).collect(), None)
    }

    #[test]
    fn numbers_over_decades_are_logarithmic_and_words_are_choices() {
        let log = column(&["1e-4", "0.01", "-", "0.0001"]);
        assert_eq!((&log.scale, log.share(1e-3)), (&SettingScale::Log, 0.5));
        assert_eq!(log.values, [Some(1e-4), Some(0.01), None, Some(1e-4)]);
        assert_eq!(column(&["0.0002", "0.1", "0.2", "0.3", "0.4", "0.5"]).scale, SettingScale::Linear);
        let linear = column(&["32", "64"]);
        assert_eq!((&linear.scale, linear.share(48.0)), (&SettingScale::Linear, 0.5));
        let words = column(&["sgd", "adam", "sgd", "0.1"]);
        assert_eq!(words.scale, SettingScale::Choices(["0.1", "adam", "sgd"].map(str::to_owned).to_vec()));
        assert_eq!(words.values, [Some(2.0), Some(1.0), Some(2.0), Some(0.0)]);
        assert_eq!(column(&["adam", "-"]).share(0.0), 0.5, "a lone choice");
        let narrow =
            |is_log| SettingColumn::new("lr", vec![Some("0.1".to_owned()), Some("0.3".to_owned())], is_log).scale;
        assert_eq!((narrow(Some(true)), narrow(None)), (SettingScale::Log, SettingScale::Linear), "the range decides");
        assert!(!column(&["32", "32"]).differs() && column(&["32", "-"]).differs());
    }
}
