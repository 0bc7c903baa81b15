//! Tables, images and data sets in the binary are trained on: line ends, missing values, encodings, weights.

use super::place::{CLASSES, Place, classes_with};
use crate::support;
use crate::support::metric;

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
        &["`data.csv.missing` is `error`, but row 2 (line 3), column `x`, has no value", "most_frequent"],
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
    let words = ["`data.csv.encode` is `error`, but column `city` has categories: `Rome` in row 1 (line 2)", "one_hot"];
    place.refused(CLASSES, &words);
    let history = place.history(&classes_with("encode = \"one_hot\""), "cross_entropy", 2);
    assert_eq!(history["network"]["parameters"], 2 * 3 + 2);
    place.write("table.csv", "x,y\n1,a\n\"2,5\",b\n3,a\n");
    place.refused(CLASSES, &["column `x` has numbers, but also `2,5` in row 2 (line 3)", "`decimal = \",\"`"]);
}

#[test]
fn a_target_that_is_not_there_is_told_with_the_nearest() {
    let place = Place::with("x,species\n1,a\n2,b\n");
    let data = "[data.csv]\npath = \"table.csv\"\ntarget = \"specie\"\n";
    place.refused(
        data,
        &["`data.csv.target` lists a column that the table does not have: `specie`", "did you mean `species`?"],
    );
}

#[test]
fn a_class_with_one_row_cannot_be_stratified() {
    let place = Place::with("x,y\n1,a\n2,b\n3,a\n4,b\n5,rare\n6,a\n");
    let data = classes_with("split = { validation = 0.5, stratify = true }").replace("[data", "seeds = [0]\n[data");
    place.experiment(&data, "cross_entropy", 3);
    let run = place.runner(&["exp", "idea.toml", "--device", "cpu"]).assert().code(2);
    let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(said.contains("needs at least two rows of each class, but class `rare` has one"), "{said}");
    assert!(said.contains("hint: remove `stratify`"), "{said}");
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let cases = [
        ("", "table.csv` is empty"),
        ("x,y\n", "has column names, but no rows"),
        ("x,y\n1,a\n2\n", "row 2 (line 3) has 1 fields, but the first line has 2"),
        ("x,y\n1,a\n2,b,c\n", "row 2 (line 3) has 3 fields, but the first line has 2"),
        ("x,x,y\n1,2,a\n3,4,b\n", "has the name `x` for columns 1 and 2"),
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
    place.refused("[data.digits]\nlabels = []\n", &["`data.digits.labels` is empty"]);
}

#[test]
fn images_in_idx_files_are_trained_on() {
    let place = Place::with("");
    let image = |number: u8| [number; 6];
    let bytes: Vec<u8> = (0..4).flat_map(image).collect();
    place.write("images", runner::data::store::idx::write(&[4, 2, 3], &bytes));
    place.write("labels", runner::data::store::idx::write(&[4], &[0, 2, 1, 0]));
    let data = "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\n";
    let with_test = format!("{data}test_images = \"images\"\ntest_labels = \"labels\"\nscale = \"unit\"\n");
    let history = place.history(&with_test, "cross_entropy", 3);
    assert_eq!(history["network"]["parameters"], 6 * 3 + 3);
    assert_eq!(history["data"]["rows"]["test"], 4);
    place.refused(&format!("{data}test_images = \"images\"\n"), &["requires `test_labels`"]);
    place.refused(&data.replace("\"labels\"", "\"images\""), &["data.idx.labels", "not an IDX file of 1 dimensions"]);
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
