//! What `exp` prints, on which stream, and what its history says of threads and precision.

use serde_json::Value;

use crate::support::{Place, assert_says, stderr, stdout};

#[test]
fn data_go_to_standard_output_and_talk_to_standard_error() {
    let place = Place::with_idea();
    let ran = place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    assert_says(&stdout(&ran), &["loss", "acc", "runs/idea/"]);
    assert!(!stdout(&ran).contains("epoch 1/2"));
    assert_says(&stderr(&ran), &["epoch 1/2", "epoch 2/2", "1,797 training rows", "seed 0"]);
    assert!(!format!("{}{}", stdout(&ran), stderr(&ran)).contains('\u{1b}'), "colours where nobody looks");
}

#[test]
fn one_thread_is_one_thread() {
    let place = Place::with_idea();
    let ran = place.run(&["exp", "idea.toml", "--threads", "1", "--device", "cpu"]).code(0);
    assert!(stderr(&ran).contains("1 thread\n"), "{}", stderr(&ran));
}

#[test]
fn threads_are_as_many_as_the_flag_says_or_else_the_variable_of_openmp() {
    let place = Place::with_idea();
    assert_eq!(place.history(&["idea.toml", "--threads", "3"])["environment"]["threads"], 3);
    assert_eq!(place.history(&["idea.toml"])["environment"]["threads"], 1, "the tests set `OMP_NUM_THREADS`");
    let told = place.command(&["doctor"]).env("OMP_NUM_THREADS", "7").output().unwrap();
    assert_says(&String::from_utf8(told.stdout).unwrap(), &["at most 7 (`OMP_NUM_THREADS`) of ", "`--threads N`"]);
    let told = place.command(&["doctor"]).env_remove("OMP_NUM_THREADS").output().unwrap();
    assert_says(&String::from_utf8(told.stdout).unwrap(), &["(one for each core) of "]);
}

#[test]
fn a_history_states_the_precision_and_whether_figures_are_the_same_each_time() {
    let place = Place::with_idea();
    let of = |arguments: &[&str]| {
        let environment = place.history(&[&["idea.toml"], arguments].concat())["environment"].take();
        (environment["precision"].as_str().unwrap().to_owned(), environment["deterministic"].as_bool().unwrap())
    };
    assert_eq!(of(&[]), ("float32".to_owned(), false));
    assert_eq!(of(&["--deterministic"]), ("float32".to_owned(), true));
    assert_eq!(of(&["--tf32"]), ("float32".to_owned(), false), "a CPU has no TF32");
    let ran = place.run(&["exp", "idea.toml", "--device", "cpu", "--tf32"]).code(0);
    assert_says(&stderr(&ran), &["warning: `--tf32` has no effect on the CPU"]);
    place.write("tree.toml", "title = \"t\"\n[data.digits]\n[tree]\n");
    let ran = place.run(&["exp", "tree.toml", "--device", "cpu", "--stack", "3"]).code(0);
    assert_says(&stderr(&ran), &["warning: `--stack` has no effect on trees"]);
    let tree = place.history(&["tree.toml"]);
    assert!(tree["environment"].get("precision").is_none(), "{}", tree["environment"]);
}

#[test]
fn json_is_all_there_is_on_standard_output() {
    let place = Place::with_idea();
    let ran = place.run(&["exp", "idea.toml", "--json", "--device", "cpu"]).code(0);
    let printed: Value = serde_json::from_str(&stdout(&ran)).unwrap();
    assert_eq!(printed["histories"][0]["schema"], "runner.history/1");
    assert_eq!(printed["histories"][0]["status"], "completed");
    assert_says(&stderr(&ran), &["epoch 1/2"]);
}

#[test]
fn quiet_prints_nothing() {
    let place = Place::with_idea();
    let ran = place.run(&["exp", "idea.toml", "--quiet", "--device", "cpu"]).code(0);
    assert_eq!((stdout(&ran), stderr(&ran)), (String::new(), String::new()));
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}
