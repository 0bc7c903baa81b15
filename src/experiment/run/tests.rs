use std::path::Path;
use std::sync::atomic::Ordering;

use tch::Device;

use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::checkpointing::{self, CheckpointInterval};
use crate::experiment::run::progress::{RunProgress, StackInfo};
use crate::experiment::run::{Finished, Options, run};
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::store::run_record::RunRecord;
use crate::history::History;
use crate::io::signals::Signals;
use crate::train::callback::{self, EpochReport};
use crate::train::state::timing::Timing;

/// Shows nothing, and stops the run after its second epoch or when a stack has ended.
struct Silent<'a> {
    signals: &'a Signals,
    stops_in_stack: bool,
    /// For each notification, whether a signal would have stopped the run gracefully.
    is_graceful: Vec<bool>,
}

impl Silent<'_> {
    fn record_graceful(&mut self) {
        self.is_graceful.push(self.signals.training.load(Ordering::Relaxed));
    }
}

impl RunProgress for Silent<'_> {
    fn starting(&mut self, _plans: &[&Plan], _stack: &StackInfo) {
        self.record_graceful();
    }
}

impl callback::Callback for Silent<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        self.record_graceful();
        if report.epoch == 2 && self.stops_in_stack {
            self.signals.stop.store(true, Ordering::Relaxed);
        }
    }

    fn phases(&mut self, _phases: &Timing) {
        self.signals.stop.store(true, Ordering::Relaxed);
    }
}

impl DownloadProgress for Silent<'_> {
    fn doing(&mut self, _what: &str) {}

    fn progress(&mut self, _bytes: u64, _of: Option<u64>) {}
}

/// Runs an experiment on digits that is stopped after its second epoch. Also returns whether a stop would have been
/// graceful at its start and after each epoch.
pub(in crate::experiment) fn interrupted(out: &Path, checkpoint_interval: CheckpointInterval) -> (Finished, Vec<bool>) {
    stopped(out, checkpoint_interval, "", true)
}

fn stopped(
    out: &Path,
    checkpoint_interval: CheckpointInterval,
    variants: &str,
    stops_in_stack: bool,
) -> (Finished, Vec<bool>) {
    let text = "title = \"t\"\n[data.digits]\n[network]\nlayers = [{ linear = 10 }]\n[train]\nepochs = 9\nbatch = 500\n\
                loss = \"cross_entropy\"\noptimizer = \"adam\"\n";
    let source = SourceText {
        name: "t".to_owned(),
        origin: "t.toml".to_owned(),
        text: format!("{text}{variants}"),
        ..SourceText::default()
    };
    let study = Study::new(&source, &[]).unwrap();
    let signals = Signals::default();
    let cache = Cache::for_user();
    let options = Options {
        device: Device::Cpu,
        threads: 1,
        stack: None,
        narrows: true,
        checkpoint_interval,
        events: None,
        cache: &cache,
        signals: &signals,
    };
    let mut watch = Silent { signals: &signals, stops_in_stack, is_graceful: Vec::new() };
    let finished = run(&study, out, &options, &mut watch).unwrap();
    (finished, watch.is_graceful)
}

#[test]
fn a_stop_is_graceful_without_a_progress_bar() {
    let out = tempfile::tempdir().unwrap();
    let (finished, is_graceful) = interrupted(out.path(), CheckpointInterval::Never);
    assert_eq!(is_graceful, [true; 3]);
    assert!(finished.interrupted);
    assert_eq!(finished.checkpoint, Some(2), "known without reading it");
    for name in [checkpointing::FILE, "base-seed0.json", "base-seed0.safetensors"] {
        assert!(finished.folder.file(name).is_file(), "{name}");
    }
}

#[test]
fn a_stop_between_two_variants_leaves_what_is_done_and_what_is_left() {
    let out = tempfile::tempdir().unwrap();
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.epochs\" = 3 }\n";
    let (finished, is_graceful) = stopped(out.path(), CheckpointInterval::Never, variants, false);
    assert_eq!(is_graceful, [true; 10], "one start and nine epochs");
    assert!(finished.interrupted);
    let names: Vec<String> = finished.histories.iter().map(History::stem).collect();
    assert_eq!(names, ["a-seed0"]);
    assert!(!RunRecord::read(finished.folder.path()).unwrap().finished);
}
