//! Histories that other programs wrote, and ours written for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use runner::hint::Hint;
use runner::history::foreign::{self, Foreign, Format};
use serde_json::Value;

use crate::support::Place;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign")
}

/// Points as `expected.json` has them: epoch, then value.
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
        let is_near = |a: f64, b: f64| a == b || (a - b).abs() <= f64::EPSILON * b.abs(); // serde_json reads to the last digit but one
        let is_same = match in_single {
            _ if expected.1.is_nan() => found.1.is_nan(),
            true => found.1 == f64::from(expected.1 as f32),
            false => is_near(found.1, expected.1),
        };
        assert!(found.0 == expected.0 && is_same, "{what}: {found:?}, and the program says {expected:?}");
    }
}

#[test]
fn what_other_programs_write_reads_as_they_report_it_themselves() {
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
            let in_single = format == Format::TensorBoard; // it keeps no more
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
fn an_event_file_that_is_being_written_gives_what_is_there() {
    let folder = fixtures().join("torch_tensorboard");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    let place = Place::new();
    let cut = |at: usize| {
        place.write("events.out.tfevents.1", &bytes[..at]);
        foreign::read(&place.path("events.out.tfevents.1"))
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
    place.write("events.out.tfevents.1", &damaged);
    let rest = foreign::read(&place.path("events.out.tfevents.1")).unwrap();
    assert!(rest.notes[0].contains("damaged behind event"), "{:?}", rest.notes);
}

#[test]
fn what_is_no_history_is_refused_with_its_name_and_a_hint() {
    let place = Place::new();
    let log = std::fs::read_to_string(fixtures().join("skorch.json")).unwrap();
    let files = [
        ("empty.json", "", "the file is empty"),
        ("empty.csv", "\n\n", "the file is empty"),
        ("half.json", &log[..log.len() / 2], "damaged or cut short"),
        ("text.json", "loss 0.5", "damaged or cut short"),
        ("settings.json", "{\"lr\": 0.1, \"layers\": [\"relu\"]}", "no value of any metric"),
        ("ours.json", "{\"schema\": \"runner.history/1\", \"history\": {\"loss\": [1]}}", "runner's own"),
        ("header.csv", "epoch,loss\n", "no row"),
        ("other.csv", "name,age\nAnn,7\n", "no column `epoch`: name, age"),
        ("notes.txt", "Today the loss was low.\n", "no column `epoch`"),
        ("events.out.tfevents.1", "", "is empty"),
        ("events.out.tfevents.2", "no event file at all", "damaged, or no event file"),
    ];
    for (name, text, why) in files {
        let path = place.path(&place.file(name, text));
        let error = foreign::read(&path).unwrap_err();
        let said = format!("{error:#}");
        assert!(said.contains(why) && said.contains(name), "{name}: {said}");
        assert!(error.downcast_ref::<Hint>().is_some(), "{name}: {said}");
    }
    std::fs::create_dir(place.path("folder")).unwrap();
    for name in ["missing.json", "folder"] {
        let error = foreign::read(&place.path(name)).unwrap_err();
        assert!(format!("{error:#}").contains(name) && error.downcast_ref::<Hint>().is_some());
    }
}

#[test]
fn a_folder_of_several_runs_names_them() {
    let place = Place::new();
    let keras = fixtures().join("keras_tensorboard/train");
    let events = std::fs::read(std::fs::read_dir(keras).unwrap().next().unwrap().unwrap().path()).unwrap();
    place.write("runs/first/train/events.out.tfevents.1", &events);
    let only = foreign::read(&place.path("runs")).unwrap();
    assert_eq!(only.series.keys().collect::<Vec<_>>(), ["acc", "loss", "lr"]);
    place.write("runs/second/train/events.out.tfevents.1", &events);
    let error = foreign::read(&place.path("runs")).unwrap_err();
    assert_eq!(error.downcast_ref::<Hint>().unwrap().0, "name one of its folders: `first`, `second`");
    assert!(foreign::tensorboard::holds_events(&place.path("runs")));
    assert!(!foreign::tensorboard::holds_events(&fixtures().join("../foreign/no such folder")));
}
