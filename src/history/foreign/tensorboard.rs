//! TensorBoard event files: one file, or a directory of them.
//!
//! Metrics are the scalars: numbers as PyTorch writes them, or tensors as TensorFlow 2 does. A directory may have
//! subdirectories for the parts of the data: `train` and `validation` (Keras's callback), or `Loss_train` and `Loss_val`
//! (PyTorch's `add_scalars`).
//!
//! If `epoch` is a scalar, as in Lightning, it tells the epoch of a step, and both are counted from 0. `train/epoch` of
//! Hugging Face's `Trainer` is the number of completed epochs. Otherwise each step is an epoch, counted from 0 if there is a
//! step 0. Values per batch in files of Keras (`batch_loss`, `evaluation_loss_vs_iterations`) are skipped, and so are values
//! that a resumed run replaced (see `event_order`).
//!
//! Times are seconds since the first event of all files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::config::hint::Hint;
use crate::config::suggest;
use crate::history::event_file::{self, End, Event, SessionLog};
use crate::history::foreign::epochs::{self, Counting};
use crate::history::foreign::event_order::EventOrder;
use crate::history::foreign::foreign_history::{Foreign, Format};
use crate::history::foreign::logged_values::{self, LoggedValue};
use crate::history::foreign::names::Part;
use crate::history::foreign::points::Points;
use crate::io::bounded_file;

/// Maximum depth of directories that are searched.
const DEEPEST: usize = 4;

/// Reads an event file, or all event files of a run directory.
///
/// # Errors
/// If there is no event file, it cannot be read, or the directory contains several runs.
pub fn read(path: &Path) -> anyhow::Result<Foreign> {
    let mut points = Points::default();
    let files = match path.is_dir() {
        true => files_of(path, &mut points.notes)?,
        false => vec![(part_of_file(path), path.to_path_buf())],
    };
    let mut scalars = Scalars::default();
    for files in files.chunk_by(|(one, _), (other, _)| one == other) {
        scalars.read_folder(files, &mut points.notes)?;
    }
    scalars.collect_into(&mut points);
    points.into_foreign(Format::TensorBoard)
}

/// Returns whether a directory or its subdirectories contain event files.
pub fn holds_events(folder: &Path) -> bool {
    holds_events_within(folder, DEEPEST)
}

fn holds_events_within(folder: &Path, depth: usize) -> bool {
    let Ok((files, folders)) = entries(folder) else { return false };
    !files.is_empty() || depth > 0 && folders.iter().any(|inner| holds_events_within(inner, depth - 1))
}

/// Returns the event files and the subdirectories of a directory, both sorted by name.
fn entries(folder: &Path) -> std::io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => folders.push(path),
            false if event_file::is_event_file(&name_of(&path)) => files.push(path),
            false => {}
        }
    }
    files.sort();
    folders.sort();
    Ok((files, folders))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the part of the data at the end of a directory name.
fn part_of_folder(folder: &Path) -> Option<Part> {
    let name = name_of(folder);
    Part::parse(name.rsplit_once('_').map_or(&name[..], |(_, last)| last))
}

/// Returns the part of the data of a file in a directory of Keras's callback.
fn part_of_file(file: &Path) -> Option<Part> {
    file.parent().filter(|folder| name_of(folder) == "validation").and_then(part_of_folder)
}

/// Returns the event files of a run directory, with their parts of the data.
fn files_of(folder: &Path, notes: &mut Vec<String>) -> anyhow::Result<Vec<(Option<Part>, PathBuf)>> {
    let (own, folders) = entries(folder)?;
    let (parts, others): (Vec<_>, Vec<_>) = folders
        .into_iter()
        .filter(|inner| holds_events_within(inner, DEEPEST))
        .partition(|inner| part_of_folder(inner).is_some() && entries(inner).is_ok_and(|(files, _)| !files.is_empty()));
    let names: Vec<String> = others.iter().take(8).map(|other| name_of(other)).collect();
    let mut files: Vec<_> = own.into_iter().map(|file| (None, file)).collect();
    for inner in &parts {
        files.extend(entries(inner)?.0.into_iter().map(|file| (part_of_folder(inner), file)));
    }
    match &others[..] {
        _ if !files.is_empty() => {
            if !others.is_empty() {
                notes.push(format!("its directories {} contain other runs", suggest::list(&names)));
            }
            Ok(files)
        }
        [] => Err(anyhow!("it contains no event file")
            .context(Hint("TensorBoard event files are named `events.out.tfevents.…`".to_owned()))),
        [only] => files_of(only, notes),
        several => Err(anyhow!("it contains {} runs, not one", several.len())
            .context(Hint(format!("name one of its directories: {}", suggest::list(&names))))),
    }
}

/// A logged scalar.
struct Scalar {
    tag: String,
    part: Option<Part>,
    step: u64,
    wall_time: f64,
    value: f64,
}

/// The scalars of all files.
#[derive(Default)]
struct Scalars {
    all: Vec<Scalar>,
    begin: Option<f64>,
}

impl Scalars {
    /// Reads the files of one directory and drops invalid scalars.
    fn read_folder(&mut self, files: &[(Option<Part>, PathBuf)], notes: &mut Vec<String>) -> anyhow::Result<()> {
        let (first, mut order) = (self.all.len(), EventOrder::default());
        for (part, file) in files {
            order.begin_file();
            self.read(file, *part, &mut order, notes)?;
        }
        let (valid, note) = order.finish();
        notes.extend(note);
        let mut valid = std::iter::repeat_n(true, first).chain(valid);
        self.all.retain(|_| valid.next().unwrap_or(true));
        Ok(())
    }

    fn read(
        &mut self,
        path: &Path,
        part: Option<Part>,
        order: &mut EventOrder,
        notes: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let (mut events, name) = (0, name_of(path));
        // TensorFlow writes the plugin of a series only with its first value
        let mut other_plugins = BTreeSet::new();
        let end = bounded_file::open(path)
            .and_then(|file| {
                event_file::read(BufReader::new(file), |event| {
                    events += 1;
                    self.add(event, part, order, &name, &mut other_plugins);
                })
            })
            .with_context(|| format!("failed to read `{name}`"))?;
        match end {
            End::Damaged if events == 0 => return Err(anyhow!("`{name}` is damaged or not an event file")),
            End::Incomplete if events == 0 => return Err(anyhow!("`{name}` ends before its first event is complete")),
            End::Complete if events == 0 => return Err(anyhow!("`{name}` is empty")),
            End::Complete => {}
            End::Incomplete => {
                notes.push(format!("`{name}` ends within an event: it is incomplete or still being written"))
            }
            End::Damaged => notes.push(format!("`{name}` is damaged after event {events}: the rest is skipped")),
        }
        Ok(())
    }

    fn add(
        &mut self,
        event: Event,
        part: Option<Part>,
        order: &mut EventOrder,
        file: &str,
        other_plugins: &mut BTreeSet<String>,
    ) {
        if let Some(version) = &event.file_version {
            order.set_version(version);
        }
        let Ok(step) = u64::try_from(event.step) else { return };
        match &event.session_log {
            Some(session) if session.status == SessionLog::START => order.add_start(step),
            _ => {
                let tags = event.summary.as_ref().map(|summary| summary.value.iter().map(|value| &value.tag[..]));
                order.add_event(step, tags);
            }
        }
        if event.wall_time > 0.0 {
            self.begin = Some(self.begin.map_or(event.wall_time, |begin| begin.min(event.wall_time)));
        }
        for value in event.summary.into_iter().flat_map(|summary| summary.value) {
            let plugin = value.metadata.and_then(|metadata| metadata.plugin_data).map(|data| data.plugin_name);
            if plugin.is_some_and(|plugin| !matches!(&plugin[..], "scalars" | "")) {
                other_plugins.insert(value.tag.clone());
            }
            let number = value.simple_value.map(f64::from).or_else(|| value.tensor?.scalar());
            if let Some(number) = number.filter(|_| !other_plugins.contains(&value.tag)) {
                order.add_scalar(&value.tag, step, file);
                self.all.push(Scalar { tag: value.tag, part, step, wall_time: event.wall_time, value: number });
            }
        }
    }

    /// Drops the values per batch of Keras's callback.
    fn drop_batches(&mut self, notes: &mut Vec<String>) {
        if !self.all.iter().any(|scalar| scalar.tag.starts_with("epoch_")) {
            return;
        }
        let by_batch = |tag: &str| tag.starts_with("batch_");
        let names: BTreeSet<&str> = self.all.iter().map(|scalar| &scalar.tag[..]).filter(|tag| by_batch(tag)).collect();
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().collect();
            notes.push(format!("skipped values per batch: {}", suggest::list(&names)));
        }
        self.all.retain(|scalar| !by_batch(&scalar.tag) && !scalar.tag.ends_with("_vs_iterations"));
    }

    /// Collects the scalars into epochs.
    fn collect_into(mut self, points: &mut Points) {
        self.drop_batches(&mut points.notes);
        let (epochs, counting) = self.epochs();
        let begin = self.begin.unwrap_or_default();
        let logged: Vec<LoggedValue> = self
            .all
            .into_iter()
            .filter(|scalar| epochs.is_empty() || !matches!(&*scalar.tag, "epoch" | "train/epoch"))
            .map(|scalar| LoggedValue {
                epoch: if epochs.is_empty() { Some(scalar.step as f64) } else { epochs.get(&scalar.step).copied() },
                step: (!epochs.is_empty()).then_some(scalar.step),
                seconds: Some(scalar.wall_time - begin).filter(|seconds| *seconds >= 0.0),
                name: scalar.tag.into(),
                part: scalar.part,
                value: scalar.value,
            })
            .collect();
        if epochs.is_empty()
            && let Some(tag) = find_sparse(&logged)
        {
            points.notes.push(format!("each step is read as an epoch, and `{tag}` does not have every step"));
        }
        logged_values::collect(logged, counting, points);
    }

    /// Returns the epoch of each step, as far as scalars tell it, and how epochs are counted.
    fn epochs(&self) -> (BTreeMap<u64, f64>, Counting) {
        let of = |tag: &str| -> BTreeMap<u64, f64> {
            let scalars = self.all.iter().filter(|scalar| scalar.tag == tag);
            scalars.filter_map(|scalar| Some((scalar.step, epochs::valid(scalar.value)?))).collect()
        };
        let by_step = of("epoch");
        if by_step.is_empty() {
            let by_step = of("train/epoch");
            let counting = if by_step.is_empty() { Counting::AsWritten } else { Counting::Done };
            return (by_step, counting);
        }
        let last_steps = by_step.iter().map(|(step, epoch)| (*epoch as u64, *step)).collect();
        let counting = match epochs::epochs_start_at_one(&last_steps) {
            true => Counting::AsWritten,
            false => Counting::FromZero("Lightning"),
        };
        (by_step, counting)
    }
}

/// Returns a tag that has several steps but never two consecutive ones.
fn find_sparse(logged: &[LoggedValue]) -> Option<&str> {
    let mut steps: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for value in logged {
        steps.entry(&value.name).or_default().extend(value.epoch.map(|epoch| epoch as u64));
    }
    let is_sparse =
        |steps: &BTreeSet<u64>| steps.len() > 1 && steps.iter().zip(steps.iter().skip(1)).all(|(a, b)| b - a > 1);
    steps.into_iter().find(|(_, steps)| is_sparse(steps)).map(|(tag, _)| tag)
}
