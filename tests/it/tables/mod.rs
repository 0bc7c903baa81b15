//! Tables of the user's own, through the program: what is read, and what is refused with which words.

mod formats;
mod positive_class;
mod rare_classes;
mod values;

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

use crate::support::{self, metric};

/// A folder with a table in it.
struct Place(tempfile::TempDir);

impl Place {
    fn with(csv: impl AsRef<[u8]>) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("table.csv", csv);
        place
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn runner(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.current_dir(self.path()).args(arguments).env("RUNNER_DATA_DIR", self.path().join("data"));
        command
    }

    /// Writes an experiment on this data.
    fn experiment(&self, data: &str, loss: &str, outputs: usize) {
        self.write(
            "idea.toml",
            format!(
                "title = \"A table\"\n{data}\n[network]\nlayers = [{{ linear = {outputs} }}]\n\
                 [train]\nepochs = 2\nbatch = \"full\"\nloss = \"{loss}\"\noptimizer = {{ sgd = {{ lr = 0.01 }} }}\n"
            ),
        );
    }

    /// Trains on it, and returns the history.
    #[track_caller]
    fn history(&self, data: &str, loss: &str, outputs: usize) -> Value {
        self.experiment(data, loss, outputs);
        let run = self.runner(&["exp", "idea.toml", "--json", "--device", "cpu"]).assert().success();
        serde_json::from_slice::<Value>(&run.get_output().stdout).unwrap()["histories"][0].clone()
    }

    /// Expects the words of a refusal, all of them.
    #[track_caller]
    fn refused(&self, data: &str, words: &[&str]) {
        self.experiment(data, "cross_entropy", 2);
        let run = self.runner(&["exp", "idea.toml", "--device", "cpu"]).assert().code(2);
        let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
        for word in words {
            assert!(said.contains(word), "`{word}` is not in:\n{said}");
        }
    }
}

const CLASSES: &str = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\n";

fn classes_with(more: &str) -> String {
    format!("{CLASSES}{more}\n")
}

#[test]
fn a_table_with_windows_line_ends_a_mark_and_quoted_numbers_is_trained_on() {
    let place = Place::with("\u{feff}\"x\",y\r\n\"1\",a\r\n\"2\",b\r\n\"3\",a\r\n\"4\",b\r\n");
    let history = place.history(&classes_with("scale = \"standard\""), "cross_entropy", 2);
    assert_eq!(history["data"]["classes"], serde_json::json!(["a", "b"]));
    assert_eq!(history["data"]["rows"]["train"], 4);
}

#[test]
fn numbers_are_values_unless_stated_and_columns_of_zeros_and_ones_can_be_labels() {
    let place = Place::with("x;v;y;z\n1;0;0;1\n2;1;1;1\n3;2;1;0\n");
    let csv = "[data.csv]\npath = \"table.csv\"\nseparator = \";\"\n";
    place.history(&format!("{csv}target = \"v\"\n"), "mse", 1);
    let labels = format!("{csv}target = [\"y\", \"z\"]\ntask = \"labels\"\n");
    assert_eq!(place.history(&labels, "bce_with_logits", 2)["data"]["classes"], serde_json::json!(["y", "z"]));
}

#[test]
fn a_constant_column_is_scaled_to_zero_and_not_to_infinity() {
    let place = Place::with("x,c,y\n1,5,a\n2,5,b\n3,5,a\n");
    for scale in ["standard", "min_max"] {
        let history = place.history(&classes_with(&format!("scale = \"{scale}\"")), "cross_entropy", 2);
        assert!(history["history"]["loss"][1].is_number(), "{history}");
    }
    place.refused(&classes_with("scale = \"unit\""), &["data.csv.scale", "min_max"]);
}

#[test]
fn missing_values_are_refused_left_out_or_filled_in() {
    let place = Place::with("x,y\n1,a\n,b\n3,a\n4,b\n");
    place.refused(
        CLASSES,
        &["`data.csv.missing` is `error`, and row 2 (line 3), column `x`, has no value", "most_frequent"],
    );
    let rows = |missing: &str| {
        let history = place.history(&classes_with(&format!("missing = \"{missing}\"")), "cross_entropy", 2);
        history["data"]["rows"]["train"].as_u64().unwrap()
    };
    assert_eq!((rows("drop"), rows("mean"), rows("most_frequent")), (3, 4, 4));
}

#[test]
fn text_without_an_encoding_and_text_among_numbers_are_refused() {
    let place = Place::with("x,city,y\n1,Rome,a\n2,Oslo,b\n3,Rome,a\n");
    let words =
        ["`data.csv.encode` is `error`, and column `city` holds categories: `Rome` in row 1 (line 2)", "one_hot"];
    place.refused(CLASSES, &words);
    let history = place.history(&classes_with("encode = \"one_hot\""), "cross_entropy", 2);
    assert_eq!(history["network"]["parameters"], 2 * 3 + 2);
    place.write("table.csv", "x,y\n1,a\n\"2,5\",b\n3,a\n");
    place.refused(CLASSES, &["column `x` holds numbers, and `2,5` in row 2 (line 3)", "`decimal = \",\"`"]);
}

#[test]
fn a_target_that_is_not_there_is_told_with_the_nearest() {
    let place = Place::with("x,species\n1,a\n2,b\n");
    let data = "[data.csv]\npath = \"table.csv\"\ntarget = \"specie\"\n";
    place.refused(
        data,
        &["`data.csv.target` names a column that the table does not have: `specie`", "did you mean `species`?"],
    );
}

#[test]
fn a_class_with_one_row_cannot_be_stratified() {
    let place = Place::with("x,y\n1,a\n2,b\n3,a\n4,b\n5,rare\n6,a\n");
    let data = classes_with("split = { validation = 0.5, stratify = true }").replace("[data", "seeds = [0]\n[data");
    place.experiment(&data, "cross_entropy", 3);
    let run = place.runner(&["exp", "idea.toml", "--device", "cpu"]).assert().code(2);
    let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(said.contains("needs two rows of each class at least, and class `rare` has one"), "{said}");
    assert!(said.contains("hint: leave `stratify` out"), "{said}");
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let cases = [
        ("", "table.csv` is empty"),
        ("x,y\n", "names columns, and holds no row"),
        ("x,y\n1,a\n2\n", "row 2 (line 3) has 1 fields, and the first line has 2"),
        ("x,y\n1,a\n2,b,c\n", "row 2 (line 3) has 3 fields, and the first line has 2"),
        ("x,x,y\n1,2,a\n3,4,b\n", "names columns 1 and 2 both `x`"),
        ("x;y\n1;a\n2;b\n", "has one column, `x;y`"),
    ];
    for (csv, words) in cases {
        Place::with(csv).refused(CLASSES, &["data.csv.path", words]);
    }
    let data = "[data.csv]\npath = \"tabel.csv\"\ntarget = \"y\"\n";
    Place::with("x,y\n1,a\n").refused(data, &["tabel.csv` does not exist", "did you mean `", "table.csv`?"]);
}

#[test]
fn the_data_sets_in_the_binary_are_trained_on_as_they_come() {
    let place = Place::with("");
    let history = place.history("[data.penguins]\nscale = \"standard\"\n", "cross_entropy", 3);
    assert_eq!(history["data"]["classes"], serde_json::json!(["Adelie", "Chinstrap", "Gentoo"]));
    assert_eq!(history["data"]["rows"]["train"], 333);
    let history = place.history("[data.breast_cancer]\nscale = \"standard\"\n", "cross_entropy", 2);
    assert_eq!(history["data"]["classes"], serde_json::json!(["malignant", "benign"]));
    place.history("[data.diabetes]\nscale = \"min_max\"\n", "mse", 1);
    let labels = "[data.digits]\nlabels = [\"even\", \"prime\"]\n";
    assert_eq!(place.history(labels, "bce_with_logits", 2)["data"]["classes"], serde_json::json!(["even", "prime"]));
    place.refused("[data.digits]\nlabels = []\n", &["`data.digits.labels` names no label"]);
}

#[test]
fn images_in_idx_files_are_trained_on() {
    let place = Place::with("");
    let image = |number: u8| [number; 6];
    let bytes: Vec<u8> = (0..4).flat_map(image).collect();
    place.write("images", runner::data::source::idx::write(&[4, 2, 3], &bytes));
    place.write("labels", runner::data::source::idx::write(&[4], &[0, 2, 1, 0]));
    let data = "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\n";
    let with_test = format!("{data}test_images = \"images\"\ntest_labels = \"labels\"\nscale = \"unit\"\n");
    let history = place.history(&with_test, "cross_entropy", 3);
    assert_eq!(history["network"]["parameters"], 6 * 3 + 3);
    assert_eq!(history["data"]["rows"]["test"], 4);
    place.refused(&format!("{data}test_images = \"images\"\n"), &["needs `test_labels` beside it"]);
    place.refused(&data.replace("\"labels\"", "\"images\""), &["data.idx.labels", "not an IDX file of 1 dimensions"]);
}

#[test]
fn a_table_is_described_by_its_path_and_by_its_name() {
    let place = Place::with("x,c,y\n1,5,a\n1,5,a\n,5,b\n");
    let run = place.runner(&["data", "describe", "table.csv", "--json"]).assert().success();
    let part = serde_json::from_slice::<Value>(&run.get_output().stdout).unwrap()["parts"][0].clone();
    assert_eq!((&part["rows"], &part["duplicate_rows"]), (&3.into(), &1.into()));
    assert_eq!(part["constant"], serde_json::json!(["x", "c"]));
    assert_eq!(part["columns"][0]["missing"], 1);
    assert_eq!(part["columns"][2]["values"][0]["rows"], 2);
    for name in ["table.csv", "penguins", "breast_cancer", "diabetes", "digits", "logic"] {
        place.runner(&["data", "describe", name]).assert().success();
    }
    let run = place.runner(&["data", "describe", "penguin"]).assert().code(2);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("did you mean `penguins`?"));
    place.runner(&["data", "describe", "nowhere.csv"]).assert().code(2);
}

#[test]
fn a_weight_counts_as_so_many_rows_in_the_loss() {
    let place = support::Place::new();
    let experiment = |name: &str, weights: &str| {
        let text = format!(
            "title = \"Weights\"\n[data.csv]\npath = \"{name}.csv\"\ntarget = \"y\"\n{weights}\n\
             [network]\nlayers = [{{ linear = 2 }}]\n\
             [train]\nepochs = 5\nbatch = \"full\"\nshuffle = false\nloss = \"cross_entropy\"\n\
             optimizer = {{ sgd = {{ lr = 0.5 }} }}\n"
        );
        place.file(&format!("{name}.toml"), &text)
    };
    place.write("weighted.csv", "x,n,y\n1,2,a\n-1,1,b\n2,3,b\n0.5,1,a\n");
    place.write("repeated.csv", "x,y\n1,a\n1,a\n-1,b\n2,b\n2,b\n2,b\n0.5,a\n");
    let weighted = place.history(&[&experiment("weighted", "weights = \"n\"")]);
    let repeated = place.history(&[&experiment("repeated", "")]);
    let pairs = metric(&weighted, "loss").into_iter().zip(metric(&repeated, "loss"));
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-6, "{worst}");
    assert_ne!(metric(&weighted, "acc"), metric(&repeated, "acc"), "metrics count every row once");
    assert_eq!(weighted["data"]["rows"]["train"], 4);
}

// A copy of the frauds of one's own, and what can be wrong with it

const FRAUDS: &str = "\"Time\",\"V1\",\"Amount\",\"Class\"\n0,-1.36,149.62,\"0\"\n0,1.19,2.69,\"0\"\n406,-2.31,0,\"1\"\n\
    472,-3.04,529,\"1\"\n1,-1.36,378.66,\"0\"\n2,-1.16,69.99,\"0\"\n";

const FRAUD_COLUMNS: [&str; 4] = ["Time", "V1", "Amount", "Class"];

/// Their table with the columns in this order; one that it does not have is all 7s.
fn frauds(columns: &[&str]) -> String {
    let rows: Vec<Vec<&str>> = FRAUDS.lines().map(|line| line.split(',').collect()).collect();
    let cell = |number: usize, row: &[&str], name: &&str| match FRAUD_COLUMNS.iter().position(|known| known == name) {
        Some(place) => row[place].to_owned(),
        None if number == 0 => (*name).to_owned(),
        None => "7".to_owned(),
    };
    let line = |(number, row): (usize, &Vec<&str>)| {
        columns.iter().map(|name| cell(number, row, name)).collect::<Vec<_>>().join(",")
    };
    rows.iter().enumerate().map(|pair| line(pair) + "\n").collect()
}

const OF_FRAUDS: &str =
    "[data.csv]\npath = \"table.csv\"\ntarget = \"Class\"\nclasses = [\"0\", \"1\"]\nscale = \"standard\"\n";

fn with_features() -> String {
    format!("{OF_FRAUDS}features = [\"Time\", \"V1\", \"Amount\"]\n")
}

#[test]
fn columns_in_another_order_and_others_among_them_change_nothing_where_the_features_are_named() {
    let losses = |columns: &[&str]| {
        let history = Place::with(frauds(columns)).history(&with_features(), "cross_entropy", 2);
        assert_eq!(history["data"]["classes"], serde_json::json!(["0", "1"]));
        metric(&history, "loss")
    };
    let as_published = losses(&FRAUD_COLUMNS);
    assert_eq!(losses(&["Class", "Amount", "V1", "Time"]), as_published);
    assert_eq!(losses(&["id", "Class", "Time", "note", "V1", "Amount"]), as_published);
}

#[test]
fn a_further_column_is_a_feature_where_the_features_are_not_named() {
    let parameters = |columns: &[&str]| {
        let history = Place::with(frauds(columns)).history(OF_FRAUDS, "cross_entropy", 2);
        history["network"]["parameters"].as_u64().unwrap()
    };
    assert_eq!(parameters(&FRAUD_COLUMNS), 2 * 3 + 2);
    assert_eq!(parameters(&["Time", "V1", "id", "Amount", "Class"]), 2 * 4 + 2);
}

#[test]
fn a_column_that_is_not_there_is_told_with_those_that_are() {
    let place = Place::with(frauds(&["Time", "V1", "Class"]));
    let words = ["`data.csv.features` names a column that the table does not have: `Amount`"];
    place.refused(&with_features(), &words);
    place.refused(&with_features(), &["hint: its columns are `Time`, `V1`, `Class`"]);
    place.write("table.csv", frauds(&["Time", "V1", "Amount"]));
    place.refused(OF_FRAUDS, &["`data.csv.target` names a column that the table does not have: `Class`"]);
}

#[test]
fn text_in_a_number_is_told_with_its_row_line_and_column() {
    for (written, found) in [("149.62", "149.62 EUR"), ("378.66", "\"378,66\"")] {
        let place = Place::with(FRAUDS.replace(written, found));
        let row = if written == "149.62" { "row 1 (line 2)" } else { "row 5 (line 6)" };
        let words = format!("column `Amount` holds numbers, and `{}` in {row}", found.replace('"', ""));
        place.refused(OF_FRAUDS, &[&words]);
        place.refused(&with_features(), &[&words]);
    }
}

#[test]
fn a_file_without_rows_is_told_as_that() {
    for (text, words) in
        [("", "table.csv` is empty"), ("\"Time\",\"V1\",\"Class\"\n", "names columns, and holds no row")]
    {
        Place::with(text).refused(OF_FRAUDS, &["`data.csv.path` cannot be used", words]);
    }
}

#[test]
fn a_class_that_is_not_stated_is_told_with_its_place_and_what_is_allowed() {
    for found in ["2", "-1", "0.5", "fraud"] {
        let place = Place::with(FRAUDS.replacen("529,\"1\"", &format!("529,\"{found}\""), 1));
        let words =
            format!("`data.csv.target` has `{found}` in row 4 (line 5), column `Class`, where `0` or `1` was expected");
        place.refused(OF_FRAUDS, &[&words, "hint: correct the value, or add it to `classes`"]);
    }
    let place = Place::with(FRAUDS.replacen("529,\"1\"", "529,", 1));
    place.refused(OF_FRAUDS, &["row 4 (line 5), target `Class`, has no value"]);
}

#[test]
fn stated_classes_are_in_their_order_and_may_be_numbers() {
    let place = Place::with(FRAUDS);
    let data = OF_FRAUDS.replace("[\"0\", \"1\"]", "[1, 0]");
    let history = place.history(&data, "cross_entropy", 2);
    assert_eq!(history["data"]["classes"], serde_json::json!(["1", "0"]));
    let written = std::fs::read_to_string(place.path().join("runs/idea/latest/experiment.toml")).unwrap();
    assert!(written.contains("classes = [\"1\", \"0\"]"), "{written}");
    let again = place.runner(&["exp", "runs/idea/latest/experiment.toml", "--device", "cpu"]).assert();
    again.success();
}

#[test]
fn classes_that_cannot_be_stated_are_refused() {
    let place = Place::with(FRAUDS);
    let stated = |classes: &str| OF_FRAUDS.replace("[\"0\", \"1\"]", classes);
    place.refused(&stated("[\"0\"]"), &["`data.csv.classes` must state two classes at least, found 1"]);
    place.refused(&stated("[0, 1, \"1.0\"]"), &["`data.csv.classes` states class `1.0` twice"]);
    place.refused(&stated("[0.5, 1]"), &["expected the name of a class, or its number"]);
    let values = format!("{OF_FRAUDS}task = \"values\"\n");
    place.refused(&values, &["`data.csv.classes` states classes, and `task` is `values`"]);
}

#[test]
fn a_given_table_is_read_by_the_names_of_its_columns_and_held_against_the_stated_classes() {
    let place = Place::with(FRAUDS);
    place.history(&with_features(), "cross_entropy", 2);
    let evaluated = |columns: &[&str]| {
        place.write("given.csv", frauds(columns));
        let run =
            place.runner(&["eval", "idea", "--data", "given.csv", "--json", "--device", "cpu"]).assert().success();
        let evaluated = serde_json::from_slice::<Value>(&run.get_output().stdout).unwrap();
        let run = place.runner(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).assert().success();
        (evaluated["trials"][0]["figures"].clone(), String::from_utf8(run.get_output().stdout.clone()).unwrap())
    };
    let (figures, predicted) = evaluated(&FRAUD_COLUMNS);
    assert!(figures["loss"].is_number() && figures["acc"].is_number(), "{figures}");
    assert_eq!(predicted.lines().count(), 1 + 6, "{predicted}");
    assert_eq!(evaluated(&["note", "Class", "Amount", "id", "V1", "Time"]), (figures, predicted));

    for (text, words) in [
        (frauds(&["Time", "Amount", "Class"]), "`given.csv` lacks the column `V1`"),
        (
            FRAUDS.replace("529,\"1\"", "529,\"2\""),
            "has `2` in row 4 (line 5), column `Class`, where a class of the run",
        ),
        (FRAUDS.replace("-1.16", "oops"), "has `oops` in row 6 (line 7), column `V1`, where a number was expected"),
        (String::new(), "`given.csv` is empty"),
        ("Time,V1,Amount,Class\n".to_owned(), "names columns, and holds no row"),
    ] {
        place.write("given.csv", text);
        for arguments in [["eval", "idea", "--data", "given.csv"], ["predict", "idea", "--csv", "given.csv"]] {
            let run = place.runner(&arguments).assert().code(2);
            let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
            assert!(said.contains(words), "`{words}` is not in:\n{said}");
        }
    }
}

#[test]
fn a_description_fits_80_columns_and_says_what_to_look_out_for() {
    let place = Place::with(format!("{FRAUDS}0,1.19,2.69,\"0\"\n472,-3.04,529,\"1\"\n472,-3.04,529,\"0\"\n"));
    let described = |arguments: &[&str]| {
        let run = place.runner(&[&["data", "describe"][..], arguments].concat()).assert().success();
        let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text
    };
    let text = described(&["table.csv", "--target", "Class"]);
    for words in [
        "table: 9 rows of 4 columns, all numbers; no value is missing",
        "Class, to be predicted\n  0        6   66.6667 %  ████████████████████████████████████████\n  1  ",
        "2 rows are the same as an earlier one",
        "of the 3 rows of the rarest class, `1`, 2 are distinct",
        "3 rows have the features of a row of another class",
    ] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
    assert!(!described(&["table.csv"]).contains("another class"));
    for name in ["logic", "digits", "breast_cancer", "diabetes", "penguins"] {
        described(&[name]);
    }
    place.write(
        "table.csv",
        "none,one,a column with a name that is far longer than any name should be\n,7,a\n,7,b\nNA,,c\n",
    );
    let text = described(&["table.csv"]);
    assert!(text.contains("no value in any row: `none`"), "{text}");
    assert!(text.contains("missing values in `one`") && text.contains("in every row that has one: `one`"), "{text}");
    let run = place.runner(&["data", "describe", "table.csv", "--target", "non"]).assert().code(2);
    let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(said.contains("`table.csv` has no column `non`") && said.contains("did you mean `none`?"), "{said}");
}
