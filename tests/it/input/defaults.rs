//! `runner.toml`, the file of defaults, and `RUNNER_RUNS`.

use serde_json::Value;

use crate::support::{TestDir, assert_says, idea_with};

/// Output of `runner doctor`, without its line breaks.
fn doctor(dir: &TestDir, variables: &[(&str, &str)]) -> String {
    let mut command = dir.command(&["doctor"]);
    command.env_remove("OMP_NUM_THREADS").envs(variables.iter().copied());
    let shown = String::from_utf8(command.output().unwrap().stdout).unwrap();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn defaults_apply_to_all_commands_and_are_recorded() {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2 }"));
    dir.write("runner.toml", "out = \"results\"\ndevice = \"cpu\"\nthreads = 2\n");
    let run = |arguments: &[&str]| {
        let output = dir.command(arguments).env_remove("OMP_NUM_THREADS").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["exp", "idea.toml", "-q"]);
    let record: Value =
        serde_json::from_slice(&std::fs::read(dir.path("results/idea/latest/run.json")).unwrap()).unwrap();
    assert_eq!(record["command"], "runner exp idea.toml --device cpu --threads 2");
    assert_eq!(record["options"]["threads"], 2);
    let commands: [&[&str]; 8] = [
        &["runs", "idea"],
        &["report", "idea"],
        &["export", "idea", "--csv"],
        &["plot", "idea"],
        &["eval", "idea"],
        &["predict", "idea", "--index", "0"],
        &["resume", "idea"],
        &["reproduce", "idea", "-q"],
    ];
    commands.into_iter().for_each(run);
    assert!(!dir.path("runs").exists());
    // the command line and the environment come first
    dir.run(&["exp", "idea.toml", "-q", "--out", "elsewhere"]).code(0);
    assert!(dir.path("elsewhere/idea").is_dir());
    let output = dir.command(&["exp", "idea.toml", "-q"]).env("RUNNER_RUNS", "variable").output().unwrap();
    assert!(output.status.success() && dir.path("variable/idea").is_dir());
}

#[test]
fn doctor_shows_where_defaults_come_from() {
    let dir = TestDir::new();
    dir.write("project/runner.toml", "\nthreads = 1\n");
    dir.write("config/runner/runner.toml", "log_every = \"30s\"\nthreads = 3\n");
    let config = dir.path("config").display().to_string();
    let here = doctor(&dir, &[("XDG_CONFIG_HOME", &config), ("RUNNER_RUNS", "my_runs")]);
    let user = format!("user file `{config}/runner/runner.toml`, line");
    assert_says(&here, &["my_runs (`RUNNER_RUNS`)", &format!("every 30s ({user} 1)"), &format!("3 ({user} 2)")]);
    assert_says(&here, &["device auto (default)"]);
    let mut below = dir.command(&["doctor"]);
    below.env_remove("OMP_NUM_THREADS").env("XDG_CONFIG_HOME", &config).current_dir(dir.path("project"));
    let below = String::from_utf8(below.output().unwrap().stdout).unwrap();
    assert_says(&below, &["at most 1 (project file `runner.toml`, line 2)"]);
}

#[test]
fn errors_name_the_file_and_the_line_and_doctor_still_works() {
    let dir = TestDir::with_idea();
    dir.write("runner.toml", "# shared\ndevize = \"cpu\"\n");
    let message = dir.error_message(&["runs"]);
    assert_says(&message, &["unknown key `devize` (runner.toml, line 2)", "hint: did you mean `device`?"]);
    dir.write("runner.toml", "threads = \"all\"\n");
    assert_says(
        &dir.error_message(&["exp", "idea.toml"]),
        &["`threads` must be", "found `\"all\"` (runner.toml, line 1)"],
    );
    assert_says(&doctor(&dir, &[]), &["✗ defaults", "`threads` must be"]);
    dir.run(&["--help"]).code(0);
}
