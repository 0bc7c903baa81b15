//! Points being gathered into a [`Foreign`]: one for an epoch, under our names, and what was left out in a few notes.

use std::collections::{BTreeMap, HashMap};

use anyhow::anyhow;
use indexmap::IndexMap;

use crate::history::foreign::foreign_history::{AtEpoch, Foreign, Format, Moment};
use crate::history::foreign::names::{self, Part};
use crate::history::number::Number;

/// How many values that were left out are named one by one.
const NAMED: usize = 3;

/// Points being gathered.
#[derive(Debug, Default)]
pub struct Points {
    series: IndexMap<(String, Option<Part>), BTreeMap<usize, f64>>,
    repeated: IndexMap<String, usize>,
    left_out: Vec<String>,
    more_left_out: usize,
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
        match self.left_out.len() < NAMED {
            true => self.left_out.push(what),
            false => self.more_left_out += 1,
        }
    }

    /// Says nothing of an epoch's values before the last: what is said already is that epochs are fractions.
    pub fn expect_several_in_an_epoch(&mut self) {
        self.repeated.clear();
    }

    /// The history. Of two metrics that have one name with us, one keeps its own: that of a name that says no part of the
    /// data, or else the second. Known metrics come first.
    ///
    /// # Errors
    /// When there is no point.
    pub fn into_foreign(mut self, format: Format) -> anyhow::Result<Foreign> {
        // Lightning writes -1 where nothing was logged as `hp_metric`
        self.series.retain(|(theirs, _), points| theirs != "hp_metric" || points.values().any(|value| *value != -1.0));
        if !self.series.keys().any(|(theirs, _)| theirs == "hp_metric") {
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
            self.notes.push(format!("`{name}` has {times} more {values} than epochs: an epoch's last one counts"));
        }
        self.notes.append(&mut self.left_out);
        let more = self.more_left_out;
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

impl Points {
    /// Our names of all series, in their order, no two alike.
    fn names(&mut self) -> Vec<String> {
        let all: Vec<&(String, Option<Part>)> = self.series.keys().collect();
        let says_part = |(theirs, part): &(String, Option<Part>)| part.is_some() || names::said_part(theirs).is_some();
        let names_training = all.iter().any(|(theirs, part)| {
            part.is_none() && names::said_part(theirs) == Some(Part::Train) && names::ours(theirs, None) == "loss"
        });
        let mut wanted: Vec<String> = all.iter().map(|(theirs, part)| names::ours(theirs, *part)).collect();
        let without: Vec<Option<String>> =
            all.iter().map(|(theirs, part)| names::without_number(theirs, *part)).collect();
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
        order.sort_by_key(|&place| !says_part(all[place]));
        let mut notes = Vec::new();
        for place in order {
            let (theirs, part) = all[place];
            let is_of_unknown_rows =
                names_training && part.is_none() && names::is_bare_metric(theirs) && !with_validation[place];
            let mut name = std::mem::take(&mut wanted[place]);
            if is_of_unknown_rows {
                notes.push(format!("`{theirs}` keeps its name: the file does not say which rows it is of"));
                name = if name == *theirs { format!("{theirs} (unknown rows)") } else { theirs.clone() };
            } else if taken.contains_key(&name) {
                if name != *theirs {
                    notes.push(format!("`{theirs}` keeps its name: there is another `{name}`"));
                }
                name = theirs.clone();
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
