//! The hash that tells whether a checkpoint was written with the same settings and data.

use anyhow::Context;

use crate::data::store::checksum::sha256;
use crate::experiment::plan::Plan;
use crate::experiment::spec::former_keys;

/// A trial as it enters the hash: its plan and the checksum of its data.
pub type HashedTrial<'a> = (&'a Plan, &'a str);

/// SHA-256 over the settings and the data of each trial, independent of where the data files are.
///
/// # Errors
/// When the settings cannot be serialized.
pub fn settings_hash(trials: &[HashedTrial]) -> anyhow::Result<String> {
    hash_with_paths(trials, |path| path.clear())
}

/// The same hash as older versions computed it: with the paths of data files as in the experiment, relative to an
/// unknown directory. Returns one hash per candidate directory.
pub fn hashes_of_older_versions<'a>(
    trials: &'a [HashedTrial<'a>],
) -> impl Iterator<Item = anyhow::Result<String>> + 'a {
    let mut data = trials[0].0.spec.data.clone();
    let path = data.paths_mut().into_iter().next().map(|(_, path)| path.clone()).unwrap_or_default();
    let ends: Vec<usize> =
        path.char_indices().filter(|(_, c)| std::path::is_separator(*c)).map(|(at, _)| at + 1).collect();
    std::iter::once(0).chain(ends).map(move |end| {
        hash_with_paths(trials, |written| {
            if let Some(relative) = written.strip_prefix(&path[..end]) {
                *written = relative.to_owned();
            }
        })
    })
}

/// SHA-256 over the settings and the data of each trial, after `change` was applied to the paths of its data files.
fn hash_with_paths(trials: &[HashedTrial], change: impl Fn(&mut String)) -> anyhow::Result<String> {
    let hashed = trials.iter().map(|(plan, data)| {
        let mut written = plan.spec.clone();
        written.data.paths_mut().into_iter().for_each(|(_, path)| change(path));
        let initial = written.network.as_mut().and_then(|network| network.from.as_mut());
        initial.into_iter().for_each(|initial| initial.file = None); // its checksum identifies it
        let mut spec = serde_json::to_value(&written)?;
        former_keys::rename_to_former(&mut spec);
        if plan.has_constant_momentum() {
            // its checkpoints are from a version without these settings
            let one_cycle = spec.pointer_mut("/train/schedule/one_cycle").and_then(serde_json::Value::as_object_mut);
            one_cycle.into_iter().for_each(|settings| settings.retain(|key, _| !key.ends_with("_momentum")));
        }
        Ok((spec, data))
    });
    let written = hashed.collect::<Result<Vec<_>, serde_json::Error>>().and_then(|each| serde_json::to_vec(&each));
    Ok(sha256(&written.context("failed to serialize the settings")?))
}
