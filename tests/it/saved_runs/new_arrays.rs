//! `predict` and `eval` on new rows in files of arrays, for runs on arrays and on built-in images.

use runner::data::source::DataSpec;
use runner::data::store::cache::Cache;
use serde_json::{Value, json};
use tch::Kind;

use super::saved_run::{CLASSIFY, evaluations, experiment, json_output, predictions};
use crate::numpy_files::{npy, npz};
use crate::support::{TestDir, assert_says, stdout};

const LAYERS: &str = "[\"flatten\", { linear = 10 }]";

/// Pixels and classes of the first built-in digits.
fn digits(count: usize) -> (Vec<u8>, Vec<u8>) {
    let loaded = DataSpec::by_name("digits").unwrap().load(&Cache::at("nowhere"), &mut ()).unwrap();
    let bytes = |tensor: &tch::Tensor| -> Vec<u8> {
        Vec::try_from(tensor.narrow(0, 0, count as i64).to_kind(Kind::Uint8).flatten(0, -1)).unwrap()
    };
    (bytes(&loaded.rows.features), bytes(&loaded.rows.targets))
}

fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// Trains the experiment `name` on data without a split, so that the training rows have the order of the source.
fn train(dir: &TestDir, name: &str, data: &str, layers: &str, train: &str) -> Vec<Value> {
    dir.write(&format!("{name}.toml"), experiment(data, layers, train));
    dir.exp(&[&format!("{name}.toml"), "--threads", "1"]);
    predictions(dir, &[name, "train"])
}

/// Predictions without the number of the row and what is known about its truth.
fn of_features(predictions: &[Value]) -> Vec<Value> {
    let kept = |row: &Value| json!([row["prediction"], row["probabilities"], row["values"]["0"]["prediction"]]);
    predictions.iter().map(kept).collect()
}

#[test]
fn images_of_a_built_in_data_set_are_predicted_from_arrays_of_any_usual_shape() {
    let dir = TestDir::new();
    let (pixels, classes) = digits(20);
    let wanted = &train(&dir, "idea", "[data.digits]\nscale = \"unit\"", LAYERS, CLASSIFY)[..20];
    for shape in [&[20, 64][..], &[20, 8, 8], &[20, 1, 8, 8], &[20, 8, 8, 1]] {
        dir.write("new.npz", npz(&[("x", npy("|u1", shape, false, &pixels))], true));
        let found = predictions(&dir, &["idea", "new.npz"]);
        assert_eq!(of_features(&found), of_features(wanted), "{shape:?}");
        assert_eq!((&found[0]["row"], found[0].get("truth")), (&json!(0), None));
    }
    let (x, y) = (npy("|u1", &[20, 8, 8], false, &pixels), npy("|u1", &[20], false, &classes));
    dir.write("both.npz", npz(&[("images", x.clone()), ("labels", y.clone())], false));
    assert_eq!(predictions(&dir, &["idea", "both.npz"]), wanted);
    assert_eq!(evaluations(&dir, &["idea", "both.npz"])[0]["rows"], 20);
    dir.write("x.npy", x.clone());
    dir.write("y.npy", y);
    assert_eq!(predictions(&dir, &["idea", "x.npy,y.npy"]), wanted);
    let csv = stdout(&dir.run(&["predict", "idea", "both.npz", "--format", "csv"]).code(0));
    assert!(csv.starts_with("row,prediction,p_0,p_1,"), "{csv}");
    assert_eq!(csv.lines().count(), 21);
    let of_json = json_output(&dir, &["predict", "idea", "x.npy", "--json"]);
    assert_eq!(
        (&of_json["input"], of_json["predictions"].as_array().unwrap().len()),
        (&json!({ "arrays": "x.npy" }), 20)
    );
    dir.write("one.npz", npz(&[("arr_0", npy("|u1", &[1, 8, 8], false, &pixels[..64]))], false));
    let shown = stdout(&dir.run(&["predict", "idea", "one.npz", "--top", "2"]).code(0));
    assert_says(&shown, &["`one.npz`: 1 row", "┌", "predicted"]);

    let say = |arguments: &[&str], words: &[&str]| assert_says(&dir.error_message(arguments), words);
    say(&["eval", "idea", "x.npy"], &["`x.npy` has no targets (`y`)", "`runner eval RUN x.npy,y.npy`"]);
    say(&["predict", "idea", "new.npz", "--keep", "id"], &["`--keep` is for columns of a table"]);
    say(&["predict", "idea", "none.npz"], &["`none.npz` does not exist"]);
    say(&["predict", "idea", "both.npz,y.npy"], &["`both.npz` is an archive", "name the archive alone"]);
    let bytes = |shape: &[usize], values: &[u8]| npy("|u1", shape, false, values);
    let unit: Vec<f32> = pixels[..64].iter().map(|&pixel| f32::from(pixel) / 16.0).collect();
    let mut broken = unit.clone();
    broken[5] = f32::NAN;
    for (array, words) in [
        (
            npy("<f4", &[1, 8, 8], false, &floats(unit)),
            &[
                "in `bad.npz`, array `x` has the type float32",
                "uint8 (0 to 16)",
                "`(x * 16).round().astype(\"uint8\")`",
            ][..],
        ),
        (npy("<i8", &[1, 64], false, &[0; 512]), &["has the type int64", "`x.astype(\"uint8\")`"]),
        (bytes(&[1, 64], &[200; 64]), &["has values up to 200, but those of the run are 0 to 16"]),
        (
            bytes(&[8, 8], &pixels[..64]),
            &["rows of the shape 8, but the network takes images of 8×8 pixels", "`x[None]`"],
        ),
        (bytes(&[64], &pixels[..64]), &["rows of the shape 1, but the network takes images of 8×8", "`x[None]`"]),
        (bytes(&[1, 32], &pixels[..32]), &["rows of the shape 32, but", "save `x` with the shape (rows, 8, 8)"]),
        (bytes(&[0, 8, 8], &[]), &["array `x` has no rows"]),
        (npy("|O", &[1], false, &[0; 8]), &["array `x` contains Python objects (pickle)", "`x.astype(\"float32\")`"]),
        (npy("<f4", &[1, 8, 8], false, &floats(broken)), &["in `bad.npz`, array `x` has NaN in row 0"]),
    ] {
        dir.write("bad.npz", npz(&[("x", array)], false));
        say(&["predict", "idea", "bad.npz"], words);
        say(&["eval", "idea", "bad.npz"], words);
    }
    dir.write("bad.npz", npz(&[("x", x.clone()), ("y", npy("|u1", &[2], false, &[1, 2]))], false));
    say(&["predict", "idea", "bad.npz"], &["array `y` has 2 rows, but the features have 20"]);
    dir.write("bad.npz", npz(&[("x", x.clone()), ("y", npy("|u1", &[20], false, &[77; 20]))], false));
    say(&["predict", "idea", "bad.npz"], &["array `y` has the class 77, which is not a class of the run"]);
    dir.write("bad.npz", npz(&[("a", x.clone()), ("b", x)], false));
    say(&["predict", "idea", "bad.npz"], &["`bad.npz` has the arrays `a`, `b`, but no `x`", "numpy.savez"]);
    dir.write("bad.npz", "x,y\n1,2\n");
    say(&["predict", "idea", "bad.npz"], &["`bad.npz` is neither an `.npz`, an `.npy` nor"]);
}

#[test]
fn new_rows_of_arrays_get_the_preprocessing_of_the_run() {
    let dir = TestDir::new();
    let numbers = |count: usize| floats((0..count).map(|number| (number * 37 % 101) as f32 / 10.0 - 3.0));
    // sequences of 4 steps of 3 numbers, with values to predict
    let x = npy("<f4", &[30, 4, 3], false, &numbers(360));
    let y = npy("<f4", &[30], false, &numbers(30));
    dir.write("own.npz", npz(&[("scans", x), ("size", y)], false));
    let data = "[data.arrays]\npath = \"own.npz\"\nx = \"scans\"\ny = \"size\"\nscale = \"standard\"";
    let regress = "epochs = 2\nloss = \"mse\"";
    let wanted = train(&dir, "sequences", data, "[{ lstm = 4 }, { linear = 1 }]", regress);
    assert_eq!(predictions(&dir, &["sequences", "own.npz"]), wanted);
    let part = npy("<f4", &[5, 4, 3], false, &numbers(60));
    dir.write("new.npz", npz(&[("x", part)], false));
    let found = predictions(&dir, &["sequences", "new.npz"]);
    assert_eq!(of_features(&found), of_features(&wanted[..5]));
    dir.write("new.npz", npz(&[("x", npy("<f4", &[5, 3, 4], false, &numbers(60)))], false));
    let refused = dir.error_message(&["predict", "sequences", "new.npz"]);
    assert_says(
        &refused,
        &["has rows of the shape 3×4, but the network takes 4×3", "save `x` with the shape (rows, 4, 3)"],
    );

    // token ids outside the vocabulary of the network
    let ids = |largest: i64| npy("<i8", &[4, 2], false, &[0, 1, 2, 3, 4, 5, 6, largest].map(i64::to_le_bytes).concat());
    dir.write("ids.npz", npz(&[("x", ids(7)), ("y", npy("|u1", &[4], false, &[0, 1, 0, 1]))], false));
    dir.write("new.npz", npz(&[("x", ids(8))], false));
    let layers = "[{ embedding = { tokens = 8, units = 2 } }, \"flatten\", { linear = 2 }]";
    train(&dir, "ids", "[data.arrays]\npath = \"ids.npz\"", layers, CLASSIFY);
    let refused = dir.error_message(&["predict", "ids", "new.npz"]);
    assert_says(
        &refused,
        &["failed to predict the rows", "token 8 is outside the vocabulary of `embedding`: ids are 0 to 7"],
    );

    // images with the channels last, whose classes are 3 and 7
    let pixels: Vec<u8> = (0..20 * 4 * 5 * 3_u32).map(|number| (number * number % 251) as u8).collect();
    let classes: Vec<u8> = (0..20).map(|row| if row % 2 == 0 { 3 } else { 7 }).collect();
    let arrays = [("x", npy("|u1", &[20, 4, 5, 3], false, &pixels)), ("y", npy("|u1", &[20], false, &classes))];
    dir.write("colors.npz", npz(&arrays, false));
    let data = "[data.arrays]\npath = \"colors.npz\"\nchannels = \"last\"\nscale = \"unit\"";
    let wanted = train(
        &dir,
        "colors",
        data,
        "[{ conv2d = { filters = 2, kernel_size = 3 } }, \"flatten\", { linear = 2 }]",
        CLASSIFY,
    );
    assert_eq!(predictions(&dir, &["colors", "colors.npz"]), wanted);
    assert_eq!(wanted[0]["truth"], "3");
    dir.exp(&["colors.toml", "--seeds", "0..1", "--threads", "1"]);
    let mean = predictions(&dir, &["colors", "colors.npz", "--ensemble"]);
    assert_eq!(mean, predictions(&dir, &["colors", "train", "--ensemble"]));
}

#[test]
fn arrays_for_a_run_on_a_table_are_refused() {
    let dir = TestDir::new();
    dir.write("idea.toml", experiment("[data.breast_cancer]\nscale = \"standard\"", "[{ linear = 2 }]", CLASSIFY));
    dir.exp(&["idea.toml"]);
    dir.write("new.npz", npz(&[("x", npy("<f4", &[1, 30], false, &[0; 120]))], false));
    for command in ["predict", "eval"] {
        let refused = dir.error_message(&[command, "idea", "new.npz"]);
        assert_says(&refused, &["the run was trained on a table, so it cannot read arrays", "`--csv FILE`"]);
    }
}
