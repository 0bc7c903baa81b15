//! `runner compare` with unusual histories of other programs: resumed, written twice into one file, with gaps, with
//! values that are not finite.

use runner::history::event_file::{self, Event, SessionLog, Summary, SummaryValue};
use serde_json::Value;

use crate::support::{TestDir, assert_says, stderr, stdout};

/// A directory with these files and a second run to compare with.
fn dir_with(files: &[(&str, &str)]) -> TestDir {
    let dir = TestDir::new();
    dir.write("other.csv", "epoch,loss,val_loss\n1,0.75,0.875\n2,0.5,0.625\n");
    files.iter().for_each(|(name, text)| dir.write(name, text));
    dir
}

/// The first run in the output of `compare --json`, and the notes on stderr.
struct Comparison {
    epochs: u64,
    best: Value,
    json: Value,
    notes: String,
}

#[track_caller]
fn compare(dir: &TestDir, name: &str) -> Comparison {
    let outcome = dir.run(&["compare", name, "other.csv", "--json"]).code(0);
    let json: Value = serde_json::from_str(&stdout(&outcome)).unwrap();
    let trial = &json["groups"][0]["trials"][0];
    let (epochs, best) = (trial["epochs"].as_u64().unwrap(), trial["best_epoch"].clone());
    Comparison { epochs, best, notes: stderr(&outcome), json }
}

impl Comparison {
    /// Mean of a metric over the trials of the first run.
    fn metric(&self, name: &str) -> Option<f64> {
        let figure = self.json["metrics"].as_array().unwrap().iter().find(|figure| figure["name"] == name)?;
        figure["groups"][0]["mean"].as_f64()
    }
}

#[test]
fn only_the_last_run_of_a_reused_log_file_is_read() {
    let twice = "epoch,train_loss,val_loss,val_acc\n1,1.0,1.1,0.50\n2,0.8,0.9,0.60\n3,0.6,0.7,0.70\n\
        epoch,train_loss,val_loss,val_acc\n1,2.0,2.1,0.10\n2,1.8,1.7,0.30\n";
    let dir = dir_with(&[("results.csv", twice)]);
    let found = compare(&dir, "results.csv");
    assert_eq!((found.epochs, found.metric("first.loss"), found.metric("last.val_loss")), (2, Some(2.0), Some(1.7)));
    assert_says(&found.notes, &["epochs go back from 3 to 1 in line 6", "another run starts there"]);
}

#[test]
fn resumed_runs_keep_their_epoch_numbers() {
    let dir = dir_with(&[
        ("keras.csv", "epoch,accuracy,loss,val_accuracy,val_loss\n7,0.75,0.7,0.65,0.8\n8,0.8,0.6,0.7,0.7\n"),
        ("metrics.csv", "epoch,step,train_loss,val_loss\n1,7,,0.5\n1,7,0.4,\n2,11,,0.25\n2,11,0.2,\n"),
        ("counted.csv", "epoch,step,train_loss,val_loss\n1,4,0.4,0.5\n2,8,0.2,0.25\n"),
    ]);
    let keras = compare(&dir, "keras.csv");
    assert_eq!((keras.epochs, &keras.best), (9, &9.into()));
    assert_says(&keras.notes, &["its first epoch is 8: it is written as 7, and Keras counts from 0"]);
    let lightning = compare(&dir, "metrics.csv");
    assert_eq!((lightning.epochs, &lightning.best), (3, &3.into()));
    let counted = compare(&dir, "counted.csv");
    assert_eq!((counted.epochs, &counted.best), (2, &2.into()));
}

#[test]
fn logs_are_found_in_directories_and_each_directory_is_one_run() {
    let log = |first: &str| format!("epoch,step,train_loss,val_loss\n0,9,,{first}\n0,9,0.9,\n1,19,,0.8\n1,19,0.7,\n");
    let dir = dir_with(&[
        ("lightning_logs/version_0/metrics.csv", &log("1.0")),
        ("lightning_logs/version_0/hparams.yaml", "lr: 0.1\n"),
        ("lightning_logs/version_1/metrics.csv", &log("2.0")),
        (
            "finetuned/trainer_state.json",
            r#"{"log_history": [{"loss": 1, "epoch": 0.5, "step": 1}, {"eval_loss": 3, "epoch": 1.0, "step": 2}]}"#,
        ),
    ]);
    let found = compare(&dir, "lightning_logs/version_0");
    assert_eq!(
        (found.epochs, found.metric("first.val_loss"), found.metric("last.val_loss")),
        (2, Some(1.0), Some(0.8))
    );
    assert_eq!(compare(&dir, "finetuned").metric("last.val_loss"), Some(3.0));
    let json = stdout(&dir.run(&["compare", "lightning_logs/version_*", "--json"]).code(0));
    let json: Value = serde_json::from_str(&json).unwrap();
    let labels: Vec<&Value> = json["groups"].as_array().unwrap().iter().map(|group| &group["label"]).collect();
    assert_eq!(labels, ["version_0", "version_1"]);
    let refused = stderr(&dir.run(&["compare", "lightning_logs", "other.csv"]).code(2));
    assert_says(&refused, &["it contains 2 logs", "`version_0/metrics.csv`"]);
    dir.write("nothing/notes.txt", "none");
    assert_says(&stderr(&dir.run(&["compare", "nothing", "other.csv"]).code(2)), &["nothing"]);
}

#[test]
fn trainer_logs_are_grouped_by_epoch() {
    let entries = r#"[{"epoch": 0.5, "loss": 1.0, "learning_rate": 5e-05, "step": 10},
        {"epoch": 1.0, "loss": 0.8, "learning_rate": 4e-05, "step": 20},
        {"epoch": 1.0, "eval_loss": 0.9, "eval_accuracy": 0.6, "eval_runtime": 1.2, "step": 20},
        {"epoch": 1.5, "loss": 0.6, "learning_rate": 3e-05, "step": 30},
        {"epoch": 2.0, "loss": 0.5, "learning_rate": 2e-05, "step": 40},
        {"epoch": 2.0, "eval_loss": 0.7, "eval_accuracy": 0.7, "eval_runtime": 1.2, "step": 40},
        {"epoch": 2.0, "train_runtime": 12.0, "train_loss": 0.725, "step": 40}]"#;
    let state = format!("{{\"epoch\": 2.0, \"log_history\": {entries}}}");
    let dir = dir_with(&[("trainer_state.json", &state), ("log_history.json", entries)]);
    for name in ["trainer_state.json", "log_history.json"] {
        let found = compare(&dir, name);
        assert_eq!((found.epochs, &found.best), (2, &2.into()), "{name}");
        let figures = ["first.loss", "last.loss", "first.val_loss", "last.val_acc"].map(|figure| found.metric(figure));
        assert_eq!(figures, [Some(0.8), Some(0.5), Some(0.9), Some(0.7)], "{name}");
    }
}

#[test]
fn lists_without_epochs_are_not_assigned_to_epochs() {
    let dir = dir_with(&[
        ("history.json", r#"{"loss": [1.0, 0.9, 0.8, 0.7], "val_loss": [1.0, 0.9]}"#),
        ("floats.json", r#"{"epoch": [3.0, 4.0, 5.0], "loss": [0.9, 0.5, 0.4], "val_loss": [1.0, 0.8, 0.9]}"#),
        ("printed.json", r#"{"loss": ["np.float32(0.9)", "np.float32(0.5)"], "val_loss": [[1.0], [0.75]]}"#),
        (
            "records.json",
            r#"[{"epoch": 1.0, "val_loss": 1.0}, {"epoch": 3.0, "val_loss": 0.8}, {"epoch": 5.0, "val_loss": 0.9}]"#,
        ),
    ]);
    let short = compare(&dir, "history.json");
    assert_eq!((short.epochs, &short.best, short.metric("last.val_loss")), (4, &4.into(), None));
    assert_says(&short.notes, &["`val_loss` is skipped: it has 2 values for 4 epochs"]);
    let floats = compare(&dir, "floats.json");
    assert_eq!((floats.epochs, &floats.best), (5, &4.into()));
    let printed = compare(&dir, "printed.json");
    assert_eq!((printed.metric("last.loss"), printed.metric("last.val_loss")), (Some(0.5), Some(0.75)));
    let records = compare(&dir, "records.json");
    assert_eq!((records.epochs, &records.best), (5, &3.into()));
}

#[test]
fn numbered_keras_metrics_are_shown_as_one_row() {
    let dir = dir_with(&[
        ("one.json", r#"{"loss": [0.7, 0.5], "auc": [0.6, 0.8], "val_loss": [0.8, 0.6], "val_auc": [0.55, 0.75]}"#),
        ("two.csv", "epoch,auc_7,loss,val_auc_7,val_loss\n0,0.7,0.6,0.6,0.7\n1,0.9,0.4,0.85,0.5\n"),
        ("both.json", r#"{"loss": [0.7, 0.5], "val_auc_1": [0.5, 0.6], "val_auc_2": [0.7, 0.9]}"#),
    ]);
    assert_eq!(compare(&dir, "one.json").metric("last.val_roc_auc"), Some(0.75));
    assert_eq!(compare(&dir, "two.csv").metric("last.val_roc_auc"), Some(0.85));
    let both = compare(&dir, "both.json");
    assert_eq!((both.metric("last.val_roc_auc"), both.metric("last.val_auc_1")), (None, Some(0.6)));
}

#[test]
fn metrics_of_unknown_rows_are_not_shown_as_training_metrics() {
    let dir = dir_with(&[
        (
            "fastai.csv",
            "epoch,train_loss,valid_loss,accuracy,error_rate,time\n0,0.4,0.2,0.9,0.1,00:18\n1,0.3,0.25,0.875,0.125,00:17\n",
        ),
        ("mine.csv", "epoch,train_loss,val_loss,accuracy,f1\n1,0.4,0.2,0.9,0.8\n2,0.3,0.25,0.875,0.75\n"),
        ("keras.csv", "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.8,0.5,0.78,0.55\n1,0.95,0.2,0.85,0.4\n"),
    ]);
    let fastai = compare(&dir, "fastai.csv");
    assert_eq!(
        (fastai.metric("last.val_acc"), fastai.metric("last.acc"), &fastai.best),
        (Some(0.875), None, &1.into())
    );
    let mine = compare(&dir, "mine.csv");
    assert_eq!((mine.metric("last.accuracy"), mine.metric("last.acc")), (Some(0.875), None));
    assert_eq!((mine.metric("last.f1 (unknown rows)"), mine.metric("last.f1")), (Some(0.75), None));
    assert_says(
        &mine.notes,
        &["`accuracy` keeps its name: the file does not say whether it is for training or validation rows"],
    );
    assert_eq!(compare(&dir, "keras.csv").metric("last.acc"), Some(0.95));
}

/// A TensorBoard event file with these entries and their steps.
fn events(entries: &[(i64, Entry)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let version = Event { file_version: Some(event_file::VERSION.to_owned()), ..Event::default() };
    event_file::write(&version, &mut bytes);
    for (step, entry) in entries {
        let event = Event { step: *step, wall_time: 1e9, ..Event::default() };
        let event = match entry {
            Entry::Start => Event { session_log: Some(SessionLog { status: SessionLog::START }), ..event },
            Entry::Value(tag, value) => {
                let value =
                    SummaryValue { tag: (*tag).to_owned(), simple_value: Some(*value), ..SummaryValue::default() };
                Event { summary: Some(Summary { value: vec![value] }), ..event }
            }
        };
        event_file::write(&event, &mut bytes);
    }
    bytes
}

enum Entry {
    Start,
    Value(&'static str, f32),
}
use Entry::{Start, Value as Scalar};

#[test]
fn events_replaced_by_a_resumed_session_are_left_out() {
    let dir = dir_with(&[]);
    let all = |from: i64, to: i64, value: f32| {
        (from..=to).map(move |step| (step, Scalar("Loss/val", value - step as f32 / 8.0)))
    };
    dir.write("run/events.out.tfevents.1.vm.0", events(&all(0, 7, 2.0).collect::<Vec<_>>()));
    let resumed: Vec<_> = std::iter::once((3, Start)).chain(all(3, 5, 3.0)).collect();
    dir.write("run/events.out.tfevents.2.vm.0", events(&resumed));
    let found = compare(&dir, "run");
    assert_eq!((found.epochs, &found.best), (6, &3.into()));
    assert_eq!(found.metric("last.val_loss"), Some(3.0 - 5.0 / 8.0));
    assert_says(&found.notes, &["the run was resumed at step 3"]);
    // without a session start: resumed, then started again
    dir.write("run/events.out.tfevents.2.vm.0", events(&all(3, 5, 3.0).collect::<Vec<_>>()));
    let found = compare(&dir, "run");
    assert_eq!((found.epochs, found.metric("last.val_loss")), (6, Some(3.0 - 5.0 / 8.0)));
    assert_says(&found.notes, &["go back from 7 to 3", "resumed there"]);
    dir.write("run/events.out.tfevents.3.vm.0", events(&all(0, 1, 4.0).collect::<Vec<_>>()));
    let found = compare(&dir, "run");
    assert_eq!((found.epochs, found.metric("first.val_loss")), (2, Some(4.0)));
    assert_says(&found.notes, &["another run starts there"]);
}

#[test]
fn lightning_epochs_start_at_0_and_its_placeholder_metric_is_ignored() {
    let dir = dir_with(&[]);
    let epoch = |number: i64| {
        let step = 4 * (number + 1) - 1;
        [(step, Scalar("val_loss", 1.0 / number as f32)), (step, Scalar("epoch", number as f32))]
    };
    let resumed: Vec<_> = std::iter::once((0, Scalar("hp_metric", -1.0))).chain((3..6).flat_map(epoch)).collect();
    dir.write("version_1/events.out.tfevents.1.vm.0", events(&resumed));
    let found = compare(&dir, "version_1");
    assert_eq!((found.epochs, &found.best), (6, &6.into()));
    assert_says(&found.notes, &["its first epoch is 4: it is written as 3, and Lightning counts from 0"]);
    let names: Vec<&Value> = found.json["metrics"].as_array().unwrap().iter().map(|figure| &figure["name"]).collect();
    assert!(names.iter().all(|name| !name.as_str().unwrap().contains("hp_metric")), "{names:?}");
    // a metric with the placeholder's name that the user logged is shown after the known metrics
    let used: Vec<_> = std::iter::once((3, Scalar("hp_metric", 0.5))).chain((0..2).flat_map(epoch)).collect();
    dir.write("used/events.out.tfevents.1.vm.0", events(&used));
    let text = stdout(&dir.run(&["compare", "used", "other.csv", "--all"]).code(0));
    assert!(text.find("val_loss last").unwrap() < text.find("hp_metric first").unwrap(), "{text}");
}

#[test]
fn runs_with_nan_values_are_still_compared() {
    let dir = dir_with(&[
        (
            "good.json",
            r#"{"loss": [1.0, 0.8, 0.6], "accuracy": [0.5, 0.6, 0.75], "val_loss": [1.1, 0.9, 0.8], "val_accuracy": [0.45, 0.55, 0.625]}"#,
        ),
        (
            "last.json",
            r#"{"loss": [1.0, 0.7, 0.5], "accuracy": [0.5, 0.7, 0.875], "val_loss": [1.0, 0.7, NaN], "val_accuracy": [0.5, 0.7, 0.8125]}"#,
        ),
        ("middle.json", r#"{"loss": [1.0, 0.7, 0.5], "val_loss": [1.0, NaN, 0.6]}"#),
        ("infinite.csv", "epoch,train_loss,val_loss,val_cls_loss\n1,1.0,1.1,inf\n2,0.8,0.9,inf\n"),
    ]);
    let found = compare(&dir, "last.json");
    assert_eq!(found.best, 2);
    let figure =
        |name: &str| found.json["metrics"].as_array().unwrap().iter().find(|figure| figure["name"] == name).cloned();
    assert_eq!(figure("last.val_loss").unwrap()["without_mean"], serde_json::json!(["nan", null]));
    assert_eq!(figure("last.acc").unwrap()["without_mean"], serde_json::json!([0.875, null]));
    assert_says(&found.json["cautions"].to_string(), &["last: diverged", "last: val_loss is nan in epoch 3"]);
    let table = |format: &str, name: &str| {
        let outcome = dir.run(&["compare", "good.json", name, format]).code(0);
        (stdout(&outcome), stderr(&outcome))
    };
    let (csv, message) = table("--csv", "last.json");
    assert_says(&csv, &["\nlast,last.val_loss,0,nan,", "\nlast,last.acc,0,0.875,", ",diverged\n"]);
    assert_says(&message, &["caution: last: diverged", "caution: last: val_loss is nan in epoch 3"]);
    let columns = csv.lines().next().unwrap().matches(',').count();
    assert!(csv.lines().all(|line| line.matches(',').count() == columns), "{csv}");
    let (markdown, _) = table("--md", "last.json");
    assert_says(&markdown, &["| acc last | 0.7500 | 0.8750 |", "| val_loss last | 0.8000 | nan |"]);
    assert_says(&markdown, &["Caution: last: diverged", "Caution: last: val_loss is nan in epoch 3."]);
    let (text, _) = table("--all", "last.json");
    assert_says(&text, &["0.8750", "nan", "caution: B: diverged, so its values"]);
    assert!(text.contains("AAA") && text.contains("BBB"), "missing in the charts:\n{text}");

    let middle = compare(&dir, "middle.json");
    assert_eq!((middle.best.clone(), middle.metric("last.val_loss")), (3.into(), Some(0.6)));
    assert_says(&middle.json["cautions"].to_string(), &["middle: val_loss is nan in epoch 2"]);
    assert_ne!(middle.json["groups"][0]["trials"][0]["diagnosis"], "diverged");

    let (text, _) = table("--all", "infinite.csv");
    assert_says(&text, &["val_cls_loss last", "inf", "caution: B: val_cls_loss is not finite in all 2 epochs"]);
    let (csv, _) = table("--csv", "infinite.csv");
    assert_says(&csv, &["\ninfinite,last.val_cls_loss,0,inf,", ",not finite\n"]);
}

#[test]
fn files_of_other_formats_are_rejected_by_name() {
    let dir = dir_with(&[]);
    for (name, bytes, words) in [
        ("history.csv", &b"PK\x03\x04\x14\0\x06\0[Content_Types].xml xl/"[..], "an Excel workbook"),
        ("history.json.gz", b"\x1f\x8b\x08\0\0\0\0\0", "packed with gzip"),
        ("history.parquet", b"PAR1\x15\x04PAR1", "a Parquet file"),
        ("history.json", b"\x80\x04\x95\x1b\0", "a Python pickle"),
    ] {
        dir.write(name, bytes);
        let message = stderr(&dir.run(&["compare", name, "other.csv"]).code(2));
        assert_says(&message, &[name, words, "hint: ", "supported histories of other programs: JSON"]);
    }
}
