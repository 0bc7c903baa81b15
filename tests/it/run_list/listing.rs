//! The list of runs: changes, status, columns, groups and formats.

use serde_json::{Value, json};

use super::some_runs::{dir_with_some_runs, listed};
use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

fn printed(dir: &TestDir, arguments: &[&str]) -> String {
    stdout(&dir.run(&[&["runs"], arguments].concat()).code(0))
}

#[test]
fn the_list_shows_what_was_changed_and_fits_80_columns() {
    let dir = dir_with_some_runs();
    let text = printed(&dir, &[]);
    assert_says(&text, &["id ", "changed", "lr=1e-5", "seeds=0,1", "complete", "val_loss", "test acc", "time", "age"]);
    let long =
        ["network.layers=[{ linear = 48 }, \"relu\", { linear = 24 }, \"relu\", { linear = 10 }]", "train.batch=32"];
    dir.exp(&["idea.toml", "--set", long[0], "--set", long[1]]);
    let text = printed(&dir, &[]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_says(&text, &["layers=48,relu,24,relu,10", "batch=32"]);
    assert!(!text.contains('…') && !text.contains("  age"), "the age is left out before anything is cut: {text}");
    let text = printed(&dir, &["--filter", "batch=64"]);
    let ids: Vec<&str> = text.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
    assert!(ids.iter().all(|id| (4..=7).contains(&id.len()) && id.chars().all(|c| c.is_ascii_hexdigit())), "{text}");
    let nested = "network.layers=[{ linear = 8 }, { repeat = { times = 2, layers = [{ residual = [{ linear = 8 }] }, \"relu\"] } }, \
                  { linear = 10 }]";
    dir.exp(&["idea.toml", "--set", nested]);
    assert_says(&printed(&dir, &["--columns", "changed"]), &["layers=8,repeat 2 [residual [8],relu],10"]);
}

#[cfg(unix)]
#[test]
fn a_run_in_training_shows_its_progress_and_a_killed_one_how_far_it_came() {
    use crate::resuming::run::{dir_with_epochs, start_until_epoch};
    let dir = dir_with_epochs(100_000);
    let (mut child, _stderr_lines) = start_until_epoch(&dir, 3, &[]);
    let text = printed(&dir, &[]);
    assert_says(&text, &["running ", "/100000", &format!("pid {}", child.id())]);
    assert_eq!(listed(&dir, &["--filter", "status=running"])[0]["process"], child.id());
    let shown = stdout(&dir.run(&["show", listed(&dir, &[])[0]["id"].as_str().unwrap()]).code(0));
    assert_says(&shown, &["idea: still training: epoch ", " of 100000 (pid ", "0 of 1 trials have ended"]);
    let refused = stderr(&dir.run(&["runs", "rm", "idea", "--yes"]).code(2));
    assert_says(&refused, &["is still training", "nothing was deleted"]);
    child.kill().unwrap();
    child.wait().unwrap();
    let text = printed(&dir, &[]);
    assert!(text.contains("interrupted ") && text.contains("/100000") && !text.contains("pid"), "{text}");
    assert_eq!(listed(&dir, &["--filter", "status=interrupted"])[0]["state"], "interrupted");
}

#[cfg(unix)]
#[test]
fn comparisons_and_exports_of_a_run_in_training_say_how_many_trials_have_not_ended() {
    use crate::resuming::run::start_until_epoch;
    use crate::support::IDEA;
    let dir = TestDir::new();
    let variants =
        "\n[[variants]]\nname = \"short\"\n\n[[variants]]\nname = \"long\"\nset = { \"train.epochs\" = 100000 }\n";
    dir.write("idea.toml", format!("{IDEA}{variants}"));
    let (mut child, _stderr_lines) = start_until_epoch(&dir, 3, &["--seeds", "0,1"]);
    for arguments in
        [&["compare", "idea"][..], &["compare", "runs/idea/latest", "--json"], &["export", "idea", "--csv"]]
    {
        let said = stderr(&dir.run(arguments).code(0)).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_says(&said, &["note: `runs/idea/", "is still training: 2 of 4 trials have not ended"]);
        assert_eq!(said.matches("still training").count(), 1, "{said}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let after = stderr(&dir.run(&["compare", "idea"]).code(0));
    assert!(!after.contains("still training"), "{after}");
}

#[test]
fn columns_order_and_filters_take_metrics_settings_and_fields() {
    let dir = dir_with_some_runs();
    let csv = printed(&dir, &["--columns", "lr,batch,best.val_loss,seeds", "--sort", "lr", "--csv"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "lr,batch,best.val_loss,seeds");
    assert!(lines[1].starts_with("0.00001,64,"), "{csv}");
    assert_eq!(printed(&dir, &["--filter", "lr<1e-4", "--columns", "changed"]), "changed\nlr=1e-5\n");
    assert_eq!(
        printed(&dir, &["--sort", "test.acc", "-n", "1", "--reverse", "--columns", "changed"]),
        "changed\nlr=1e-5\n"
    );
    let message = stderr(&dir.run(&["runs", "--columns", "test.acx"]).code(2));
    assert_says(&message, &["no run has a metric or setting `test.acx`", "did you mean `test.acc`?"]);
    let runs = listed(&dir, &["--columns", "train.batch"]);
    assert_eq!(runs[0]["columns"], json!({ "train.batch": 64 }));
}

#[test]
fn groups_have_mean_and_deviation_over_all_trials_with_a_value() {
    let dir = dir_with_some_runs();
    let groups: Value = serde_json::from_str(&printed(&dir, &["--group-by", "lr", "--json"])).unwrap();
    let of = |place: usize| {
        (&groups[place]["value"], &groups[place]["trials"], groups[place]["runs"].as_array().unwrap().len())
    };
    assert_eq!(of(0), (&json!(0.00001), &json!(1), 1));
    assert_eq!(of(1), (&json!(0.001), &json!(3), 2));
    let losses: Vec<f64> = listed(&dir, &["--filter", "lr=0.001", "--columns", "best.val_loss"])
        .iter()
        .map(|run| run["columns"]["best.val_loss"].as_f64().unwrap() * run["trials"].as_f64().unwrap())
        .collect();
    let mean = groups[1]["metrics"]["best.val_loss"]["mean"].as_f64().unwrap();
    assert!((mean - losses.iter().sum::<f64>() / 3.0).abs() < 1e-12, "{groups}");
    assert!(groups[1]["metrics"]["best.val_loss"]["std"].as_f64().unwrap() > 0.0);
    assert_says(&printed(&dir, &["--group-by", "lr"]), &["lr", "runs", "n", "best.val_loss", "test.acc", " ± "]);
    let refused = stderr(&dir.run(&["runs", "--group-by", "test.acc"]).code(2));
    assert_says(
        &refused,
        &["runs cannot be grouped by `test.acc`: it is a result, not a setting", "--group-by lr --columns test.acc"],
    );
}

/// Returns the fields of a column of a CSV text.
fn column(csv: &str, name: &str) -> Vec<String> {
    let fields = |line: &str| -> Vec<String> {
        let mut is_quoted = false;
        let separated = line.split(|letter| {
            is_quoted ^= letter == '"';
            letter == ',' && !is_quoted
        });
        separated.map(str::to_owned).collect()
    };
    let mut lines = csv.lines().map(fields);
    let place = lines.next().unwrap().iter().position(|header| header == name).unwrap();
    lines.map(|fields| fields[place].clone()).collect()
}

#[test]
fn tables_have_the_changed_settings_as_columns() {
    let dir = dir_with_some_runs();
    let latex = printed(&dir, &["--latex"]);
    assert_says(&latex, &["\\begin{tabular}{ll", "\\toprule", " seeds & lr & ", "val\\_loss", "\\bottomrule"]);
    assert_says(&printed(&dir, &["--md"]), &["| id | experiment | ", "| seeds | lr |"]);
    let csv = printed(&dir, &["--csv", "--sort", "folder"]);
    let rates: Vec<f64> = column(&csv, "train.optimizer.adam.lr").iter().map(|rate| rate.parse().unwrap()).collect();
    assert_eq!(rates, [0.001, 1e-5, 0.001]);
}

#[test]
fn a_table_that_is_removed_is_one_change() {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("epochs = 2", "epochs = 1\nearly_stopping = { patience = 3, min_delta = 0.1 }"));
    dir.exp(&["idea.toml"]);
    dir.exp(&["idea.toml", "--set", "train.early_stopping=none"]);
    let runs = listed(&dir, &[]);
    let changed =
        runs.iter().map(|run| run["changed"].as_object().unwrap().clone()).max_by_key(|changed| changed.len());
    assert_eq!(Value::from(changed.unwrap()), json!({ "train.early_stopping": "none" }));
}

#[test]
fn exported_tables_have_the_settings() {
    let dir = TestDir::new();
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.batch\" = 32 }\n";
    dir.write("idea.toml", format!("{}{variants}", idea_with("epochs = 2", "epochs = 1")));
    dir.exp(&["idea.toml"]);
    dir.run(&["export", "idea", "--csv", "--to", "tables"]).code(0);
    let table = |name: &str| std::fs::read_to_string(dir.path(&format!("tables/{name}.csv"))).unwrap();
    assert_eq!(column(&table("epochs"), "train.batch"), ["64", "32"]);
    assert_eq!(column(&table("trials"), "train.optimizer.adam.lr"), ["0.001", "0.001"]);
    assert!(!table("epochs").contains("adam.lr"), "only settings that differ");
}

#[test]
fn choices_are_settings_and_metrics_may_have_the_names_of_keras() {
    let dir = dir_with_some_runs();
    dir.exp(&["idea.toml", "--set", "train.optimizer={ sgd = { lr = 0.1 } }"]);
    let sgd = printed(&dir, &["--filter", "optimizer=sgd", "--columns", "optimizer,changed"]);
    assert_eq!(sgd, "optimizer  changed\nsgd        optimizer=sgd lr=0.1\n");
    let groups: Value = serde_json::from_str(&printed(&dir, &["--group-by", "optimizer", "--json"])).unwrap();
    let values: Vec<&Value> = groups.as_array().unwrap().iter().map(|group| &group["value"]).collect();
    assert_eq!(values, ["adam", "sgd"]);
    let by = |metric: &str| printed(&dir, &["--sort", metric, "--filter", &format!("{metric}>0"), "--columns", "id"]);
    assert_eq!(by("best.val_accuracy"), by("best.val_acc"));
    assert_eq!(listed(&dir, &["--filter", "loss<1000"]).len(), 4, "the metric");
    assert_eq!(listed(&dir, &["--filter", "loss=cross_entropy"]).len(), 4, "the setting");
}

#[test]
fn a_run_of_an_edited_file_shows_what_differs_from_the_oldest_run() {
    let dir = dir_with_some_runs();
    let file = std::fs::read_to_string(dir.path("idea.toml")).unwrap();
    dir.write("idea.toml", file.replace("batch = 64", "batch = 32\nearly_stopping = 1"));
    dir.exp(&["idea.toml", "--epochs", "50"]);
    let runs = listed(&dir, &["--columns", "changed"]);
    let changed = |run: &Value| run["columns"]["changed"].clone();
    assert_eq!(changed(&runs[0]), Value::Null);
    let last = changed(&runs[3]).as_str().unwrap().to_owned();
    assert_says(&last, &["train.epochs=50", "train.batch=32", "train.early_stopping.patience=1"]);
    assert_eq!(listed(&dir, &["--filter", "status=early stopped"]).len(), 1);
    assert_eq!(listed(&dir, &["--filter", "status=complete"]).len(), 4);
    assert_says(&printed(&dir, &[]), &["early stopped"]);
}
