//! `--tensorboard DIR`: event files that are written during training.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use runner::history::History;
use runner::history::event_file::{self, End, Event, SessionLog};
use runner::history::foreign::tensorboard;

use crate::support::{TestDir, assert_says, idea_with, send, stderr};

/// Two variants of different shapes.
const VARIANTS: &str = "\n[[variants]]\nname = \"small\"\nset = { \"train.batch\" = 32 }\n\
    [[variants]]\nname = \"wide\"\nset = { \"network.layers\" = [{ linear = 24 }, { linear = 10 }] }\n";

/// A directory with an experiment of this number of epochs, with validation and test rows.
fn dir_with_epochs(epochs: usize) -> TestDir {
    let dir = TestDir::new();
    let split = "[data.digits]\nsplit = { validation = 0.2, test = 0.2, random_state = 1 }";
    dir.write("idea.toml", idea_with("epochs = 2", &format!("epochs = {epochs}")).replace("[data.digits]", split));
    dir
}

/// Paths of the files below a directory whose names end so, sorted.
fn files_below(folder: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    for path in entries {
        match path.is_dir() {
            true => found.extend(files_below(&path, is_wanted)),
            false if is_wanted(&path.file_name().unwrap().to_string_lossy()) => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

fn event_files(folder: &Path) -> Vec<PathBuf> {
    files_below(folder, &event_file::is_event_file)
}

/// The histories below a directory, by the names of their files.
fn histories(folder: &Path) -> BTreeMap<String, History> {
    let files = files_below(folder, &|name| name.ends_with(".json") && name.contains("-seed"));
    let read =
        |path: &PathBuf| (path.file_stem().unwrap().to_string_lossy().into_owned(), History::read(path).unwrap());
    files.iter().map(read).collect()
}

/// The events of a file, which has complete events only.
fn events(path: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    let end = event_file::read(std::fs::File::open(path).unwrap(), |event| events.push(event)).unwrap();
    assert_eq!(end, End::Complete, "{}", path.display());
    events
}

/// The scalars of events, by tag and step, in their order.
fn scalars(events: &[Event]) -> Vec<(String, i64, f32)> {
    let values = events.iter().flat_map(|event| event.summary.iter().map(move |summary| (event.step, summary)));
    let values = values.flat_map(|(step, summary)| summary.value.iter().map(move |value| (step, value)));
    values.filter_map(|(step, value)| Some((value.tag.clone(), step, value.simple_value?))).collect()
}

/// The tags of all values.
fn tags(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .flat_map(|event| &event.summary)
        .flat_map(|summary| &summary.value)
        .map(|value| value.tag.clone())
        .collect()
}

/// Asserts that the event files of each trial have its epochs, each once. `folder` has a directory for each trial.
#[track_caller]
fn assert_complete(folder: &Path, histories: &BTreeMap<String, History>) {
    let trials: Vec<String> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(trials.len(), histories.len(), "{trials:?}");
    for (stem, history) in histories {
        event_files(&folder.join(stem)).iter().for_each(|file| drop(events(file)));
        let found = tensorboard::read(&folder.join(stem)).unwrap();
        for (name, values) in history.history.series.iter().filter(|(name, _)| *name != "seconds") {
            let epochs = history.history.epoch.iter().copied();
            let single: Vec<(usize, f64)> = epochs.zip(values.iter().map(|value| f64::from(value.0 as f32))).collect();
            let points = found.series.get(name).map(Vec::as_slice).unwrap_or_default();
            let points: Vec<(usize, f64)> = points.iter().map(|point| (point.epoch, point.value.0)).collect();
            assert_eq!(points, single, "{stem}: {name}");
        }
    }
}

/// The only directory in a directory.
#[track_caller]
fn only(folder: &Path) -> PathBuf {
    let mut inner: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inner.retain(|path| !path.is_symlink());
    assert_eq!(inner.len(), 1, "{inner:?}");
    inner.remove(0)
}

#[track_caller]
fn wait_for(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Number of epochs in an event file that may be in writing.
fn epochs_in(file: &Path) -> usize {
    let mut epochs = 0;
    let count = |event: Event| epochs += usize::from(scalars(&[event]).iter().any(|(tag, ..)| tag == "loss/train"));
    let _ = std::fs::File::open(file).map(|file| event_file::read(file, count));
    epochs
}

#[track_caller]
fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    stderr
}

#[test]
fn the_event_files_of_a_run_have_what_an_export_has() {
    let dir = dir_with_epochs(4);
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--seeds", "0..1", "--tensorboard", "my logs"];
    let message = stderr(&dir.run(&arguments).code(0));
    assert_says(&message, &["view the curves with `tensorboard --logdir 'my logs'`"]);
    let run = only(&dir.path("runs/idea"));
    let live = dir.path("my logs/idea").join(run.file_name().unwrap());
    assert_complete(&live, &histories(&run));
    dir.run(&["export", "idea", "--tensorboard", "-o", "exported"]).code(0);
    for stem in ["base-seed0", "base-seed1"] {
        let one = |folder: &Path| events(&event_files(&folder.join(stem)).remove(0));
        let (written, exported) = (one(&live), one(&dir.path("exported")));
        assert_eq!(scalars(&written), scalars(&exported), "{stem}");
        assert_eq!(tags(&written), tags(&exported), "settings and end: {stem}");
        assert!(tags(&written).contains(&"test/loss".to_owned()), "{stem}");
        let times: Vec<f64> = written.iter().map(|event| event.wall_time).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn two_runs_in_one_directory_do_not_mix() {
    let dir = dir_with_epochs(2);
    for _ in 0..2 {
        dir.run(&["exp", "idea.toml", "--device", "cpu", "--tensorboard", "logs"]).code(0);
    }
    let runs: Vec<PathBuf> =
        std::fs::read_dir(dir.path("logs/idea")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), 2);
    for run in runs {
        assert_complete(&run, &histories(&dir.path("runs/idea").join(run.file_name().unwrap())));
    }
}

#[test]
fn a_tree_has_one_step() {
    let dir = TestDir::new();
    dir.write("idea.toml", "title = \"A tree\"\n[data.digits]\nsplit = { test = 0.3, random_state = 42 }\n[tree]\n");
    dir.run(&["exp", "idea.toml", "--tensorboard", "logs"]).code(0);
    let file = event_files(&dir.path("logs")).remove(0);
    let tags = tags(&events(&file));
    assert!(tags.contains(&"acc/train".to_owned()) && tags.contains(&"test/acc".to_owned()), "{tags:?}");
}

#[test]
fn a_killed_run_continues_without_a_gap_or_an_epoch_twice() {
    let dir = dir_with_epochs(3000);
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--seeds", "0..1", "--tensorboard", "logs"];
    let mut command = dir.command(&[&arguments[..], &["--checkpoint", "20"]].concat());
    let mut child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    // epochs are visible while it trains
    wait_for(|| event_files(&dir.path("logs")).iter().any(|file| epochs_in(file) > 40));
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = event_files(&dir.path("logs"));
    assert_eq!(killed.len(), 2);
    let bytes = std::fs::read(&killed[0]).unwrap();
    std::fs::write(&killed[0], &bytes[..bytes.len() - 5]).unwrap(); // as after a power failure
    let mut second = dir.command(&["resume", "idea", "--tensorboard", "logs"]);
    let mut child = second.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    wait_for(|| event_files(&dir.path("logs")).len() == 4);
    send(&child, libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // the rest is shorter
    dir.run(&["resume", "idea", "--tensorboard", "logs"]).code(0);
    std::fs::write(&killed[0], &bytes).unwrap(); // `assert_complete` allows complete events only
    let run = only(&dir.path("runs/idea"));
    let live = dir.path("logs/idea").join(run.file_name().unwrap());
    assert_complete(&live, &histories(&run));
    for files in [event_files(&live.join("base-seed0")), event_files(&live.join("base-seed1"))] {
        assert_eq!(files.len(), 3, "{files:?}");
        let restarts = |file: &PathBuf| {
            let is_start =
                |event: &Event| event.session_log.as_ref().is_some_and(|log| log.status == SessionLog::START);
            events(file).iter().filter(|event| is_start(event)).map(|event| event.step).collect::<Vec<_>>()
        };
        let restarts: Vec<Vec<i64>> = files.iter().map(restarts).collect();
        assert_eq!(restarts, [[0_i64]; 3], "TensorBoard ignores what came before");
        assert_eq!(epochs_in(&files[2]), 3000);
    }
}

#[test]
fn a_run_that_is_resumed_with_the_option_has_its_first_epochs_too() {
    let dir = dir_with_epochs(2000);
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--checkpoint", "5"];
    let mut child = dir.command(&arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    wait_for(|| !files_below(&dir.path("runs"), &|name| name == "checkpoint.safetensors").is_empty());
    send(&child, libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    dir.run(&["resume", "idea", "--tensorboard", "logs"]).code(0);
    let run = only(&dir.path("runs/idea"));
    let live = dir.path("logs/idea").join(run.file_name().unwrap());
    assert_complete(&live, &histories(&run));
    // a continued run is another one, with all epochs
    dir.run(&["resume", "idea", "--epochs", "2005", "--tensorboard", "logs"]).code(0);
    let continued = std::fs::canonicalize(dir.path("runs/idea/latest")).unwrap();
    assert_ne!(continued, run.canonicalize().unwrap());
    assert_complete(&dir.path("logs/idea").join(continued.file_name().unwrap()), &histories(&continued));
}

#[test]
fn workers_of_a_run_write_the_files_of_their_trials() {
    let dir = dir_with_epochs(3);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    dir.write("idea.toml", text + VARIANTS);
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--seeds", "0..1", "--stack", "1", "--workers", "2"];
    succeed(dir.command(&[&arguments[..], &["--tensorboard", "logs"]].concat()));
    let run = only(&dir.path("runs/idea"));
    let histories = histories(&run);
    assert_eq!(histories.len(), 4);
    assert_complete(&dir.path("logs/idea").join(run.file_name().unwrap()), &histories);
}

#[test]
fn workers_of_a_sweep_write_the_files_of_their_trials() {
    let dir = dir_with_epochs(4);
    let space = ["--space", "train.optimizer.adam.lr=0.001,0.003,0.01,0.1", "--seeds", "0,1", "--stack", "4"];
    let halving = ["--halving", "first=2,keep=0.5"];
    let all =
        [&["sweep", "idea.toml", "--device", "cpu", "--workers", "2", "--tensorboard", "logs"][..], &space, &halving];
    let message = succeed(dir.command(&all.concat()));
    assert_says(&message, &["view the curves with `tensorboard --logdir logs`"]);
    let sweep = only(&dir.path("sweeps/idea"));
    let histories = histories(&sweep);
    assert_eq!(histories.len(), 8);
    let live = only(&dir.path("logs/idea"));
    assert_eq!(live.file_name(), sweep.file_name());
    assert_complete(&live, &histories);
}

#[test]
fn a_directory_that_cannot_be_written_to_is_an_error_before_training() {
    let dir = TestDir::with_idea();
    dir.write("file", "");
    for command in [&["exp", "idea.toml"][..], &["sweep", "idea.toml", "--space", "train.batch=32,64"]] {
        let message = dir.error_message(&[command, &["--tensorboard", "file"]].concat());
        assert_says(&message, &["`file` is a file, not a directory", "--tensorboard DIR"]);
        let message = dir.error_message(&[command, &["--tensorboard", "file/below"]].concat());
        assert_says(&message, &["failed to write event files to `file/below`", "--tensorboard DIR"]);
        #[cfg(target_os = "linux")]
        {
            let message = dir.error_message(&[command, &["--tensorboard", "/proc/none"]].concat());
            assert_says(&message, &["failed to write event files to `/proc/none`"]);
        }
    }
}
