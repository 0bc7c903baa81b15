//! Reads the space of a sweep from the `[sweep]` table of an experiment and the options of the command line.

use std::collections::HashSet;

use serde_json::Value;

use crate::config::suggest;
use crate::config::values::has_non_finite;
use crate::experiment::spec::overrides::check_path;
use crate::sweep::space::configurations::Space;
use crate::sweep::space::domain::Domain;
use crate::sweep::space::domain_text;
use crate::sweep::space::entry::{Condition, Entry, Values, choice_name};
use crate::sweep::space::formula::Formula;
use crate::sweep::space::keys;
use crate::sweep::space::origin::{Origin, SpaceFault};
use crate::sweep::spec::SweepSpec;

/// Returns the space of a sweep: that of the file, with the entries of the command line (`lr=0.1,0.2`) added or in place
/// of those of the file. `tree` has the settings of the experiment.
///
/// # Errors
/// If a setting does not exist or is listed twice, lists that are varied together differ in length, a condition is never
/// met, or nothing varies.
pub fn space(spec: &SweepSpec, options: &[String], tree: &Value) -> Result<Space, SpaceFault> {
    let mut entries = of_file(spec, tree)?;
    let mut of_options = HashSet::new();
    for option in options {
        let entry = of_option(option, tree)?;
        if !of_options.insert(entry.keys[0].clone()) {
            let message = format!("`{}` is in the space twice", entry.keys[0]);
            return Err(SpaceFault::new(message, "write all its values in one `--space`").at(&entry.origin));
        }
        let same = entries.iter().position(|other| other.keys.contains(&entry.keys[0]));
        match same {
            None => entries.push(entry),
            Some(place) if entries[place].is_replaceable() => entries[place] = entry,
            Some(_) => {
                let message = format!("`{}` is in `[[sweep.zip]]` or `[[sweep.when]]` of the file", entry.keys[0]);
                let hint = "change it there: `--space` replaces entries of `[sweep.space]` only";
                return Err(SpaceFault::new(message, hint).at(&entry.origin));
            }
        }
    }
    check_twice(&entries)?;
    for entry in &entries {
        check_entry(entry, &entries, tree).map_err(|fault| fault.at(&entry.origin))?;
    }
    if entries.iter().all(Entry::is_copy) {
        let hint = "add `--space KEY=VALUES`, such as `--space train.batch=32,64,128`, or a table `[sweep.space]`; to continue \
                    a sweep, name its directory: `runner sweep DIR --resume`";
        return Err(SpaceFault::new("the space is empty: no setting varies", hint));
    }
    Space::new(entries, tree.clone())
}

/// Returns the entries of the file.
fn of_file(spec: &SweepSpec, tree: &Value) -> Result<Vec<Entry>, SpaceFault> {
    let mut entries = Vec::new();
    let one = |key: &str, domain: &Domain, conditions: &[Condition], origin: Origin| {
        let key = keys::resolve(tree, key, false).map_err(|fault| fault.at(&origin))?;
        let values = Values::One(with_full_key(domain.clone(), tree, false).map_err(|fault| fault.at(&origin))?);
        Ok(Entry { keys: vec![key], values, conditions: conditions.to_vec(), origin })
    };
    for (key, domain) in &spec.space {
        entries.push(one(key, domain, &[], Origin::file(&["sweep", "space", key]))?);
    }
    for (number, lists) in spec.zip.iter().enumerate() {
        entries.push(zipped(number, lists, tree)?);
    }
    for (number, when) in spec.when.iter().enumerate() {
        let number = number.to_string();
        let conditions = when.condition.iter().map(|(key, value)| {
            let origin = Origin::file(&["sweep", "when", &number, "if", key]);
            let key = keys::resolve(tree, key, false).map_err(|fault| fault.at(&origin))?;
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            Ok(Condition { key, values })
        });
        let conditions = conditions.collect::<Result<Vec<_>, SpaceFault>>()?;
        if conditions.is_empty() {
            let origin = Origin::file(&["sweep", "when", &number]);
            let hint = "write `if = { \"train.optimizer\" = \"sgd\" }`, or move the settings to `[sweep.space]`";
            return Err(SpaceFault::new("`[[sweep.when]]` has no condition", hint).at(&origin));
        }
        for (key, domain) in &when.space {
            entries.push(one(key, domain, &conditions, Origin::file(&["sweep", "when", &number, "space", key]))?);
        }
    }
    Ok(entries)
}

/// Returns the entry of lists that are varied together.
fn zipped(number: usize, lists: &indexmap::IndexMap<String, Vec<Value>>, tree: &Value) -> Result<Entry, SpaceFault> {
    let number = number.to_string();
    let origin = Origin::file(&["sweep", "zip", &number]);
    let Some((first, values)) = lists.first() else {
        let hint = "write a list for each setting: `\"train.epochs\" = [50, 100]`";
        return Err(SpaceFault::new("`[[sweep.zip]]` is empty", hint).at(&origin));
    };
    let length = values.len();
    if length == 0 {
        let message = format!("the list of `{first}` is empty");
        return Err(SpaceFault::new(message, "write at least one value").at(&origin));
    }
    if let Some((other, list)) = lists.iter().find(|(_, list)| list.len() != length) {
        let message = format!(
            "the lists of `[[sweep.zip]]` must have the same length: `{first}` has {length}, `{other}` has {}",
            list.len()
        );
        let hint = "make the lists equally long: their first values belong together, then their second values, and so on; for all \
                    combinations, use `[sweep.space]`";
        return Err(SpaceFault::new(message, hint).at(&origin));
    }
    if let Some((key, _)) = lists.iter().find(|(_, list)| list.iter().any(has_non_finite)) {
        let message = format!("the values of `{key}` must be finite numbers, found `nan` or `inf`");
        return Err(SpaceFault::new(message, "remove it from the list").at(&origin));
    }
    let full = lists.keys().map(|key| {
        let origin = Origin::file(&["sweep", "zip", &number, key]);
        keys::resolve(tree, key, false).map_err(|fault| fault.at(&origin))
    });
    let full = full.collect::<Result<Vec<_>, SpaceFault>>()?;
    let rows = (0..length).map(|row| lists.values().map(|list| list[row].clone()).collect()).collect();
    Ok(Entry { keys: full, values: Values::Rows(rows), conditions: Vec::new(), origin })
}

/// Returns the entry of an option `KEY=VALUES`. `tree` has the settings of the experiment.
///
/// # Errors
/// If there is no such setting, or the values have none of the forms.
pub fn of_option(option: &str, tree: &Value) -> Result<Entry, SpaceFault> {
    let origin = Origin::Option(option.to_owned());
    let Some((key, values)) = option.split_once('=') else {
        let hint = "write KEY=VALUES, such as `--space train.batch=32,64` or `--space lr=log:1e-4..1e-1`";
        return Err(SpaceFault::new("`=` is missing", hint).at(&origin));
    };
    let key = keys::resolve(tree, key, true).map_err(|fault| fault.at(&origin))?;
    let domain = domain_text::parse(values).map_err(|(message, hint)| SpaceFault {
        message,
        hint,
        origin: Some(origin.clone()),
    })?;
    let domain = with_full_key(domain, tree, true).map_err(|fault| fault.at(&origin))?;
    Ok(Entry { keys: vec![key], values: Values::One(domain), conditions: Vec::new(), origin })
}

/// Returns values that copy another setting with the full key of it.
fn with_full_key(domain: Domain, tree: &Value, allows_short: bool) -> Result<Domain, SpaceFault> {
    match domain {
        Domain::Copy(formula) => {
            let key = keys::resolve(tree, &formula.key, allows_short)?;
            Ok(Domain::Copy(Formula { key, ..formula }))
        }
        other => Ok(other),
    }
}

/// Checks that no setting is in two entries, unless no configuration has both.
fn check_twice(entries: &[Entry]) -> Result<(), SpaceFault> {
    for (place, entry) in entries.iter().enumerate() {
        for (number, key) in entry.keys.iter().enumerate() {
            let twice = entry.keys[..number].contains(key)
                || entries[..place].iter().any(|other| other.keys.contains(key) && !entry.excludes(other));
            if twice {
                let message = format!("`{key}` is in the space twice");
                return Err(SpaceFault::new(message, "remove one of the entries").at(&entry.origin));
            }
        }
    }
    Ok(())
}

/// Checks that the settings of an entry exist, and that its conditions can be met.
fn check_entry(entry: &Entry, entries: &[Entry], tree: &Value) -> Result<(), SpaceFault> {
    let is_below_varied =
        |key: &str| entries.iter().flat_map(|other| &other.keys).any(|other| keys::part_below(key, other).is_some());
    let exists = |key: &str| match is_below_varied(key) {
        true => Ok(()),
        false => {
            check_path(tree, key).map_err(|error| SpaceFault { message: error.message, hint: error.hint, origin: None })
        }
    };
    entry.keys.iter().try_for_each(|key| exists(key))?;
    if let Values::One(Domain::Copy(formula)) = &entry.values
        && !entries.iter().any(|other| other.keys.contains(&formula.key))
    {
        exists(&formula.key)?;
    }
    for condition in &entry.conditions {
        let Some(other) = entries.iter().find(|other| other.keys.contains(&condition.key)) else {
            let message = format!("the condition on `{}` is constant: the setting does not vary", condition.key);
            return Err(SpaceFault::new(message, "add its values to `[sweep.space]`, or remove the condition"));
        };
        if entry.keys.contains(&condition.key) {
            let message = format!("the condition on `{}` is about the setting itself", condition.key);
            return Err(SpaceFault::new(message, "remove it, or name another setting"));
        }
        let Some(choices) = other.choices(&condition.key) else { continue };
        if let Some(never) = condition.values.iter().find(|value| {
            let one = Condition { key: condition.key.clone(), values: vec![(*value).clone()] };
            !choices.iter().any(|choice| one.allows(choice))
        }) {
            let shown: Vec<String> = choices
                .iter()
                .map(|choice| choice_name(choice).map_or_else(|| choice.to_string(), str::to_owned))
                .collect();
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            let never = never.as_str().map_or_else(|| never.to_string(), str::to_owned);
            let message = format!("the condition is never met: `{}` is never `{never}`", condition.key);
            let hint = match suggest::nearest(&never, shown.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("use {}", suggest::either(&shown)),
            };
            return Err(SpaceFault::new(message, hint));
        }
    }
    Ok(())
}
