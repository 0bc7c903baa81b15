//! Histories written by other programs, and exports for those programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use runner::config::hint::Hint;
use runner::history::curves::Curves;
use runner::history::foreign;
use runner::history::foreign::foreign_history::{Foreign, Format};
use runner::history::number::Number;
use runner::history::{History, Status};
use serde_json::Value;

use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign")
}

/// Points in the format of `expected.json`: epoch, then value.
fn points(series: &Value) -> Vec<(usize, f64)> {
    let value = |value: &Value| value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap());
    let points = series.as_array().unwrap().iter();
    points.map(|point| (point[0].as_u64().unwrap() as usize, value(&point[1]))).collect()
}

fn found(foreign: &Foreign, name: &str) -> Vec<(usize, f64)> {
    foreign.series[name].iter().map(|point| (point.epoch, point.value.0)).collect()
}

#[track_caller]
fn assert_same(found: &[(usize, f64)], expected: &[(usize, f64)], in_single: bool, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let is_same = match in_single {
            _ if expected.1.is_nan() => found.1.is_nan(),
            true => found.1 == f64::from(expected.1 as f32),
            false => found.1 == expected.1,
        };
        assert!(found.0 == expected.0 && is_same, "{what}: found {found:?}, expected {expected:?}");
    }
}

#[test]
fn foreign_histories_are_read_with_the_values_their_programs_report() {
    let expected = std::fs::read_to_string(fixtures().join("expected.json")).unwrap();
    let expected: BTreeMap<String, Value> = serde_json::from_str(&expected).unwrap();
    assert_eq!(expected.len(), 8);
    for (name, expected) in expected {
        let foreign = foreign::read(&fixtures().join(&name)).unwrap();
        let format = match expected["format"].as_str().unwrap() {
            "keras" => Format::Keras,
            "csv" => Format::CsvLog,
            "skorch" => Format::Skorch,
            "tensorboard" => Format::TensorBoard,
            other => panic!("{other}"),
        };
        assert_eq!(foreign.format, format, "{name}");
        let metrics = expected["series"].as_object().unwrap();
        for (metric, series) in metrics {
            assert!(foreign.series.contains_key(metric), "{name} has no {metric}: {:?}", foreign.series.keys());
            let in_single = format == Format::TensorBoard; // TensorBoard stores single precision
            assert_same(&found(&foreign, metric), &points(series), in_single, &format!("{metric} of {name}"));
        }
        assert_eq!(foreign.series.len(), metrics.len(), "{name} has more: {:?}", foreign.series.keys());
        assert_eq!(foreign.notes, Vec::<String>::new(), "{name}");
        if let Some(steps) = expected.get("steps") {
            let clock = foreign.clock.iter().map(|(epoch, at)| (*epoch, at.step.unwrap() as f64));
            assert_same(&clock.collect::<Vec<_>>(), &points(steps), false, &format!("steps of {name}"));
        }
        if matches!(format, Format::TensorBoard | Format::Skorch) {
            let seconds: Vec<f64> = foreign.clock.values().map(|at| at.seconds.unwrap()).collect();
            assert_eq!(seconds.len(), 12, "{name}");
            assert!(seconds[0] >= 0.0 && seconds.is_sorted() && seconds[11] < 600.0, "{name}: {seconds:?}");
        }
    }
}

#[test]
fn incomplete_event_files_are_read_up_to_their_end() {
    let folder = fixtures().join("torch_tensorboard");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    let dir = TestDir::new();
    let cut = |at: usize| {
        dir.write("events.out.tfevents.1", &bytes[..at]);
        foreign::read(&dir.path("events.out.tfevents.1"))
    };
    let rest = cut(bytes.len() - 5).unwrap();
    assert_eq!(found(&rest, "loss").len(), 12);
    assert_eq!(found(&rest, "penalty").len(), 11);
    assert!(rest.notes[0].contains("ends within an event"), "{:?}", rest.notes);
    let count = |at: usize| cut(at).map_or(0, |foreign| foreign.series.values().map(Vec::len).sum());
    let counts: Vec<usize> = (0..=bytes.len()).step_by(13).chain([bytes.len()]).map(count).collect();
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!((counts[0], *counts.last().unwrap()), (0, 5 * 12));
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    dir.write("events.out.tfevents.1", &damaged);
    let rest = foreign::read(&dir.path("events.out.tfevents.1")).unwrap();
    assert!(rest.notes[0].contains("damaged after event"), "{:?}", rest.notes);
}

#[test]
fn files_without_a_history_are_rejected_with_name_and_hint() {
    let dir = TestDir::new();
    let log = std::fs::read_to_string(fixtures().join("skorch.json")).unwrap();
    let files = [
        ("empty.json", "", "the file is empty"),
        ("empty.csv", "\n\n", "the file is empty"),
        ("half.json", &log[..log.len() / 2], "damaged, incomplete"),
        ("text.json", "loss 0.5", "damaged, incomplete"),
        ("settings.json", "{\"lr\": 0.1, \"layers\": [\"relu\"]}", "no value of any metric"),
        ("ours.json", "{\"schema\": \"runner.history/1\", \"history\": {\"loss\": [1]}}", "a history of runner"),
        ("header.csv", "epoch,loss\n", "no row"),
        ("other.csv", "name,age\nAnn,7\n", "no column `epoch`: name, age"),
        ("notes.txt", "Today the loss was low.\n", "no column `epoch`"),
        ("events.out.tfevents.1", "", "is empty"),
        ("events.out.tfevents.2", "no event file at all", "damaged or not an event file"),
    ];
    for (name, text, why) in files {
        let path = dir.path(&dir.file(name, text));
        let error = foreign::read(&path).unwrap_err();
        let message = format!("{error:#}");
        assert!(message.contains(why) && message.contains(name), "{name}: {message}");
        assert!(error.downcast_ref::<Hint>().is_some(), "{name}: {message}");
    }
    std::fs::create_dir(dir.path("folder")).unwrap();
    for name in ["missing.json", "folder"] {
        let error = foreign::read(&dir.path(name)).unwrap_err();
        assert!(format!("{error:#}").contains(name) && error.downcast_ref::<Hint>().is_some());
    }
}

#[test]
fn directories_with_several_runs_are_rejected_with_their_names() {
    let dir = TestDir::new();
    let keras = fixtures().join("keras_tensorboard/train");
    let events = std::fs::read(std::fs::read_dir(keras).unwrap().next().unwrap().unwrap().path()).unwrap();
    dir.write("runs/first/train/events.out.tfevents.1", &events);
    let only = foreign::read(&dir.path("runs")).unwrap();
    assert_eq!(only.series.keys().collect::<Vec<_>>(), ["acc", "loss", "lr"]);
    dir.write("runs/second/train/events.out.tfevents.1", &events);
    let error = foreign::read(&dir.path("runs")).unwrap_err();
    assert_eq!(error.downcast_ref::<Hint>().unwrap().0, "name one of its directories: `first`, `second`");
    assert!(foreign::tensorboard::holds_events(&dir.path("runs")));
    assert!(!foreign::tensorboard::holds_events(&fixtures().join("../foreign/no such folder")));
}

/// Exports the run `idea` and returns the stdout and stderr of `export`.
fn export(dir: &TestDir, arguments: &[&str]) -> (String, String) {
    let mut all = vec!["export", "idea"];
    all.extend(arguments);
    let done = dir.run(&all).code(0);
    (stdout(&done), stderr(&done))
}

const SPLIT: &str = "[data.digits]\nsplit = { test = 0.2, validation = 0.2, random_state = 0 }\n";

/// A directory with a run of two epochs and two seeds with layer statistics. The loss of the second trial is NaN, then
/// infinite.
fn dir_with_run() -> TestDir {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("[data.digits]\n", SPLIT) + "observe = [\"gradient_norm\"]\n");
    dir.run(&["exp", "idea.toml", "--seeds", "0,3", "--quiet"]).code(0);
    let file = dir.path("runs/idea/latest/base-seed3.json");
    let mut history = History::read(&file).unwrap();
    history.history.series["loss"] = vec![Number(f64::NAN), Number(f64::NEG_INFINITY)];
    history.write(&file).unwrap();
    dir
}

/// Asserts that every curve of a history is found, plus `more` curves that only the format has.
#[track_caller]
fn assert_has_curves(foreign: &Foreign, history: &History, more: usize, in_single: bool) {
    for (name, values) in &history.history.series {
        let expected: Vec<_> = history.history.epoch.iter().copied().zip(values.iter().map(|value| value.0)).collect();
        assert_same(&found(foreign, name), &expected, in_single, name);
    }
    assert_eq!(foreign.series.len(), history.history.series.len() + more, "{:?}", foreign.series.keys());
    assert_eq!(foreign.notes, Vec::<String>::new());
}

#[test]
fn exported_histories_are_read_back_unchanged() {
    let dir = dir_with_run();
    export(&dir, &["--tensorboard", "--to", "board"]);
    export(&dir, &["--keras", "--to", "keras"]);
    for stem in ["base-seed0", "base-seed3"] {
        let history = History::read(&dir.path(&format!("runs/idea/latest/{stem}.json"))).unwrap();
        export(&dir, &["--csv", "--to", "tables", "--trial", stem]);
        let read = |path: &str| foreign::read(&dir.path(path)).unwrap();
        assert_has_curves(&read(&format!("keras/{stem}.json")), &history, 0, false);
        assert_has_curves(&read(&format!("tables/{stem}/epochs.csv")), &history, 0, false);
        let test = &history.test.as_ref().unwrap().metrics;
        let board = read(&format!("board/{stem}"));
        assert_has_curves(&board, &history, test.len(), true);
        for (name, value) in test {
            assert_same(&found(&board, &format!("test_{name}")), &[(2, value.0)], true, name);
        }
        let seconds: f64 = history.history.metric("seconds").unwrap().iter().sum();
        assert!((board.clock[&2].seconds.unwrap() - seconds).abs() < 1e-3);
    }
    export(&dir, &["--csv", "--to", "tables"]);
    let error = foreign::read(&dir.path("tables/epochs.csv")).unwrap_err();
    assert!(format!("{error:#}").contains("it contains 2 trials"));
}

#[test]
fn exports_are_reproducible_and_replace_other_files_only_with_force() {
    let dir = dir_with_run();
    for format in ["--tensorboard", "--csv", "--keras"] {
        let (message, _) = export(&dir, &[format]);
        let folder = message.lines().nth(1).unwrap().trim_end_matches('/').to_owned();
        assert!(folder.starts_with(&format!("export/{}/idea/", &format[2..])), "{folder}");
        let files: Vec<PathBuf> = message.lines().skip(2).map(|line| dir.path(&folder).join(line.trim())).collect();
        assert_eq!(files.len(), 2);
        let bytes = || files.iter().map(|file| std::fs::read(file).unwrap()).collect::<Vec<_>>();
        let first = bytes();
        export(&dir, &[format]);
        assert_eq!(bytes(), first);

        std::fs::write(&files[1], "a text of mine").unwrap();
        std::fs::remove_file(&files[0]).unwrap();
        let message = dir.error_message(&["export", "idea", format]);
        assert_says(&message, &["exists with different content", "hint: use `--force`"]);
        assert_eq!(std::fs::read(&files[1]).unwrap(), b"a text of mine");
        export(&dir, &[format, "--force"]);
        assert_eq!(bytes(), first);
    }
}

#[test]
fn export_does_not_mix_events_of_different_runs() {
    let dir = dir_with_run();
    dir.write("board/base-seed3/events.out.tfevents.1.host", "theirs");
    for force in [&[][..], &["--force"]] {
        let arguments = [&["export", "idea", "--tensorboard", "--to", "board"][..], force].concat();
        assert_says(&dir.error_message(&arguments), &["contains another event file", "`-o DIR`"]);
    }
}

#[test]
fn trials_without_epochs_and_damaged_trials_do_not_stop_the_export() {
    let dir = dir_with_run();
    let file = dir.path("runs/idea/latest/base-seed3.json");
    let mut history = History::read(&file).unwrap();
    (history.history, history.best, history.test) = (Curves::default(), None, None);
    (history.status, history.started) = (Status::Interrupted, "some day".to_owned());
    history.write(&file).unwrap();
    for format in ["--tensorboard", "--csv", "--keras"] {
        export(&dir, &[format, "--to", format.trim_start_matches('-')]);
    }
    assert_eq!(std::fs::read_to_string(dir.path("keras/base-seed3.json")).unwrap(), "{}\n");
    let trials = std::fs::read_to_string(dir.path("csv/trials.csv")).unwrap();
    assert!(trials.contains("idea,base,3,,interrupted,some day,"), "{trials}");
    let error = foreign::read(&dir.path("tensorboard/base-seed3")).unwrap_err();
    assert!(format!("{error:#}").contains("no value of any metric"));

    std::fs::write(&file, "{\"schema\": \"runner.history/1\", ").unwrap();
    let failed = dir.run(&["export", "idea", "--keras", "--to", "rest"]).code(2);
    assert_says(&stderr(&failed), &["base-seed3.json", "damaged"]);
    assert!(dir.path("rest/base-seed0.json").is_file() && !dir.path("rest/base-seed3.json").exists());
    dir.run(&["export", "idea", "--keras", "--to", "rest", "--trial", "base-seed0"]).code(0);
}

#[test]
fn export_stays_in_its_directory_whatever_the_experiment_is_called() {
    let dir = dir_with_run();
    let mut history = History::read(&dir.path("runs/idea/latest/base-seed0.json")).unwrap();
    history.experiment = "../../elsewhere".to_owned();
    std::fs::create_dir(dir.path("mine")).unwrap();
    history.write(&dir.path("mine/base-seed0.json")).unwrap();
    let done = dir.run(&["export", "mine", "--keras", "--json"]).code(0);
    let printed: Value = serde_json::from_str(&stdout(&done)).unwrap();
    assert_eq!(printed["folder"], "export/keras/_.._elsewhere/mine");
    assert_eq!(printed["files"], serde_json::json!(["export/keras/_.._elsewhere/mine/base-seed0.json"]));
}

#[test]
fn export_requires_one_format_and_an_existing_run() {
    let dir = TestDir::with_idea();
    assert_says(&dir.error_message(&["export", "idea"]), &["needs `--tensorboard`, `--csv` or `--keras`"]);
    assert_says(&dir.error_message(&["export", "idea", "--csv", "--keras"]), &["cannot be used with"]);
    assert_says(&dir.error_message(&["export", "idea", "--csv"]), &["no run `idea`", "hint: "]);
    dir.run(&["exp", "idea.toml", "--quiet"]).code(0);
    let message = dir.error_message(&["export", "idea", "--csv", "--trial", "base-seed7"]);
    assert_says(&message, &["has no trial `base-seed7`", "`base-seed0`"]);
    dir.write("file", "");
    assert_says(
        &dir.error_message(&["export", "idea", "--csv", "--to", "file"]),
        &["`file` is a file, not a directory", "hint: name a directory"],
    );
}
