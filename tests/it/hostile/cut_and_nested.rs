//! Files that are cut short or nested too deeply.

use super::damaged_run::{HISTORY, place_with_run, quickly, refused_by_all};
use crate::support::{IDEA, assert_says, idea_with};

#[test]
fn a_history_nested_too_deeply_is_refused_and_so_are_an_experiment_and_a_setting() {
    let place = place_with_run();
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let history = std::fs::read_to_string(place.path(HISTORY)).unwrap();
    for nested in [deep("[", "]"), deep("{\"history\":", "}"), history.replacen("null", &deep("[", "]"), 1)] {
        place.write(HISTORY, &nested);
        refused_by_all(&place, HISTORY);
        place.write("log.json", &nested);
        place.refusal(&["compare", "log.json", "log.json"]);
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
        place.write("deep.toml", nested);
        quickly(|| place.refusal(&["exp", "deep.toml"]));
    }
    let path = format!("train.early_stopping.{}=1", ["a"; 50_000].join("."));
    assert_says(&place.refusal(&["exp", "idea.toml", "--set", &path]), &["has at most 32 parts"]);
    let value = format!("train.epochs={}", deep("[", "]"));
    place.refusal(&["exp", "idea.toml", "--set", &value[..100_000]]);
}

#[test]
fn a_history_cut_anywhere_is_refused() {
    let place = place_with_run();
    let whole = std::fs::read(place.path(HISTORY)).unwrap();
    let end = whole.trim_ascii_end().len();
    for cut in (0..end).step_by(end / 12).chain([end - 1]) {
        place.write(HISTORY, &whole[..cut]);
        assert_says(&place.refusal(&["predict", HISTORY, "--index", "0"]), &["base-seed0.json", "hint: "]);
    }
}
