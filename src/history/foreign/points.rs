//! Collects the points of a [`Foreign`] history: at most one per epoch and metric, with notes on skipped values.

use std::collections::{BTreeMap, HashMap};

use anyhow::anyhow;
use indexmap::IndexMap;

use crate::history::foreign::foreign_history::{AtEpoch, EpochEnd, Foreign, Format};
use crate::history::foreign::names::{self, Part};
use crate::history::number::Number;

/// Maximum number of skipped values with their own note.
const NAMED: usize = 3;

/// The points read so far.
#[derive(Debug, Default)]
pub struct Points {
    series: IndexMap<(String, Option<Part>), BTreeMap<usize, f64>>,
    repeated: IndexMap<String, usize>,
    skipped: Vec<String>,
    more_skipped: usize,
    /// Steps and times of the epoch ends.
    pub clock: BTreeMap<usize, EpochEnd>,
    /// Other notes.
    pub notes: Vec<String>,
}

impl Points {
    /// Adds a point of a metric by its original name. The last of several points in an epoch is used.
    pub fn push(&mut self, original: &str, part: Option<Part>, epoch: usize, value: f64) {
        let series = self.series.entry((original.to_owned(), part)).or_default();
        if series.insert(epoch, value).is_some() {
            *self.repeated.entry(original.to_owned()).or_default() += 1;
        }
    }

    /// Notes that one or more values were skipped.
    pub fn skip(&mut self, what: String) {
        match self.skipped.len() < NAMED {
            true => self.skipped.push(what),
            false => self.more_skipped += 1,
        }
    }

    /// Drops the notes on repeated epochs, if the epochs are fractions.
    pub fn ignore_repeats(&mut self) {
        self.repeated.clear();
    }

    /// Returns the history. If two metrics get the same name, one keeps its original name: the one whose name does not tell
    /// the part of the data, or else the second. Known metrics come first.
    ///
    /// # Errors
    /// If there is no point.
    pub fn into_foreign(mut self, format: Format) -> anyhow::Result<Foreign> {
        // Lightning writes -1 where nothing was logged as `hp_metric`
        self.series
            .retain(|(original, _), points| original != "hp_metric" || points.values().any(|value| *value != -1.0));
        if !self.series.keys().any(|(original, _)| original == "hp_metric") {
            self.repeated.shift_remove("hp_metric");
        }
        let names = self.names();
        let mut series: IndexMap<String, Vec<AtEpoch>> = IndexMap::new();
        for (name, points) in names.into_iter().zip(self.series.into_values()) {
            let points = points.into_iter().map(|(epoch, value)| AtEpoch { epoch, value: Number(value) });
            series.insert(name, points.collect());
        }
        series.sort_by(|one, _, other, _| names::is_known(other).cmp(&names::is_known(one)));
        for (name, times) in self.repeated {
            let values = if times == 1 { "value" } else { "values" };
            self.notes
                .push(format!("`{name}` has {times} more {values} than epochs: the last value of each epoch is used"));
        }
        self.notes.append(&mut self.skipped);
        let more = self.more_skipped;
        if more > 0 {
            self.notes.push(format!("{more} more skipped"));
        }
        if series.is_empty() {
            let notes = self.notes.into_iter().map(|note| format!(": {note}")).next();
            return Err(anyhow!("it contains no value of any metric{}", notes.unwrap_or_default()));
        }
        let mut foreign = Foreign { format, series, clock: self.clock, notes: self.notes };
        foreign.add_up_seconds();
        Ok(foreign)
    }

    /// Returns unique names of all series, in their order.
    fn names(&mut self) -> Vec<String> {
        let all: Vec<&(String, Option<Part>)> = self.series.keys().collect();
        let has_part =
            |(original, part): &(String, Option<Part>)| part.is_some() || names::part_of_name(original).is_some();
        let names_training = all.iter().any(|(original, part)| {
            part.is_none()
                && names::part_of_name(original) == Some(Part::Train)
                && names::standard(original, None) == "loss"
        });
        let mut wanted: Vec<String> = all.iter().map(|(original, part)| names::standard(original, *part)).collect();
        let without: Vec<Option<String>> =
            all.iter().map(|(original, part)| names::without_number(original, *part)).collect();
        let mut times: HashMap<String, usize> = HashMap::new();
        wanted.iter().chain(without.iter().flatten()).for_each(|name| *times.entry(name.clone()).or_default() += 1);
        for (wanted, without) in wanted.iter_mut().zip(without) {
            if let Some(name) = without.filter(|name| times[name] == 1) {
                *wanted = name;
            }
        }
        let with_validation: Vec<bool> =
            wanted.iter().map(|name| times.contains_key(&format!("{}{name}", Part::Validation.prefix()))).collect();
        let mut taken: HashMap<String, usize> = HashMap::new();
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|&place| !has_part(all[place]));
        let mut notes = Vec::new();
        for place in order {
            let (original, part) = all[place];
            let is_of_unknown_rows =
                names_training && part.is_none() && names::is_bare_metric(original) && !with_validation[place];
            let mut name = std::mem::take(&mut wanted[place]);
            if is_of_unknown_rows {
                notes.push(format!(
                    "`{original}` keeps its name: the file does not say whether it is for training or validation rows"
                ));
                name = if name == *original { format!("{original} (unknown rows)") } else { original.clone() };
            } else if taken.contains_key(&name) {
                if name != *original {
                    notes.push(format!("`{original}` keeps its name: there is another `{name}`"));
                }
                name = original.clone();
            }
            while taken.contains_key(&name) {
                name.push_str(" (again)");
            }
            taken.insert(name, place);
        }
        self.notes.extend(notes);
        let mut names = vec![String::new(); all.len()];
        taken.into_iter().for_each(|(name, place)| names[place] = name);
        names
    }
}

impl Foreign {
    /// Computes the times of the epoch ends from the `seconds` of each epoch, if only those are known.
    fn add_up_seconds(&mut self) {
        if self.clock.values().any(|moment| moment.seconds.is_some()) {
            return;
        }
        let mut sum = 0.0;
        for (row, point) in self.series.get("seconds").into_iter().flatten().enumerate() {
            sum += point.value.0;
            if point.epoch != row + 1 || !sum.is_finite() {
                return; // the times after a gap are unknown
            }
            self.clock.entry(point.epoch).or_default().seconds = Some(sum);
        }
    }
}
