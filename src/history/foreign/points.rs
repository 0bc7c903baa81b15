//! Points being gathered into a [`Foreign`]: one for an epoch, under our names, and what was left out in a few notes.

use std::collections::BTreeMap;

use anyhow::anyhow;
use indexmap::IndexMap;

use crate::history::foreign::names::{self, Part};
use crate::history::foreign::{AtEpoch, Foreign, Format, Moment};
use crate::history::number::Number;

/// How many values that were left out are named one by one.
const NAMED: usize = 3;

/// Points being gathered.
#[derive(Debug, Default)]
pub struct Points {
    series: IndexMap<(String, Option<Part>), BTreeMap<usize, f64>>,
    repeated: IndexMap<String, usize>,
    left_out: Vec<String>,
    /// When epochs ended.
    pub clock: BTreeMap<usize, Moment>,
    /// What else is to be told.
    pub notes: Vec<String>,
}

impl Points {
    /// Adds a point of a metric by the name that its program has for it. Of several in an epoch, the last one counts.
    pub fn push(&mut self, theirs: &str, part: Option<Part>, epoch: usize, value: f64) {
        let series = self.series.entry((theirs.to_owned(), part)).or_default();
        if series.insert(epoch, value).is_some() {
            *self.repeated.entry(theirs.to_owned()).or_default() += 1;
        }
    }

    /// Tells of a value, or of more than one, that was left out.
    pub fn leave_out(&mut self, what: String) {
        self.left_out.push(what);
    }

    /// The history. Of two metrics that have one name with us, the second keeps its own.
    ///
    /// # Errors
    /// When there is no point.
    pub fn into_foreign(mut self, format: Format) -> anyhow::Result<Foreign> {
        let mut series: IndexMap<String, Vec<AtEpoch>> = IndexMap::new();
        for ((theirs, part), points) in self.series {
            let ours = names::ours(&theirs, part);
            let name = match series.contains_key(&ours) {
                true if ours == theirs => format!("{theirs} (again)"),
                true => {
                    self.notes.push(format!("`{theirs}` keeps its name: there is another `{ours}`"));
                    theirs
                }
                false => ours,
            };
            let points = points.into_iter().map(|(epoch, value)| AtEpoch { epoch, value: Number(value) });
            series.insert(name, points.collect());
        }
        for (name, times) in self.repeated {
            let values = if times == 1 { "value" } else { "values" };
            self.notes.push(format!("`{name}` has {times} more {values} than epochs: an epoch's last one counts"));
        }
        let more = self.left_out.len().saturating_sub(NAMED);
        self.notes.extend(self.left_out.drain(..).take(NAMED));
        if more > 0 {
            let are = if more == 1 { "is" } else { "are" };
            self.notes.push(format!("{more} more like these {are} left out"));
        }
        if series.is_empty() {
            let notes = self.notes.into_iter().map(|note| format!(": {note}")).next();
            return Err(anyhow!("it holds no value of any metric{}", notes.unwrap_or_default()));
        }
        let mut foreign = Foreign { format, series, clock: self.clock, notes: self.notes };
        foreign.add_up_seconds();
        Ok(foreign)
    }
}

impl Foreign {
    /// Where each epoch's `seconds` are known, and not when it ended, adds them up.
    fn add_up_seconds(&mut self) {
        if self.clock.values().any(|moment| moment.seconds.is_some()) {
            return;
        }
        let mut sum = 0.0;
        for (row, point) in self.series.get("seconds").into_iter().flatten().enumerate() {
            sum += point.value.0;
            if point.epoch != row + 1 || !sum.is_finite() {
                return; // of what follows a gap, nobody knows when it was
            }
            self.clock.entry(point.epoch).or_default().seconds = Some(sum);
        }
    }
}

/// By how much epochs are moved so that the first is 1: those that have a 0 among them are counted from 0.
pub fn shift(epochs: impl IntoIterator<Item = u64>) -> u64 {
    u64::from(epochs.into_iter().any(|epoch| epoch == 0))
}
