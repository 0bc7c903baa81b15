//! Truncated files and deeply nested files.

use super::damaged_run::{HISTORY, dir_with_run, errors_of_all_commands, within_a_minute};
use crate::support::{IDEA, assert_says, idea_with};

#[test]
fn deeply_nested_histories_experiments_and_settings_are_rejected() {
    let dir = dir_with_run();
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let history = std::fs::read_to_string(dir.path(HISTORY)).unwrap();
    for nested in [deep("[", "]"), deep("{\"history\":", "}"), history.replacen("null", &deep("[", "]"), 1)] {
        dir.write(HISTORY, &nested);
        errors_of_all_commands(&dir, HISTORY);
        dir.write("log.json", &nested);
        dir.error_message(&["compare", "log.json", "log.json"]);
    }
    for nested in [
        format!("x = {}", deep("[", "]")),
        format!("x = {}", deep("{ a = ", "1 }")),
        format!("{} = 1", ["a"; 50_000].join(".")),
        format!("[{}]\n", ["a"; 50_000].join(".")),
        format!("[[{}]]\n", ["a"; 50_000].join(".")),
        idea_with("epochs = 2", &format!("schedule.{} = 1", ["a"; 50_000].join("."))),
        format!(
            "{IDEA}\n[[variants]]\nname = \"deep\"\nset = {{ \"train.early_stopping.{}\" = 1 }}\n",
            ["a"; 400_000].join(".")
        ),
    ] {
        dir.write("deep.toml", nested);
        within_a_minute(|| dir.error_message(&["exp", "deep.toml"]));
    }
    let path = format!("train.early_stopping.{}=1", ["a"; 50_000].join("."));
    assert_says(&dir.error_message(&["exp", "idea.toml", "--set", &path]), &["has at most 32 parts"]);
    let value = format!("train.epochs={}", deep("[", "]"));
    dir.error_message(&["exp", "idea.toml", "--set", &value[..100_000]]);
}

#[test]
fn truncated_histories_are_rejected() {
    let dir = dir_with_run();
    let original = std::fs::read(dir.path(HISTORY)).unwrap();
    let end = original.trim_ascii_end().len();
    for cut in (0..end).step_by(end / 12).chain([end - 1]) {
        dir.write(HISTORY, &original[..cut]);
        assert_says(&dir.error_message(&["predict", HISTORY, "--index", "0"]), &["base-seed0.json", "hint: "]);
    }
}
