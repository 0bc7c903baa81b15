//! Rows of the table of sweeps: progress, best configuration and workers.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::config::hint::in_a_line;
use crate::experiment::store::run_id::RunEntry;
use crate::history::number::Number;
use crate::serve::table::scanned::Scanned;
use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::{SweepDir, stop_request};
use crate::sweep::labels::Labels;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::Ranking;
use crate::sweep::trial_counts::Counts;
use crate::views::document::thinning::rounded;

/// Time after which a sweep without changes is looked at again.
const NEXT_LOOK: Duration = Duration::from_secs(15);

/// Directories of a sweep whose modification times tell that something happened.
const WATCHED: [&str; 3] = ["", "ended", "claims"];

/// The sweeps that were read.
#[derive(Debug, Default)]
pub struct Sweeps(HashMap<String, Known>);

#[derive(Debug)]
struct Known {
    stamps: [Option<SystemTime>; WATCHED.len()],
    read: Instant,
    /// Whether a worker trains it.
    is_running: bool,
    /// The record and the state of a sweep that is not complete.
    open: Option<(SweepDir, SweepRecord, SweepState)>,
}

impl Sweeps {
    /// Reads the sweeps that may have changed.
    pub fn update(&mut self, entries: &BTreeMap<String, RunEntry>, scanned: &Scanned) {
        self.0.retain(|id, _| entries.contains_key(id));
        for (id, entry) in entries {
            let stamps = WATCHED.map(|name| entry.folder.join(name).metadata().and_then(|found| found.modified()).ok());
            let known = self.0.remove(id);
            let is_same = |known: &Known| {
                let rest = if known.is_running { Duration::ZERO } else { NEXT_LOOK };
                known.stamps == stamps && known.read.elapsed() < rest
            };
            if known.as_ref().is_some_and(is_same) {
                self.0.extend(known.map(|known| (id.clone(), known)));
                continue;
            }
            let before = known.filter(|known| known.stamps[0] == stamps[0]).and_then(|known| known.open);
            let (row, open, is_running) = match read(entry, before) {
                Ok((row, open, is_running)) => (row, open, is_running),
                Err(error) => (broken(entry, &error), None, false),
            };
            scanned.table().put_sweep(id, row);
            self.0.insert(id.clone(), Known { stamps, read: Instant::now(), is_running, open });
        }
    }
}

type Open = (SweepDir, SweepRecord, SweepState);

/// Reads a sweep, whose record and state may be known. Returns its row, what the next call needs, and whether a worker trains
/// it.
fn read(entry: &RunEntry, before: Option<Open>) -> anyhow::Result<(Value, Option<Open>, bool)> {
    let (dir, record, mut state) = match before {
        Some(before) => before,
        None => {
            let (dir, record) = SweepDir::open(&entry.folder)?;
            (dir, record, SweepState::default())
        }
    };
    state.update(&dir, &record)?;
    let row = row(entry, &dir, &record, &state);
    let is_running = is_running(&dir, &state);
    let open = (!state.is_over()).then_some((dir, record, state));
    Ok((row, open, is_running))
}

/// Whether a worker seems to train a sweep.
fn is_running(dir: &SweepDir, state: &SweepState) -> bool {
    state.running.iter().any(|running| running.is_alive(dir))
}

/// Returns the row of a sweep.
pub fn row(entry: &RunEntry, dir: &SweepDir, record: &SweepRecord, state: &SweepState) -> Value {
    let counts = Counts::new(record, state);
    let ranking = Ranking::new(record, &state.ended, record.higher_is_better);
    let number = |value: f64| Number(rounded(value));
    let best = ranking.best().and_then(|best| {
        let metric = best.metric.as_ref()?;
        Some(json!({
            "name": best.configuration.name, "settings": Labels::new(&record.settings).describe(&best.configuration.set),
            "mean": number(metric.mean), "std": metric.std.map(number), "n": metric.n,
        }))
    });
    let is_running = is_running(dir, state);
    let status = match (state.is_over(), is_running, stop_request::reason(dir)) {
        (true, _, _) if counts.failed > 0 => "failed stacks",
        (true, _, _) => "complete",
        (false, true, None) => "running",
        (false, true, Some(_)) => "stopping",
        (false, false, Some(_)) => "stopped",
        (false, false, None) => "no worker",
    };
    let running = state.running.iter().map(|running| {
        json!({
            "stack": running.stack, "worker": running.claim.as_ref().map(|claim| &claim.worker),
            "epoch": running.progress.map(|progress| progress.0), "epochs": running.progress.map(|progress| progress.1),
            "alive": running.is_alive(dir),
        })
    });
    json!({
        "id": entry.id, "experiment": entry.experiment, "name": entry.name, "started": record.started,
        "metric": record.metric, "higher": record.higher_is_better, "configurations": record.all_configurations(),
        "seeds": record.seeds.len(), "status": status,
        "trials": [counts.done, counts.all, counts.running, counts.failed], "stacks": [state.ended.len(), record.stacks.len()],
        "best": best, "running": running.collect::<Vec<_>>(),
    })
}

/// Returns the row of a sweep that cannot be read.
fn broken(entry: &RunEntry, error: &anyhow::Error) -> Value {
    json!({
        "id": entry.id, "experiment": entry.experiment, "name": entry.name, "status": "not readable",
        "error": in_a_line(error), "running": [], "trials": [0, 0, 0, 0],
    })
}
