//! Runs in training: torn lines, replaced files, the end of a run, and runs that are deleted while they are shown.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::client::{Server, cell};
use crate::support::TestDir;

/// A run directory that this process holds as if it trained the run.
struct Training {
    folder: PathBuf,
    lock: File,
}

impl Training {
    /// A run of `idea` that has started, without any epoch.
    fn start(dir: &TestDir) -> Training {
        let printed = dir.exp(&["idea.toml", "--seeds", "0..1"]);
        let folder = dir.path(printed["run"].as_str().unwrap());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name != "experiment.toml" && name != "run.json" {
                std::fs::remove_file(path).unwrap();
            }
        }
        let record = std::fs::read_to_string(folder.join("run.json")).unwrap();
        let mut record: Value = serde_json::from_str(&record).unwrap();
        record["finished"] = json!(false);
        for group in record["groups"].as_array_mut().unwrap() {
            for stack in group["stacks"].as_array_mut().unwrap() {
                stack["state"] = json!("waiting");
            }
        }
        std::fs::write(folder.join("run.json"), record.to_string()).unwrap();
        let lock = File::create(folder.join(".lock")).unwrap();
        lock.lock().unwrap();
        let mut training = Training { folder, lock };
        training.progress(0);
        training
    }

    fn progress(&mut self, epoch: usize) {
        self.lock.set_len(0).unwrap();
        std::io::Seek::rewind(&mut self.lock).unwrap();
        write!(self.lock, "{} {epoch}/3", std::process::id()).unwrap();
    }

    fn append(&self, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.folder.join("live.jsonl")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
}

const STACK: &str = "{\"trials\":[\"base-seed0\",\"base-seed1\"],\"epochs\":3}\n";

fn epoch(number: usize, losses: [f64; 2]) -> String {
    let [a, b] = losses;
    format!("{{\"epoch\":{number},\"seconds\":0.5,\"metrics\":{{\"loss\":[{a},{b}],\"val_loss\":[{b},{a}]}}}}\n")
}

/// The loss of both trials by epoch.
fn losses(answer: &Value) -> Vec<Value> {
    answer["data"]["trials"].as_array().unwrap().iter().map(|trial| trial["series"]["loss"].clone()).collect()
}

fn only_id(server: &Server) -> String {
    server.table()["rows"][0][0].as_str().unwrap().to_owned()
}

#[test]
fn curves_grow_with_each_line_and_survive_torn_and_replaced_files() {
    let dir = TestDir::with_idea();
    let mut training = Training::start(&dir);
    let server = Server::start(&dir);
    let id = only_id(&server);
    let get = || server.json(&format!("/data/run/{id}"));
    let first = get();
    assert_eq!((&first["runs"][0]["status"], losses(&first).len()), (&json!("running"), 0));
    let second = epoch(2, [0.3, 0.4]);
    training.append(&format!("{STACK}{}{}", epoch(1, [0.5, 0.6]), &second[..second.len() / 2]));
    assert_eq!(losses(&get()), [json!([0.5]), json!([0.6])]);
    training.append(&second[second.len() / 2..]);
    let answer = get();
    assert_eq!(losses(&answer), [json!([0.5, 0.3]), json!([0.6, 0.4])]);
    assert_eq!(answer["data"]["trials"][1]["name"], "seed 1");
    assert_eq!((&answer["runs"][0]["epoch"], &answer["runs"][0]["epochs"]), (&json!(2), &json!(3)));
    // nothing is sent that the page has
    server.wait_for("answer without data", || {
        let version = get()["version"].clone();
        server.json(&format!("/data/run/{id}?data={version}"))["data"].is_null().then_some(())
    });
    // another file with this name
    let other = training.folder.join("other");
    std::fs::write(&other, format!("{STACK}{}", epoch(1, [7.0, 8.0]))).unwrap();
    std::fs::rename(&other, training.folder.join("live.jsonl")).unwrap();
    assert_eq!(losses(&get()), [json!([7.0]), json!([8.0])]);
    std::fs::write(training.folder.join("live.jsonl"), STACK).unwrap();
    assert!(losses(&get()).is_empty());
    // the table shows the progress
    training.progress(2);
    server.wait_for("progress", || {
        let row = server.json("/data/table")["rows"][0].clone();
        (cell(&row, "epoch") == 2 && cell(&row, "status") == "running").then_some(())
    });
    // the process is killed
    drop(training.lock);
    server.wait_for("interruption", || {
        let row = server.json("/data/table")["rows"][0].clone();
        (cell(&row, "status") == "interrupted").then_some(())
    });
    assert_eq!(get()["runs"][0]["status"], "interrupted");
}

#[test]
fn the_best_epoch_in_training_is_that_of_the_monitored_metric() {
    for (monitor, best) in [("", 3), ("monitor = \"acc\"", 2)] {
        let dir = TestDir::new();
        dir.write("idea.toml", crate::support::idea_with("epochs = 2", &format!("epochs = 2\n{monitor}")));
        let training = Training::start(&dir);
        let server = Server::start(&dir);
        let line = |number: usize, loss: f64, acc: f64| {
            let metrics = format!("{{\"loss\":[{loss},{loss}],\"acc\":[{acc},{acc}]}}");
            format!("{{\"epoch\":{number},\"seconds\":0.5,\"metrics\":{metrics}}}\n")
        };
        training.append(&format!("{STACK}{}{}{}", line(1, 0.5, 0.6), line(2, 0.4, 0.9), line(3, 0.3, 0.7)));
        let answer = server.json(&format!("/data/run/{}", only_id(&server)));
        assert_eq!(answer["data"]["trials"][0]["best"], json!(best), "{monitor}");
    }
}

#[test]
fn a_run_that_is_deleted_while_it_is_shown_is_gone() {
    let dir = TestDir::with_idea();
    let training = Training::start(&dir);
    let server = Server::start(&dir);
    let id = only_id(&server);
    training.append(&format!("{STACK}{}", epoch(1, [0.5, 0.6])));
    assert_eq!(server.get(&format!("/run/{id}")).status, 200);
    std::fs::remove_dir_all(&training.folder).unwrap();
    let answer = server.get(&format!("/data/run/{id}"));
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("it may have been deleted"), "{}", answer.body);
    server.wait_for("empty table", || server.json("/data/table")["rows"].as_array().unwrap().is_empty().then_some(()));
    assert_eq!(server.get(&format!("/run/{id}")).status, 404);
}

/// All files below a directory with their contents.
fn contents(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => contents(&path, found),
            false => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
}

#[test]
fn a_real_run_is_followed_to_its_end_and_looking_changes_nothing() {
    let dir = TestDir::new();
    dir.write("idea.toml", crate::support::idea_with("epochs = 2", "epochs = 400"));
    std::fs::create_dir(dir.path("runs")).unwrap();
    let server = Server::start(&dir);
    let mut run = dir.command(&["exp", "idea.toml", "--quiet", "--seeds", "0..1"]);
    let mut run = run.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let id = server.wait_for("run", || Some(server.json("/data/table")["rows"][0][0].as_str()?.to_owned()));
    let seen = server.wait_for("curves", || {
        let answer = server.json(&format!("/data/run/{id}"));
        losses(&answer).first().and_then(|losses| losses.as_array()).map(Vec::len)
    });
    assert!(seen > 0);
    assert!(run.wait().unwrap().success());
    let ended = server.json(&format!("/data/run/{id}"));
    assert_eq!(ended["runs"][0]["status"], "complete");
    assert_eq!(losses(&ended)[0].as_array().unwrap().len(), 400);
    let mut before = Vec::new();
    contents(&dir.path("runs"), &mut before);
    for path in [format!("/run/{id}"), format!("/report/{id}"), "/".to_owned(), "/data/table".to_owned()] {
        assert_eq!(server.get(&path).status, 200);
    }
    let mut after = Vec::new();
    contents(&dir.path("runs"), &mut after);
    assert!(before == after, "a file was changed");
}
