//! `predict` and `eval` on images.

use runner::data::prepare::prepared::Prepared;
use runner::data::store::idx;
use serde_json::{Value, json};
use tch::Kind;

use super::saved_run::{
    CLASSIFY, assert_as_in_the_history, assert_near, evaluated, experiment, loaded, place_with_digits, predicted,
    printed,
};
use crate::support::{Place, assert_says, stdout};

#[test]
fn a_row_of_images_is_drawn_with_a_bar_for_each_class_in_80_columns() {
    let place = place_with_digits();
    let told = stdout(&place.run(&["predict", "idea", "--index", "5"]).code(0));
    assert_says(&told, &["digits: test row 5 (of 0 to 359)", "┌────────────────┐", "class  probability", "predicted "]);
    assert_eq!(told.lines().filter(|line| line.starts_with('│')).count(), 8);
    assert!(told.lines().all(|line| line.chars().count() <= 80) && !told.contains('\x1b'), "{told}");
    let top = stdout(&place.run(&["predict", "idea", "--index", "5", "--top", "2"]).code(0));
    assert_eq!(top.lines().count() + 8, told.lines().count());
    let refused = place.refusal(&["predict", "idea", "--index", "360"]);
    assert_says(&refused, &["there is no test row 360: the run has 360 rows", "`--index 359`"]);
    for (arguments, words) in [
        (&["--index", "-1"][..], "at least 0"),
        (&["--index", "1", "--top", "0"], "at least 1"),
        (&["--index", "1", "--csv", "x.csv"], "cannot be used with"),
        (&["--index", "1", "--rows", "tset"], "allowed are `test`, `validation` and `train`"),
        (&["--index", "1", "--trial", "base-seed1"], "did you mean `base-seed0`?"),
        (&["--index", "1", "--invert", "yes"], "cannot be used with"),
        (&["--csv", "x.csv"], "holds images of 8×8 pixels, and no table"),
        (&[], "required"),
    ] {
        assert_says(&place.refusal(&[&["predict", "idea"], arguments].concat()), &[words]);
    }
}

/// An image of the digits as a picture, each pixel so many times as large, and turned to dark on light or not.
fn picture(place: &Place, name: &str, values: &[u8], times: u32, dark_on_light: bool) -> String {
    let grey = image::GrayImage::from_fn(8 * times, 8 * times, |x, y| {
        let value = u32::from(values[(y / times * 8 + x / times) as usize]) * 255 / 16;
        image::Luma([if dark_on_light { 255 - value as u8 } else { value as u8 }])
    });
    grey.save(place.path(name)).unwrap();
    name.to_owned()
}

#[test]
fn a_picture_of_a_row_gives_what_the_row_gives() {
    let place = place_with_digits();
    let (loaded, split) = loaded(
        json!({ "digits": { "split": { "test": 0.2, "validation": 0.2, "random_state": 1, "stratify": true } } }),
    );
    let prepared = Prepared::new(&loaded, &split, runner::data::prepare::scale::Scale::None).unwrap();
    let row = prepared.test.unwrap().open().features.get(11).to_kind(Kind::Uint8);
    let values = Vec::<u8>::try_from(&row).unwrap();
    let wanted = &predicted(&place, &["idea", "--index", "11"])[0]["probabilities"];
    let same =
        |found: &Value| (0..10).for_each(|digit| assert_near(&found[digit.to_string()], &wanted[digit.to_string()]));

    let exact = picture(&place, "exact.png", &values, 1, false);
    same(&predicted(&place, &["idea", "--image", &exact])[0]["probabilities"]);
    let turned = picture(&place, "turned.png", &values, 1, true);
    let printed = printed(&place, &["predict", "idea", "--json", "--image", &turned]);
    assert_eq!(printed["input"]["inverted"], true);
    same(&printed["predictions"][0]["probabilities"]);
    let told = stdout(&place.run(&["predict", "idea", "--image", &turned]).code(0));
    assert_says(&told, &["`turned.png`: 8×8 pixels, inverted (dark on light, and `digits` is light on\ndark)\n"]);
    assert!(!told.contains("true class"), "{told}");
    let large = picture(&place, "large.png", &values, 5, true);
    let told = stdout(&place.run(&["predict", "idea", "--image", &large, "--invert", "no"]).code(0));
    assert_says(&told, &["resized from 40×40 to 8×8\n"]);
    same(&predicted(&place, &["idea", "--image", &large])[0]["probabilities"]);

    place.write("text.png", "no picture");
    assert_says(&place.refusal(&["predict", "idea", "--image", "text.png"]), &["`text.png` is no PNG or JPEG image"]);
    assert_says(&place.refusal(&["predict", "idea", "--image", "trned.png"]), &["did you mean `turned.png`?"]);
}

#[test]
fn images_of_ones_own_are_evaluated_in_pairs_of_idx_files() {
    let place = Place::new();
    let pixels: Vec<u8> = (0..12_u8).flat_map(|row| (0..6).map(move |pixel| row * 20 + pixel)).collect();
    let labels: Vec<u8> = (0..12).map(|row| row % 3).collect();
    place.write("images", idx::write(&[12, 2, 3], &pixels));
    place.write("labels", idx::write(&[12], &labels));
    place.write("smaller", idx::write(&[12, 2, 2], &pixels[..48]));
    place.write("beyond", idx::write(&[12], &[9; 12]));
    let data = "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\ntest_images = \"images\"\ntest_labels = \"labels\"\nscale = \"unit\"";
    place.write("idea.toml", experiment(data, "[{ linear = 3 }]", CLASSIFY));
    place.exp(&["idea.toml"]);
    let (own, given) = (evaluated(&place, &["idea"]), evaluated(&place, &["idea", "--data", "images,labels"]));
    assert_eq!(own[0]["figures"], given[0]["figures"]);
    for (written, words) in [
        ("images.gz", "images need labels"),
        ("images,missing", "`missing` does not exist"),
        ("labels,images", "is not an IDX file of 3 dimensions"),
        ("smaller,labels", "holds images of 2×2 pixels, and the network takes 3×2 pixels"),
        ("images,beyond", "holds the label 9, which is no class of the run"),
        ("tset", "there are no rows `tset`"),
    ] {
        assert_says(&place.refusal(&["eval", "idea", "--data", written]), &[words]);
    }
}

#[test]
fn overfit_mnist_takes_row_4523_for_an_8() {
    let place = Place::with_users_data();
    place.exp(&["overfit_mnist"]);
    assert_as_in_the_history(&evaluated(&place, &["overfit_mnist"])[0]);
    let told = stdout(&place.run(&["predict", "overfit_mnist", "--index", "4523"]).code(0));
    assert_says(&told, &["mnist: test row 4,523 (of 0 to 9,999)", "predicted 8, true class 8: right"]);
    assert_eq!(told.lines().filter(|line| line.starts_with('│')).count(), 28);
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
}
