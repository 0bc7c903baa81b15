//! The positive class of two classes: declared, or the rare one. Also classes without rows.

use serde_json::{Value, json};

use crate::support::{TestDir, assert_says, stderr, stdout};

/// 240 rows. Every eighth row has the rare class; the classes overlap partly.
fn table(rare: &str, frequent: &str) -> String {
    let mut state: u32 = 7;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let mut text = "a,b,label\n".to_owned();
    for row in 0..240 {
        let (name, shift) = if row % 8 == 0 { (rare, 0.5) } else { (frequent, 0.0) };
        text += &format!("{:.6},{:.6},{name}\n", draw() + shift, draw() + shift);
    }
    text
}

const DATA: &str = "[data.csv]\npath = \"rows.csv\"\ntarget = \"label\"\n\
    split = { test = 0.25, validation = 0.25, random_state = 0 }\n";
const TREE: &str = "[tree]\nmax_depth = 3\nmin_samples_leaf = 5\nmetrics = [\"precision\", \"recall\", \"f1\"]\n";
const NETWORK: &str = "[network]\nlayers = [{ linear = 1 }]\n[train]\nepochs = 20\nbatch = 16\n\
    loss = \"bce_with_logits\"\noptimizer = { sgd = { lr = 0.3 } }\nmetrics = [\"precision\", \"recall\", \"f1\", \"ap\"]\n";

fn new_dir(table: &str, above: &str, model: &str) -> TestDir {
    let dir = TestDir::new();
    dir.write("rows.csv", table);
    dir.write("idea.toml", format!("title = \"Rare\"\n{above}\n{DATA}{model}"));
    dir
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_rare_class_is_positive_regardless_of_alphabetical_order() {
    let above = "threshold = { cost = { miss = 50, false_alarm = 1 } }";
    let first = new_dir(&table("fraud", "legit"), above, TREE);
    let second = new_dir(&table("theft", "legit"), above, TREE);
    let (first_outputs, of_second) = (first.history(&["idea.toml"]), second.history(&["idea.toml"]));
    assert_eq!(first_outputs["data"]["classes"], json!(["fraud", "legit"]));
    assert_eq!(first_outputs["data"]["positive"], json!({ "name": "fraud", "index": 0, "chosen": "rarer" }));
    assert_eq!(of_second["data"]["positive"], json!({ "name": "theft", "index": 1, "chosen": "rarer" }));
    for name in ["precision", "recall", "f1", "ap", "roc_auc", "mcc", "prevalence", "acc", "roc", "precision_recall"] {
        assert_eq!(first_outputs["test"][name], of_second["test"][name], "{name}");
    }
    for name in ["precision", "recall", "f1", "val_precision", "val_recall", "val_f1"] {
        assert_eq!(first_outputs["history"][name], of_second["history"][name], "{name}");
    }
    let [threshold, other] = [&first_outputs, &of_second].map(|history| &history["test"]["threshold"]);
    for (found, expected) in [(threshold, other), (&threshold["validation"], &other["validation"])] {
        for name in ["value", "cost", "recall", "precision"] {
            assert_eq!(found[name], expected[name], "{name}");
        }
    }
    let counts = |history: &Value, at: [usize; 2]| history["test"]["confusion"][at[0]][at[1]].as_u64().unwrap();
    for at in [[0, 0], [0, 1], [1, 0], [1, 1]] {
        assert_eq!(counts(&first_outputs, at), counts(&of_second, [1 - at[0], 1 - at[1]]), "the order of the classes");
    }
    let report = &first_outputs["test"]["report"]["classes"][0];
    assert_eq!(first_outputs["test"]["recall"], report["recall"], "of the rare class");
    assert!(report["support"].as_u64().unwrap() < 20, "of 60 rows");

    let shown = first.run(&["exp", "idea.toml", "--verbose"]).code(0);
    let message = one_line(&stderr(&shown));
    assert_says(
        &message,
        &["positive class: `fraud` (rarer than a third of the rows); `positive` in the experiment file"],
    );
    let message = one_line(&stdout(&shown));
    assert_says(&message, &["positive class of precision, recall, f1, roc_auc, ap: `fraud` (rarer than a third"]);
    assert_says(
        &message,
        &["for `fraud`, chosen on the validation rows by cost: a missed `fraud` 50, a false alarm 1"],
    );
    let evaluated = one_line(&stdout(&first.run(&["eval", "idea", "--strict"]).code(0)));
    assert_says(&evaluated, &["to the last digit", "positive class of precision"]);
    let predicted = one_line(&stdout(&first.run(&["predict", "idea", "--rows", "test", "--index", "0"]).code(0)));
    assert_says(&predicted, &["positive class `fraud`: predicted if its probability is at least"]);
    first.run(&["report", "idea", "-o", "page.html"]).code(0);
    let page = std::fs::read_to_string(first.path("page.html")).unwrap();
    assert_says(
        &page,
        &["positive class of precision, recall, f1, roc_auc, ap: <code>fraud</code> (rarer than a third"],
    );
    first.run(&["plot", "pr", "idea", "-o", "pr.svg"]).code(0);
    assert_says(&std::fs::read_to_string(first.path("pr.svg")).unwrap(), &["Positive class: fraud."]);
}

#[test]
fn a_declared_positive_class_is_used_by_all_metrics() {
    let dir = new_dir(&table("fraud", "legit"), "", NETWORK);
    let rare = dir.history(&["idea.toml"]);
    let frequent = dir.history(&["idea.toml", "--set", "positive=legit"]);
    assert_eq!(frequent["data"]["positive"], json!({ "name": "legit", "index": 1, "chosen": "stated" }));
    assert_eq!(frequent["config"]["positive"], "legit");
    assert_eq!(rare["test"]["loss"], frequent["test"]["loss"], "the same network");
    assert_eq!(rare["history"]["val_loss"], frequent["history"]["val_loss"]);
    assert_eq!(rare["test"]["confusion"], frequent["test"]["confusion"]);
    let classes = &rare["test"]["report"]["classes"];
    for (history, class) in [(&rare, 0), (&frequent, 1)] {
        for name in ["precision", "recall", "f1"] {
            let metric = Some(&history["test"][name]).filter(|value| **value != "nan"); // undefined: null in the report
            assert_eq!(metric.unwrap_or(&Value::Null), &classes[class][name], "{name} of class {class}");
        }
    }
    for (history, class) in [(&rare, 0), (&frequent, 1)] {
        let support = classes[class]["support"].as_f64().unwrap();
        assert_eq!(history["test"]["prevalence"], json!(support / 60.0));
    }
    let last = |history: &Value, name: &str| history["history"][name].as_array().unwrap().last().unwrap().as_f64();
    assert!(last(&frequent, "val_ap") > Some(0.9) && last(&rare, "val_ap") < last(&frequent, "val_ap"));
    // runs with different positive classes are compared only with a note
    let runs = std::fs::read_dir(dir.path("runs/idea")).unwrap().flatten().map(|entry| entry.path());
    let mut runs: Vec<String> =
        runs.filter(|path| !path.ends_with("latest")).map(|path| path.display().to_string()).collect();
    runs.sort();
    let compared = one_line(&stdout(&dir.run(&["compare", &runs[0], &runs[1]]).code(0)));
    assert_says(&compared, &["caution: different positive classes: `", "; positive classes: "]);
}

#[test]
fn pos_weight_weighs_the_positive_class() {
    let loss = |weight: f64| format!("{{ bce_with_logits = {{ pos_weight = {weight} }} }}");
    let dir = new_dir(&table("fraud", "legit"), "", NETWORK);
    let recall = |weight: f64| {
        let set = format!("train.loss={}", loss(weight));
        dir.history(&["idea.toml", "--set", &set])["test"]["recall"].as_f64().unwrap()
    };
    assert!(recall(50.0) >= 0.9, "a fraud counts 50 times");
    assert!(recall(0.02) <= 0.1, "and a fiftieth");
}

#[test]
fn an_invalid_positive_class_is_rejected() {
    let two_classes_dir = new_dir(&table("fraud", "legit"), "positive = \"Fruad\"", TREE);
    let message = one_line(&stderr(&two_classes_dir.run(&["exp", "idea.toml"]).code(2)));
    assert_says(&message, &["`positive` must be one of the classes, `fraud` or `legit`, found `Fruad`"]);
    assert_says(&message, &["hint: did you mean `fraud`?"]);
    let numbers = new_dir(&table("0", "1"), "positive = 0", TREE);
    let text = std::fs::read_to_string(numbers.path("idea.toml")).unwrap();
    numbers.write("idea.toml", text.replace("target = \"label\"\n", "target = \"label\"\nclasses = [0, 1]\n"));
    assert_eq!(numbers.history(&["idea.toml"])["data"]["positive"]["name"], "0");
    let digits = crate::support::IDEA.replacen("[data.digits]", "positive = \"3\"\n[data.digits]", 1);
    let ten_classes_dir = TestDir::new();
    ten_classes_dir.write("idea.toml", digits);
    let message = one_line(&stderr(&ten_classes_dir.run(&["exp", "idea.toml"]).code(2)));
    assert_says(&message, &["`positive` needs 2 classes, but the target has 10 classes", "hint: remove it"]);
}

#[test]
fn histories_without_a_positive_class_are_evaluated_as_before() {
    let dir = new_dir(&table("fraud", "legit"), "positive = \"legit\"\nthreshold = 0.8", NETWORK);
    dir.run(&["exp", "idea.toml"]).code(0);
    let file = dir.path("runs/idea/latest/base-seed0.json");
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    history["data"].as_object_mut().unwrap().remove("positive");
    history["config"].as_object_mut().unwrap().remove("positive");
    std::fs::write(&file, history.to_string()).unwrap();
    let message = one_line(&stdout(&dir.run(&["eval", "idea", "--strict"]).code(0)));
    assert_says(&message, &["to the last digit", "positive class of precision, recall, f1, roc_auc, ap: `legit`"]);
}

#[test]
fn a_class_without_training_rows_causes_a_warning_and_has_no_weight() {
    let mut text = "a,label\n".to_owned();
    for row in 0..12 {
        text += &format!("{row},{}\n", if row % 2 == 0 { "even" } else { "odd" });
    }
    text += "99,lone\n";
    let model = "[network]\nlayers = [{ linear = 3 }]\n[train]\nepochs = 2\nbatch = 4\n\
        loss = { cross_entropy = { class_weights = \"balanced\" } }\noptimizer = { sgd = { lr = 0.1 } }\n";
    let is_held_out_once = (0..40).any(|state| {
        let dir = TestDir::new();
        dir.write("rows.csv", &text);
        let split = format!("split = {{ test = 0.25, random_state = {state} }}\n");
        let data = format!("[data.csv]\npath = \"rows.csv\"\ntarget = \"label\"\nscale = \"standard\"\n{split}");
        dir.write("idea.toml", format!("title = \"Lone\"\n{data}{model}"));
        let shown = dir.run(&["exp", "idea.toml"]).code(0);
        let file = std::fs::read_to_string(dir.path("runs/idea/latest/base-seed0.json")).unwrap();
        let history: Value = serde_json::from_str(&file).unwrap();
        let is_held_out = history["test"]["report"]["classes"][1]["support"] == 1;
        let message = one_line(&stderr(&shown));
        let warning = "no training rows of class `lone`: its only row is held out, so it cannot be learned";
        assert_eq!(message.contains(warning), is_held_out, "{message}");
        is_held_out
    });
    assert!(is_held_out_once, "one of these splits has the only row outside of the training rows");
}
