//! `report`: an HTML file for one or several runs, and its error messages.

use serde_json::Value;

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// The HTML of a report and the data in it.
#[track_caller]
fn page(dir: &TestDir, file: &str) -> (String, Value) {
    let page = std::fs::read_to_string(dir.path(file)).unwrap();
    let json = page.split_once("<script type=\"application/json\" id=\"payload\">").unwrap().1;
    let payload = serde_json::from_str(json.split_once("</script>").unwrap().0).unwrap();
    (page, payload)
}

/// The visible text of the page, without tags.
fn visible_text(page: &str) -> String {
    let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let text: String =
        main.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| format!("{text} ")).collect();
    text.replace("&#39;", "'").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn reports_are_in_the_run_directory_and_contain_the_histories() {
    let dir = TestDir::with_idea();
    let histories = dir.histories(&["idea.toml", "--seeds", "0..1", "--set", "train.batch=128"]);
    let message = stdout(&dir.run(&["report", "idea"]).code(0));
    assert!(message.starts_with("runs/idea/2") && message.trim().ends_with("/report.html"), "{message}");
    let (page, payload) = page(&dir, "runs/idea/latest/report.html");
    for (trial, history) in payload["trials"].as_array().unwrap().iter().zip(&histories) {
        for (drawn, loss) in
            trial["series"]["loss"].as_array().unwrap().iter().zip(history["history"]["loss"].as_array().unwrap())
        {
            let (drawn, loss) = (drawn.as_f64().unwrap(), loss.as_f64().unwrap());
            assert!((drawn - loss).abs() <= 1e-6 * loss.abs(), "the report has {drawn} instead of {loss}");
        }
    }
    let text = visible_text(&page);
    assert!(text.contains("runner exp idea.toml --set train.batch=128 --seeds 0..1 --device cpu"), "{text}");
    assert!(text.contains("train. batch 128 command line"), "{text}");
    assert!(text.contains("train. epochs 2 experiment file"), "{text}");
    assert!(text.contains("train. shuffle true default"), "{text}");
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
    // a report in the run directory does not hide the run, and can be written again
    dir.run(&["report", "idea"]).code(0);
    let (again, _) = self::page(&dir, "runs/idea/latest/report.html");
    assert_eq!(page, again, "equal histories must give identical pages");
}

#[test]
fn histories_record_the_command_and_the_origin_of_settings() {
    let dir = TestDir::new();
    dir.write(
        "idea.toml",
        format!("{IDEA}\n[[variants]]\nname = \"a\"\n\n[[variants]]\nname = \"b\"\nset = {{ \"train.batch\" = 32 }}\n"),
    );
    let histories = dir.histories(&["idea.toml", "--epochs", "1"]);
    let asked = &histories[1]["provenance"];
    assert_eq!(asked["command"], "runner exp idea.toml --epochs 1 --device cpu");
    assert_eq!(asked["overrides"], serde_json::json!(["train.epochs=1"]));
    assert_eq!(asked["set_by_command_line"], serde_json::json!(["train.epochs"]));
    assert_eq!(asked["set_by_variant"], serde_json::json!(["train.batch"]));
    let stated = [
        "network.layers.0.linear.units",
        "network.layers.1",
        "network.layers.2.linear.units",
        "train.loss.cross_entropy",
        "train.optimizer.adam.lr",
    ];
    for key in stated {
        assert!(asked["set_by_file"].as_array().unwrap().contains(&key.into()), "`{key}` is missing in {asked}");
    }
    assert_eq!(histories[0]["provenance"]["set_by_variant"], Value::Null);
}

#[test]
fn variants_are_shown_best_first_and_compared_with_the_first_one_of_the_file() {
    let dir = TestDir::new();
    let variant = |name: &str, lr: &str| {
        format!("\n[[variants]]\nname = \"{name}\"\nset = {{ \"train.optimizer.adam.lr\" = {lr} }}\n")
    };
    let variants = variant("slow", "1e-6") + &variant("fast", "1e-2");
    let split = "[data.digits]\nsplit = { validation = 0.2, random_state = 1 }";
    dir.write("idea.toml", IDEA.replace("[data.digits]", split) + &variants);
    dir.exp(&["idea.toml", "--seeds", "0..5"]);
    dir.run(&["report", "idea"]).code(0);
    let (page, payload) = page(&dir, "runs/idea/latest/report.html");
    let labels: Vec<&str> =
        payload["groups"].as_array().unwrap().iter().map(|group| group["label"].as_str().unwrap()).collect();
    assert!(labels[0].ends_with("fast") && labels[1].ends_with("slow"), "{labels:?}");
    assert_says(&visible_text(&page), &["fast and", "slow differ significantly"]);
    let markdown = stdout(&dir.run(&["report", "idea", "--format", "md", "-o", "-"]).code(0));
    assert!(markdown.find("| `fast` |") < markdown.find("| `slow` |"), "{markdown}");
}

#[test]
fn reports_of_several_runs_are_written_to_the_current_or_given_path() {
    let dir = TestDir::with_idea();
    dir.write("other.toml", idea_with("{ linear = 16 }", "{ linear = 8 }").replace("An idea", "Another"));
    dir.exp(&["idea.toml"]);
    dir.exp(&["other.toml"]);
    assert_eq!(stdout(&dir.run(&["report", "idea", "other"]).code(0)).trim(), "report.html");
    let (page, payload) = page(&dir, "report.html");
    assert_eq!(payload["groups"], serde_json::json!([{ "label": "idea" }, { "label": "other" }]));
    assert!(page.contains("<title>An idea and Another – runner</title>"));
    let text = visible_text(&page);
    assert!(text.contains("Settings that differ setting idea other network. layers 16, relu, 10 experiment file 8, relu, 10 experiment file"), "{text}");
    dir.run(&["report", "idea", "-o", "elsewhere.html"]).code(0);
    assert!(dir.path("elsewhere.html").is_file());
}

#[test]
fn report_names_unreadable_runs_and_shows_the_rest() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml", "--seeds", "0..2"]);
    let original = std::fs::read_to_string(dir.path("runs/idea/latest/base-seed1.json")).unwrap();
    dir.write("runs/idea/latest/base-seed1.json", &original[..300]);
    dir.write("runs/idea/latest/base-seed2.json", original.replace("runner.history/2", "runner.history/9"));
    let done = dir.run(&["report", "idea"]).code(2);
    assert_says(&stderr(&done), &["base-seed1.json", "base-seed2.json", "runner.history/2"]);
    let (page, payload) = page(&dir, "runs/idea/latest/report.html");
    assert_eq!(payload["trials"].as_array().unwrap().len(), 1);
    let text = visible_text(&page);
    assert_says(&text, &["Some of the runs cannot be read", "base-seed1.json", "runner.history/2"]);
}

#[test]
fn report_replaces_only_reports() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    dir.write("mine.html", "<h1>mine</h1>");
    let message = dir.error_message(&["report", "idea", "-o", "mine.html"]);
    assert_says(
        &message,
        &["`mine.html` exists and is not a report of runner", "hint: write to another file with `-o FILE`"],
    );
    assert_eq!(std::fs::read_to_string(dir.path("mine.html")).unwrap(), "<h1>mine</h1>");
    let message = dir.error_message(&["report", "idea", "-o", "runs"]);
    assert_says(&message, &["`runs` is a directory", "-o runs/report.html"]);
    assert_says(&dir.error_message(&["report", "idea", "-o", "no/such/folder.html"]), &["failed to write", "hint: "]);
    assert_says(&dir.error_message(&["report", "ideas"]), &["no run `ideas`", "did you mean `idea`?"]);
    assert_says(&dir.error_message(&["report"]), &["`runner report` needs `RUN`"]);
}

#[test]
fn a_markdown_report_has_a_section_for_each_experiment_and_is_replaced_only_if_it_is_a_report() {
    let dir = TestDir::new();
    dir.write(
        "idea.toml",
        format!("{IDEA}\n[[expect]]\nclaim = \"It learns\"\nmetric = \"last.loss\"\nat_most = 100\n"),
    );
    dir.exp(&["idea.toml", "--seeds", "0..1"]);
    let printed = stdout(&dir.run(&["report", "idea", "--format", "md", "-o", "-"]).code(0));
    assert!(printed.starts_with("<!-- generator: runner report -->\n"), "{printed}");
    let row = "| It learns | `last.loss` | ≤ 100 | ✓ ";
    assert_says(&printed, &["\n## idea\n", "**An idea", row, "### Settings", "### Run it again"]);
    assert!(!printed.contains("NaN"), "{printed}");
    for _ in 0..2 {
        dir.run(&["report", "idea", "-o", "idea.md"]).code(0);
        assert_eq!(std::fs::read_to_string(dir.path("idea.md")).unwrap(), printed, "it replaces itself");
    }
    dir.write("notes.md", "my notes");
    assert_says(&dir.error_message(&["report", "idea", "-o", "notes.md"]), &["`notes.md`", "hint: "]);
    assert_eq!(std::fs::read_to_string(dir.path("notes.md")).unwrap(), "my notes");
}
