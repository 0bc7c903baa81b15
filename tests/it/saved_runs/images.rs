//! `predict` and `eval` on images.

use runner::data::prepare::prepared::Prepared;
use runner::data::store::idx;
use serde_json::{Value, json};
use tch::Kind;

use super::saved_run::{
    CLASSIFY, assert_equals_history, assert_near, dir_with_digits_run, evaluations, experiment, json_output, load,
    predictions,
};
use crate::support::{TestDir, assert_says, stdout};

#[test]
fn predict_draws_an_image_row_with_class_bars_in_80_columns() {
    let dir = dir_with_digits_run();
    let message = stdout(&dir.run(&["predict", "idea", "--index", "5"]).code(0));
    assert_says(
        &message,
        &["digits: test row 5 (of 0 to 359)", "┌────────────────┐", "class  probability", "predicted "],
    );
    assert_eq!(message.lines().filter(|line| line.starts_with('│')).count(), 8);
    assert!(message.lines().all(|line| line.chars().count() <= 80) && !message.contains('\x1b'), "{message}");
    let top = stdout(&dir.run(&["predict", "idea", "--index", "5", "--top", "2"]).code(0));
    assert_eq!(top.lines().count() + 8, message.lines().count());
    let refused = dir.error_message(&["predict", "idea", "--index", "360"]);
    assert_says(&refused, &["there is no test row 360: the run has 360 rows", "`--index 359`"]);
    for (arguments, words) in [
        (&["--index", "-1"][..], "at least 0"),
        (&["--index", "1", "--top", "0"], "at least 1"),
        (&["--index", "1", "--csv", "x.csv"], "cannot be used with"),
        (&["--index", "1", "--rows", "tset"], "allowed are `test`, `validation` and `train`"),
        (&["--index", "1", "--trial", "base-seed1"], "did you mean `base-seed0`?"),
        (&["--index", "1", "--invert", "yes"], "`--invert` is for an image"),
        (&["--csv", "x.csv"], "the run was trained on images of 8×8 pixels, so it cannot predict a table"),
        (&["x.csv"], "the run was trained on images of 8×8 pixels, so it cannot predict a table"),
        (&["x.png"], "`x.png`"),
    ] {
        assert_says(&dir.error_message(&[&["predict", "idea"], arguments].concat()), &[words]);
    }
    dir.write("m.pt", "PK\x03\x04");
    let weights = "runs/idea/latest/base-seed0.safetensors";
    for (command, file, what) in [
        ("predict", "m.pt", "a file of PyTorch, such as a model or its weights"),
        ("eval", "m.pt", "a file of PyTorch"),
        ("predict", weights, "the weights of a run"),
    ] {
        let message = dir.error_message(&[command, "idea", file]);
        assert_says(&message, &[&format!("`{file}` is {what}"), "but rows are expected", "arrays (`.npz` with `x`)"]);
    }
    dir.write("x.csv", "a,b\n1,2\n");
    let single = dir.error_message(&["eval", "idea", "x.csv"]);
    assert_says(&single, &["trained on images of 8×8 pixels, so it cannot be evaluated on the single file `x.csv`"]);
    let hint = "`runner eval RUN images-idx3-ubyte,labels-idx1-ubyte`";
    assert_says(&single, &[hint]);
    let arrays = dir.error_message(&["eval", "idea", "x.npz"]);
    assert_says(&arrays, &["`x.npz` does not exist", "the path is relative to the current directory"]);
    let missing = dir.error_message(&["eval", "idea", "a,b"]);
    assert_says(&missing, &["error: `a` does not exist", "the path is relative to the current directory"]);
}

/// A digit as an image file, with each pixel enlarged `times` times, dark on light or light on dark.
fn image_file(dir: &TestDir, name: &str, values: &[u8], times: u32, dark_on_light: bool) -> String {
    let grey = image::GrayImage::from_fn(8 * times, 8 * times, |x, y| {
        let value = u32::from(values[(y / times * 8 + x / times) as usize]) * 255 / 16;
        image::Luma([if dark_on_light { 255 - value as u8 } else { value as u8 }])
    });
    grey.save(dir.path(name)).unwrap();
    name.to_owned()
}

#[test]
fn an_image_file_of_a_row_gives_the_prediction_of_the_row() {
    let dir = dir_with_digits_run();
    let (loaded, split) =
        load(json!({ "digits": { "split": { "test": 0.2, "validation": 0.2, "random_state": 1, "stratify": true } } }));
    let prepared = Prepared::new(&loaded, &split, runner::data::prepare::scale::Scale::None).unwrap();
    let row = prepared.test.unwrap().open().features.get(11).to_kind(Kind::Uint8);
    let values = Vec::<u8>::try_from(&row).unwrap();
    let expected = &predictions(&dir, &["idea", "--index", "11"])[0]["probabilities"];
    let same =
        |found: &Value| (0..10).for_each(|digit| assert_near(&found[digit.to_string()], &expected[digit.to_string()]));

    let exact = image_file(&dir, "exact.png", &values, 1, false);
    same(&predictions(&dir, &["idea", "--image", &exact])[0]["probabilities"]);
    let inverted = image_file(&dir, "turned.png", &values, 1, true);
    let printed = json_output(&dir, &["predict", "idea", "--json", "--image", &inverted]);
    assert_eq!(printed["input"]["inverted"], true);
    same(&printed["predictions"][0]["probabilities"]);
    let message = stdout(&dir.run(&["predict", "idea", "--image", &inverted]).code(0));
    assert_says(&message, &["`turned.png`: 8×8 pixels, inverted (dark on light, and `digits` is light on\ndark)\n"]);
    assert!(!message.contains("true class"), "{message}");
    let large = image_file(&dir, "large.png", &values, 5, true);
    let message = stdout(&dir.run(&["predict", "idea", "--image", &large, "--invert", "no"]).code(0));
    assert_says(&message, &["resized from 40×40 to 8×8\n"]);
    same(&predictions(&dir, &["idea", "--image", &large])[0]["probabilities"]);

    dir.write("text.png", "no picture");
    assert_says(
        &dir.error_message(&["predict", "idea", "--image", "text.png"]),
        &["`text.png` is not a PNG or JPEG image"],
    );
    assert_says(&dir.error_message(&["predict", "idea", "--image", "trned.png"]), &["did you mean `turned.png`?"]);
}

#[test]
fn user_images_are_evaluated_from_pairs_of_idx_files() {
    let dir = TestDir::new();
    let pixels: Vec<u8> = (0..12_u8).flat_map(|row| (0..6).map(move |pixel| row * 20 + pixel)).collect();
    let labels: Vec<u8> = (0..12).map(|row| row % 3).collect();
    dir.write("images", idx::write(&[12, 2, 3], &pixels));
    dir.write("labels", idx::write(&[12], &labels));
    dir.write("smaller", idx::write(&[12, 2, 2], &pixels[..48]));
    dir.write("beyond", idx::write(&[12], &[9; 12]));
    let data = "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\ntest_images = \"images\"\ntest_labels = \"labels\"\nscale = \"unit\"";
    dir.write("idea.toml", experiment(data, "[{ linear = 3 }]", CLASSIFY));
    dir.exp(&["idea.toml"]);
    let (own, given) = (evaluations(&dir, &["idea"]), evaluations(&dir, &["idea", "--data", "images,labels"]));
    assert_eq!(own[0]["metrics"], given[0]["metrics"]);
    for (written, words) in [
        ("images.gz", "`images.gz` does not exist"),
        ("images", "cannot be evaluated on the single file `images`"),
        ("images,missing", "`missing` does not exist"),
        ("labels,images", "is not an IDX file of 3 dimensions"),
        ("smaller,labels", "contains images of 2×2 pixels, but the network takes 3×2 pixels"),
        ("images,beyond", "contains the label 9, which is not a class of the run"),
        ("tset", "`tset` is neither a part of the data nor a file"),
    ] {
        assert_says(&dir.error_message(&["eval", "idea", "--data", written]), &[words]);
    }
}

#[test]
fn overfit_mnist_predicts_8_for_row_4523() {
    let dir = TestDir::with_user_data_cache();
    dir.exp(&["overfit_mnist"]);
    assert_equals_history(&evaluations(&dir, &["overfit_mnist"])[0]);
    let message = stdout(&dir.run(&["predict", "overfit_mnist", "--index", "4523"]).code(0));
    assert_says(&message, &["mnist: test row 4,523 (of 0 to 9,999)", "predicted 8, true class 8: right"]);
    assert_eq!(message.lines().filter(|line| line.starts_with('│')).count(), 28);
    assert!(message.lines().all(|line| line.chars().count() <= 80), "{message}");
}
