//! The configurations of a space: the values of its settings at a position, and all combinations.
//!
//! A setting below a choice that varies, such as `train.optimizer.adam.lr` below `train.optimizer`, is varied only in
//! configurations with this choice.

use std::collections::HashSet;
use std::ops::ControlFlow;

use indexmap::IndexMap;
use serde_json::Value;

use crate::compare::settings::choice_of;
use crate::experiment::spec::aliases;
use crate::sweep::space::domain::Domain;
use crate::sweep::space::entry::{Entry, Values};
use crate::sweep::space::keys;
use crate::sweep::space::origin::SpaceFault;

/// Values of the settings of a configuration by full key. A choice precedes the settings below it.
pub type Set = IndexMap<String, Value>;

/// The settings that vary in a sweep, with their values.
#[derive(Clone, Debug)]
pub struct Space {
    entries: Vec<Entry>,
    /// Indices of the entries: each one follows those that it depends on.
    order: Vec<usize>,
    /// Axis of each entry; `None` for copies of other settings.
    axes: Vec<Option<usize>>,
    /// Settings of the experiment.
    tree: Value,
}

impl Space {
    /// Returns a space of checked entries. `tree` has the settings of the experiment.
    ///
    /// # Errors
    /// If entries depend on each other in a circle.
    pub fn new(entries: Vec<Entry>, tree: Value) -> Result<Space, SpaceFault> {
        let mut order: Vec<usize> = Vec::new();
        while order.len() < entries.len() {
            let is_ready = |place: &usize| {
                let needed = |other: usize| other == *place || order.contains(&other);
                !order.contains(place)
                    && (0..entries.len()).all(|other| needed(other) || !depends(&entries[*place], &entries[other]))
            };
            let Some(next) = (0..entries.len()).find(is_ready) else {
                let mut circle = (0..entries.len()).filter(|place| !order.contains(place)).map(|place| &entries[place]);
                let origin = circle.next().map(|entry| entry.origin.clone());
                let message = "conditions or copied values depend on each other in a circle".to_owned();
                return Err(SpaceFault { message, hint: Some("remove one of them".to_owned()), origin });
            };
            order.push(next);
        }
        let mut axes = 0..;
        let axes = entries.iter().map(|entry| if entry.is_copy() { None } else { axes.next() }).collect();
        Ok(Space { entries, order, axes, tree })
    }

    /// The entries in the order in which they are written.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Full keys of all settings that vary, in the order in which they are written.
    pub fn keys(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        self.entries.iter().flat_map(|entry| &entry.keys).filter(|key| seen.insert(*key)).cloned().collect()
    }

    /// Number of axes: entries with values of their own.
    pub fn axes(&self) -> usize {
        self.axes.iter().flatten().count()
    }

    /// Entries with values of their own, in the order of the axes.
    pub fn axis_entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is_copy())
    }

    /// Returns the values of the entry on each axis in a configuration by the places of their keys; none if the configuration
    /// does not vary it.
    pub fn values_in<'a>(&self, set: &'a Set) -> Vec<Vec<(usize, &'a Value)>> {
        let varied = (0..self.entries.len()).filter(|place| self.axes[*place].is_some());
        let values = |place: usize| {
            let keys = self.active_keys(place, set).into_iter();
            keys.filter_map(|key| Some((key, set.get(&self.entries[place].keys[key])?))).collect()
        };
        varied.map(values).collect()
    }

    /// Returns the first entry with a continuous range.
    pub fn continuous(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.count().is_none())
    }

    /// Returns the configuration at a position on each axis, between 0 and 1 (excluded).
    ///
    /// # Errors
    /// If a copied value cannot be calculated.
    pub fn at(&self, positions: &[f64]) -> Result<Set, SpaceFault> {
        self.with_values(&|axis, entry| entry.values_at_position(positions[axis]))
    }

    /// Returns the configuration that has these values of the keys of the entry on each axis.
    ///
    /// # Errors
    /// If a copied value cannot be calculated.
    pub fn with_values(&self, values: &dyn Fn(usize, &Entry) -> Vec<Value>) -> Result<Set, SpaceFault> {
        let mut set = Set::new();
        for &place in &self.order {
            let active = self.active_keys(place, &set);
            if active.is_empty() {
                continue;
            }
            let values = match self.axes[place] {
                Some(axis) => values(axis, &self.entries[place]),
                None => self.copied(place, &set)?,
            };
            insert(&mut set, &self.entries[place], &active, values);
        }
        Ok(set)
    }

    /// Calls `visit` with all combinations of values, the last setting varying fastest, until it breaks. There must be no
    /// continuous range.
    ///
    /// # Errors
    /// If a copied value cannot be calculated.
    pub fn for_each(&self, visit: &mut dyn FnMut(&Set) -> ControlFlow<()>) -> Result<(), SpaceFault> {
        self.combine(0, &Set::new(), visit).map(drop)
    }

    /// Continues [`Self::for_each`] from this place of the order on.
    fn combine(
        &self,
        depth: usize,
        set: &Set,
        visit: &mut dyn FnMut(&Set) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, SpaceFault> {
        let Some(&place) = self.order.get(depth) else { return Ok(visit(set)) };
        let (entry, active) = (&self.entries[place], self.active_keys(place, set));
        if active.is_empty() {
            return self.combine(depth + 1, set, visit);
        }
        let count = entry.count().unwrap_or(1);
        for index in 0..count {
            let values = if entry.is_copy() { self.copied(place, set)? } else { entry.values_at_index(index) };
            let mut set = set.clone();
            insert(&mut set, entry, &active, values);
            if self.combine(depth + 1, &set, visit)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Returns the indices of the keys of an entry that are varied in a configuration with these values.
    fn active_keys(&self, place: usize, set: &Set) -> Vec<usize> {
        let entry = &self.entries[place];
        if !entry.is_met(set) || self.lacks_source(entry, set) {
            return Vec::new();
        }
        (0..entry.keys.len()).filter(|index| self.is_chosen(&entry.keys[*index], set)).collect()
    }

    /// Returns whether an entry copies a setting of the space that this configuration does not have.
    fn lacks_source(&self, entry: &Entry, set: &Set) -> bool {
        let Values::One(Domain::Copy(formula)) = &entry.values else { return false };
        let is_varied = self.entries.iter().any(|other| other.keys.contains(&formula.key));
        is_varied && !set.contains_key(&formula.key)
    }

    /// Returns whether a setting exists in configurations with these values: choices above it that vary are those that it
    /// belongs to.
    fn is_chosen(&self, key: &str, set: &Set) -> bool {
        set.iter().all(|(above, value)| {
            let Some(part) = keys::part_below(key, above) else { return true };
            match value {
                Value::String(name) => current(name) == current(part),
                Value::Object(fields) if fields.len() == 1 => fields.iter().all(|(name, settings)| {
                    let is_choice = settings.is_object() || choice_of(key) == Some(above.as_str());
                    !is_choice || current(name) == current(part)
                }),
                _ => true,
            }
        })
    }

    /// Returns an entry that only some configurations have: one with conditions, or one below a choice that varies.
    pub fn conditional_entry(&self) -> Option<&Entry> {
        let is_below = |key: &String| {
            self.entries.iter().flat_map(|other| &other.keys).any(|above| keys::part_below(key, above).is_some())
        };
        self.entries.iter().find(|entry| !entry.conditions.is_empty() || entry.keys.iter().any(is_below))
    }

    /// Returns the value of an entry that copies another setting.
    fn copied(&self, place: usize, set: &Set) -> Result<Vec<Value>, SpaceFault> {
        let entry = &self.entries[place];
        let Values::One(Domain::Copy(formula)) = &entry.values else { return Ok(Vec::new()) };
        let fail = |message: String| {
            let hint = "copy a setting that all these configurations have, or use `[[sweep.when]]`".to_owned();
            SpaceFault { message, hint: Some(hint), origin: Some(entry.origin.clone()) }
        };
        let above = || {
            let (above, value) = set.iter().rev().find(|(above, _)| keys::part_below(&formula.key, above).is_some())?;
            Some(keys::value_at(value, &formula.key[above.len() + 1..]))
        };
        let value = match set.get(&formula.key) {
            Some(value) => Some(value),
            None => above().unwrap_or_else(|| keys::value_at(&self.tree, &formula.key)),
        };
        let value = value.ok_or_else(|| fail(format!("`{}`, which is copied, has no value", formula.key)))?;
        formula.apply(value).map(|value| vec![value]).map_err(fail)
    }
}

/// Returns the name of a choice for one of its names: `adamw` for `adam_w`.
fn current(name: &str) -> &str {
    aliases::current(name).next().unwrap_or(name)
}

/// Adds the values of the active keys of an entry.
fn insert(set: &mut Set, entry: &Entry, active: &[usize], values: Vec<Value>) {
    for (index, value) in values.into_iter().enumerate() {
        if active.contains(&index) {
            set.insert(entry.keys[index].clone(), value);
        }
    }
}

/// Returns whether the values of an entry can depend on those of another one.
fn depends(entry: &Entry, other: &Entry) -> bool {
    let is_above = |key: &str| other.keys.iter().any(|above| keys::part_below(key, above).is_some());
    let is_source = match &entry.values {
        Values::One(Domain::Copy(formula)) => other.keys.iter().any(|key| keys::is_within(&formula.key, key)),
        _ => false,
    };
    is_source
        || entry.keys.iter().any(|key| is_above(key))
        || entry.conditions.iter().any(|condition| other.keys.contains(&condition.key))
}
