//! Output of `exp` on stdout and stderr, and threads and precision in its history.

use serde_json::Value;

use crate::support::{TestDir, assert_says, stderr, stdout};

#[test]
fn results_go_to_stdout_and_messages_to_stderr() {
    let dir = TestDir::with_idea();
    let ran = dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    assert_says(&stdout(&ran), &["loss", "acc", "runs/idea/"]);
    assert!(!stdout(&ran).contains("epoch 1/2"));
    assert_says(&stderr(&ran), &["epoch 1/2", "epoch 2/2", "1,797 training rows", "seed 0"]);
    assert!(!format!("{}{}", stdout(&ran), stderr(&ran)).contains('\u{1b}'), "colors without a terminal");
}

#[test]
fn one_thread_can_be_set() {
    let dir = TestDir::with_idea();
    let ran = dir.run(&["exp", "idea.toml", "--threads", "1", "--device", "cpu"]).code(0);
    assert!(stderr(&ran).contains("1 thread\n"), "{}", stderr(&ran));
}

#[test]
fn threads_come_from_the_flag_or_else_from_omp_num_threads() {
    let dir = TestDir::with_idea();
    assert_eq!(dir.history(&["idea.toml", "--threads", "3"])["environment"]["threads"], 3);
    assert_eq!(dir.history(&["idea.toml"])["environment"]["threads"], 1, "the tests set `OMP_NUM_THREADS`");
    let output = dir.command(&["doctor"]).env("OMP_NUM_THREADS", "7").output().unwrap();
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["at most 7 (`OMP_NUM_THREADS`) of ", "`--threads N`"]);
    let output = dir.command(&["doctor"]).env_remove("OMP_NUM_THREADS").output().unwrap();
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["(one per core) of "]);
}

#[test]
fn histories_record_precision_and_determinism() {
    let dir = TestDir::with_idea();
    let precision = |arguments: &[&str]| {
        let environment = dir.history(&[&["idea.toml"], arguments].concat())["environment"].take();
        (environment["precision"].as_str().unwrap().to_owned(), environment["deterministic"].as_bool().unwrap())
    };
    assert_eq!(precision(&[]), ("float32".to_owned(), false));
    assert_eq!(precision(&["--deterministic"]), ("float32".to_owned(), true));
    assert_eq!(precision(&["--tf32"]), ("float32".to_owned(), false), "a CPU has no TF32");
    let ran = dir.run(&["exp", "idea.toml", "--device", "cpu", "--tf32"]).code(0);
    assert_says(&stderr(&ran), &["warning: `--tf32` has no effect on the CPU"]);
    dir.write("tree.toml", "title = \"t\"\n[data.digits]\n[tree]\n");
    let ran = dir.run(&["exp", "tree.toml", "--device", "cpu", "--stack", "3"]).code(0);
    assert_says(&stderr(&ran), &["warning: `--stack` has no effect on trees"]);
    let tree = dir.history(&["tree.toml"]);
    assert!(tree["environment"].get("precision").is_none(), "{}", tree["environment"]);
}

#[test]
fn stdout_contains_only_json() {
    let dir = TestDir::with_idea();
    let ran = dir.run(&["exp", "idea.toml", "--json", "--device", "cpu"]).code(0);
    let printed: Value = serde_json::from_str(&stdout(&ran)).unwrap();
    assert_eq!(printed["histories"][0]["schema"], "runner.history/2");
    assert_eq!(printed["histories"][0]["status"], "completed");
    assert_says(&stderr(&ran), &["epoch 1/2"]);
}

#[test]
fn quiet_prints_nothing() {
    let dir = TestDir::with_idea();
    let ran = dir.run(&["exp", "idea.toml", "--quiet", "--device", "cpu"]).code(0);
    assert_eq!((stdout(&ran), stderr(&ran)), (String::new(), String::new()));
    assert!(dir.path("runs/idea/latest/base-seed0.json").is_file());
}
