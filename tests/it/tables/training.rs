//! Training on tables, images and built-in data sets: line endings, missing values, encodings, weights.

use super::table_dir::{CLASSES, TableDir, classes_with};
use crate::support;
use crate::support::metric;

#[test]
fn tables_with_windows_line_endings_bom_and_quotes_are_trained_on() {
    let dir = TableDir::new("\u{feff}\"x\",y\r\n\"1\",a\r\n\"2\",b\r\n\"3\",a\r\n\"4\",b\r\n");
    let history = dir.history(&classes_with("scale = \"standard\""), "cross_entropy", 2);
    assert_eq!(history["data"]["classes"], serde_json::json!(["a", "b"]));
    assert_eq!(history["data"]["rows"]["train"], 4);
}

#[test]
fn numeric_targets_are_values_unless_declared_as_classes_or_labels() {
    let dir = TableDir::new("x;v;y;z\n1;0;0;1\n2;1;1;1\n3;2;1;0\n");
    let csv = "[data.csv]\npath = \"table.csv\"\nseparator = \";\"\n";
    dir.history(&format!("{csv}target = \"v\"\n"), "mse", 1);
    let labels = format!("{csv}target = [\"y\", \"z\"]\ntask = \"labels\"\n");
    assert_eq!(dir.history(&labels, "bce_with_logits", 2)["data"]["classes"], serde_json::json!(["y", "z"]));
}

#[test]
fn a_constant_column_is_scaled_to_zero_and_not_to_infinity() {
    let dir = TableDir::new("x,c,y\n1,5,a\n2,5,b\n3,5,a\n");
    for scale in ["standard", "min_max"] {
        let history = dir.history(&classes_with(&format!("scale = \"{scale}\"")), "cross_entropy", 2);
        assert!(history["history"]["loss"][1].is_number(), "{history}");
    }
    dir.assert_rejected(&classes_with("scale = \"unit\""), &["data.csv.scale", "min_max"]);
}

#[test]
fn missing_values_are_rejected_dropped_or_imputed() {
    let dir = TableDir::new("x,y\n1,a\n,b\n3,a\n4,b\n");
    dir.assert_rejected(
        CLASSES,
        &["`data.csv.missing` is `error` (the default), but row 2 (line 3), column `x`, has no value", "most_frequent"],
    );
    let rows = |missing: &str| {
        let history = dir.history(&classes_with(&format!("missing = \"{missing}\"")), "cross_entropy", 2);
        history["data"]["rows"]["train"].as_u64().unwrap()
    };
    assert_eq!((rows("drop"), rows("mean"), rows("most_frequent")), (3, 4, 4));
}

#[test]
fn text_without_an_encoding_and_text_among_numbers_are_rejected() {
    let dir = TableDir::new("x,city,y\n1,Rome,a\n2,Oslo,b\n3,Rome,a\n");
    let words = [
        "`data.csv.encode` is `error` (the default), but column `city` has categories: `Rome` in row 1 (line 2)",
        "one_hot",
    ];
    dir.assert_rejected(CLASSES, &words);
    let history = dir.history(&classes_with("encode = \"one_hot\""), "cross_entropy", 2);
    assert_eq!(history["network"]["parameters"], 2 * 3 + 2);
    dir.write("table.csv", "x,y\n1,a\n\"2,5\",b\n3,a\n");
    dir.assert_rejected(CLASSES, &["column `x` is numeric, but has `2,5` in row 2 (line 3)", "`decimal = \",\"`"]);
}

#[test]
fn a_missing_target_suggests_the_nearest_column() {
    let dir = TableDir::new("x,species\n1,a\n2,b\n");
    let data = "[data.csv]\npath = \"table.csv\"\ntarget = \"specie\"\n";
    dir.assert_rejected(
        data,
        &["`data.csv.target` names a column that the table does not have: `specie`", "did you mean `species`?"],
    );
}

#[test]
fn a_class_with_one_row_cannot_be_stratified() {
    let dir = TableDir::new("x,y\n1,a\n2,b\n3,a\n4,b\n5,rare\n6,a\n");
    let data = classes_with("split = { validation = 0.5, stratify = true }").replace("[data", "seeds = [0]\n[data");
    dir.write_experiment(&data, "cross_entropy", 3);
    let run = dir.runner(&["exp", "idea.toml", "--device", "cpu"]).assert().code(2);
    let message = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(message.contains("needs at least two rows of each class, but class `rare` has one"), "{message}");
    assert!(message.contains("hint: remove `stratify`"), "{message}");
}

#[test]
fn damaged_files_are_rejected_with_the_position() {
    let cases = [
        ("", "table.csv` is empty"),
        ("x,y\n", "has column names, but no rows"),
        ("x,y\n1,a\n2\n", "row 2 (line 3) has 1 field, but the first line has 2"),
        ("x,y\n1,a\n2,b,c\n", "row 2 (line 3) has 3 fields, but the first line has 2"),
        ("x,x,y\n1,2,a\n3,4,b\n", "has the name `x` for columns 1 and 2"),
        ("x;y\n1;a\n2;b\n", "has one column, `x;y`"),
    ];
    for (csv, words) in cases {
        TableDir::new(csv).assert_rejected(CLASSES, &["data.csv.path", words]);
    }
    let data = "[data.csv]\npath = \"tabel.csv\"\ntarget = \"y\"\n";
    TableDir::new("x,y\n1,a\n").assert_rejected(data, &["tabel.csv` does not exist", "did you mean `", "table.csv`?"]);
}

#[test]
fn built_in_data_sets_can_be_trained_on() {
    let dir = TableDir::new("");
    let history = dir.history("[data.penguins]\nscale = \"standard\"\n", "cross_entropy", 3);
    assert_eq!(history["data"]["classes"], serde_json::json!(["Adelie", "Chinstrap", "Gentoo"]));
    assert_eq!(history["data"]["rows"]["train"], 333);
    let history = dir.history("[data.breast_cancer]\nscale = \"standard\"\n", "cross_entropy", 2);
    assert_eq!(history["data"]["classes"], serde_json::json!(["malignant", "benign"]));
    dir.history("[data.diabetes]\nscale = \"min_max\"\n", "mse", 1);
    let labels = "[data.digits]\nlabels = [\"even\", \"prime\"]\n";
    assert_eq!(dir.history(labels, "bce_with_logits", 2)["data"]["classes"], serde_json::json!(["even", "prime"]));
    dir.assert_rejected("[data.digits]\nlabels = []\n", &["`data.digits.labels` is empty"]);
}

#[test]
fn images_in_idx_files_are_trained_on() {
    let dir = TableDir::new("");
    let image = |number: u8| [number; 6];
    let bytes: Vec<u8> = (0..4).flat_map(image).collect();
    dir.write("images", runner::data::store::idx::write(&[4, 2, 3], &bytes));
    dir.write("labels", runner::data::store::idx::write(&[4], &[0, 2, 1, 0]));
    let data = "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\n";
    let with_test = format!("{data}test_images = \"images\"\ntest_labels = \"labels\"\nscale = \"unit\"\n");
    let history = dir.history(&with_test, "cross_entropy", 3);
    assert_eq!(history["network"]["parameters"], 6 * 3 + 3);
    assert_eq!(history["data"]["rows"]["test"], 4);
    dir.assert_rejected(&format!("{data}test_images = \"images\"\n"), &["requires `test_labels`"]);
    dir.assert_rejected(
        &data.replace("\"labels\"", "\"images\""),
        &["data.idx.labels", "not an IDX file of 1 dimensions"],
    );
}

#[test]
fn a_sample_weight_counts_like_repeated_rows() {
    let dir = support::TestDir::new();
    let experiment = |name: &str, weights: &str| {
        let text = format!(
            "title = \"Weights\"\n[data.csv]\npath = \"{name}.csv\"\ntarget = \"y\"\n{weights}\n\
             [network]\nlayers = [{{ linear = 2 }}]\n\
             [train]\nepochs = 5\nbatch = \"full\"\nshuffle = false\nloss = \"cross_entropy\"\n\
             optimizer = {{ sgd = {{ lr = 0.5 }} }}\n"
        );
        dir.file(&format!("{name}.toml"), &text)
    };
    dir.write("weighted.csv", "x,n,y\n1,2,a\n-1,1,b\n2,3,b\n0.5,1,a\n");
    dir.write("repeated.csv", "x,y\n1,a\n1,a\n-1,b\n2,b\n2,b\n2,b\n0.5,a\n");
    let weighted = dir.history(&[&experiment("weighted", "weights = \"n\"")]);
    let repeated = dir.history(&[&experiment("repeated", "")]);
    let pairs = metric(&weighted, "loss").into_iter().zip(metric(&repeated, "loss"));
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-6, "{worst}");
    assert_ne!(metric(&weighted, "acc"), metric(&repeated, "acc"), "metrics count every row once");
    assert_eq!(weighted["data"]["rows"]["train"], 4);
}
