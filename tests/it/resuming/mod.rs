//! Runs that are stopped, killed, or fail in part, and go on: nothing is lost, and figures are those of a run in one go.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{IDEA, Place, RUNNER, assert_says, curves, idea_with, metric, stderr, stdout};

const EVERYTHING: &str = include_str!("everything.toml");

/// Kills a run of this experiment so often, resumes it, and holds it against one in one go.
fn outlives(experiment: &str, kills: usize, more: &[&str]) {
    let place = Place::new();
    place.write("idea.toml", experiment);
    let kills = kills.to_string();
    let arguments = [&["selftest", "resume", "idea.toml", "--kills", &kills, "--device", "cpu"], more].concat();
    let told = stdout(&place.run(&arguments).code(0));
    assert_says(&told, &[&format!("{kills} kills in "), "to the last bit"]);
}

#[test]
fn a_stack_of_seeds_outlives_being_killed() {
    outlives(&idea_with("epochs = 2", "epochs = 25"), 5, &["--seeds", "0..2", "--threads", "2"]);
}

#[test]
fn dropout_batch_normalization_plateau_and_early_stopping_outlive_being_killed() {
    outlives(EVERYTHING, 5, &[]);
}

#[test]
fn folds_variants_and_other_optimizers_outlive_being_killed() {
    let variants = "\n[[variants]]\nname = \"momentum\"\nset = { \"train.optimizer\" = { sgd = { lr = 0.1, momentum = 0.9 } } }\n\
        [[variants]]\nname = \"dropout\"\nset = { \"network.layers\" = [{ linear = 16 }, { dropout = 0.2 }, { linear = 10 }] }\n\
        [[variants]]\nname = \"warm\"\nset = { \"train.schedule\" = { warm_up = { epochs = 3, then = \"cosine\" } } }\n";
    let experiment =
        idea_with("epochs = 2", "epochs = 8").replace("[data.digits]", "[data.digits]\nsplit = { folds = 3 }");
    outlives(&format!("{experiment}{variants}"), 5, &[]);
}

#[test]
fn trees_outlive_being_killed() {
    let tree =
        "title = \"A tree\"\nseeds = [0, 1, 2, 3]\n[data.digits]\nsplit = { test = 0.3, random_state = 42 }\n[tree]\n";
    outlives(tree, 3, &[]);
}

/// Starts a run, and waits until it shows this epoch.
fn at_epoch(place: &Place, epoch: usize, arguments: &[&str]) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = place
        .command(&[&["exp", "idea.toml", "--device", "cpu"], arguments].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let start = format!("{epoch}/");
    assert!(talk.any(|line| line.trim_start_matches("epoch").trim_start().starts_with(&start)));
    (child, talk)
}

/// A run's folder.
fn latest(place: &Place) -> PathBuf {
    std::fs::canonicalize(place.path("runs/idea/latest")).unwrap()
}

fn history(place: &Place) -> Value {
    serde_json::from_slice(&std::fs::read(latest(place).join("base-seed0.json")).unwrap()).unwrap()
}

fn history_in(place: &Place, run: &Value) -> Value {
    let file = place.path(run.as_str().unwrap()).join("base-seed0.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// [`IDEA`] for so many epochs.
fn long(epochs: usize) -> Place {
    let place = Place::new();
    place.write("idea.toml", idea_with("epochs = 2", &format!("epochs = {epochs}")));
    place
}

#[cfg(unix)]
mod signals {
    use super::*;
    use crate::support::send;

    #[test]
    fn a_signal_writes_a_checkpoint_and_resume_goes_on_to_the_same_end() {
        for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
            let place = long(400);
            let (mut child, talk) = at_epoch(&place, 3, &[]);
            send(&child, signal);
            let last_words = talk.last().unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code));
            let run = latest(&place);
            let name = run.file_name().unwrap().to_str().unwrap();
            assert_says(
                &last_words,
                &["interrupted after epoch ", &format!("`runner resume runs/idea/{name}` goes on")],
            );
            assert!(run.join("checkpoint.safetensors").is_file());
            let stopped_at = metric(&history(&place), "loss").len();
            assert!((3..400).contains(&stopped_at), "{stopped_at}");

            let resumed = place.run(&["resume", "idea"]).code(0);
            assert_says(&stderr(&resumed), &[&format!("from the checkpoint of epoch {stopped_at}")]);
            let resumed = history(&place);
            assert_eq!(resumed["status"], "completed");
            assert!(!run.join("checkpoint.safetensors").exists(), "it is of no use any more");
            let one_go = long(400).history(&["idea.toml"]);
            assert_eq!(curves(&resumed), curves(&one_go));
            assert_eq!((&resumed["best"]["epoch"], &resumed["test"]), (&one_go["best"]["epoch"], &one_go["test"]));
        }
    }

    #[test]
    fn sigusr1_writes_a_checkpoint_and_the_run_goes_on() {
        let place = long(100_000);
        let (mut child, mut talk) = at_epoch(&place, 3, &["--checkpoint", "never"]);
        let file = latest(&place).join("checkpoint.safetensors");
        assert!(!file.exists());
        send(&child, libc::SIGUSR1);
        assert!(talk.any(|line| line.contains("a checkpoint of epoch ")));
        assert!(file.is_file());
        assert!(talk.any(|line| line.starts_with("epoch ")), "it goes on");
        child.kill().unwrap();
        child.wait().unwrap();
        let resumed = place.command(&["resume", "idea"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut resumed = resumed.unwrap();
        let mut talk = BufReader::new(resumed.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(talk.any(|line| line.contains("from the checkpoint of epoch ")));
        resumed.kill().unwrap();
        resumed.wait().unwrap();
    }

    #[test]
    fn a_run_may_be_stopped_and_resumed_many_times() {
        let place = long(3000);
        let (mut child, _talk) = at_epoch(&place, 2, &[]);
        send(&child, libc::SIGTERM);
        child.wait().unwrap();
        for epoch in [40, 90] {
            let mut child =
                place.command(&["resume", "idea"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
            let shown = format!("epoch {epoch:>4}/");
            assert!(talk.any(|line| line.starts_with(&shown)));
            send(&child, libc::SIGTERM);
            talk.for_each(drop);
            assert_eq!(child.wait().unwrap().code(), Some(143));
        }
        place.run(&["resume", "idea"]).code(0);
        assert_eq!(curves(&history(&place)), curves(&long(3000).history(&["idea.toml"])));
    }

    #[test]
    fn exp_with_resume_goes_on_with_the_same_run_and_with_no_other() {
        let place = long(200);
        let (mut child, _talk) = at_epoch(&place, 2, &[]);
        send(&child, libc::SIGINT);
        child.wait().unwrap();
        let other = place.run(&["exp", "idea.toml", "--device", "cpu", "--resume", "--epochs", "3"]).code(0);
        assert_says(&stderr(&other), &["there is no such run to go on with: a new one begins"]);
        let same = place.run(&["exp", "idea.toml", "--device", "cpu", "--resume"]).code(0);
        assert_says(&stderr(&same), &["going on with `runs/idea/"]);
        let files = place.files();
        let again = place.run(&["exp", "idea.toml", "--device", "cpu", "--resume", "--json"]).code(0);
        assert_says(&stderr(&again), &["nothing is left to be done"]);
        let printed: Value = serde_json::from_str(&stdout(&again)).unwrap();
        assert_eq!(printed["histories"][0], history_in(&place, &printed["run"]));
        assert_eq!(place.files(), files);
    }
}

#[test]
fn a_run_that_is_finished_is_not_run_again() {
    let place = Place::with_idea();
    place.exp(&["idea.toml"]);
    let before = place.files();
    let said = stderr(&place.run(&["resume", "idea"]).code(0));
    assert_says(&said, &["nothing is left to be done: the run in `runs/idea/", "is finished"]);
    assert_eq!(place.files(), before);
    std::fs::remove_file(latest(&place).join("base-seed0.json")).unwrap();
    place.run(&["resume", "idea"]).code(0);
    assert_eq!(history(&place)["status"], "completed", "what is gone is trained again");
}

#[test]
fn a_run_that_is_not_finished_is_no_run_that_is_done() {
    let place = killed();
    let said = stderr(&place.run(&["runs"]).code(0));
    assert_says(&said, &["no history yet", "`runner resume` goes on"]);
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let (ours, other) = (killed(), killed());
    let of = |place: &Place| latest(place).join("checkpoint.safetensors");
    let theirs = other.path("theirs.safetensors");
    std::fs::copy(of(&other), &theirs).unwrap();
    let text = std::fs::read_to_string(latest(&ours).join("run.json")).unwrap();
    // the same network, trials and epochs, and another learning rate
    std::fs::write(latest(&ours).join("run.json"), text.replace("lr = 1e-3", "lr = 2e-3")).unwrap();
    std::fs::copy(theirs, of(&ours)).unwrap();
    let said = refused(&ours);
    assert_says(&said, &["not one of this run", "other settings", "hint: without it", "rm '"]);
}

#[test]
fn what_cannot_be_resumed_is_told() {
    let place = Place::with_idea();
    assert_says(&place.refusal(&["resume", "idea"]), &["there is no run of `idea` in `runs`"]);
    place.exp(&["idea.toml"]);
    let record = latest(&place).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert_says(&place.refusal(&["resume", "idea"]), &["run.json", "hint: it is damaged"]);
    std::fs::write(&record, text.replace("runner.run/1", "runner.run/9")).unwrap();
    assert_says(&place.refusal(&["resume", "idea"]), &["`runner.run/9`", "reads `runner.run/1`"]);
    std::fs::remove_file(&record).unwrap();
    assert_says(&place.refusal(&["resume", "idea"]), &["hint: runs of earlier versions have no `run.json`"]);
}

/// What `resume` says when it refuses to go on with a run that was killed.
fn refused(place: &Place) -> String {
    let said = stderr(&place.run(&["resume", "idea"]).code(2));
    assert!(format!("\n{said}").contains("\nerror: ") && !said.contains("panicked"), "{said}");
    said
}

/// A run that was killed behind a checkpoint.
fn killed() -> Place {
    let place = long(100_000);
    let (mut child, mut talk) = at_epoch(&place, 3, &["--checkpoint", "1"]);
    assert!(talk.any(|line| line.starts_with("epoch ")));
    child.kill().unwrap();
    child.wait().unwrap();
    place
}

#[test]
fn a_checkpoint_that_is_damaged_is_refused_with_the_way_out() {
    let place = killed();
    let file = latest(&place).join("checkpoint.safetensors");
    let whole = std::fs::read(&file).unwrap();
    for place_of_bit in [9, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[place_of_bit] ^= 1;
        std::fs::write(&file, damaged).unwrap();
        assert_says(&refused(&place), &["checkpoint.safetensors", "damaged", "hint: without it", "rm '"]);
    }
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_says(&refused(&place), &["damaged"]);
}

/// A table, and an experiment on it for so many epochs.
fn with_table(epochs: usize) -> Place {
    let place = Place::new();
    place.write("table.csv", table(0));
    let experiment = idea_with("epochs = 2", &format!("epochs = {epochs}"))
        .replace("[data.digits]", "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"");
    place.write("idea.toml", experiment.replace("linear = 10 }", "linear = 2 }").replace("batch = 64", "batch = 40"));
    place
}

fn table(shift: usize) -> String {
    let row = |row| format!("{}.5,{}\n", row + shift, if row % 2 == 0 { "a" } else { "b" });
    format!("x,y\n{}", (0..40).map(row).collect::<String>())
}

#[test]
fn data_that_have_changed_are_no_data_to_go_on_with() {
    let place = with_table(100_000);
    let (mut child, _talk) = at_epoch(&place, 3, &["--checkpoint", "1"]);
    child.kill().unwrap();
    child.wait().unwrap();
    place.write("table.csv", table(7));
    assert_says(&refused(&place), &["the data of `csv` have changed since the run began", "hint: restore"]);
}

#[test]
fn a_run_goes_on_from_any_folder() {
    let place = with_table(3);
    let one_go = place.history(&["idea.toml"]);
    let record = latest(&place).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    // as if it had been killed before its first checkpoint
    let begun = text.replace("\"finished\": true", "\"finished\": false").replace("\"done\"", "\"waiting\"");
    assert_ne!(begun, text);
    std::fs::write(&record, begun).unwrap();
    let run = latest(&place);
    std::fs::remove_file(run.join("base-seed0.json")).unwrap();
    let mut elsewhere = place.command(&["resume", run.to_str().unwrap()]);
    assert!(elsewhere.current_dir(place.path("runs")).output().unwrap().status.success());
    assert_eq!(curves(&history(&place)), curves(&one_go));
}

/// The program with these arguments, and 2 GB of addresses.
#[cfg(unix)]
fn with_little_memory(place: &Place, arguments: &[&str]) -> (String, String) {
    let mut command = place.command_of("sh", &["-c", "ulimit -v 2000000 && exec \"$0\" \"$@\"", RUNNER]);
    let ended = command.args(arguments).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn a_variant_that_fails_leaves_the_others_to_end_and_is_tried_again() {
    let place = Place::new();
    let layers = |name: &str, layers: &str| {
        let layers = format!("[{layers}, {{ dropout = 0.1 }}, {{ linear = 10 }}]");
        format!("[[variants]]\nname = \"{name}\"\nset = {{ \"network.layers\" = {layers} }}\n")
    };
    let (huge, wide) = (layers("huge", "{ linear = 15000 }, { linear = 15000 }"), layers("wide", "{ linear = 32 }"));
    place.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"small\"\n{huge}{wide}"));
    let (shown, said) = with_little_memory(&place, &["exp", "idea.toml", "--device", "cpu"]);
    let why =
        ["failed to train `idea`, variant huge, seed 0, on cpu", "has not enough memory", "2 of 3 trials are done"];
    assert_says(&said, &why);
    assert!(!said.contains("panicked"), "{said}");
    assert_says(&shown, &["small", "wide", "not trained: huge"]);
    let run = latest(&place);
    for (name, is_there) in [("small-seed0", true), ("wide-seed0", true), ("huge-seed0", false)] {
        assert_eq!(run.join(format!("{name}.json")).exists(), is_there, "{name}");
        assert_eq!(run.join(format!("{name}.safetensors")).exists(), is_there, "{name}");
    }
    let record: Value = serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["finished"], false);
    assert_says(&record.to_string(), &["\"failed\"", "not enough memory"]);
    let (_, said) = with_little_memory(&place, &["resume", "idea"]);
    assert_says(&said, &["2 of 3 trials are done", "has not enough memory"]);
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_is_refused_and_what_it_leads_to_is_left_alone() {
    let place = killed();
    place.write("precious", "the user's own");
    let lock = latest(&place).join(".lock");
    let _ = std::fs::remove_file(&lock); // the one of the killed run
    std::os::unix::fs::symlink(place.path("precious"), &lock).unwrap();
    assert_says(&refused(&place), &["failed to lock", "hint: "]);
    assert_eq!(std::fs::read_to_string(place.path("precious")).unwrap(), "the user's own");
}

#[test]
fn an_interruption_is_no_end_whatever_the_record_says() {
    let place = Place::with_idea();
    place.exp(&["idea.toml"]);
    let file = latest(&place).join("base-seed0.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"completed\"", "\"interrupted\"")).unwrap();
    let record = latest(&place).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("\"finished\": true", "\"finished\": false")).unwrap();
    let said = stderr(&place.run(&["resume", "idea"]).code(0));
    assert_says(&said, &["no more than an interruption"]);
    assert_eq!(history(&place)["status"], "completed");
}
