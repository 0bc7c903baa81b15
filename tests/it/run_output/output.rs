//! Output of `exp` on stdout and stderr, and threads and precision in its history.

use serde_json::Value;

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

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
    assert_eq!(precision(&["--precision", "tf32"]), ("float32".to_owned(), false), "a CPU has no TF32");
    let ran = dir.run(&["exp", "idea.toml", "--device", "cpu", "--tf32"]).code(0); // the former name
    assert_says(&stderr(&ran), &["warning: `--precision tf32` has no effect on the CPU"]);
    assert_eq!(precision(&["--precision", "bf16"]), ("bf16".to_owned(), false));
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

/// Many variants: 12 learning rates.
fn with_variants(count: usize) -> TestDir {
    let dir = TestDir::new();
    let variants: String = (0..count)
        .map(|number| {
            let lr = 0.001 * (number + 1) as f64;
            format!("\n[[variants]]\nname = \"rate_{number}\"\nset = {{ \"train.optimizer.adam.lr\" = {lr} }}\n")
        })
        .collect();
    dir.write("many.toml", IDEA.to_owned() + &variants);
    dir
}

#[test]
fn many_variants_are_shortened_in_a_dry_run_and_in_the_summary_of_a_run() {
    let dir = with_variants(14);
    let dry = ["exp", "many.toml", "--dry-run", "--device", "cpu"];
    let short = stdout(&dir.run(&dry).code(0));
    assert_says(&short.replace("\n          ", " "), &["rate_9 and 4 more (`--verbose` shows all)"]);
    assert!(!short.contains("rate_10"), "{short}");
    assert_says(&stdout(&dir.run(&[&dry[..], &["--verbose"]].concat()).code(0)), &["rate_10", "rate_13"]);
    dir.run(&["exp", "many.toml", "--device", "cpu", "--quiet"]).code(0);
    let rows = |arguments: &[&str]| {
        let text = stdout(&dir.run(arguments).code(0));
        text.lines().filter(|line| line.starts_with("rate_")).count()
    };
    assert_eq!([rows(&["show", "many"]), rows(&["show", "many", "--top", "3"])], [10, 3]);
    assert_eq!(rows(&["show", "many", "--all"]), 14);
}

#[test]
fn a_dry_run_shows_seeds_and_the_threshold() {
    let dir = TestDir::new();
    let text = IDEA.replace(
        "[data.digits]",
        "threshold = \"f1\"\n\n[data.breast_cancer]\nsplit = { validation = 0.3, test = 0.2 }",
    );
    dir.write("idea.toml", text.replace("{ linear = 10 }", "{ linear = 2 }"));
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--seeds", "0..4", "--dry-run", "--device", "cpu"]).code(0));
    assert_says(&shown, &["\nseeds     0..4\n", "\nthreshold highest F1 on the validation rows\n"]);
    let cost = ["--set", "threshold={ cost = { miss = 10, false_alarm = 1 } }"];
    let shown = stdout(&dir.run(&[&["exp", "idea.toml", "--dry-run", "--device", "cpu"][..], &cost].concat()).code(0));
    assert_says(&shown, &["\nseed      0\n", "10 for a miss, 1 for a false"]);
}

#[test]
fn a_dry_run_shows_the_workers() {
    let dir = TestDir::new();
    dir.write("idea.toml", IDEA);
    let workers = ["exp", "idea.toml", "--seeds", "0..4", "--stack", "1", "--workers", "2", "--dry-run"];
    assert_says(&stdout(&dir.run(&workers).code(0)), &["\ndevice    cpu, 2 workers, each with up to "]);
    let json: Value = serde_json::from_str(&stdout(&dir.run(&[&workers[..], &["--json"]].concat()).code(0))).unwrap();
    assert_eq!(json["workers"], 2);
}

#[test]
fn one_number_as_seeds_is_explained_in_a_file_and_on_the_command_line() {
    let dir = TestDir::new();
    dir.write("idea.toml", format!("seeds = 3\n{IDEA}"));
    let message = |arguments: &[&str]| {
        stderr(&dir.run(&[&["exp", "idea.toml", "--dry-run", "--device", "cpu"], arguments].concat()).code(0))
    };
    assert_says(&message(&[]), &["note: `seeds = 3` is the one seed 3; for 3 seeds write `seeds = \"0..2\"`"]);
    assert_says(
        &message(&["--seeds", "4"]),
        &["note: `--seeds 4` is the one seed 4; for 4 seeds write `--seeds 0..3`"],
    );
    assert!(!message(&["--seeds", "0..2"]).contains("the one seed"));
    dir.write("idea.toml", format!("seeds = [3]\n{IDEA}"));
    assert!(!message(&[]).contains("the one seed"), "a list is clear");
}

#[test]
fn lines_of_epochs_have_at_most_100_columns() {
    let dir = TestDir::new();
    let metrics = "metrics = [\"acc\", \"f1\", \"precision\", \"recall\", \"mcc\", \"balanced_acc\"]\nepochs = 2";
    let text = idea_with("epochs = 2", metrics).replace("[data.digits]", "[data.digits]\nsplit = { validation = 0.2 }");
    dir.write("idea.toml", text);
    let message = stderr(&dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0));
    let epochs: Vec<&str> = message.lines().filter(|line| line.starts_with("epoch ")).collect();
    assert_eq!(epochs.len(), 2, "{message}");
    assert!(epochs.iter().all(|line| line.chars().count() <= 100 && line.contains("val_loss")), "{message}");
}
