//! `--dry-run`: all configurations are checked and shown, and nothing is written.

use serde_json::{Value, json};

use crate::support::{TestDir, assert_says, stderr, stdout};
use crate::sweep::dir;

/// Output of `--dry-run --json`. Nothing is written.
#[track_caller]
fn planned(dir: &TestDir, arguments: &[&str]) -> Value {
    let before = dir.files();
    let all = [&["sweep", "idea.toml", "--dry-run", "--json"], arguments].concat();
    let mut printed: Value = serde_json::from_str(&stdout(&dir.run(&all).code(0))).unwrap();
    assert_eq!(dir.files(), before, "files were written");
    let seconds = printed.as_object_mut().unwrap().remove("seconds").unwrap();
    assert!(seconds.as_f64().unwrap() > 0.0, "measured, so it differs each time");
    printed
}

const SWEEP: &str = r#"
[sweep]
trials = 12
seeds  = "0..2"

[sweep.space]
"train.optimizer.adam.lr"       = { log = [1e-4, 1e-1] }
"network.layers.0.linear.units" = { int = [16, 256], log = true }
"train.optimizer"               = ["adam", { sgd = { lr = 0.1 } }]

[[sweep.when]]
if    = { "train.optimizer" = "sgd" }
space = { "train.optimizer.sgd.momentum" = [0.0, 0.9, 0.99] }

[[sweep.zip]]
"train.batch"  = [32, 64]
"train.epochs" = [1, 2]
"#;

#[test]
fn the_space_of_the_file_is_planned_the_same_way_every_time_and_can_be_extended() {
    let dir = dir(SWEEP);
    let plan = planned(&dir, &[]);
    assert_eq!(
        (&plan["metric"], &plan["method"], &plan["trials"]),
        (&json!("best.val_loss"), &json!("sobol"), &json!(36))
    );
    assert_eq!(plan["seeds"], json!([0, 1, 2]));
    let configurations = plan["configurations"].as_array().unwrap();
    assert_eq!(configurations.len(), 12);
    for configuration in configurations {
        let set = configuration["set"].as_object().unwrap();
        let is_adam = set["train.optimizer"] == "adam";
        assert_eq!(set.contains_key("train.optimizer.adam.lr"), is_adam, "{set:?}");
        assert_eq!(set.contains_key("train.optimizer.sgd.momentum"), !is_adam, "{set:?}");
        assert_eq!(set["train.batch"].as_i64().unwrap(), 32 * set["train.epochs"].as_i64().unwrap(), "{set:?}");
    }
    let mut stacked: Vec<&str> = plan["stacks"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|stack| stack["configurations"].as_array().unwrap())
        .map(|name| name.as_str().unwrap())
        .collect();
    stacked.sort_unstable();
    let names: Vec<&str> = configurations.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(stacked, names, "each configuration is in one stack");
    assert_eq!(planned(&dir, &[]), plan);
    let more = planned(&dir, &["--trials", "20"]);
    assert_eq!(more["configurations"].as_array().unwrap()[..12], configurations[..]);
    assert_ne!(planned(&dir, &["--search-seed", "1"])["configurations"], plan["configurations"]);
}

#[test]
fn options_add_to_the_space_of_the_file_and_replace_parts_of_it() {
    let dir = dir("[sweep]\n[sweep.space]\n\"train.batch\" = [32, 64]\n\"train.epochs\" = [1, 2]\n");
    let plan = planned(
        &dir,
        &["--space", "batch=8,16", "--space", "lr=float:0.1..0.3:0.1", "--method", "grid", "--seeds", "7"],
    );
    assert_eq!(plan["settings"], json!(["train.batch", "train.epochs", "train.optimizer.adam.lr"]));
    let lrs: Vec<&Value> = plan["configurations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["set"]["train.optimizer.adam.lr"])
        .take(3)
        .collect();
    assert_eq!(lrs, [&json!(0.1), &json!(0.2), &json!(0.3)]);
    assert_eq!(plan["configurations"].as_array().unwrap().len(), 12);
    assert_eq!((&plan["seeds"], &plan["trials"]), (&json!([7]), &json!(12)));
    let stacks = plan["stacks"].as_array().unwrap();
    assert_eq!(stacks.iter().map(|stack| stack["replicas"].as_u64().unwrap()).sum::<u64>(), 12);
}

#[test]
fn the_text_shows_the_settings_of_each_configuration_with_short_names() {
    let dir = dir("");
    let run = dir.run(&[
        "sweep",
        "idea.toml",
        "--dry-run",
        "--space",
        "lr=0.001,0.01",
        "--space",
        "train.batch=32,64",
        "--device",
        "cpu",
    ]);
    let run = run.code(0);
    let text = stdout(&run);
    assert_says(
        &text,
        &[
            "idea: 4 configurations, 4 trials",
            "best.val_loss, lowest is best",
            "name     lr  batch",
            "0000",
            "0003",
            "time      about ",
            "if all epochs are trained (estimated: one",
            "nothing was written",
        ],
    );
    assert_says(&stderr(&run), &["note: each configuration is trained on one seed"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn the_other_commands_ignore_the_space() {
    let dir = dir(SWEEP);
    let history = dir.history(&["idea.toml"]);
    assert_eq!(history["config"].get("sweep"), None);
    let run = std::fs::read_dir(dir.path("runs/idea"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("run.json").is_file());
    let resolved = std::fs::read_to_string(run.unwrap().join("experiment.toml")).unwrap();
    assert!(!resolved.contains("sweep"), "{resolved}");
}

#[test]
fn configurations_start_from_a_variant() {
    let dir = dir(
        "[[variants]]\nname = \"short\"\nset = { \"train.epochs\" = 1 }\n[[variants]]\nname = \"long\"\nset = { \"train.epochs\" = 9, \"train.batch\" = 8 }\n",
    );
    let plan = planned(&dir, &["--variant", "long", "--space", "train.batch=32,64", "--method", "grid"]);
    assert_eq!(plan["configurations"][1]["set"]["train.batch"], json!(64));
    let message = dir.error_message(&["sweep", "idea.toml", "--dry-run", "--space", "train.batch=32,64"]);
    assert_says(&message, &["the experiment has 2 variants: `short`, `long`", "`--variant short`"]);
    let message =
        dir.error_message(&["sweep", "idea.toml", "--dry-run", "--space", "train.batch=32,64", "--variant", "lnog"]);
    assert_says(&message, &["no variant `lnog`", "did you mean `long`?"]);
}

#[test]
fn a_long_list_is_shortened_to_sixty_lines_unless_all_are_asked_for() {
    let dir = dir("");
    let text = |more: &[&str]| {
        let space = ["sweep", "idea.toml", "--dry-run", "--space", "lr=log:1e-4..1e-1", "--trials", "200"];
        stdout(&dir.run(&[&space[..], more].concat()).code(0))
    };
    let short = text(&[]);
    assert_eq!(short.lines().count(), 60, "{short}");
    assert_says(&short, &["\n0000 ", " more: list them with `--all`"]);
    let all = text(&["--all"]);
    assert_says(&all, &["\n0000 ", "\n0199 "]);
    assert!(all.lines().count() > 200 && !all.contains(" more"), "{all}");
}

#[test]
fn stacks_that_are_wider_than_allowed_are_described_as_they_are_trained() {
    let dir = dir("");
    let plan = ["sweep", "idea.toml", "--dry-run", "--space", "lr=0.001,0.01", "--seeds", "0..4", "--device", "cpu"];
    let text =
        |stack: &str| stdout(&dir.run(&[&plan[..], &["--stack", stack]].concat()).code(0)).replace("\n          ", " ");
    assert_says(&text("2"), &["2 stacks of 5 models each (configurations × seeds; 2 models are trained at once)"]);
    assert_says(&text("10"), &["1 stack of 10 models (configurations × seeds; at most 10 models in a stack)"]);
}
