//! `report`: one HTML file of a run, or of several, and what is said where it cannot be made.

use serde_json::Value;

use crate::support::{IDEA, Place, assert_says, idea_with, stderr, stdout};

/// The page that a report wrote, and the figures in it.
#[track_caller]
fn page(place: &Place, file: &str) -> (String, Value) {
    let page = std::fs::read_to_string(place.path(file)).unwrap();
    let json = page.split_once("<script type=\"application/json\" id=\"payload\">").unwrap().1;
    let figures = serde_json::from_str(json.split_once("</script>").unwrap().0).unwrap();
    (page, figures)
}

/// The page as it is read: without elements.
fn read(page: &str) -> String {
    let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let text: String =
        main.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| format!("{text} ")).collect();
    text.replace("&#39;", "'").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_report_of_a_run_lies_in_its_folder_and_holds_what_its_histories_hold() {
    let place = Place::with_idea();
    let histories = place.histories(&["idea.toml", "--seeds", "0..1", "--set", "train.batch=128"]);
    let said = stdout(&place.run(&["report", "idea"]).code(0));
    assert!(said.starts_with("runs/idea/2") && said.trim().ends_with("/report.html"), "{said}");
    let (page, figures) = page(&place, "runs/idea/latest/report.html");
    for (trial, history) in figures["trials"].as_array().unwrap().iter().zip(&histories) {
        for (drawn, loss) in
            trial["series"]["loss"].as_array().unwrap().iter().zip(history["history"]["loss"].as_array().unwrap())
        {
            let (drawn, loss) = (drawn.as_f64().unwrap(), loss.as_f64().unwrap());
            assert!((drawn - loss).abs() <= 1e-6 * loss.abs(), "{drawn} is drawn in place of {loss}");
        }
    }
    let text = read(&page);
    assert!(text.contains("runner exp idea.toml --set train.batch=128 --seeds 0..1 --device cpu"), "{text}");
    assert!(text.contains("train. batch 128 command line"), "{text}");
    assert!(text.contains("train. epochs 2 experiment file"), "{text}");
    assert!(text.contains("train. shuffle true default"), "{text}");
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
    // a report does not keep the run from being found, or another one from being written
    place.run(&["report", "idea"]).code(0);
    let (again, _) = self::page(&place, "runs/idea/latest/report.html");
    assert_eq!(page, again, "the same histories give the same bytes");
}

#[test]
fn a_history_says_who_set_what_and_which_command_asked_for_it() {
    let place = Place::new();
    place.write(
        "idea.toml",
        format!("{IDEA}\n[[variants]]\nname = \"a\"\n\n[[variants]]\nname = \"b\"\nset = {{ \"train.batch\" = 32 }}\n"),
    );
    let histories = place.histories(&["idea.toml", "--epochs", "1"]);
    let asked = &histories[1]["asked"];
    assert_eq!(asked["command"], "runner exp idea.toml --epochs 1 --device cpu");
    assert_eq!(asked["changes"], serde_json::json!(["train.epochs=1"]));
    assert_eq!(asked["changed"], serde_json::json!(["train.epochs"]));
    assert_eq!(asked["varied"], serde_json::json!(["train.batch"]));
    let stated = [
        "network.layers.0.linear.units",
        "network.layers.1",
        "network.layers.2.linear.units",
        "train.loss",
        "train.optimizer.adam.lr",
    ];
    for key in stated {
        assert!(asked["stated"].as_array().unwrap().contains(&key.into()), "`{key}` is missing in {asked}");
    }
    assert_eq!(histories[0]["asked"]["varied"], Value::Null);
}

#[test]
fn runs_side_by_side_are_written_where_the_command_is_given_or_where_it_says() {
    let place = Place::with_idea();
    place.write("other.toml", idea_with("{ linear = 16 }", "{ linear = 8 }").replace("An idea", "Another"));
    place.exp(&["idea.toml"]);
    place.exp(&["other.toml"]);
    assert_eq!(stdout(&place.run(&["report", "idea", "other"]).code(0)).trim(), "report.html");
    let (page, figures) = page(&place, "report.html");
    assert_eq!(figures["groups"], serde_json::json!([{ "label": "idea" }, { "label": "other" }]));
    assert!(page.contains("<title>An idea and Another – runner</title>"));
    let text = read(&page);
    assert!(text.contains("Settings that differ setting idea other network. layers 16, relu, 10 experiment file 8, relu, 10 experiment file"), "{text}");
    place.run(&["report", "idea", "-o", "elsewhere.html"]).code(0);
    assert!(place.path("elsewhere.html").is_file());
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_shown() {
    let place = Place::with_idea();
    place.exp(&["idea.toml", "--seeds", "0..2"]);
    let whole = std::fs::read_to_string(place.path("runs/idea/latest/base-seed1.json")).unwrap();
    place.write("runs/idea/latest/base-seed1.json", &whole[..300]);
    place.write("runs/idea/latest/base-seed2.json", whole.replace("runner.history/1", "runner.history/2"));
    let done = place.run(&["report", "idea"]).code(2);
    assert_says(&stderr(&done), &["base-seed1.json", "base-seed2.json", "runner.history/2"]);
    let (page, figures) = page(&place, "runs/idea/latest/report.html");
    assert_eq!(figures["trials"].as_array().unwrap().len(), 1);
    let text = read(&page);
    assert_says(&text, &["Some of what was named cannot be read", "base-seed1.json", "runner.history/2"]);
}

#[test]
fn nothing_that_is_no_report_is_written_over() {
    let place = Place::with_idea();
    place.exp(&["idea.toml"]);
    place.write("mine.html", "<h1>mine</h1>");
    let said = place.refusal(&["report", "idea", "-o", "mine.html"]);
    assert_says(&said, &["`mine.html` is there, and is no report", "hint: name another with `-o FILE`"]);
    assert_eq!(std::fs::read_to_string(place.path("mine.html")).unwrap(), "<h1>mine</h1>");
    let said = place.refusal(&["report", "idea", "-o", "runs"]);
    assert_says(&said, &["`runs` is a folder", "-o runs/report.html"]);
    assert_says(&place.refusal(&["report", "idea", "-o", "no/such/folder.html"]), &["failed to write", "hint: "]);
    assert_says(&place.refusal(&["report", "ideas"]), &["no run of `ideas`", "did you mean `idea`?"]);
    assert_says(&place.refusal(&["report"]), &["<RUN>"]);
}
