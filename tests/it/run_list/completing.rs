//! Completion of names in a shell.

use super::some_runs::{dir_with_some_runs, ids};
use crate::support::{RUNNER, TestDir, stdout};

/// Candidates for the last of these words.
fn candidates(dir: &TestDir, words: &[&str]) -> Vec<String> {
    let mut command = dir.command(&[&["--", "runner"], words].concat());
    command.env("RUNNER_COMPLETE", "fish");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn names_of_experiments_runs_settings_devices_and_metrics_are_completed() {
    let dir = dir_with_some_runs();
    let id = &ids(&dir)[0];
    dir.run(&["runs", "rename", id, "winner"]).code(0);
    let has = |words: &[&str], candidate: &str| {
        let found = candidates(&dir, words);
        assert!(found.iter().any(|found| found == candidate), "no `{candidate}` for {words:?} in {found:?}");
    };
    has(&["exp", "overf"], "overfit_mnist");
    has(&["exp", "ide"], "idea.toml");
    has(&["eval", "ide"], "idea");
    has(&["eval", &id[..3]], &id[..4]);
    has(&["eval", "idea", "val"], "validation");
    has(&["predict", "idea", "ide"], "idea.toml");
    has(&["sweep", "status", "ide"], "idea.toml");
    has(&["compare", "idea", "win"], "winner");
    has(&["runs", "tag", "win"], "winner");
    has(&["export", "idea/"], "idea/base");
    has(&["exp", "idea.toml", "--set", "train.b"], "train.batch=");
    has(&["exp", "idea.toml", "--device", "c"], "cpu");
    has(&["runs", "--sort", "best.val_"], "best.val_loss");
    has(&["runs", "--columns", "train.opt"], "train.optimizer.adam.lr");
    has(&["runs", "ar"], "archive");
    has(&["show", "overf"], "overfit_mnist");
    has(&["show", &id[..3]], &id[..4]);
    has(&["plot", "calibration", "ide"], "idea");
    has(&["plot", "samples", "mni"], "mnist");
    has(&["data", "describe", "dig"], "digits");
    has(&["new", "x", "--data", "dig"], "digits");
    assert_eq!(candidates(&dir, &["eval", "nothing-like-it"]), [] as [&str; 0]);
}

#[cfg(unix)]
#[test]
fn bash_completes_names_with_the_printed_script() {
    let dir = dir_with_some_runs();
    let script = stdout(&dir.run(&["completions", "bash"]).code(0));
    dir.write("completions.bash", &script);
    let ask = "source completions.bash\ncomplete -p runner >&2\nCOMP_WORDS=(runner eval ide)\nCOMP_CWORD=2\nCOMP_TYPE=9\n\
               _clap_complete_runner runner ide eval\necho \"${COMPREPLY[@]}\"";
    let mut shell = std::process::Command::new("bash");
    let programs = std::path::Path::new(RUNNER).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = shell.args(["--norc", "-c", ask]).current_dir(dir.path(".")).env("PATH", path).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).split_whitespace().any(|word| word == "idea"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("-F _clap_complete_runner runner"), "{output:?}");
}
