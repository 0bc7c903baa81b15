//! Reader of `live.jsonl`, the metrics of a run in training, for programs that follow a run.
//!
//! Each call reads only the bytes that were added since the last one, with plain file operations, so that it works on
//! network disks. An incomplete last line is left for the next call. A file that shrank or was replaced is read from its
//! beginning.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Deserialize;

use crate::history::curves::Curves;
use crate::history::number::Number;

/// Name of the file in the run directory.
pub const FILE: &str = "live.jsonl";

/// Name of the series with the duration of each epoch, as in histories.
const SECONDS: &str = "seconds";

/// Maximum number of bytes that one call reads. A longer line is skipped.
const MOST_BYTES: u64 = 8 << 20;

/// Curves of the trials of one run, updated from its file.
#[derive(Debug, Default)]
pub struct LiveTail {
    path: PathBuf,
    file: Option<FileId>,
    /// Number of bytes that are read.
    offset: u64,
    /// Whether the bytes at the offset belong to a line that is too long.
    skips_line: bool,
    trials: Vec<LiveTrial>,
    places: HashMap<String, usize>,
    stack: Stack,
}

/// Curves of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveTrial {
    /// Name of the trial, as of its history file: `base-seed0`.
    pub name: String,
    /// Number of epochs that it is to train.
    pub epochs: usize,
    /// The metrics of the epochs so far. All series have one value per epoch; NaN if the file has none.
    pub curves: Curves,
}

/// Result of [`LiveTail::update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// The file is as before.
    Unchanged,
    /// Epochs or trials were added.
    Added,
    /// The file was replaced or removed: all curves before it are dropped.
    Restarted,
}

/// The stack in training.
#[derive(Debug, Default)]
struct Stack {
    /// Indices of its trials.
    trials: Vec<usize>,
    /// Last epoch and number of epochs.
    epoch: usize,
    epochs: usize,
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Stack { trials: Vec<String>, epochs: usize },
    Epoch { epoch: usize, seconds: f64, metrics: IndexMap<String, Vec<Option<Number>>> },
}

/// What tells a file from another one with the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> FileId {
        use std::os::unix::fs::MetadataExt;
        FileId(metadata.dev(), metadata.ino())
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> FileId {
        let created = metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        FileId(0, created.map_or(0, |time| time.as_nanos() as u64))
    }
}

impl LiveTail {
    /// Returns a reader for the run in this directory. It reads nothing yet.
    pub fn new(run: &Path) -> LiveTail {
        LiveTail { path: run.join(FILE), ..LiveTail::default() }
    }

    /// Reads what was added to the file. A missing file has no trials: it is created when training starts, and removed
    /// when the run is finished.
    ///
    /// # Errors
    /// When the file exists and cannot be read. The curves so far remain.
    pub fn update(&mut self) -> Result<Update, Error> {
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Ok(self.restart()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(self.restart());
            }
            Err(error) => return Err(error),
        };
        if self.file == Some(FileId::of(&metadata)) && metadata.len() == self.offset {
            return Ok(Update::Unchanged);
        }
        let mut file = File::open(&self.path)?;
        let metadata = file.metadata()?; // of the file that is open: the name may be another file's by now
        let id = FileId::of(&metadata);
        let mut update = Update::Unchanged;
        if self.file != Some(id) || metadata.len() < self.offset {
            update = self.restart();
            self.file = Some(id);
        }
        file.seek(SeekFrom::Start(self.offset))?;
        loop {
            let mut bytes = Vec::new();
            (&mut file).take(MOST_BYTES).read_to_end(&mut bytes)?;
            let is_full = bytes.len() as u64 == MOST_BYTES;
            let Some(end) = memchr::memrchr(b'\n', &bytes) else {
                if is_full {
                    self.offset += MOST_BYTES;
                    self.skips_line = true;
                    continue;
                }
                return Ok(update);
            };
            for line in bytes[..end].split(|&byte| byte == b'\n') {
                let is_rest = std::mem::take(&mut self.skips_line);
                if !is_rest && self.add(line) && update == Update::Unchanged {
                    update = Update::Added;
                }
            }
            self.offset += end as u64 + 1;
            if !is_full {
                return Ok(update);
            }
            file.seek(SeekFrom::Start(self.offset))?;
        }
    }

    /// Returns the curves of all trials in the file, in the order of their first stack.
    pub fn trials(&self) -> &[LiveTrial] {
        &self.trials
    }

    /// Returns the trials of the stack in training.
    pub fn in_training(&self) -> impl Iterator<Item = &LiveTrial> {
        self.stack.trials.iter().map(|&place| &self.trials[place])
    }

    /// Returns the last epoch and the number of epochs of the stack in training.
    pub fn progress(&self) -> Option<(usize, usize)> {
        (self.stack.epochs > 0).then_some((self.stack.epoch, self.stack.epochs))
    }

    /// Drops everything that was read.
    fn restart(&mut self) -> Update {
        let had_any = self.file.is_some();
        *self = LiveTail { path: std::mem::take(&mut self.path), ..LiveTail::default() };
        if had_any { Update::Restarted } else { Update::Unchanged }
    }

    /// Adds a line. Returns whether it was complete; others are left out, as the last line of a killed process.
    fn add(&mut self, line: &[u8]) -> bool {
        match serde_json::from_slice(line) {
            Ok(Line::Stack { trials, epochs }) => {
                let places = trials.into_iter().map(|name| self.place(name, epochs)).collect();
                self.stack = Stack { trials: places, epoch: 0, epochs };
                true
            }
            Ok(Line::Epoch { epoch, seconds, metrics }) => {
                if metrics.values().any(|values| values.len() != self.stack.trials.len()) {
                    return false;
                }
                self.stack.epoch = epoch;
                for (number, &place) in self.stack.trials.iter().enumerate() {
                    let values = metrics.iter().filter_map(|(name, values)| Some((name.as_str(), values[number]?.0)));
                    let mut row: Vec<(&str, f64)> = values.collect();
                    if !row.is_empty() {
                        if !metrics.contains_key(SECONDS) {
                            row.push((SECONDS, seconds));
                        }
                        add_epoch(&mut self.trials[place].curves, epoch, &row);
                    }
                }
                true
            }
            Err(_) => false,
        }
    }

    /// Returns the index of a trial, which is added if it is new.
    fn place(&mut self, name: String, epochs: usize) -> usize {
        if let Some(&place) = self.places.get(&name) {
            self.trials[place].epochs = epochs;
            return place;
        }
        let place = self.trials.len();
        self.places.insert(name.clone(), place);
        self.trials.push(LiveTrial { name, epochs, curves: Curves::default() });
        place
    }
}

/// Adds an epoch. If a resumed run trains it again, it replaces the epochs from there on.
fn add_epoch(curves: &mut Curves, epoch: usize, row: &[(&str, f64)]) {
    let kept = curves.epoch.partition_point(|&other| other < epoch);
    if kept < curves.epoch.len() {
        curves.epoch.truncate(kept);
        curves.series.values_mut().for_each(|values| values.truncate(kept));
    }
    for (name, _) in row {
        if !curves.series.contains_key(*name) {
            curves.series.insert((*name).to_owned(), vec![Number(f64::NAN); kept]);
        }
    }
    curves.push(epoch, row);
    curves.series.values_mut().for_each(|values| values.resize(kept + 1, Number(f64::NAN)));
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const STACK: &str = "{\"trials\":[\"base-seed0\",\"base-seed1\"],\"epochs\":3}\n";

    fn epoch(number: usize, first: &str, second: &str) -> String {
        format!("{{\"epoch\":{number},\"seconds\":0.5,\"metrics\":{{\"loss\":[{first},{second}]}}}}\n")
    }

    fn append(folder: &Path, text: &str) {
        let mut file = File::options().append(true).create(true).open(folder.join(FILE)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn loss(tail: &LiveTail, trial: usize) -> (Vec<usize>, Vec<f64>) {
        let curves = &tail.trials()[trial].curves;
        (curves.epoch.clone(), curves.metric("loss").unwrap_or_default())
    }

    #[test]
    fn added_lines_are_read_once_and_a_torn_one_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let mut tail = LiveTail::new(folder.path());
        assert_eq!(tail.update().unwrap(), Update::Unchanged);
        assert_eq!(tail.progress(), None);
        let second = epoch(2, "0.4", "null");
        append(folder.path(), &format!("{STACK}{}{}", epoch(1, "0.5", "\"nan\""), &second[..20]));
        assert_eq!(tail.update().unwrap(), Update::Added);
        assert_eq!(loss(&tail, 0), (vec![1], vec![0.5]));
        assert!(loss(&tail, 1).1[0].is_nan());
        assert_eq!(tail.update().unwrap(), Update::Unchanged);
        append(folder.path(), &second[20..]);
        assert_eq!(tail.update().unwrap(), Update::Added);
        assert_eq!(loss(&tail, 0), (vec![1, 2], vec![0.5, 0.4]));
        assert_eq!(loss(&tail, 1).0, [1], "a trial that did not train has no epoch");
        assert_eq!(tail.trials()[0].curves.metric("seconds").unwrap(), [0.5, 0.5]);
        assert_eq!(tail.progress(), Some((2, 3)));
        assert_eq!(tail.in_training().count(), 2);
        assert_eq!(tail.update().unwrap(), Update::Unchanged);
    }

    #[test]
    fn a_resumed_run_replaces_the_epochs_that_it_trains_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut tail = LiveTail::new(folder.path());
        append(folder.path(), &format!("{STACK}{}{}{{\"ep\n", epoch(1, "5", "6"), epoch(2, "4", "5")));
        append(folder.path(), &format!("{STACK}{}", epoch(2, "3", "2")));
        tail.update().unwrap();
        assert_eq!(loss(&tail, 0), (vec![1, 2], vec![5.0, 3.0]));
        assert_eq!(loss(&tail, 1), (vec![1, 2], vec![6.0, 2.0]));
        append(folder.path(), &epoch(1, "9", "9"));
        tail.update().unwrap();
        assert_eq!(loss(&tail, 0), (vec![1], vec![9.0]));
    }

    #[test]
    fn a_file_that_shrank_or_was_replaced_is_read_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut tail = LiveTail::new(folder.path());
        append(folder.path(), &format!("{STACK}{}{}", epoch(1, "5", "6"), epoch(2, "4", "5")));
        tail.update().unwrap();
        std::fs::write(&path, format!("{STACK}{}", epoch(1, "7", "8"))).unwrap();
        assert_eq!(tail.update().unwrap(), Update::Restarted);
        assert_eq!(loss(&tail, 0), (vec![1], vec![7.0]));
        // another file of the same length
        let other = folder.path().join("other");
        std::fs::write(&other, format!("{STACK}{}", epoch(1, "1", "2"))).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(tail.update().unwrap(), Update::Restarted);
        assert_eq!(loss(&tail, 0), (vec![1], vec![1.0]));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(tail.update().unwrap(), Update::Restarted);
        assert!(tail.trials().is_empty() && tail.progress().is_none());
        assert_eq!(tail.update().unwrap(), Update::Unchanged);
        std::fs::create_dir(&path).unwrap();
        assert_eq!(tail.update().unwrap(), Update::Unchanged);
    }

    #[test]
    fn lines_that_do_not_fit_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut tail = LiveTail::new(folder.path());
        let wide = "{\"epoch\":1,\"seconds\":1,\"metrics\":{\"loss\":[1,2,3]}}\n";
        append(folder.path(), &format!("{}{STACK}{wide}\u{0}\n[]\n", epoch(1, "1", "2")));
        tail.update().unwrap();
        assert_eq!(loss(&tail, 0), (vec![], vec![]));
        // a metric that is not there in each epoch
        append(folder.path(), &epoch(1, "1", "2"));
        append(folder.path(), "{\"epoch\":2,\"seconds\":1,\"metrics\":{\"acc\":[1,2]}}\n");
        tail.update().unwrap();
        let series = &tail.trials()[1].curves.series;
        assert!(series.values().all(|values| values.len() == 2), "{series:?}");
        assert!(series["loss"][1].0.is_nan() && series["acc"][0].0.is_nan() && series["acc"][1].0 == 2.0);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let mut tail = LiveTail::new(folder.path());
        append(folder.path(), STACK);
        append(folder.path(), &"x".repeat(MOST_BYTES as usize + 10));
        assert_eq!(tail.update().unwrap(), Update::Added);
        append(folder.path(), &format!("\n{}", epoch(1, "1", "2")));
        assert_eq!(tail.update().unwrap(), Update::Added);
        assert_eq!(loss(&tail, 0), (vec![1], vec![1.0]));
    }
}
