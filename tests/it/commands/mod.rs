//! What each command prints, writes and exits with.

mod lessons;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use safetensors::SafeTensors;
use serde_json::Value;

#[cfg(unix)]
use crate::support::{IDEA, Place, assert_says, curves, idea_with, metric, send, stderr, stdout};

const SHIPPED: [&str; 8] = [
    "digits_mlp",
    "mlp_xor",
    "mnist_dropout",
    "overfit_mnist",
    "perceptron_and",
    "perceptron_nand",
    "perceptron_or",
    "perceptron_xor",
];

/// What a command prints as JSON.
#[track_caller]
fn json(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&place.run(arguments).code(0))).unwrap()
}

/// The values of one key in a list of objects.
fn all<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}

// list and show

/// What `list` shows: each heading with the experiments under it.
fn listed(text: &str) -> Vec<(&str, Vec<&str>)> {
    let chapters = text.split("\n\n").skip(1).map(|chapter| chapter.split_once('\n').unwrap());
    chapters.map(|(heading, rows)| (heading, rows.lines().filter_map(|row| row.split(' ').next()).collect())).collect()
}

#[test]
fn list_shows_every_shipped_experiment_under_its_lesson() {
    let text = stdout(&Place::new().run(&["list"]).code(0));
    let chapters = listed(&text);
    for name in SHIPPED {
        assert!(chapters.iter().any(|(_, names)| names.contains(&name)), "{text}");
    }
    assert_says(text.lines().next().unwrap(), &["experiment", "title", "data", "size"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let headings: Vec<&str> = chapters.iter().map(|(heading, _)| *heading).collect();
    assert_eq!((headings[0], *headings.last().unwrap()), ("A. Perceptrons", "G. Credit-card fraud"));
    assert!(headings.is_sorted(), "{headings:?}");
    assert!(chapters.iter().all(|(_, names)| names.is_sorted()), "{text}");
    assert!(chapters[0].1.contains(&"perceptron_or"), "{text}");
}

#[test]
fn list_keeps_to_a_lesson() {
    let place = Place::new();
    let text = stdout(&place.run(&["list", "--lesson", "c"]).code(0));
    let chapters = listed(&text);
    assert_eq!(chapters.len(), 1, "{text}");
    assert_eq!(chapters[0].0, "C. MNIST and overfitting");
    assert!(chapters[0].1.contains(&"overfit_mnist"));
    let by_words = stdout(&place.run(&["list", "--lesson", "Overfitting"]).code(0));
    assert_eq!(by_words, text);
    let quick = json(&place, &["list", "--lesson", "C", "--quick", "--json"]);
    assert_eq!(all(&quick, "lesson"), ["C. MNIST and overfitting"]);
    assert_says(&place.refusal(&["list", "--lesson", "Z"]), &["`Z`", "`A. Perceptrons`"]);
}

#[test]
fn list_prints_json() {
    let listed = json(&Place::new(), &["list", "--json"]);
    let digits = listed.as_array().unwrap().iter().find(|item| item["name"] == "digits_mlp").unwrap();
    assert_eq!(digits["parameters"], 64 * 32 + 32 + 32 * 16 + 16 + 16 * 10 + 10);
    assert_eq!((&digits["data"], &digits["quick"]), (&"digits".into(), &true.into()));
    assert_eq!(digits["lesson"], "B. Digits");
    assert!(SHIPPED.iter().all(|name| all(&listed, "name").contains(name)));
}

#[test]
fn quick_experiments_are_those_that_need_no_download() {
    let quick = json(&Place::new(), &["list", "--quick", "--json"]);
    assert!(!all(&quick, "name").is_empty());
    assert!(!all(&quick, "data").contains(&"mnist"));
    let table = stdout(&Place::new().run(&["list", "--quick"]).code(0));
    assert_eq!(listed(&table).iter().map(|(_, names)| names.len()).sum::<usize>(), all(&quick, "name").len());
}

#[test]
fn show_tells_settings_and_layers_in_80_columns() {
    let place = Place::new();
    let mut wide = Vec::new();
    for name in SHIPPED {
        let shown = stdout(&place.run(&["show", name]).code(0));
        assert_says(&shown, &["[network]", "[train]", "parameters", "total"]);
        wide.extend(shown.lines().filter(|line| line.chars().count() > 80).map(|line| format!("{name}: {line}")));
    }
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn show_prints_the_resolved_experiment_as_json() {
    let shown = json(&Place::new(), &["show", "digits_mlp", "--json", "--set", "train.epochs=7"]);
    assert_eq!(shown["name"], "digits_mlp");
    assert_eq!(shown["config"]["train"]["epochs"], 7);
    assert_eq!(shown["config"]["train"]["optimizer"]["adam"]["lr"], 1e-3);
    assert_eq!(all(&shown["network"]["layers"], "kind"), ["linear", "relu", "linear", "relu", "linear"]);
    assert_eq!(shown["network"]["parameters"], 2778);
}

#[test]
fn what_show_prints_can_be_saved_and_run_to_the_same_numbers() {
    let place = Place::new();
    for name in ["digits_mlp", "mlp_xor"] {
        place.write("saved.toml", stdout(&place.run(&["show", name]).code(0)));
        assert_eq!(curves(&place.history(&["saved.toml"])), curves(&place.history(&[name])));
    }
}

#[test]
fn the_experiment_in_a_runs_folder_can_be_run_to_the_same_numbers() {
    let place = Place::new();
    let first = place.history(&["digits_mlp", "--seed", "3", "--epochs", "5", "--set", "train.optimizer.adam.lr=0.01"]);
    let again = place.history(&["runs/digits_mlp/latest/experiment.toml"]);
    assert_eq!(curves(&first), curves(&again));
    assert_eq!((&first["seed"], &first["config"]), (&again["seed"], &again["config"]));
}

#[test]
fn an_experiment_of_ones_own_is_found_by_name_and_listed() {
    let place = Place::new();
    place.write("experiments/mine.toml", IDEA);
    place.write("experiments/digits_mlp.toml", idea_with("An idea", "My digits"));
    assert_eq!(place.history(&["mine"])["experiment"], "mine");
    assert!(place.path("runs/mine/latest/base-seed0.json").is_file());
    let listed = json(&place, &["list", "--json"]);
    assert!(all(&listed, "name").contains(&"mine"));
    assert_eq!(all(&listed, "name").iter().filter(|name| **name == "digits_mlp").count(), 1);
    assert!(all(&listed, "title").contains(&"My digits"));
    place.write("experiments/lesson.toml", format!("lesson = \"Z. Mine\"\n{IDEA}"));
    let mine = json(&place, &["list", "--json"]);
    let mine = mine.as_array().unwrap().iter().find(|item| item["name"] == "mine").unwrap();
    assert_eq!(mine["lesson"], Value::Null);
    let text = stdout(&place.run(&["list"]).code(0));
    assert_says(&text, &["\n\nZ. Mine\nlesson ", "\n\nYour own\ndigits_mlp ", "\nmine "]);
    assert_says(&place.refusal(&["exp", "mien"]), &["did you mean `mine`?"]);
}

#[test]
fn an_experiment_of_ones_own_that_cannot_be_read_does_not_hide_the_others() {
    let place = Place::new();
    place.write("experiments/broken.toml", "title = ");
    let listed = place.run(&["list"]).code(0);
    assert_says(&stderr(&listed), &["left out", "broken.toml"]);
    assert_says(&stdout(&listed), &SHIPPED);
}

// exp

#[test]
fn a_run_leaves_its_experiment_history_and_weights_and_latest_points_to_them() {
    let place = Place::new();
    let printed = place.exp(&["digits_mlp", "--epochs", "2"]);
    let folder = place.path(printed["run"].as_str().unwrap());
    assert!(folder.starts_with(place.path("runs/digits_mlp")));
    for name in ["experiment.toml", "base-seed0.json", "base-seed0.safetensors"] {
        assert!(folder.join(name).is_file(), "no {name}");
    }
    let latest = place.path("runs/digits_mlp/latest");
    assert!(latest.is_symlink());
    assert_eq!(latest.canonicalize().unwrap(), folder.canonicalize().unwrap());
    let written: Value = serde_json::from_slice(&std::fs::read(folder.join("base-seed0.json")).unwrap()).unwrap();
    assert_eq!(written, printed["histories"][0]);
    assert!(std::fs::read_to_string(folder.join("experiment.toml")).unwrap().ends_with('\n'));
    assert!(!place.files().iter().any(|path| path.extension().is_some_and(|extension| extension == "part")));
}

#[test]
fn the_weights_are_named_and_shaped_as_pytorchs() {
    let place = Place::new();
    place.history(&["digits_mlp", "--epochs", "2"]);
    let bytes = std::fs::read(place.path("runs/digits_mlp/latest/base-seed0.safetensors")).unwrap();
    let weights = SafeTensors::deserialize(&bytes).unwrap();
    let shapes: Vec<_> = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
        .map(|name| weights.tensor(name).unwrap().shape().to_vec())
        .into();
    assert_eq!(shapes, [vec![32, 64], vec![32], vec![16, 32], vec![16], vec![10, 16], vec![10]]);
    assert_eq!(weights.len(), 6);
}

#[test]
fn runs_at_the_same_time_have_folders_of_their_own() {
    let place = Place::with_idea();
    let run = || place.command(&["exp", "idea.toml", "--quiet", "--device", "cpu"]).spawn().unwrap();
    let children: Vec<_> = (0..4).map(|_| run()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let runs = || std::fs::read_dir(place.path("runs/idea")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(runs().filter(|path| !path.is_symlink()).count(), 4);
    assert!(runs().filter(|path| !path.is_symlink()).all(|run| run.join("base-seed0.json").is_file()));
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn runs_are_put_where_out_says() {
    let place = Place::with_idea();
    place.history(&["idea.toml", "--out", "else/where"]);
    assert!(place.path("else/where/idea/latest/base-seed0.json").is_file());
    assert!(!place.path("runs").exists());
}

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
    assert_says(&stderr(&ran), &["warning: `--tf32` has no part on the CPU"]);
    place.write("tree.toml", "title = \"t\"\n[data.digits]\n[tree]\n");
    let ran = place.run(&["exp", "tree.toml", "--device", "cpu", "--stack", "3"]).code(0);
    assert_says(&stderr(&ran), &["warning: `--stack` has no part in trees"]);
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

#[test]
fn strict_exits_with_1_when_an_expectation_is_missed() {
    let place = Place::new();
    let with = |bound: &str| format!("{IDEA}\n[[expect]]\nvalue = \"last.acc\"\nat_least = {bound}\n");
    place.write("high.toml", with("0.999"));
    place.write("low.toml", with("0.1"));
    let missed = place.run(&["exp", "high.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stderr(&missed), &["missed", "seed 0", "last.acc", "≥ 0.999"]);
    assert_says(&stdout(&missed), &["✗ last.acc ≥ 0.999: found 0."]);
    assert!(place.path("runs/high/latest/base-seed0.json").is_file());
    place.run(&["exp", "high.toml", "--device", "cpu"]).code(0);
    let met = place.run(&["exp", "low.toml", "--strict", "--device", "cpu"]).code(0);
    assert_says(&stdout(&met), &["✓ last.acc ≥ 0.1: found 0."]);
}

#[test]
fn an_expectation_of_one_seed_is_not_held_against_the_others() {
    let place = Place::new();
    let other = place.history(&["digits_mlp", "--seed", "1", "--epochs", "1"]);
    assert_eq!(all(&other["expectations"], "value"), ["last.acc"]);
    assert_eq!(other["expectations"][0]["met"], false);
}

#[test]
fn a_statistic_over_seeds_is_held_shown_and_missed_once() {
    let place = Place::new();
    let mean = "claim = \"It learns\"\nvalue = \"last.acc\"\nover = \"mean\"\nat_least = 0.999";
    place.write("idea.toml", format!("{IDEA}\n[[expect]]\n{mean}\n"));
    let missed = place.run(&["exp", "idea.toml", "--seeds", "0..2", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stdout(&missed), &["✗ mean of last.acc ≥ 0.999: found 0."]);
    assert_says(&stderr(&missed), &["missed: base: mean of last.acc ≥ 0.999\n"]);
    let histories = place.histories(&["idea.toml", "--seeds", "0..2"]);
    let accs: Vec<f64> = histories.iter().map(|history| *metric(history, "acc").last().unwrap()).collect();
    for history in &histories {
        let verified = &history["expectations"][0];
        assert_eq!((&verified["over"], &verified["claim"]), (&"mean".into(), &"It learns".into()));
        assert!((verified["found"].as_f64().unwrap() - accs.iter().sum::<f64>() / 3.0).abs() < 1e-12, "{verified}");
    }
}

#[test]
fn a_comparison_keeps_and_shows_the_other_figure() {
    let place = Place::new();
    let above = "[[expect]]\nvalue = \"first.loss\"\nabove = \"last.loss\"\n";
    place.write("idea.toml", format!("{IDEA}\n{above}"));
    let shown = stdout(&place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0));
    let history = place.history(&["idea.toml"]);
    let loss = metric(&history, "loss");
    let verified = &history["expectations"][0];
    assert_eq!((&verified["found"], &verified["against"]), (&loss[0].into(), &loss[1].into()));
    let line = shown.lines().find(|line| line.starts_with("✓ first.loss > last.loss: found ")).unwrap();
    assert_says(line, &[&format!("{:.5}", loss[0])[..6], &format!(", against {:.5}", loss[1])[..15]]);
}

#[test]
fn how_a_run_ends_can_be_expected() {
    let place = Place::new();
    let stops = idea_with("epochs = 2", "epochs = 50\nearly_stopping = { patience = 1, min_delta = 10.0 }");
    let expect = "[[expect]]\nvalue = \"status\"\nis = \"early_stopped\"\n";
    place.write("stops.toml", format!("{stops}\n{expect}"));
    place.write("ends.toml", format!("{IDEA}\n{expect}"));
    let met = place.run(&["exp", "stops.toml", "--strict", "--device", "cpu"]).code(0);
    assert_says(&stdout(&met), &["✓ status is early_stopped: found early_stopped"]);
    let missed = place.run(&["exp", "ends.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stdout(&missed), &["✗ status is early_stopped: found completed"]);
}

#[test]
fn a_figure_that_only_one_variant_has_can_be_expected_of_it() {
    let place = Place::new();
    let tanh = "[[variants]]\nname = \"relu\"\n\n[[variants]]\nname = \"tanh\"\n\
                set = { \"network.layers.1\" = \"tanh\" }\n";
    let saturation = "[[expect]]\nvariant = \"tanh\"\nvalue = \"last.saturation.1\"\nat_most = 1\n";
    let dead = "[[expect]]\nvariant = \"tanh\"\nvalue = \"last.loss\"\nabove = \"relu/last.dead_units.1\"\n";
    let observing = idea_with("epochs = 2", "epochs = 2\nobserve = [\"saturation\", \"dead_units\"]");
    place.write("idea.toml", format!("{observing}\n{tanh}\n{saturation}\n{dead}"));
    let shown = stdout(&place.run(&["exp", "idea.toml", "--strict", "--device", "cpu"]).code(0));
    assert_says(&shown, &["✓ tanh/last.saturation.1 ≤ 1: found ", "✓ tanh/last.loss > relu/last.dead_units.1: found "]);
}

#[test]
fn what_a_walkthrough_reports_stands_beside_what_came() {
    let place = Place::new();
    let printed = place.run(&["exp", "mlp_xor", "--device", "cpu"]).code(0);
    assert_says(&stdout(&printed), &["theirs    ours\nfirst.loss              0.2490  ", "learned.prediction.3.0"]);
    let history = place.history(&["mlp_xor"]);
    let beside = |name: &str| {
        let theirs = history["theirs"].as_array().unwrap();
        theirs.iter().find(|beside| beside["value"] == name).unwrap()["ours"].as_f64().unwrap()
    };
    assert_eq!(beside("last.loss"), *metric(&history, "loss").last().unwrap());
    let third = history["learned"]["predictions"][2]["output"][0].as_f64().unwrap();
    assert_eq!(beside("learned.prediction.2.0"), third);
}

#[test]
fn a_stack_of_seeds_writes_histories_equal_to_lone_runs() {
    let place = Place::new();
    for experiment in ["digits_mlp", "batches.toml"] {
        place.write("batches.toml", IDEA);
        let stack = place.exp(&[experiment, "--seeds", "0..4", "--epochs", "10"]);
        let histories = stack["histories"].as_array().unwrap();
        assert_eq!(histories.iter().map(|h| h["seed"].as_i64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let starts: BTreeSet<String> = histories.iter().map(|h| metric(h, "loss")[0].to_string()).collect();
        assert_eq!(starts.len(), 5, "seeds that start alike: {starts:?}");
        for history in histories {
            let seed = history["seed"].to_string();
            let folder = place.path(stack["run"].as_str().unwrap());
            assert!(folder.join(format!("base-seed{seed}.json")).is_file());
            assert!(folder.join(format!("base-seed{seed}.safetensors")).is_file());
            let lone = place.history(&[experiment, "--seed", &seed, "--epochs", "10"]);
            for name in ["loss", "acc"] {
                let (stacked, lone) = (metric(history, name), metric(&lone, name));
                assert_eq!((stacked.len(), lone.len()), (10, 10));
                for (stacked, lone) in stacked.iter().zip(&lone) {
                    assert!((stacked - lone).abs() <= 1e-4, "{name} of seed {seed}: {stacked} and {lone} alone");
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_curves_and_weights_to_the_byte() {
    let place = Place::new();
    let dropout = idea_with("\"relu\"", "\"relu\", { dropout = 0.5 }");
    place.write("idea.toml", dropout.replace("[data.digits]", "[data.digits]\nsplit = { validation = 0.2 }"));
    let run = |seed: &str| {
        let printed = place.exp(&["idea.toml", "--seed", seed, "--epochs", "5"]);
        let folder = place.path(printed["run"].as_str().unwrap());
        let weights = std::fs::read(folder.join(format!("base-seed{seed}.safetensors"))).unwrap();
        (curves(&printed["histories"][0]).to_string(), weights)
    };
    let (first, second, other) = (run("7"), run("7"), run("8"));
    assert_eq!(first.0, second.0);
    assert!(first.1 == second.1, "the weights differ");
    assert!(first.0 != other.0 && first.1 != other.1, "another seed changes nothing");
}

#[test]
fn negative_seeds_are_seeds() {
    let place = Place::with_idea();
    assert_eq!(place.history(&["idea.toml", "--seed", "-1"])["seed"], -1);
    let stack = place.exp(&["idea.toml", "--seeds", "-1..1"]);
    assert_eq!(stack["histories"].as_array().unwrap().len(), 3);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_that_keeps_what_was_completed() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        let place = Place::new();
        let mut child = place
            .command(&["exp", "digits_mlp", "--epochs", "100000", "--json", "--device", "cpu"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(talk.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("3/")));
        send(&child, signal);
        let last_words = talk.last().unwrap();
        let mut printed = String::new();
        child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_says(&last_words, &["interrupted"]);

        let printed: Value = serde_json::from_str(&printed).unwrap();
        let text = std::fs::read(place.path("runs/digits_mlp/latest/base-seed0.json")).unwrap();
        let history: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(printed["histories"][0], history);
        assert_eq!(history["status"], "interrupted");
        let epochs = history["history"]["epoch"].as_array().unwrap().len();
        assert!((3..100_000).contains(&epochs), "{epochs}");
        assert_eq!(metric(&history, "loss").len(), epochs);
        assert!(place.path("runs/digits_mlp/latest/base-seed0.safetensors").is_file());
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_the_weights_of_its_last_whole_epoch() {
    let place = Place::new();
    place.write("idea.toml", idea_with("epochs = 2", "epochs = 100000\nkeep = \"last\""));
    let weights = |run: &Path| std::fs::read(run.join("base-seed0.safetensors")).unwrap();
    let mut child = place
        .command(&["exp", "idea.toml", "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(talk.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("4/")));
    send(&child, libc::SIGINT);
    talk.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let interrupted = std::fs::canonicalize(place.path("runs/idea/latest")).unwrap();
    let text = std::fs::read(interrupted.join("base-seed0.json")).unwrap();
    let history: Value = serde_json::from_slice(&text).unwrap();
    let epochs = history["history"]["epoch"].as_array().unwrap().len().to_string();
    let whole = place.exp(&["idea.toml", "--epochs", &epochs]);
    let whole = place.path(whole["run"].as_str().unwrap());
    assert!(weights(&interrupted) == weights(&whole), "the weights are not those after epoch {epochs}");
}

#[test]
fn an_epoch_that_diverged_is_never_the_best_and_its_weights_are_not_kept() {
    let place = Place::new();
    place.write("idea.toml", idea_with("lr = 1e-3", "lr = 1e30"));
    let history = place.history(&["idea.toml", "--set", "train.monitor=acc"]);
    assert_eq!(history["status"], "diverged");
    assert_eq!((&history["best"], &history["test"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_a_run_resolved_runs_again_under_the_same_name() {
    let place = Place::with_idea();
    let first = place.exp(&["idea.toml"]);
    let resolved = format!("{}/experiment.toml", first["run"].as_str().unwrap());
    let again = place.history(&[&resolved]);
    assert_eq!(again["experiment"], "idea");
}

// Pipes

/// Runs the program with readers that have gone already.
#[track_caller]
fn exit_code_without_readers(place: &Place, arguments: &[&str], of_stdout: bool, of_stderr: bool) -> Option<i32> {
    let gone = || Stdio::from(std::io::pipe().unwrap().1);
    let mut command = place.command(arguments);
    command.stdout(if of_stdout { gone() } else { Stdio::null() });
    command.stderr(if of_stderr { gone() } else { Stdio::piped() });
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked") && !said.contains("fault in runner"), "{said}");
    output.status.code()
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_listing_quietly() {
    let place = Place::with_idea();
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["show", "digits_mlp"],
        &["data", "list"],
        &["data", "describe", "digits"],
        &["doctor"],
        &["schema"],
        &["completions", "bash"],
        &["exp", "idea.toml", "--device", "cpu"],
        &["exp", "idea.toml", "--json", "--device", "cpu"],
    ] {
        assert_eq!(exit_code_without_readers(&place, arguments, true, false), Some(0), "{arguments:?}");
    }
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn a_run_goes_on_when_nobody_reads_its_talk() {
    let place = Place::with_idea();
    assert_eq!(exit_code_without_readers(&place, &["exp", "idea.toml", "--device", "cpu"], false, true), Some(0));
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn a_refusal_that_nobody_reads_is_still_a_refusal() {
    assert_eq!(exit_code_without_readers(&Place::new(), &["exp", "zzzz"], false, true), Some(2));
}

// data

#[test]
fn data_list_tells_what_is_at_hand() {
    let place = Place::new();
    let listed = json(&place, &["data", "list", "--json"]);
    assert_eq!(
        all(&listed, "name"),
        ["logic", "digits", "breast_cancer", "diabetes", "penguins", "mnist", "creditcard"]
    );
    assert_eq!(all(&listed, "state")[..5], ["in the binary"; 5]);
    assert_eq!(all(&listed, "state")[5..], ["not fetched"; 2]);
    assert!(all(&listed, "license").iter().chain(&all(&listed, "citation")).all(|text| !text.is_empty()));
    let table = stdout(&place.run(&["data", "list"]).code(0));
    assert_says(&table, &["data set", "license", "1,797", "60,000 + 10,000", "not fetched"]);
}

#[test]
fn data_describe_tells_rows_and_classes() {
    let place = Place::new();
    let digits = json(&place, &["data", "describe", "digits", "--json"]);
    let part = &digits["parts"][0];
    assert_eq!((&part["rows"], &part["min"], &part["max"]), (&1797.into(), &0.0.into(), &16.0.into()));
    let rows: Vec<i64> = part["classes"].as_array().unwrap().iter().map(|c| c["rows"].as_i64().unwrap()).collect();
    assert_eq!(rows, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]); // scikit-learn's load_digits
    assert_says(&stdout(&place.run(&["data", "describe", "digits"]).code(0)), &["1,797 rows", "license", "178"]);
    assert_says(&stdout(&place.run(&["data", "describe", "logic"]).code(0)), &["4 rows of 2 values", "50.0000 %"]);
}

#[test]
fn data_path_names_the_folder_of_the_cache() {
    let place = Place::new();
    let printed = stdout(&place.run(&["data", "path", "mnist"]).code(0));
    assert_eq!(printed.trim_end(), place.data_path("mnist").display().to_string());
    assert_says(&place.refusal(&["data", "path", "digits"]), &["`digits` is in the binary"]);
}

#[test]
fn data_verify_takes_what_was_never_fetched_for_a_fault_only_when_asked_by_name() {
    let place = Place::new();
    assert_says(
        &stdout(&place.run(&["data", "verify"]).code(0)),
        &["mnist/train-images-idx3-ubyte", "not been fetched"],
    );
    let asked = place.run(&["data", "verify", "mnist"]).code(2);
    assert_says(&stderr(&asked), &["missing or damaged", "`runner data fetch mnist`"]);
    assert_says(&stdout(&place.run(&["data", "verify", "digits"]).code(0)), &["in the binary"]);
    let printed = stdout(&place.run(&["data", "verify", "--json"]).code(0));
    assert_eq!(all(&serde_json::from_str(&printed).unwrap(), "file").len(), 4 + 1); // of mnist and creditcard
}

#[test]
fn data_fetch_of_what_is_in_the_binary_is_nothing_to_do() {
    assert_says(&stderr(&Place::new().run(&["data", "fetch", "digits"]).code(0)), &["nothing to fetch"]);
}

// doctor, schema, completions, help

#[test]
fn doctor_tells_what_this_machine_can_run() {
    let place = Place::new();
    let found = json(&place, &["doctor", "--json"]);
    assert_eq!(all(&found, "what"), ["runner", "libtorch", "cuda", "threads", "memory", "data", "runs"]);
    let finding = |what: &str| found.as_array().unwrap().iter().find(|item| item["what"] == what).unwrap();
    assert_says(finding("libtorch")["found"].as_str().unwrap(), &["2.11.0"]);
    assert_eq!(finding("cuda")["well"], false); // no GPU is visible to the tests
    assert!(finding("cuda")["remedy"].is_string());
    let text = stdout(&place.run(&["doctor"]).code(0));
    assert_says(&text, &["✓ runner", "✓ libtorch", "✗ cuda", "hint: ", "✓ threads", "✓ memory", "✓ data", "✓ runs"]);
    assert!(place.files().is_empty(), "doctor leaves {:?}", place.files());
}

#[test]
fn doctor_finds_a_file_where_the_data_cache_should_be() {
    let place = Place::new();
    place.write("taken", "");
    let output = place.command(&["doctor"]).env("RUNNER_DATA_DIR", place.path("taken")).output().unwrap();
    assert_says(&String::from_utf8(output.stdout).unwrap(), &["✗ data", "RUNNER_DATA_DIR"]);
}

/// Where a value departs from a JSON Schema, as far as ours uses the language.
fn departures(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return departures(root, root.pointer(reference.trim_start_matches('#')).unwrap(), value, at);
    }
    let mut found = Vec::new();
    if let Some(any) = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array) {
        let each: Vec<_> = any.iter().map(|one| departures(root, one, value, at)).collect();
        if each.iter().all(|departures| !departures.is_empty()) {
            found.push(format!("{at} is none of {}", any.len()));
        }
    }
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    };
    let allowed = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => true,
    };
    if !allowed {
        found.push(format!("{at} is not of type {}", schema["type"]));
    }
    if schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value))
        || schema.get("const").is_some_and(|word| word != value)
    {
        found.push(format!("{at} is another word"));
    }
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
        found.extend(required.filter(|name| !object.contains_key(*name)).map(|name| format!("{at} lacks {name}")));
        for (name, value) in object {
            match (schema["properties"].get(name), schema.get("additionalProperties")) {
                (Some(of), _) => found.extend(departures(root, of, value, &format!("{at}.{name}"))),
                (None, Some(Value::Bool(false))) => found.push(format!("{at} has {name} too")),
                (None, Some(of)) if of.is_object() => {
                    found.extend(departures(root, of, value, &format!("{at}.{name}")))
                }
                _ => {}
            }
        }
    }
    if let (Some(items), Some(of)) = (value.as_array(), schema.get("items")) {
        found.extend(items.iter().enumerate().flat_map(|(i, item)| departures(root, of, item, &format!("{at}.{i}"))));
    }
    found
}

#[test]
fn histories_keep_to_the_schema() {
    let place = Place::new();
    let schema = json(&place, &["schema"]);
    assert_says(schema["$schema"].as_str().unwrap(), &["json-schema.org"]);
    place.write("diverging.toml", idea_with("lr = 1e-3", "lr = 1e30"));
    let split = "split = { test = 0.2, validation = 0.2 }";
    place.write("split.toml", idea_with("[data.digits]", &format!("[data.digits]\n{split}")));
    let two =
        idea_with("[data.digits]", &format!("[data.breast_cancer]\n{split}")).replace("linear = 10", "linear = 2");
    place.write("two_classes.toml", two);
    for experiment in ["digits_mlp", "mlp_xor", "diverging.toml", "split.toml", "two_classes.toml"] {
        let history = place.history(&[experiment, "--epochs", "3"]);
        assert_eq!(departures(&schema, &schema, &history, "history"), [""; 0], "{experiment}");
        let known = schema["properties"].as_object().unwrap();
        for name in history.as_object().unwrap().keys() {
            assert!(known.contains_key(name), "{name} is not in the schema");
            let required = schema["required"].as_array().unwrap().contains(&name.as_str().into());
            let mut without = history.clone();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(departures(&schema, &schema, &without, "history").is_empty(), !required, "without {name}");
        }
        let mut wrong = history.clone();
        wrong["history"]["loss"][0] = "one".into();
        wrong["status"] = "finished".into();
        assert_eq!(departures(&schema, &schema, &wrong, "history").len(), 2);
    }
}

#[test]
fn completions_are_the_shells_own() {
    let place = Place::new();
    for (shell, word) in [("bash", "complete -F _runner"), ("zsh", "#compdef runner"), ("fish", "complete -c runner")] {
        let script = stdout(&place.run(&["completions", shell]).code(0));
        assert_says(&script, &[word]);
        assert_says(&script, &["exp", "doctor", "seeds"]);
    }
}

#[test]
fn help_shows_examples_that_work() {
    let place = Place::new();
    for command in [&[][..], &["exp"], &["list"], &["show"], &["data"], &["completions"]] {
        let help = stdout(&place.run(&[command, &["--help"]].concat()).code(0));
        assert_says(&help, &["Usage: runner", "Example"]);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    let help = stdout(&place.run(&["exp", "--help"]).code(0));
    let one = "exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=32";
    let other = "exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }'";
    assert_says(&help, &[one, other]);
    place
        .run(&[
            "exp",
            "digits_mlp",
            "--epochs",
            "1",
            "--set",
            "train.optimizer.adam.lr=0.01",
            "--set",
            "train.batch=32",
        ])
        .code(0);
    let sgd = "train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }";
    place.run(&["exp", "digits_mlp", "--epochs", "1", "--set", sgd]).code(0);
}

#[test]
fn the_version_names_libtorchs() {
    assert_says(&stdout(&Place::new().run(&["--version"]).code(0)), &["runner ", "libtorch 2.11.0"]);
}
