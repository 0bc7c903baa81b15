//! Training, evaluation and prediction on image files: `[data.images]`.

use std::fs::File;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma, Rgb, RgbImage};
use runner::data::Loaded;
use runner::data::source::DataSpec;
use runner::data::store::cache::Cache;
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use super::saved_run::{CLASSIFY, assert_near, evaluations, experiment, json_output, load, predictions};
use crate::numpy_files::{npy, npz};
use crate::support::{TestDir, assert_says, curves, stdout};

const SPLIT: &str = "scale = \"standard\"\nsplit = { test = 0.2, validation = 0.2, random_state = 1, stratify = true }";

const LAYERS: &str = "[\"flatten\", { linear = 16 }, \"relu\", { linear = 10 }]";

fn save(image: &GrayImage, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save_with_format(path, image::ImageFormat::Png).unwrap();
}

/// The built-in digits as files `CLASS/INDEX.png`, and a CSV file with them in their order.
fn write_digits(dir: &TestDir) {
    let (loaded, _) = load(json!({ "digits": {} }));
    let pixels = Vec::<u8>::try_from(loaded.rows.features.to_kind(Kind::Uint8).flatten(0, -1)).unwrap();
    let mut listed = "file,digit\n".to_owned();
    for (index, class) in Vec::<i64>::try_from(&loaded.rows.targets).unwrap().into_iter().enumerate() {
        let image = GrayImage::from_vec(8, 8, pixels[64 * index..64 * (index + 1)].to_vec()).unwrap();
        save(&image, &dir.path(&format!("digits/{class}/{index:04}.png")));
        listed += &format!("{class}/{index:04}.png,{class}\n");
    }
    dir.write("digits.csv", listed);
}

#[test]
fn images_in_files_are_trained_on_evaluated_and_predicted_like_any_data() {
    let dir = TestDir::new();
    write_digits(&dir);
    let trained = |name: &str, data: &str| {
        dir.write(&format!("{name}.toml"), experiment(&format!("{data}\n{SPLIT}"), LAYERS, CLASSIFY));
        dir.history(&[&format!("{name}.toml"), "--threads", "1"])
    };
    let wanted = trained("built_in", "[data.digits]");
    let columns = "path_column = \"file\"\nlabel_column = \"digit\"\nroot = \"digits\"";
    let gray = "size = 8\ncolor_mode = \"grayscale\"";
    let listed = trained("listed", &format!("[data.images]\npath = \"digits.csv\"\n{gray}\n{columns}"));
    assert_eq!((curves(&listed), &listed["test"]["loss"]), (curves(&wanted), &wanted["test"]["loss"]));
    let again = trained("listed", &format!("[data.images]\npath = \"digits.csv\"\n{gray}\n{columns}"));
    assert_eq!((curves(&again), &again["data"]["sha256"]), (curves(&listed), &listed["data"]["sha256"]));

    let folders = trained("folders", &format!("[data.images]\npath = \"digits\"\n{gray}"));
    assert_eq!(folders["data"]["rows"], json!({ "train": 1149, "validation": 288, "test": 360 }));
    assert_says(&stdout(&dir.run(&["eval", "folders", "--strict"]).code(0)), &["test metrics agree with the history"]);
    let all = evaluations(&dir, &["folders", "--data", "digits"]);
    assert_eq!(all[0]["rows"], 1797);
    let file = "digits/7/0007.png";
    let own = &predictions(&dir, &["folders", "--image", file])[0]["probabilities"];
    let directory = json_output(&dir, &["predict", "folders", "--json", "--image", "digits/7"]);
    let of_directory = directory["predictions"].as_array().unwrap();
    assert_eq!(of_directory.len(), 179);
    assert_eq!(of_directory[0]["columns"]["file"], "0007.png");
    (0..10).for_each(|digit: i32| {
        assert_near(&of_directory[0]["probabilities"][digit.to_string()], &own[digit.to_string()])
    });
    let drawn = stdout(&dir.run(&["predict", "folders", "--image", file]).code(0));
    assert_says(&drawn, &["`digits/7/0007.png`: 8×8 pixels", "┌", "predicted"]);
    dir.run(&["reproduce", "folders"]).code(0);

    let described = stdout(&dir.run(&["data", "describe", "./digits"]).code(0));
    assert_says(&described, &["files: 1,797 images of 8×8 pixels, grayscale", "[data.images]", "size = 8"]);
    dir.run(&["new", "made", "--data", "./digits"]).code(0);
    let text = std::fs::read_to_string(dir.path("made.toml")).unwrap();
    assert_says(&text, &["path = \"digits\"", "color_mode = \"grayscale\"", "conv2d", "stratify = true"]);
    dir.run(&["show", "made.toml"]).code(0);
    save(&GrayImage::new(8, 8), &dir.path("other/x/1.png"));
    save(&GrayImage::new(8, 8), &dir.path("other/1/1.png"));
    let refused = dir.error_message(&["eval", "folders", "--data", "other"]);
    assert_says(&refused, &["images of the class `x`, which is not a class of the training images"]);
}

/// Images of 2×2 pixels, one gray level for each; `images/b/2.png` has colors.
fn write_parts(dir: &TestDir) -> PathBuf {
    for (path, level) in [("a/1.png", 10), ("b/1.png", 20), ("b/3.png", 40)] {
        save(&GrayImage::from_pixel(2, 2, Luma([level])), &dir.path(&format!("images/{path}")));
    }
    RgbImage::from_pixel(2, 2, Rgb([1, 2, 3])).save(dir.path("images/b/2.png")).unwrap();
    dir.path("images")
}

fn spec(path: &Path, settings: Value) -> DataSpec {
    let mut settings = settings;
    settings["path"] = json!(path);
    serde_json::from_value(json!({ "images": settings })).unwrap()
}

fn load_with(spec: &DataSpec, cache: &Cache) -> Loaded {
    spec.load(cache, &mut ()).unwrap()
}

fn bytes(tensor: &Tensor) -> Vec<u8> {
    assert_eq!(tensor.kind(), Kind::Uint8);
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

#[test]
fn pixels_are_cached_until_a_file_changes() {
    let dir = TestDir::new();
    let images = write_parts(&dir);
    let (cache, spec) = (Cache::at(dir.path("cache")), spec(&images, json!({ "size": 1 })));
    let first = load_with(&spec, &cache);
    assert_eq!(first.rows.features.size(), [4, 3, 1, 1]);
    assert_eq!(bytes(&first.rows.features), [10, 10, 10, 20, 20, 20, 1, 2, 3, 40, 40, 40]);
    assert_eq!(Vec::<i64>::try_from(&first.rows.targets).unwrap(), [0, 1, 1, 1]);
    // a file of the same size and time counts as unchanged: its old pixels come from the cache
    let changed = images.join("a/1.png");
    let time = changed.metadata().unwrap().modified().unwrap();
    let length = changed.metadata().unwrap().len();
    save(&GrayImage::from_pixel(2, 2, Luma([11])), &changed);
    assert_eq!(changed.metadata().unwrap().len(), length);
    File::options().append(true).open(&changed).unwrap().set_modified(time).unwrap();
    let cached = load_with(&spec, &cache);
    assert_eq!((bytes(&cached.rows.features), &cached.sha256), (bytes(&first.rows.features), &first.sha256));
    File::options()
        .append(true)
        .open(&changed)
        .unwrap()
        .set_modified(time + std::time::Duration::from_secs(1))
        .unwrap();
    let read = load_with(&spec, &cache);
    assert_eq!(bytes(&read.rows.features)[0], 11);
    assert_ne!(read.sha256, first.sha256);
    std::fs::remove_file(images.join("b/2.png")).unwrap();
    assert_eq!(load_with(&spec, &cache).rows.len(), 3);
    assert_eq!(std::fs::read_dir(dir.path("cache/images")).unwrap().count(), 1);
}

#[test]
fn directories_of_parts_are_training_validation_and_test_images() {
    let dir = TestDir::new();
    for (path, level) in [("train/a/1.png", 1), ("train/b/1.png", 2), ("val/b/1.png", 3), ("test/a/1.png", 4)] {
        save(&GrayImage::from_pixel(2, 2, Luma([level])), &dir.path(&format!("data/{path}")));
    }
    let cache = Cache::at(dir.path("cache"));
    let found = |settings: Value| {
        let loaded = load_with(&spec(&dir.path("data"), settings), &cache);
        let of = |rows: Option<&runner::data::Rows>| rows.map(|rows| bytes(&rows.features));
        (of(Some(&loaded.rows)), of(loaded.validation.as_ref()), of(loaded.test.as_ref()), loaded.classes)
    };
    let gray = json!({ "size": 1, "color_mode": "grayscale", "classes": ["b", "a"] });
    let wanted = (Some(vec![1, 2]), Some(vec![3]), Some(vec![4]), vec!["b".to_owned(), "a".to_owned()]);
    assert_eq!(found(gray), wanted);
    let stated = spec(
        &dir.path("data/train"),
        json!({ "size": 1, "validation": dir.path("data/val"), "test": dir.path("data/test") }),
    );
    let info = stated.info().unwrap();
    assert_eq!((info.rows, info.validation_rows, info.test_rows), (2, 1, 1));
    assert_eq!(stated.checksum_of_files().unwrap(), Some(load_with(&stated, &cache).sha256));
}

#[test]
fn images_that_cannot_be_used_are_refused_in_words() {
    let dir = TestDir::new();
    write_parts(&dir);
    let png = std::fs::read(dir.path("images/a/1.png")).unwrap();
    dir.write("broken/a/1.png", &png);
    dir.write("broken/b/cut.png", &png[..40]);
    dir.write("empty/a/1.png", &png);
    std::fs::create_dir_all(dir.path("empty/b")).unwrap();
    dir.write("one/a/1.png", &png);
    dir.write("flat/1.png", &png);
    dir.write("kinds/a/1.webp", "RIFF");
    dir.write("kinds/b/1.txt", "text");
    dir.write("nested/inner/a/1.png", &png);
    dir.write("nested/inner/b/1.png", &png);
    dir.write("huge/a/1.png", include_bytes!("../../../fuzz/corpus/picture/huge.png"));
    dir.write("huge/b/1.png", &png);
    save(&GrayImage::new(5, 1), &dir.path("mixed/a/1.png"));
    save(&GrayImage::new(2, 3), &dir.path("mixed/b/1.png"));
    assert_says(
        &stdout(&dir.run(&["data", "describe", "./mixed"]).code(0)),
        &["2 images of 2–5 × 1–3 pixels, grayscale"],
    );
    dir.write("gone.csv", "path,label\nimages/a/1.png,a\nimages/a/2.png,b\n");
    dir.write("columns.csv", "file,label\nimages/a/1.png,a\n");
    for (data, words) in [
        ("path = \"images\"", &["`data.images.size` is missing", "`size = 64`", "`1.png` has 2×2 pixels"][..]),
        ("path = \"images\"\nsize = 0", &["`data.images.size` must be between 1 and 4096 pixels, found 0"]),
        ("path = \"images\"\nsize = \"64\"", &["expected a number of pixels, or `[height, width]`"]),
        ("path = \"imges\"\nsize = 2", &["imges` does not exist", "did you mean", "images`?"]),
        ("path = \"broken\"\nsize = 2", &["broken/b/cut.png` cannot be read as an image"]),
        ("path = \"empty\"\nsize = 2", &["its subdirectory `b` has no images"]),
        ("path = \"one\"\nsize = 2", &["has images of only one class, `a`"]),
        ("path = \"flat\"\nsize = 2", &["has images, but no directory for each class"]),
        ("path = \"kinds\"\nsize = 2", &["its subdirectory `a` has no images; it has `.webp`", "convert images"]),
        ("path = \"nested\"\nsize = 2", &["did you mean", "nested/inner`"]),
        ("path = \"huge\"\nsize = 2", &["huge/a/1.png` is an image of 100000×100000 pixels, which is too large"]),
        ("path = \"gone.csv\"\nsize = 2", &["names `images/a/2.png` in row 2 (line 3), which does not exist"]),
        ("path = \"columns.csv\"\nsize = 2", &["has no column `path`", "`path_column = \"…\"`"]),
        ("path = \"images\"\nsize = 2\nclasses = [\"a\", \"c\"]", &["names `c`, but the training images have no"]),
    ] {
        dir.write(
            "idea.toml",
            experiment(&format!("[data.images]\n{data}"), "[\"flatten\", { linear = 2 }]", CLASSIFY),
        );
        assert_says(&dir.error_message(&["exp", "idea.toml"]).replace('\n', " ").replace("  ", " "), words);
    }
}

#[test]
fn a_run_on_arrays_of_color_images_predicts_an_image_file() {
    let dir = TestDir::new();
    let pixels: Vec<u8> = (0..40 * 48).map(|place: usize| (place * 37 % 256) as u8).collect();
    let classes: Vec<u8> = (0..40).map(|row| row % 2).collect();
    let arrays = [("x", npy("|u1", &[40, 4, 4, 3], false, &pixels)), ("y", npy("|u1", &[40], false, &classes))];
    dir.write("colors.npz", npz(&arrays, false));
    let data = "[data.arrays]\npath = \"colors.npz\"\nchannels = \"last\"\nscale = \"unit\"";
    dir.write("colors.toml", experiment(data, "[\"flatten\", { linear = 2 }]", CLASSIFY));
    dir.exp(&["colors.toml"]);
    RgbImage::from_vec(4, 4, pixels[3 * 48..4 * 48].to_vec()).unwrap().save(dir.path("row3.png")).unwrap();
    dir.write("row3.npz", npz(&[("x", npy("|u1", &[1, 4, 4, 3], false, &pixels[3 * 48..4 * 48]))], false));
    let of_array = &predictions(&dir, &["colors", "row3.npz"])[0]["probabilities"];
    let of_image = &predictions(&dir, &["colors", "--image", "row3.png"])[0]["probabilities"];
    assert_near(&of_image["0"], &of_array["0"]);
    assert_says(&stdout(&dir.run(&["predict", "colors", "row3.png"]).code(0)), &["`row3.png`: 4×4 pixels", "┌"]);
}
