//! Training on texts: CSV and JSON lines, tokens, the vocabulary, and predictions for new texts.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::{TestDir, assert_says, curves, stderr, stdout};

/// 80 short reviews, half of them positive. Each has a word of its own.
fn reviews() -> Vec<(String, &'static str)> {
    let words = [["good", "great", "lovely"], ["bad", "awful", "dull"]];
    let review = |row: usize| {
        let (class, word) = (row % 2, words[row % 2][row / 2 % 3]);
        let middle = if row.is_multiple_of(5) { "and very long " } else { "" };
        (format!("a {word} {middle}film number{row}"), ["pos", "neg"][class])
    };
    (0..80).map(review).collect()
}

fn write_reviews(dir: &TestDir) {
    let (mut csv, mut lines) = ("text,label\n".to_owned(), String::new());
    for (text, label) in reviews() {
        writeln!(csv, "\"{text}\",{label}").unwrap();
        writeln!(lines, "{}", json!({ "label": label, "text": text, "votes": null })).unwrap();
    }
    dir.write("reviews.csv", csv);
    dir.write("reviews.jsonl", lines);
}

fn experiment(data: &str, layers: &str) -> String {
    format!(
        "title = \"Reviews\"\n[data.text]\ntarget = \"label\"\n{data}\n\
         split = {{ test = 0.2, validation = 0.2, random_state = 1, stratify = true }}\n\
         [network]\nlayers = {layers}\n\
         [train]\nepochs = 12\nbatch = 8\nloss = \"cross_entropy\"\noptimizer = {{ adam = {{ lr = 0.05 }} }}\n\
         metrics = [\"acc\"]\n"
    )
}

const MEAN: &str = "[{ embedding = 6 }, \"mean_over_time\", { linear = 2 }]";

#[test]
fn texts_in_csv_and_json_lines_give_the_same_run_and_predict_new_texts() {
    let dir = TestDir::new();
    write_reviews(&dir);
    let trained = |name: &str, path: &str| {
        dir.write(&format!("{name}.toml"), experiment(&format!("path = \"{path}\""), MEAN));
        dir.history(&[&format!("{name}.toml"), "--threads", "1"])
    };
    let (csv, lines) = (trained("csv", "reviews.csv"), trained("lines", "reviews.jsonl"));
    assert_eq!((curves(&csv), &csv["test"]["loss"]), (curves(&lines), &lines["test"]["loss"]));
    assert_eq!(csv["data"]["rows"], json!({ "train": 51, "validation": 13, "test": 16 }));
    assert_eq!(csv["test"]["acc"], 1.0);
    // 80 words of their own, `a`, `film`, 6 adjectives, `and`, `very`, `long`, padding and unknown
    assert_eq!(csv["network"]["layers"][0]["parameters"], (80 + 2 + 6 + 3 + 2) * 6);
    assert_eq!(csv["network"]["layers"][0]["output_shape"], json!([7, 6]), "the longest text has 7 words");
    assert_says(&stdout(&dir.run(&["eval", "csv", "--strict"]).code(0)), &["test metrics agree with the history"]);
    assert_says(&stdout(&dir.run(&["eval", "csv", "--data", "reviews.jsonl"]).code(0)), &["80 rows"]);
    dir.run(&["reproduce", "lines"]).code(0);
    let predicted = |arguments: &[&str]| -> Value {
        let all = ["predict", "csv"].iter().chain(arguments).chain(&["--json"]).copied().collect::<Vec<_>>();
        let found: Value = serde_json::from_str(&stdout(&dir.run(&all).code(0))).unwrap();
        found["predictions"].as_array().unwrap().iter().map(|row| row["prediction"].clone()).collect()
    };
    assert_eq!(predicted(&["--text", "a great unheard film"]), json!(["pos"]));
    dir.write("new.csv", "id,text\n1,what a dull film\n2,a lovely one\n");
    assert_eq!(predicted(&["--csv", "new.csv", "--keep", "id"]), json!(["neg", "pos"]));
    dir.write("new.jsonl", "{\"text\": \"an awful film\"}\n");
    assert_eq!(predicted(&["--csv", "new.jsonl"]), json!(["neg"]));
    let shown = stdout(&dir.run(&["predict", "csv", "--index", "0"]).code(0));
    assert_says(&shown, &["film �"]); // its own word is in no training row
    let unknown = dir.error_message(&["predict", "csv", "--text", "xyz"]);
    assert_says(&unknown, &["the text has no token of the vocabulary: `xyz`", "--unknown ignore"]);
    dir.run(&["predict", "csv", "--text", "xyz", "--unknown", "ignore"]).code(0);
    dir.write("xyz.csv", "text,label\nxyz,pos\n");
    for arguments in [&["predict", "csv", "--text", "xyz"][..], &["eval", "csv", "xyz.csv"]] {
        let refused = dir.error_message(&[arguments, &["--unknown", "missing"]].concat());
        assert_says(&refused, &["no token of the vocabulary", "`--unknown ignore`"]);
    }
    dir.write("linear.toml", experiment("path = \"reviews.csv\"", "[{ lstm = 8 }, { linear = 2 }]"));
    let refused = dir.error_message(&["exp", "linear.toml"]);
    assert_says(&refused, &["is `lstm`, but the rows of `text` are token ids", "begin with `{ embedding = 32 }`"]);
    dir.write("new.csv", "text\nxyz\n");
    assert_says(&dir.error_message(&["predict", "csv", "--csv", "new.csv"]), &["no token of the vocabulary in row 1"]);
    dir.write("new.csv", "txt\nxyz\n");
    assert_says(&dir.error_message(&["predict", "csv", "--csv", "new.csv"]), &["has no column `text`"]);
    let described = stdout(&dir.run(&["data", "describe", "reviews.jsonl"]).code(0));
    assert_says(&described, &["80 rows", "[data.text]", "target = \"label\"", "length = 7"]);
    assert!(!described.contains("drop = [\"text\"]"), "the texts are used:\n{described}");
    let stack = dir.histories(&["csv.toml", "--threads", "1", "--seeds", "0..1"]);
    assert_eq!(stack.iter().map(|history| history["test"]["acc"].clone()).collect::<Vec<_>>(), [1.0, 1.0]);
}

#[test]
fn tokens_can_be_characters_or_bytes_and_padding_is_not_trained() {
    let dir = TestDir::new();
    write_reviews(&dir);
    let layers = "[{ embedding = { units = 3, padding = 0 } }, { lstm = 4 }, { linear = 2 }]";
    let data = "path = \"reviews.csv\"\ntokens = \"bytes\"\nlength = 30\npadding = \"start\"";
    dir.write("bytes.toml", experiment(data, layers));
    let bytes = dir.history(&["bytes.toml", "--threads", "1"]);
    assert_eq!(bytes["network"]["layers"][0]["parameters"], 258 * 3);
    let weights = dir.files().into_iter().find(|file| file.to_string_lossy().ends_with(".safetensors")).unwrap();
    let weights = std::fs::read(weights).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&weights).unwrap();
    let embedding = tensors.tensor("0.weight").unwrap();
    let row = |row: usize| &embedding.data()[row * 12..(row + 1) * 12];
    assert_eq!(row(0), [0; 12], "padding");
    assert_ne!(row(usize::from(b'a') + 2), [0; 12]);
    let characters = "path = \"reviews.csv\"\ntokens = \"characters\"\nlength = 30\nvocabulary = 12\nlowercase = true";
    dir.write("letters.toml", experiment(characters, MEAN));
    assert_eq!(dir.history(&["letters.toml", "--threads", "1"])["network"]["layers"][0]["parameters"], 12 * 6);
}

#[test]
fn texts_and_layers_that_do_not_fit_are_rejected_in_words() {
    let dir = TestDir::new();
    write_reviews(&dir);
    dir.write("missing.csv", "text,label\nhello,a\n,b\nx,a\n");
    dir.write("broken.jsonl", "{\"text\": \"x\", \"label\": 1}\n[1]\n");
    let csv = |more: &str| format!("path = \"reviews.csv\"\n{more}");
    for (data, layers, words) in [
        (csv("text = \"txt\""), MEAN, &["`data.text.text` names a column that the table does not have: `txt`"][..]),
        (
            "path = \"missing.csv\"".to_owned(),
            MEAN,
            &["`data.text.text` has no value in row 2 (line 3), column `text`"],
        ),
        (
            "path = \"broken.jsonl\"".to_owned(),
            MEAN,
            &["`data.text.path` cannot be used", "no JSON object in line 2, column 1: invalid type"],
        ),
        (csv("min_count = 1000"), MEAN, &["`data.text.min_count` is 1000, but no token occurs more than 80 times"]),
        (csv("vocabulary = 2"), MEAN, &["`data.text.vocabulary` must be at least 3"]),
        (
            csv("tokens = \"bytes\"\nmin_count = 2"),
            MEAN,
            &["`data.text.min_count` is set, but the vocabulary of bytes"],
        ),
        (csv("scale = \"standard\""), MEAN, &["`data.text.scale` is set, but texts become token ids"]),
        (csv(""), "[{ linear = 2 }]", &["`network.layers.0` is `linear`, but the rows of `text` are token ids"]),
        (
            csv(""),
            "[{ embedding = { tokens = 9, units = 2 } }, \"mean_over_time\", { linear = 2 }]",
            &[
                "`network.layers.0.embedding.tokens` is 9, but the rows of `text` have ids from 0 to 92",
                "vocabulary = 9",
            ],
        ),
    ] {
        dir.write("idea.toml", experiment(&data, layers));
        assert_says(&dir.error_message(&["exp", "idea.toml"]), words);
    }
}

#[test]
fn an_embedding_refuses_numbers_that_are_no_token_ids() {
    let dir = TestDir::new();
    let table = |data: &str, tokens: &str| {
        let layers = format!("[{{ embedding = {{ {tokens}units = 2 }} }}, \"flatten\", {{ linear = 2 }}]");
        dir.write(
            "idea.toml",
            format!(
                "title = \"x\"\n[data.csv]\npath = \"t.csv\"\ntarget = \"y\"\n{data}\n[network]\nlayers = {layers}\n\
                 [train]\nepochs = 1\nbatch = 2\nloss = \"cross_entropy\"\noptimizer = \"adam\"\n"
            ),
        );
        stderr(&dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(2))
    };
    dir.write("t.csv", "x,y\n1,a\n2.5,b\n3,a\n");
    assert_says(
        &table("", "tokens = 4, "),
        &["takes token ids, whole numbers from 0, but the training rows of `csv` have 2.5"],
    );
    assert_says(
        &table("scale = \"standard\"", "tokens = 4, "),
        &["`data.csv.scale` is set, but the first layer is `embedding`"],
    );
    assert_says(
        &table("", ""),
        &["`network.layers.0.embedding.tokens` is missing, and only `[data.text]` sets it by itself"],
    );
    dir.write("t.csv", "x,y\n1,a\n7,b\n3,a\n");
    assert_says(
        &table("", "tokens = 4, "),
        &["takes token ids from 0 to 3, but the training rows of `csv` have ids from 1 to 7"],
    );
}
