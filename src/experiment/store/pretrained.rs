//! Finds the weights of `[network] from`, checks that they fit the network, and records their checksum, so that a resumed
//! or repeated run starts from the same weights.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use safetensors::tensor::SafeTensors;

use crate::config::hint::Hint;
use crate::data::store::checksum::sha256;
use crate::experiment::plan::Plan;
use crate::experiment::store::best_trial::best_of;
use crate::experiment::store::find::SavedRun;
use crate::io::bounded_file;
use crate::network::initial_weights::InitialWeights;
use crate::network::stack::Architecture;

/// Maximum size of a weights file in bytes.
const MOST_BYTES: u64 = 16 << 30;

/// Finds and checks the initial weights of each plan that has some; `runs` is the directory of the runs. A file that is
/// already recorded must be unchanged.
///
/// # Errors
/// When there is no such run or file, the file has changed, or layers differ from those of the network.
pub fn resolve(plans: &mut [Plan], runs: &Path) -> anyhow::Result<()> {
    for plan in plans {
        let Some(from) = plan.initial_weights() else { continue };
        let count = plan.network().map_or(0, |network| network.architecture.layers().len());
        if let Some(unknown) = from.except.iter().find(|&&layer| layer >= count) {
            bail!(
                "`network.from.except` names layer {unknown}; the network has layers 0 to {}",
                count.saturating_sub(1)
            );
        }
        let found = find(from, plan, runs);
        let what = || format!("failed to load the initial weights (`network.from`) of `{}`", plan.name);
        let found = found.with_context(what)?;
        plan.set_initial_weights(&found);
    }
    Ok(())
}

/// Reads a recorded weights file.
///
/// # Errors
/// When it cannot be read, or has changed.
pub fn read(from: &InitialWeights) -> anyhow::Result<Vec<u8>> {
    let file = from.file.as_deref().with_context(|| format!("the weights of `{}` were not looked up", from.run))?;
    read_file(Path::new(file), from.sha256.as_deref()).map(|(bytes, _)| bytes)
}

/// Returns the initial weights with their file and its checksum.
fn find(from: &InitialWeights, plan: &Plan, runs: &Path) -> anyhow::Result<InitialWeights> {
    let file = match &from.file {
        Some(file) => PathBuf::from(file),
        None => weights_file(&from.run, runs)?,
    };
    let (bytes, sum) = read_file(&file, from.sha256.as_deref())?;
    let network = plan.network().expect("only networks have initial weights");
    check_layers(&bytes, &file, from, &network.architecture)?;
    let file = file.canonicalize().unwrap_or(file);
    Ok(InitialWeights { file: Some(file.display().to_string()), sha256: Some(sum), ..from.clone() })
}

/// Returns the weights file of the best trial of a run, or the file itself.
fn weights_file(named: &str, runs: &Path) -> anyhow::Result<PathBuf> {
    let path = Path::new(named);
    if path.extension().is_some_and(|extension| extension == "safetensors") && path.is_file() {
        return Ok(path.to_path_buf());
    }
    let run = SavedRun::find(named, runs)?;
    let best = best_of(&run.trials).expect("a run has a trial");
    let weights = best.trial.weights();
    ensure!(weights.is_file(), "trial `{}` has no weights: there is no `{}`", best.trial.stem(), weights.display());
    Ok(weights)
}

/// Reads a file and its SHA-256, which must be `wanted`.
fn read_file(file: &Path, wanted: Option<&str>) -> anyhow::Result<(Vec<u8>, String)> {
    let shown = file.display();
    let bytes = bounded_file::read(file, MOST_BYTES).with_context(|| format!("failed to read `{shown}`"))?;
    let found = sha256(&bytes);
    let short = |sum: &str| sum.chars().take(12).collect::<String>();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
        let message = format!(
            "`{shown}` has changed: the SHA-256 of these weights was {}… and is now {}…",
            short(wanted),
            short(&found)
        );
        return Err(anyhow!(message).context(Hint("restore the file, or start a new run with `runner exp`".to_owned())));
    }
    Ok((bytes, found))
}

/// Checks that the file has the network's parameters and buffers, and no others, except in the layers that are left out.
fn check_layers(bytes: &[u8], path: &Path, from: &InitialWeights, network: &Architecture) -> anyhow::Result<()> {
    let (count, shown) = (network.layers().len(), path.display());
    let file = SafeTensors::deserialize(bytes).with_context(|| format!("failed to read `{shown}`"))?;
    let wanted = network.state_shapes();
    let mut lines = Vec::new();
    let mut layers: BTreeSet<usize> = from.except.iter().copied().collect();
    let mut differ = |name: &str, line: String| {
        layers.extend(
            name.split('.').next().and_then(|layer| layer.parse::<usize>().ok()).filter(|&layer| layer < count),
        );
        lines.push(line);
    };
    for (name, shape) in wanted.iter().filter(|(name, _)| !from.excepts(name)) {
        match file.tensor(name) {
            Ok(found) if found.shape() == shape => {}
            Ok(found) => {
                differ(name, format!("`{name}` is {shape:?} in the network and {:?} in the file", found.shape()))
            }
            Err(_) => differ(name, format!("`{name}` is {shape:?} in the network and missing in the file")),
        }
    }
    let mut others: Vec<&str> = file.names().into_iter().collect();
    others.sort_unstable();
    for name in others.into_iter().filter(|name| !from.excepts(name)) {
        if wanted.iter().all(|(known, _)| known != name) {
            differ(name, format!("`{name}` is in the file, but not in the network"));
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let except = layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let hint = format!("leave these layers out: `from = {{ run = \"{}\", except = [{except}] }}`", from.run);
    Err(anyhow!("layers of the network differ from `{shown}`:\n  {}", lines.join("\n  ")).context(Hint(hint)))
}
