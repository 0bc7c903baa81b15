//! Histories of `runner`, of other programs, and of TensorBoard.

use std::path::Path;

use runner::compare::comparison::compare;
use runner::compare::find::find;
use runner::compare::group::Group;
use runner::compare::trial::Axis;
use runner::compare::{caution, comparison, differing_settings};
use runner::experiment::store::find::SavedRun;
use runner::experiment::store::load_model::TrainedModel;
use runner::export;
use runner::plot::charts::scores::thresholds;
use runner::plot::charts::{curves, layers, run_plots, setting, strip_plot};
use runner::plot::draw::page::PageOptions;
use runner::report::page;
use tch::Device;

use super::folder::file;

/// A history of `runner`: read, rebuilt into its plan, exported, compared with another, drawn and reported.
pub fn history(bytes: &[u8]) {
    let other = file("other.json", include_bytes!("../../../../fuzz/corpus/history/mlp_xor.json"));
    let path = file("base-seed0.json", bytes);
    if let Ok(run) = SavedRun::find(&path.to_string_lossy(), Path::new("nowhere")) {
        let _ = TrainedModel::load(&run.trials[0], Device::Cpu); // fails without weights, but builds the plan first
        let trials: Vec<export::files::Trial> = run
            .trials
            .iter()
            .map(|trial| export::files::Trial { stem: trial.stem(), history: &trial.history })
            .collect();
        for format in [export::Format::TensorBoard, export::Format::Csv, export::Format::Keras] {
            for file in format.files(&trials).into_iter().flatten() {
                assert!(file.path.is_relative() && !file.path.starts_with(".."), "{}", file.path.display());
            }
        }
        let histories: Vec<_> = run.trials.into_iter().map(|trial| trial.history).collect();
        run_plots::draw(&histories).into_iter().filter_map(|(_, drawn)| drawn.ok()).for_each(|drawn| {
            drawn.svg.finish();
        });
    }
    run_all_commands(&[&other, &path]);
}

/// Does what the commands that read histories do.
fn run_all_commands(paths: &[&Path]) {
    let names: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let Ok(found) = find(&names, Path::new("nowhere")) else { return };
    page::html(&found);
    let groups: &[Group] = &found.groups;
    if groups.len() > 1 {
        let asked = comparison::CompareOptions::default();
        let _ = compare(groups, &asked)
            .map(|comparison| serde_json::to_string(&comparison).expect("the comparison can be serialized"));
    }
    caution::find_cautions(groups, true);
    differing_settings::differing(groups);
    for x in [Axis::Epoch, Axis::Step, Axis::Seconds] {
        let _ = curves::draw(groups, &curves::Options { x, ..curves::Options::default() }).map(|it| it.svg.finish());
        let _ = layers::draw(groups, &layers::Options { x, ..layers::Options::default() }).map(|it| it.svg.finish());
    }
    let _ = thresholds::draw(groups, &PageOptions::default()).map(|drawn| drawn.svg.finish());
    let _ = setting::draw(groups, &setting::Options::default()).map(|drawn| drawn.svg.finish());
    let _ = strip_plot::draw(groups, None, &PageOptions::default()).map(|drawn| drawn.svg.finish());
}

/// A history of another program. The first byte selects the extension `.json` or `.csv`.
pub fn foreign(bytes: &[u8]) {
    let [ending, text @ ..] = bytes else { return };
    let path = file(if ending % 2 == 0 { "log.json" } else { "log.csv" }, text);
    run_all_commands(&[&path]);
}

/// A TensorBoard event file. If the first byte is odd, the rest is split into records with correct checksums; a byte
/// before each record gives its length.
pub fn events(bytes: &[u8]) {
    let [how, rest @ ..] = bytes else { return };
    let mut framed = Vec::new();
    if how % 2 == 0 {
        framed.extend_from_slice(rest);
    } else {
        let masked = |bytes: &[u8]| crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
        let mut rest = rest;
        while let [length, behind @ ..] = rest {
            let (record, behind) = behind.split_at(usize::from(*length).min(behind.len()));
            let length = (record.len() as u64).to_le_bytes();
            framed.extend([&length[..], &masked(&length), record, &masked(record)].concat());
            rest = behind;
        }
    }
    run_all_commands(&[&file("events.out.tfevents.1", &framed)]);
}
