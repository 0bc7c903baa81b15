//! `runner sweep confirm`: the best configurations on fresh seeds.

use std::path::PathBuf;
use std::process::Stdio;

use super::super::sweep_run::{
    dir_with_epochs, json, names, only_sweep, reopen, run, sweep, wait_for, with_short_beats,
};
use crate::support::{TestDir, assert_says, send};

/// Trains a sweep over learning rates, of which the largest one is much too large.
fn trained(dir: &TestDir) -> PathBuf {
    let options = ["--space", "lr=0.001,0.003,1.0", "--seeds", "0,1", "--stack", "16", "--threads", "1"];
    let all = [&["sweep", "idea.toml", "--device", "cpu"], &options[..]].concat();
    let (code, _, stderr) = run(with_short_beats(dir.command(&all)));
    assert_eq!(code, Some(0), "{stderr}");
    only_sweep(dir)
}

/// Path of the directory of a sweep as commands show it.
fn shown(sweep: &std::path::Path) -> String {
    format!("sweeps/idea/{}", sweep.file_name().unwrap().display())
}

/// Changes a file of a sweep.
fn edit(path: &std::path::Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn the_best_configurations_are_trained_on_fresh_seeds_and_do_not_change_the_ranking() {
    let dir = dir_with_epochs(3);
    let path = trained(&dir);
    let table = std::fs::read(path.join("table.csv")).unwrap();
    let (code, stdout, stderr) = sweep(&dir, &["best", "idea"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["compare the best on fresh seeds with `runner sweep confirm "]);
    let best = stdout.split(':').next().unwrap().to_owned();

    let (code, stdout, _) = sweep(&dir, &["confirm", "idea", "--dry-run"]);
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["the best 3 configurations on seeds 100..109:", &format!("  {best}  lr=")]);
    assert!(!path.join("extend-1.json").exists());

    let (code, stdout, stderr) = sweep(&dir, &["confirm", "idea", "--workers", "2"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["in the search", "conclusion", "worse", "paired permutation test", "10 trials of each"]);
    let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&words, &["was best in the search: its best.val_loss is ", " on fresh seeds ("]);
    assert_says(&stderr, &["confirmation: 3 configurations, 10 seeds each, in ", " on 2 workers", " of 30 trials, "]);
    let confirmation = &json(&path.join("extend-1.json"))["confirmation"];
    assert_eq!(confirmation["configurations"][0]["name"], best.as_str());
    assert_eq!(std::fs::read(path.join("table.csv")).unwrap(), table, "the fresh seeds do not rank the configurations");

    // called again, it shows the same and trains nothing
    let ended = names(&path.join("ended"));
    for options in [&["confirm", "idea"][..], &["confirm", "idea", "--at-most", "9"]] {
        let (code, again, stderr) = sweep(&dir, options);
        assert_eq!((code, &again), (Some(0), &stdout), "{stderr}");
        assert_says(&stderr, &["already complete"]);
    }
    assert_eq!(names(&path.join("ended")), ended);

    // its fresh seeds are compared as a group of their own
    let (code, compared, stderr) = run(dir.command(&["compare", &shown(&path), "--json"]));
    assert_eq!(code, Some(0), "{stderr}");
    let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
    let groups = compared["groups"].as_array().unwrap().iter().filter(|group| group["variant"] == best.as_str());
    let trials: Vec<usize> = groups.map(|group| group["trials"].as_array().unwrap().len()).collect();
    assert_eq!(trials, [2, 10]);

    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
    let (_, status, _) = sweep(&dir, &["status", "idea"]);
    assert_says(&status, &["3 configurations, 2 seeds each, and a confirmation", "confirm   on seeds 100..109: "]);
    let (_, status, _) = sweep(&dir, &["status", "idea", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["confirmation"]["results"].as_array().unwrap().len(), 3);
    let (code, _, stderr) = sweep(&dir, &["report", "idea", "-o", &dir.data_path("page.html").display().to_string()]);
    assert_eq!(code, Some(0), "{stderr}");
    let page = std::fs::read_to_string(dir.data_path("page.html")).unwrap();
    assert!(page.contains("<section class=\"card\" id=\"confirmation\""));

    // a second confirmation has other seeds, and three are too few to tell anything
    let (code, stdout, stderr) = sweep(&dir, &["confirm", "idea", "--seeds", "200..202", "--at-most", "2", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["confirmation"]["seeds"], serde_json::json!([200, 201, 202]));
    let conclusion = found["confirmation"]["conclusion"].to_string();
    assert_says(
        &conclusion,
        &["with 3 trials of each, no difference", "use at least 6 seeds, such as `--seeds 203..208`"],
    );
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");

    // another choice is found
    let other = if best == "0000" { "0001" } else { "0000" };
    edit(&path.join("extend-1.json"), &format!("\"{best}\""), &format!("\"{other}\""));
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(1));
    assert_says(&stdout, &["extend-1.json: the best configurations must be "]);
}

#[test]
fn equal_configurations_are_said_to_be_equal() {
    let dir = dir_with_epochs(2);
    // a number that changes nothing but rounding
    let options = ["--space", "train.optimizer.adam.eps=1e-8,1.1e-8,1.2e-8", "--seeds", "0..2", "--threads", "1"];
    let all = [&["sweep", "idea.toml", "--device", "cpu"], &options[..]].concat();
    let (code, _, stderr) = run(with_short_beats(dir.command(&all)));
    assert_eq!(code, Some(0), "{stderr}");
    let (code, stdout, stderr) = sweep(&dir, &["confirm", "idea", "--seeds", "50..57"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["no configuration is significantly better than the others", "8 trials of each"]);
    assert!(!stdout.contains("cheapest"), "all cost the same");
}

#[test]
fn a_file_with_confirm_confirms_its_best_configurations() {
    let dir = dir_with_epochs(2);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    let with = |confirm: &str| dir.write("idea.toml", format!("{text}\n[sweep]\nconfirm = {confirm}\n"));
    let options = ["--space", "lr=0.001,0.01", "--seeds", "0,1", "--threads", "1", "--device", "cpu"];
    let start =
        |more: &[&str]| run(with_short_beats(dir.command(&[&["sweep", "idea.toml"], &options[..], more].concat())));
    for (confirm, expected) in [
        ("{ seeds = [7, 1] }", &["idea.toml", "sweep trains on seed 1, too", "choose seeds other than 0..1"][..]),
        ("{ seeds = [] }", &["`confirm.seeds` is empty"]),
        ("{ at_most = 0 }", &["`confirm.at_most` must be at least 1, found 0"]),
        ("{ most = 1 }", &["most", "at_most"]),
        ("true", &["confirm"]),
    ] {
        with(confirm);
        let (code, _, stderr) = start(&[]);
        assert_eq!(code, Some(2), "{confirm}: {stderr}");
        assert_says(&stderr, expected);
    }
    with("{ seeds = \"50..52\", at_most = 1 }");
    let (code, stdout, _) = start(&["--dry-run"]);
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["confirm   afterwards the best configuration on seeds 50..52"]);
    let (code, stdout, stderr) = start(&["--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["confirmation"]["seeds"], serde_json::json!([50, 51, 52]));
    assert_eq!(found["confirmation"]["results"].as_array().unwrap().len(), 1);
    assert_eq!(found["results"].as_array().unwrap().len(), 2);

    // nothing is trained twice, and both tables are printed once
    let path = only_sweep(&dir);
    let ended = names(&path.join("ended"));
    let (code, stdout, stderr) = start(&["--resume"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout.matches("conclusion").count(), 1, "{stdout}");
    assert_eq!(names(&path.join("ended")), ended);
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");

    // the options of the file are the defaults of the command
    std::fs::remove_file(path.join("extend-1.json")).unwrap();
    let (code, stdout, _) = sweep(&dir, &["confirm", "idea", "--dry-run"]);
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["the best configuration on seeds 50..52:"]);
}

#[test]
fn another_metric_ranks_a_confirmation_in_its_own_direction() {
    let dir = dir_with_epochs(3);
    let path = trained(&dir);
    let (code, _, stderr) = sweep(&dir, &["confirm", "idea", "--seeds", "50..59"]);
    assert_eq!(code, Some(0), "{stderr}");
    // the accuracy of the largest rate is lowest, and lower is worse
    let record = json(&path.join("sweep.json"));
    let configurations = record["configurations"].as_array().unwrap();
    let is_largest = |one: &&serde_json::Value| one["set"]["train.optimizer.adam.lr"] == 1.0;
    let worst = configurations.iter().find(is_largest).unwrap()["name"].as_str().unwrap();
    let (code, _, stderr) = sweep(&dir, &["best", "idea", "--metric", "best.val_acc"]);
    assert_eq!(code, Some(0), "{stderr}");
    let conclusion = stderr.split_once("on fresh seeds: ").unwrap().1;
    assert!(conclusion.starts_with('`') && !conclusion.contains(worst), "{worst}: {conclusion}");
    let page = dir.data_path("page.html").display().to_string();
    let (code, _, stderr) = sweep(&dir, &["report", "idea", "--metric", "best.val_acc", "-o", &page]);
    assert_eq!(code, Some(0), "{stderr}");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split_once("id=\"confirmation\"").unwrap().1;
    let section = section.split_once("</section>").unwrap().0;
    assert!(section.contains("best.val_acc") && !section.contains("best.val_loss"), "{section}");
}

#[test]
fn what_cannot_be_compared_is_not_said_to_be_equal() {
    let dir = dir_with_epochs(2);
    trained(&dir);
    let confirmation = |options: &[&str]| {
        let (code, stdout, stderr) = sweep(&dir, &[&["confirm", "idea", "--json"], options].concat());
        assert_eq!(code, Some(0), "{stderr}");
        serde_json::from_str::<serde_json::Value>(&stdout).unwrap()["confirmation"].clone()
    };
    let one = confirmation(&["--seeds", "70,71", "--at-most", "1"]);
    assert_eq!(one["conclusion"], "only one configuration was confirmed, so there is nothing to compare");
    let two = confirmation(&["--seeds", "80", "--at-most", "2"]);
    assert_eq!(two["results"][1]["conclusion"], "not tested");
    assert_says(&two["conclusion"].to_string(), &["with 1 trial of each, no difference between 2 configurations"]);
}

#[test]
fn a_confirmation_needs_a_complete_sweep_and_fresh_seeds() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir);
    for (options, expected) in [
        (
            &["confirm", "idea", "--seeds", "1..3"][..],
            &["trained on seed 1 already", "hint: choose seeds other than 0"][..],
        ),
        (&["confirm", "idea", "--at-most", "0"], &["--at-most", "at least 1"]),
        (&["confirm", "idea", "--devices", "cuda:99"], &["cuda:99"]),
        (&["confirm", "nix"], &["no sweep `nix`"]),
    ] {
        let (code, _, stderr) = sweep(&dir, options);
        assert_eq!(code, Some(2), "{stderr}");
        assert_says(&stderr, expected);
    }
    // one that exists does not train the open stacks of the search
    let (code, _, stderr) = sweep(&dir, &["confirm", "idea", "--seeds", "50", "--at-most", "1"]);
    assert_eq!(code, Some(0), "{stderr}");
    let (code, _, stderr) = sweep(&dir, &["extend", "idea", "--seeds", "2"]);
    assert_eq!(code, Some(0), "{stderr}");
    let ended = names(&path.join("ended"));
    let (code, _, stderr) = sweep(&dir, &["confirm", "idea"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["the sweep is not complete: 2 of 3 stacks have ended", "--resume"]);
    assert_eq!(names(&path.join("ended")), ended, "nothing was trained");
    for extension in ["extend-1.json", "extend-2.json"] {
        std::fs::remove_file(path.join(extension)).unwrap();
    }
    std::fs::remove_file(path.join("ended/S000.json")).unwrap();
    let (code, _, stderr) = sweep(&dir, &["confirm", "idea"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["the sweep is not complete: 0 of 1 stacks have ended", "--resume"]);
}

#[test]
fn an_unfinished_confirmation_is_named_with_the_command_that_continues_it() {
    let dir = dir_with_epochs(2);
    let path = trained(&dir);
    let (code, expected, stderr) = sweep(&dir, &["confirm", "idea", "--seeds", "50..55"]);
    assert_eq!(code, Some(0), "{stderr}");
    let stacks = names(&path.join("ended")).len() - 1;
    reopen(&path, "S001");
    let command = format!("runner sweep confirm {}", shown(&path));
    let open = format!("is not complete: {} of its {stacks} stacks have ended", stacks - 1);
    for (options, hint) in [
        (&["--dry-run"][..], "hint: leave `--dry-run` out to continue it".to_owned()),
        (&["--seeds", "70..75"], format!("hint: continue it with `{command}` before you start another one")),
        (&["--seeds", "70..75", "--dry-run"], format!("hint: continue it with `{command}` before")),
    ] {
        let (code, _, stderr) = sweep(&dir, &[&["confirm", "idea"], options].concat());
        assert_eq!(code, Some(2), "{stderr}");
        assert_says(&stderr, &["the confirmation on seeds 50..55 of the sweep in ", &open, &hint]);
    }
    let (code, stdout, stderr) = sweep(&dir, &["confirm", &path.display().to_string()]);
    assert_eq!((code, stdout), (Some(0), expected), "{stderr}");
}

#[test]
fn an_interrupted_confirmation_names_the_command_that_continues_it() {
    let dir = dir_with_epochs(400);
    let all = ["sweep", "idea.toml", "--device", "cpu", "--space", "lr=0.001,0.003", "--seeds", "0", "--threads", "1"];
    let (code, _, stderr) = run(with_short_beats(dir.command(&all)));
    assert_eq!(code, Some(0), "{stderr}");
    let path = only_sweep(&dir);
    let mut confirm =
        with_short_beats(dir.command(&["sweep", "confirm", "idea", "--seeds", "50..149", "--workers", "1"]));
    let child = confirm.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(|| path.join("claims/S001.1").exists());
    send(&child, libc::SIGINT);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(128 + libc::SIGINT), "{stderr}");
    assert_says(&stderr, &[&format!("interrupted; continue with `runner sweep confirm {}`", shown(&path))]);
    assert!(!stderr.contains("--resume"), "{stderr}");
}

#[test]
fn a_failed_sweep_with_confirm_prints_its_results_as_json_once() {
    let dir = dir_with_epochs(2);
    let text = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    dir.write("idea.toml", format!("{text}\n[sweep]\nconfirm = {{ seeds = \"50..52\" }}\n"));
    let options = ["--space", "lr=0.001,0.01,0.1,0.2", "--seeds", "0,1", "--stack", "4", "--threads", "1"];
    let all = [&["sweep", "idea.toml", "--device", "cpu"], &options[..]].concat();
    let (code, _, stderr) = run(with_short_beats(dir.command(&all)));
    assert_eq!(code, Some(0), "{stderr}");
    let path = only_sweep(&dir);
    // without its confirmation, and with a file in the way of a stack
    std::fs::remove_file(path.join("extend-1.json")).unwrap();
    for stack in names(&path.join("stacks")).iter().skip(2) {
        reopen(&path, stack);
        std::fs::remove_dir_all(path.join("stacks").join(stack)).unwrap();
    }
    reopen(&path, "S001");
    std::fs::remove_dir_all(path.join("stacks/S001")).unwrap();
    std::fs::write(path.join("stacks/S001"), "").unwrap();

    let shown = path.display().to_string();
    let (code, stdout, stderr) = sweep(&dir, &[&shown, "--resume", "--json"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert_eq!(stderr.matches("1 stack failed").count(), 1, "{stderr}");
    assert_says(&stderr, &["runner sweep retry --failed"]);
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["confirmation"], serde_json::Value::Null);
    let results = found["results"].as_array().unwrap();
    let of_status = |status: &str| results.iter().filter(|result| result["status"] == status).collect::<Vec<_>>();
    assert_eq!((results.len(), of_status("done").len(), of_status("failed").len()), (4, 2, 2), "{found}");
    assert!(of_status("failed").iter().all(|one| one["error"].as_str().unwrap().contains("stacks/S001")), "{found}");
    assert!(of_status("done").iter().all(|one| one["metric"]["mean"].is_number() && one["error"].is_null()));
    assert!(!path.join("extend-1.json").exists(), "nothing is confirmed");

    // when the stack is trained after all, the best are confirmed
    std::fs::remove_file(path.join("stacks/S001")).unwrap();
    assert_eq!(sweep(&dir, &["retry", "--failed", &shown]).0, Some(0));
    let (code, stdout, stderr) = sweep(&dir, &[&shown, "--resume", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["confirmation"]["seeds"], serde_json::json!([50, 51, 52]));
    assert!(found["results"].as_array().unwrap().iter().all(|result| result["status"] == "done"));
}
