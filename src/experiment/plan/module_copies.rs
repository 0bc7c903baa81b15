//! Copies of the files of modules written in PyTorch in the directory of a run, so that the run can be resumed, evaluated
//! and repeated after the originals have changed.

use std::path::Path;

use anyhow::Context;

use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::network::torchscript::module_file::{ModuleCopy, ModuleFile};

/// Returns the copies that a run of this study has, each once.
pub fn of(study: &Study) -> Vec<ModuleCopy> {
    let mut copies: Vec<ModuleCopy> = files(study).map(|file| file.copy_in(Path::new(""))).collect();
    copies.sort_by(|a, b| a.path.cmp(&b.path));
    copies.dedup();
    copies
}

/// Returns the names and contents of the copies.
///
/// # Errors
/// When a file cannot be read, or has changed since the experiment was read.
pub fn read(study: &Study) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut copies: Vec<(String, Vec<u8>)> = Vec::new();
    for file in files(study) {
        let name = file.copy_in(Path::new("")).file;
        if copies.iter().all(|(known, _)| *known != name) {
            copies.push((name, file.read().context("failed to copy the TorchScript file into the run")?));
        }
    }
    Ok(copies)
}

/// Returns the files of all variants.
fn files(study: &Study) -> impl Iterator<Item = &ModuleFile> {
    study.plans.iter().flat_map(Plan::modules).flat_map(|(_, module)| module.files())
}
