//! Reports and plots of sweeps, and commands for runs that are given a sweep.

use super::sweep_run::{dir_with_epochs, names, run, sweep, trained, with_short_beats};
use crate::support::{TestDir, assert_says};

/// Runs a command on a directory.
fn runner(dir: &TestDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    run(with_short_beats(dir.command(arguments)))
}

#[test]
fn a_report_is_one_file_with_the_same_bytes_each_time() {
    let dir = dir_with_epochs(4);
    let path = trained(&dir, &["--workers", "1"]);
    let (code, stdout, stderr) = sweep(&dir, &["report", "idea"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.trim_end().ends_with("report.html"), "{stdout}");
    let page = std::fs::read_to_string(path.join("report.html")).unwrap();
    assert_says(&page, &["Sweep of idea", "Metric by setting", "Parallel coordinates", "Configurations, best first"]);
    let csv = std::fs::read_to_string(path.join("table.csv")).unwrap();
    let best = csv.lines().nth(1).unwrap().split(',').nth(1).unwrap();
    assert_says(&page, &[&format!("Configuration <code>{best}</code> with best.val_loss")]);
    let (code, again, _) = sweep(&dir, &["report", "idea", "-o", "-"]);
    assert_eq!((code, again.trim_end() == page.trim_end()), (Some(0), true));

    let (code, accuracy, _) = sweep(&dir, &["report", "idea", "--metric", "best.val_acc", "-o", "-"]);
    assert_eq!(code, Some(0));
    assert_says(&accuracy, &["with best.val_acc", "\"higher\":true"]);
}

#[test]
fn a_report_of_nothing_overwrites_nothing_and_names_what_is_wrong() {
    let dir = dir_with_epochs(1);
    let (code, _, stderr) = sweep(&dir, &["report", "idea"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["no sweep `idea`", "runner sweep idea"]);
    trained(&dir, &["--workers", "1"]);
    let (code, _, stderr) = sweep(&dir, &["report", "idea", "-o", "page.pdf"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["`-o page.pdf` does not end in `.html`", "hint: ", "print the HTML page from a browser"]);
    assert!(!dir.path("page.pdf").exists());
    dir.write("notes.html", "mine");
    let (code, _, stderr) = sweep(&dir, &["report", "idea", "-o", "notes.html"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["exists and is not a report of runner"]);
    let (code, _, stderr) = sweep(&dir, &["report", "idea", "--metric", "test.acc"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["must not choose a configuration"]);
}

#[test]
fn a_sweep_is_plotted_in_all_formats() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]).display().to_string();
    let (code, stdout, stderr) = runner(&dir, &["plot", "sweep", "idea"]);
    assert_eq!((code, stdout.trim()), (Some(0), "idea-sweep-settings.svg"), "{stderr}");
    assert_says(&std::fs::read_to_string(dir.path("idea-sweep-settings.svg")).unwrap(), &["lr", "8 configurations"]);
    for chart in ["parallel", "best-so-far", "expected-best"] {
        let (code, _, stderr) =
            runner(&dir, &["plot", "sweep", &path, "--chart", chart, "-o", "plots/", "--format", "png"]);
        assert_eq!(code, Some(0), "{stderr}");
    }
    assert_eq!(
        names(&dir.path("plots")),
        ["idea-sweep-best-so-far.png", "idea-sweep-expected-best.png", "idea-sweep-parallel.png"]
    );
    let (code, stdout, stderr) = runner(&dir, &["plot", &path, "-o", "sweep.pdf"]);
    assert_eq!((code, stdout.trim()), (Some(0), "sweep.pdf"), "{stderr}");
    assert_says(&stderr, &["runner plot sweep"]);
    let (code, _, stderr) = runner(&dir, &["plot", "sweep", &path, "--chart", "importance"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["too few configurations", "at least ten"]);
}

#[test]
fn a_sweep_is_named_by_its_experiment_or_by_files() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]).display().to_string();
    for name in ["idea", "idea.toml", &format!("{path}/sweep.json")] {
        for command in [
            &["status"][..],
            &["best"],
            &["table"],
            &["stop"],
            &["verify"],
            &["report"],
            &["export", "--csv", "trials.csv"],
            &["extend", "--seeds", "3", "--dry-run"],
            &["work", "--quiet"],
        ] {
            let (code, _, stderr) = sweep(&dir, &[&[command[0], name], &command[1..]].concat());
            assert_eq!(code, Some(0), "{command:?} {name}: {stderr}");
        }
        let (code, _, stderr) = sweep(&dir, &["retry", "--failed", name]);
        assert_eq!(code, Some(2));
        assert_says(&stderr, &["no stack of the sweep has failed"]);
    }
    let (code, _, stderr) = sweep(&dir, &["idea.toml", "--resume", "--tensorboard", "logs"]);
    assert_eq!(code, Some(0));
    assert_says(
        &stderr,
        &["is already complete", "no event files were written", "`runner export ", "/stacks/S000 --tensorboard`"],
    );
    dir.write("other.toml", "title = \"\"\n");
    for (name, words) in [
        ("other.toml", &["no sweep `other.toml` under `sweeps`", "`runner sweep other.toml --space KEY=VALUES`"][..]),
        ("./other.toml", &["no sweep `./other.toml`"]),
        ("idae", &["no sweep `idae`", "did you mean `idea`?"]),
    ] {
        let (code, _, stderr) = sweep(&dir, &["status", name]);
        assert_eq!(code, Some(2));
        assert_says(&stderr, words);
    }
}

#[test]
fn commands_for_runs_name_the_command_for_a_sweep() {
    let dir = dir_with_epochs(2);
    let path = super::sweep_run::planned_of(&dir, &super::sweep_run::SPACE);
    let shown = path.display().to_string();
    let relative = format!("sweeps/idea/{}", path.file_name().unwrap().to_str().unwrap());
    let resume = format!("{relative} --resume`");
    let (code, _, stderr) = sweep(&dir, &["stop", "idea"]);
    assert_eq!(code, Some(0));
    assert_says(&stderr, &["no worker is active", &resume]);
    for name in ["idea", "idea.toml", &shown] {
        let error = dir.error_message(&["resume", name]);
        assert_says(&error, &["is a sweep, not a run", &resume]);
    }
    let error = dir.error_message(&["eval", "idea"]);
    let stack = format!("name one of its stacks, such as `{relative}/stacks/S000`");
    assert_says(&error, &["`idea` is a sweep, not a run", &format!("`runner sweep table {relative}`"), &stack]);
    for (words, hint) in [
        (["resume", "idea"], "write `runner sweep idea --resume`"),
        (["run", "idea.toml"], "write `runner sweep idea.toml`"),
        (["show", "idea"], "write `runner sweep status idea`"),
    ] {
        let (code, _, stderr) = sweep(&dir, &words);
        assert_eq!(code, Some(2));
        assert_says(&stderr, &[&format!("has no command `{}`", words[0]), hint]);
    }
    // a finished run, older than the sweep
    let run = dir.path("runs/idea");
    dir.run(&["exp", "idea.toml", "--device", "cpu", "--quiet"]).code(0);
    let newest = names(&run).into_iter().find(|name| name != "latest").unwrap();
    std::fs::rename(run.join(&newest), run.join(newest.replacen("20", "19", 1))).unwrap();
    let (_, _, stderr) = runner(&dir, &["resume", "idea"]);
    assert_says(&stderr, &["is unfinished: continue it with", &resume]);
}

#[test]
fn commands_for_runs_take_a_sweep() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir, &["--workers", "1"]);
    let shown = path.display().to_string();
    let csv = std::fs::read_to_string(path.join("table.csv")).unwrap();
    let ranked: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    let (code, stdout, stderr) = runner(&dir, &["compare", &shown, "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let compared: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let labels: Vec<&str> =
        compared["groups"].as_array().unwrap().iter().map(|group| group["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ranked, "best first");
    let (code, _, stderr) = runner(&dir, &["plot", "curves", "sweeps/idea", "-o", "curves.svg"]);
    assert_eq!(code, Some(0), "the newest sweep: {stderr}");

    for runs in [&["runs", &shown][..], &["runs", "idea", "--out", "sweeps"], &["runs", "--out", &shown]] {
        let (code, stdout, stderr) = runner(&dir, runs);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.lines().nth(1).unwrap().starts_with(ranked[0]), "{stdout}");
    }
    let (code, _, stderr) = runner(&dir, &["runs", "--out", "sweeps"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["sweeps, not runs", "runner sweep table", "`idea`"]);
}
