//! `exp`, `predict` and `eval` on the user's own arrays: types, ranges, groups, and rows in two parts.

use std::collections::HashMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::saved_run::{CLASSIFY, assert_near, evaluations, experiment, load, predictions};
use crate::support::{TestDir, assert_says, stderr, stdout};

/// Number of training images.
const ROWS: usize = 40;

/// Gray levels of an image of 4×4 pixels, at most 204: dark ones are of class 0, light ones of class 1.
fn levels(row: usize) -> Vec<u8> {
    (0..16).map(|pixel| ((row * 7 + pixel * 13) % 101 + row % 2 * 104) as u8).collect()
}

fn floats(value: impl Fn(u8) -> f32, rows: std::ops::Range<usize>) -> Vec<u8> {
    rows.flat_map(levels).flat_map(|level| value(level).to_le_bytes()).collect()
}

/// Writes a file with the arrays `x`, `y`, `x_test` and `y_test`.
fn write_arrays(dir: &TestDir, name: &str, dtype: Dtype, [x, x_test]: [&[u8]; 2]) {
    let classes: Vec<u8> = (0..ROWS as u8).map(|row| row % 2).collect();
    let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
    let tensors = HashMap::from([
        ("x", view(dtype, &[ROWS, 4, 4], x)),
        ("y", view(Dtype::U8, &[ROWS], &classes)),
        ("x_test", view(dtype, &[2, 4, 4], x_test)),
        ("y_test", view(Dtype::U8, &[2], &classes[..2])),
    ]);
    dir.write(name, safetensors::serialize(tensors, None).unwrap());
}

#[test]
fn one_hot_targets_become_an_experiment_that_runs() {
    let dir = TestDir::new();
    let levels: Vec<u8> = (0..ROWS).flat_map(levels).collect();
    let one_hot: Vec<u8> = (0..ROWS).flat_map(|row| [1 - row as u8 % 2, row as u8 % 2]).collect();
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::U8, shape.to_vec(), bytes).unwrap();
    let tensors = HashMap::from([("x", view(&[ROWS, 16], &levels[..])), ("y", view(&[ROWS, 2], &one_hot[..]))]);
    dir.write("onehot.safetensors", safetensors::serialize(tensors, None).unwrap());
    dir.run(&["new", "hot", "--data", "onehot.safetensors"]).code(0);
    let text = std::fs::read_to_string(dir.path("hot.toml")).unwrap();
    assert_says(&text, &["task = \"classes\"", "one-hot", "bce_with_logits"]);
    let history = dir.history(&["hot.toml", "--epochs", "1"]);
    assert_eq!(history["data"]["classes"], serde_json::json!(["0", "1"]));
    assert_says(&stdout(&dir.run(&["data", "describe", "onehot.safetensors"]).code(0)), &["task = \"classes\""]);
}

fn write_floats(dir: &TestDir, name: &str, value: impl Fn(u8) -> f32) {
    let [x, x_test] = [0..ROWS, 6..8].map(|rows| floats(&value, rows));
    write_arrays(dir, &format!("{name}.safetensors"), Dtype::F32, [&x, &x_test]);
}

fn train(dir: &TestDir, name: &str, scale: &str) {
    let data = format!("[data.arrays]\npath = \"{name}.safetensors\"\nchannels = \"first\"\nscale = \"{scale}\"");
    dir.write(&format!("{name}.toml"), experiment(&data, "[\"flatten\", { linear = 2 }]", CLASSIFY));
    dir.exp(&[&format!("{name}.toml"), "--threads", "1"]);
}

#[test]
fn an_image_file_gets_the_range_of_float_images() {
    let dir = TestDir::new();
    image::GrayImage::from_vec(4, 4, levels(6)).unwrap().save(dir.path("row.png")).unwrap();
    write_floats(&dir, "unit", |level| f32::from(level) / 255.0);
    train(&dir, "unit", "none");
    let of = |input: &[&str]| predictions(&dir, &[&["unit"], input].concat())[0]["probabilities"].clone();
    let (row, image) = (of(&["--index", "0"]), of(&["--image", "row.png", "--invert", "no"]));
    ["0", "1"].iter().for_each(|class| assert_near(&image[class], &row[class]));
    assert_eq!(predictions(&dir, &["unit", "unit.safetensors"]).len(), ROWS);
    // values below 0 have no known range
    write_floats(&dir, "standard", |level| f32::from(level) / 50.0 - 1.5);
    train(&dir, "standard", "none");
    let refused = dir.error_message(&["predict", "standard", "--image", "row.png"]);
    assert_says(&refused, &["the run's own images have values below 0, such as -1.5000", "bytes (0 to 255)"]);
}

#[test]
fn arrays_of_another_type_than_those_of_the_run_are_refused() {
    let dir = TestDir::new();
    let [x, x_test] = [0..ROWS, 6..8].map(|rows| rows.flat_map(levels).collect::<Vec<u8>>());
    write_arrays(&dir, "bytes.safetensors", Dtype::U8, [&x, &x_test]);
    write_floats(&dir, "floats", |level| f32::from(level) / 255.0);
    train(&dir, "bytes", "unit");
    train(&dir, "floats", "none");
    let own = |run: &str| evaluations(&dir, &[run, "--data", &format!("{run}.safetensors")])[0]["rows"].clone();
    assert_eq!((own("bytes"), own("floats")), (ROWS.into(), ROWS.into()));
    let wrong = dir.error_message(&["eval", "bytes", "--data", "floats.safetensors"]);
    assert_says(&wrong, &["`x` has the type float32, but the run's own `x` has the type uint8"]);
    let wrong = dir.error_message(&["eval", "floats", "--data", "bytes.safetensors"]);
    assert_says(&wrong, &["`x` has the type uint8, but the run's own `x` does not have bytes"]);
}

#[test]
fn equal_rows_in_two_parts_are_noted_before_training_and_in_a_dry_run() {
    let dir = TestDir::new();
    write_floats(&dir, "shared", |level| f32::from(level) / 255.0); // both test rows are training rows
    let [x, x_test] = [0..ROWS, 90..92].map(|rows| floats(|level| f32::from(level) / 255.0, rows));
    write_arrays(&dir, "apart.safetensors", Dtype::F32, [&x, &x_test]);
    let note = "2 of 2 test rows equal a training row in features and target";
    for (name, arguments) in [("shared", &["--dry-run"][..]), ("shared", &[]), ("apart", &[])] {
        let data = format!("[data.arrays]\npath = \"{name}.safetensors\"");
        dir.write("idea.toml", experiment(&data, "[\"flatten\", { linear = 2 }]", CLASSIFY));
        let run = dir.run(&[&["exp", "idea.toml", "--device", "cpu"], arguments].concat()).code(0);
        let said = stderr(&run).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said.contains(note), name == "shared", "{said}");
    }
}

#[test]
fn an_array_of_groups_keeps_each_group_in_one_part() {
    let dir = TestDir::new();
    let groups: Vec<u8> = (0..ROWS as u8).map(|row| row * 3 % 8).collect();
    let x = floats(f32::from, 0..ROWS);
    let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
    let x = view(Dtype::F32, &[ROWS, 16], &x);
    let (y, numbers) = (view(Dtype::U8, &[ROWS], &groups), [0; 4 * ROWS]);
    let tensors = [("x", x), ("y", y.clone()), ("who", y), ("size", view(Dtype::F32, &[ROWS], &numbers))];
    dir.write("t.safetensors", safetensors::serialize(HashMap::from(tensors), None).unwrap());
    let path = dir.path("t.safetensors");
    let split = serde_json::json!({ "group": "who", "test": 0.25, "random_state": 1 });
    let (loaded, split) = load(serde_json::json!({ "arrays": { "path": path, "split": split } }));
    let prepared =
        runner::data::prepare::prepared::Prepared::new(&loaded, &split, runner::data::prepare::scale::Scale::None);
    let parts = prepared.unwrap().parts;
    let of = |rows: &[usize]| rows.iter().map(|&row| groups[row]).collect::<std::collections::BTreeSet<u8>>();
    let (training, test) = (of(&parts.training), of(parts.test.as_deref().unwrap()));
    assert_eq!((training.len(), test.len()), (6, 2));
    assert!(training.is_disjoint(&test));
    for (split, words) in [
        ("group = \"wo\", test = 0.2", &["`data.arrays.split.group` cannot be used", "has no array `wo`"][..]),
        ("group = \"size\", test = 0.2", &["must name an array with an integer for each of the 40 rows of `x`"]),
        ("column = \"who\"", &["`data.arrays.split.column` names the column `who`, which only `[data.csv]`"]),
    ] {
        let data = format!("[data.arrays]\npath = \"t.safetensors\"\nsplit = {{ {split} }}");
        dir.write("idea.toml", experiment(&data, "[{ linear = 8 }]", CLASSIFY));
        assert_says(&dir.error_message(&["exp", "idea.toml"]), words);
    }
}

#[test]
fn a_fault_in_an_array_is_located_in_the_file_and_not_in_an_unrelated_option() {
    let dir = TestDir::new();
    let [mut x, x_test] = [0..ROWS, 6..8].map(|rows| floats(f32::from, rows));
    write_arrays(&dir, "good.safetensors", Dtype::F32, [&x, &x_test]);
    x[13 * 64..13 * 64 + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    write_arrays(&dir, "nan.safetensors", Dtype::F32, [&x, &x_test]);
    dir.write(
        "idea.toml",
        experiment("[data.arrays]\npath = \"nan.safetensors\"", "[\"flatten\", { linear = 2 }]", CLASSIFY),
    );
    let refused = dir.error_message(&["exp", "idea.toml", "--seeds", "0"]).replace('\n', " ");
    assert_says(&refused, &["array `x` has NaN in row 13", "(idea.toml, line 2)"]);
    let renamed = "data.arrays.path=\"nan.safetensors\"";
    dir.write(
        "idea.toml",
        experiment("[data.arrays]\npath = \"good.safetensors\"", "[\"flatten\", { linear = 2 }]", CLASSIFY),
    );
    assert_says(
        &dir.error_message(&["exp", "idea.toml", "--set", renamed]),
        &["NaN in row 13", "--set data.arrays.path="],
    );
}
