//! `live.jsonl`: the metrics of a run in training, one line of JSON per epoch, for programs that follow a run.
//!
//! A stack begins with `{"trials": ["seed0", "seed1"], "epochs": 30}`. Each epoch adds `{"epoch": 1, "seconds": 0.21,
//! "metrics": {"loss": [0.52, 0.49], …}}` with a value for each trial, `null` if it did not train. A resumed run adds lines
//! to the file, so the last line of an epoch counts. The last line may be incomplete. The file is removed when the run is
//! finished: its histories have the same values.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::history::number::Number;
use crate::run_dir::RunDir;
use crate::run_dir::live_tail::FILE;
use crate::train::callback::EpochReport;

/// Maximum time that a line waits to be written together with later ones.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// Writer of the file. After an error it writes nothing until the next stack: the histories are what counts.
#[derive(Debug)]
pub struct LiveLog<'a> {
    folder: &'a RunDir,
    file: Option<BufWriter<File>>,
    flushed: Instant,
}

impl<'a> LiveLog<'a> {
    /// Creates the writer for this run directory. The file is created when the first stack starts.
    pub fn new(folder: &'a RunDir) -> LiveLog<'a> {
        LiveLog { folder, file: None, flushed: Instant::now() }
    }

    /// Adds the start of a stack: the names of its trials and its number of epochs.
    pub fn start_stack(&mut self, trials: &[String], epochs: usize) {
        if self.file.is_none() && self.folder.may_write() {
            self.file = open(&self.folder.file(FILE)).ok().map(BufWriter::new);
        }
        self.write(&json!({ "trials": trials, "epochs": epochs }));
    }

    /// Adds an epoch.
    pub fn add(&mut self, report: &EpochReport) {
        if self.file.is_none() {
            return;
        }
        let of_trials = |values: &[f64]| {
            let trained = values.iter().zip(&report.trained);
            trained.map(|(&value, &trained)| json!(trained.then_some(Number(value)))).collect::<Value>()
        };
        let metrics: Value = report.metrics.iter().map(|(name, values)| (name.as_str(), of_trials(values))).collect();
        self.write(&json!({ "epoch": report.epoch, "seconds": report.seconds, "metrics": metrics }));
    }

    fn write(&mut self, line: &Value) {
        let Some(file) = &mut self.file else { return };
        let mut text = serde_json::to_vec(line).expect("a line has JSON types only");
        text.push(b'\n');
        let is_due = self.flushed.elapsed() >= FLUSH_INTERVAL;
        if is_due && !self.folder.may_write() {
            self.discard();
            return;
        }
        let mut written = file.write_all(&text);
        if is_due {
            written = written.and_then(|()| file.flush());
            self.flushed = Instant::now();
        }
        if written.is_err() {
            self.file = None;
        }
    }

    /// Closes the file without the lines that are not written yet.
    fn discard(&mut self) {
        drop(self.file.take().map(BufWriter::into_parts));
    }
}

impl Drop for LiveLog<'_> {
    /// Writes the last lines, unless another process has taken over the run.
    fn drop(&mut self) {
        if self.file.is_some() && !self.folder.may_write() {
            self.discard();
        }
    }
}

/// Opens a file to add lines at its end. An incomplete last line is ended.
fn open(path: &Path) -> std::io::Result<File> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::run_dir::lease_check::LeaseCheck;

    fn report(epoch: usize) -> EpochReport {
        EpochReport {
            epoch,
            epochs: 3,
            metrics: vec![("loss".to_owned(), vec![0.5, f64::NAN, 2.0])],
            seconds: 0.25,
            trained: vec![true, true, false],
            training: vec![true, false, false],
        }
    }

    /// Opens a run directory of which this process is the writer as long as the flag is set.
    fn open_dir(folder: &Path, is_held: &Arc<AtomicBool>) -> RunDir {
        let is_held = Arc::clone(is_held);
        RunDir::open_leased(folder, LeaseCheck::new(move || is_held.load(Ordering::Relaxed))).unwrap()
    }

    #[test]
    fn lines_have_a_value_for_each_trial_and_follow_an_incomplete_one() {
        let folder = tempfile::tempdir().unwrap();
        let run = open_dir(folder.path(), &Arc::new(AtomicBool::new(true)));
        let mut log = LiveLog::new(&run);
        log.start_stack(&["seed0".to_owned(), "seed1".to_owned(), "seed2".to_owned()], 3);
        log.add(&report(1));
        drop(log);
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        let first = "{\"trials\":[\"seed0\",\"seed1\",\"seed2\"],\"epochs\":3}\n";
        let epoch = "{\"epoch\":1,\"seconds\":0.25,\"metrics\":{\"loss\":[0.5,\"nan\",null]}}\n";
        assert_eq!(text, format!("{first}{epoch}"));
        std::fs::write(&path, &text[..text.len() - 9]).unwrap(); // killed while it was written
        let mut resumed = LiveLog::new(&run);
        resumed.start_stack(&[], 3);
        resumed.add(&report(1));
        drop(resumed);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().last().map(|line| format!("{line}\n")).as_deref(), Some(epoch));
        assert_eq!(text.lines().count(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_written_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(FILE)).unwrap();
        let run = open_dir(folder.path(), &Arc::new(AtomicBool::new(true)));
        LiveLog::new(&run).start_stack(&[], 1);
    }

    #[test]
    fn a_process_that_has_lost_the_lease_adds_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let is_held = Arc::new(AtomicBool::new(true));
        let run = open_dir(folder.path(), &is_held);
        let mut log = LiveLog::new(&run);
        log.start_stack(&["seed0".to_owned()], 3);
        let path = folder.path().join(FILE);
        let before = std::fs::read(&path).unwrap();
        is_held.store(false, Ordering::Relaxed);
        log.add(&report(1));
        drop(log);
        let mut later = LiveLog::new(&run);
        later.start_stack(&["seed0".to_owned()], 3);
        later.add(&report(2));
        drop(later);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
