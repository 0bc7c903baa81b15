//! Training from arrays in files: `.npz`, `.npy` and `.safetensors`.

use std::collections::HashMap;

use runner::data::Loaded;
use runner::data::prepare::prepared::Prepared;
use runner::data::source::DataSpec;
use runner::data::store::cache::Cache;
use runner::data::store::checksum::sha256;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use crate::numpy_files::{npy, npz};
use crate::support::{TestDir, assert_says, curves, stdout};

const BYTES: &str = "|u1";
const FLOATS: &str = "<f4";

fn spec(settings: Value) -> DataSpec {
    serde_json::from_value(json!({ "arrays": settings })).unwrap()
}

fn load(spec: &DataSpec) -> Loaded {
    spec.load(&Cache::at("nowhere"), &mut ()).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.to_kind(Kind::Float).flatten(0, -1)).unwrap()
}

/// The built-in digits: 1,797 × 64 pixels, and classes.
fn digits() -> (Vec<u8>, Vec<u8>) {
    let loaded = load(&DataSpec::by_name("digits").unwrap());
    let bytes = |tensor: &Tensor| Vec::<u8>::try_from(tensor.to_kind(Kind::Uint8).flatten(0, -1)).unwrap();
    (bytes(&loaded.rows.features), bytes(&loaded.rows.targets))
}

fn experiment(data: &str) -> String {
    format!(
        "title = \"Digits\"\n{data}\nscale = \"standard\"\n\
         split = {{ test = 0.2, validation = 0.2, random_state = 1, stratify = true }}\n\
         [network]\nlayers = [\"flatten\", {{ linear = 16 }}, \"relu\", {{ linear = 10 }}]\n\
         [train]\nepochs = 3\nbatch = 64\nloss = \"cross_entropy\"\noptimizer = \"adam\"\nmetrics = [\"acc\"]\n"
    )
}

#[test]
fn the_same_rows_in_any_format_give_the_same_curves() {
    let dir = TestDir::new();
    let (pixels, classes) = digits();
    let x = npy(BYTES, &[1797, 64], false, &pixels);
    let y = npy(">i4", &[1797], false, &classes.iter().flat_map(|&c| i32::from(c).to_be_bytes()).collect::<Vec<_>>());
    let columns: Vec<u8> =
        (0..64).flat_map(|column| (0..1797).map(move |row| row * 64 + column)).map(|p| pixels[p]).collect();
    let doubles: Vec<u8> = pixels.iter().flat_map(|&pixel| f64::from(pixel).to_be_bytes()).collect();
    dir.write("stored.npz", npz(&[("x", x.clone()), ("y", y.clone())], false));
    dir.write("unnamed.npz", npz(&[("scans", x.clone()), ("y", y.clone())], false));
    dir.write(
        "packed.npz",
        npz(&[("images", npy(">f8", &[1797, 8, 8], false, &doubles)), ("labels", y.clone())], true),
    );
    dir.write("x.npy", npy(BYTES, &[1797, 64], true, &columns));
    dir.write("y.npy", y);
    let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
    let tensors =
        HashMap::from([("x", view(Dtype::U8, &[1797, 64], &pixels)), ("y", view(Dtype::U8, &[1797], &classes))]);
    dir.write("t.safetensors", safetensors::serialize(tensors, None).unwrap());
    let trained = |name: &str, data: &str| {
        dir.write(&format!("{name}.toml"), experiment(data));
        let history = dir.history(&[&format!("{name}.toml"), "--threads", "1"]);
        assert_eq!(history["data"]["rows"], json!({ "train": 1149, "validation": 288, "test": 360 }));
        assert_eq!(history["data"]["classes"].as_array().unwrap().len(), 10);
        (curves(&history), history["test"]["loss"].clone(), history["data"]["sha256"].clone())
    };
    let (wanted, test, _) = trained("built_in", "[data.digits]");
    for (name, data) in [
        ("stored", "[data.arrays]\npath = \"stored.npz\""),
        ("packed", "[data.arrays]\npath = \"packed.npz\"\nx = \"images\"\ny = \"labels\"\nchannels = \"last\""),
        ("pair", "[data.arrays]\nx = \"x.npy\"\ny = \"y.npy\""),
        ("tensors", "[data.arrays]\npath = \"t.safetensors\""),
    ] {
        let (found, found_test, sum) = trained(name, data);
        assert_eq!((&found, &found_test), (&wanted, &test), "{name}");
        if name == "stored" {
            assert_eq!(sum, sha256(&std::fs::read(dir.path("stored.npz")).unwrap()));
        }
    }
    let evaluated = stdout(&dir.run(&["eval", "stored", "--strict"]).code(0));
    assert_says(&evaluated, &["test metrics agree with the history"]);
    assert_says(&stdout(&dir.run(&["predict", "packed", "--index", "3"]).code(0)), &["┌", "predicted"]);
    let other = stdout(&dir.run(&["eval", "stored", "--data", "stored.npz"]).code(0));
    assert_says(&other, &["1797"]);
    let wrong = dir.error_message(&["eval", "stored", "--data", "unnamed.npz"]);
    assert_says(&wrong, &["but no `x`", "scans"]);
    dir.run(&["new", "named", "--data", "packed.npz"]).code(0);
    let save = "numpy.savez(\"data.npz\", x=file[\"scans\"], y=file[\"y\"])";
    assert_says(&dir.error_message(&["new", "a", "--data", "unnamed.npz"]), &["but no `x`", save]);
    assert_says(&dir.error_message(&["new", "a", "--data", "x.npy"]), &["x=numpy.load(\"x.npy\")"]);
    let described = stdout(&dir.run(&["data", "describe", "packed.npz"]).code(0));
    assert_says(&described, &["images", "1797×8×8", "float64", "labels", "int32", "[data.arrays]"]);
}

#[test]
fn rows_of_validation_and_test_arrays_stay_in_their_parts() {
    let dir = TestDir::new();
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let x = |first: f32| npy(FLOATS, &[2, 2], false, &floats(&[first, first + 1.0, first + 2.0, first + 3.0]));
    let y = |values: &[u8]| npy(BYTES, &[2, 1], false, values);
    let arrays = [
        ("x_train", x(0.0)),
        ("y_train", y(&[3, 9])),
        ("x_val", x(10.0)),
        ("y_val", y(&[9, 9])),
        ("x_test", x(20.0)),
        ("y_test", y(&[3, 5])),
        ("note", npy("<U3", &[1], false, &[0; 12])),
    ];
    dir.write("keras.npz", npz(&arrays, false));
    let path = dir.path("keras.npz").display().to_string();
    let spec = spec(json!({ "path": path }));
    let info = spec.info().unwrap();
    assert_eq!((info.rows, info.validation_rows, info.test_rows), (2, 2, 2));
    assert_eq!(info.classes, ["3", "5", "9"]);
    let prepared = Prepared::new(&load(&spec), &spec.split(), spec.scale()).unwrap();
    assert_eq!(numbers(&prepared.training.rows().features), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(numbers(&prepared.training.rows().targets), [0.0, 2.0]);
    let validation = prepared.validation.unwrap();
    assert_eq!(numbers(&validation.rows().features), [10.0, 11.0, 12.0, 13.0]);
    assert_eq!(numbers(&validation.rows().targets), [2.0, 2.0]);
    let test = prepared.test.unwrap().open();
    assert_eq!((numbers(&test.features), numbers(&test.targets)), (vec![20.0, 21.0, 22.0, 23.0], vec![0.0, 1.0]));
    for (key, part) in [("validation", "validation"), ("test", "test")] {
        let mut with_split = serde_json::to_value(&spec).unwrap();
        with_split["arrays"]["split"] = json!({ key: 0.5 });
        let with_split: DataSpec = serde_json::from_value(with_split).unwrap();
        let refused = with_split.check(&info).unwrap_err().to_string();
        assert_says(&refused, &[&format!("cannot be set: this data set has its own 2 {part} rows")]);
    }
    let unlabeled: Vec<_> = arrays.into_iter().filter(|(name, _)| *name != "y_test").collect();
    dir.write("unlabeled.npz", npz(&unlabeled, false));
    let path = dir.path("unlabeled.npz").display().to_string();
    let info = self::spec(json!({ "path": path })).info().unwrap();
    assert_eq!(info.notes, [format!("`x_test` is not used: `{path}` has no `y_test`")]);
}

#[test]
fn files_that_cannot_be_used_are_refused_in_words() {
    let dir = TestDir::new();
    let x = || npy(BYTES, &[2, 3], false, &[1, 2, 3, 4, 5, 6]);
    let y = || npy(BYTES, &[2], false, &[0, 1]);
    let refused = |bytes: &[u8], settings: Value| {
        dir.write("data.npz", bytes);
        let mut settings = settings;
        settings["path"] = json!(dir.path("data.npz").display().to_string());
        let spec = spec(settings);
        let checked = spec.info().and_then(|info| spec.check(&info));
        match checked {
            Err(fault) => format!("{fault} {}", fault.hint.clone().unwrap_or_default()),
            Ok(()) => format!("{:#}", spec.load(&Cache::at("nowhere"), &mut ()).unwrap_err()),
        }
    };
    let both = |x: Vec<u8>, y: Vec<u8>| npz(&[("x", x), ("y", y)], false);
    let nan = [1.0, f32::NAN].map(f32::to_le_bytes).concat();
    for (bytes, settings, words) in [
        (npz(&[("a", x()), ("b", y())], false), json!({}), &["`arrays.x` is missing", "`a`", "`b`"][..]),
        (both(x(), y()), json!({ "x": "images" }), &["has no array `images`", "`x`", "`y`"]),
        (both(x(), npy(BYTES, &[3], false, &[0, 1, 0])), json!({}), &["`arrays.y` has 3 rows, but `x` has 2"]),
        (both(npy("|O", &[2], false, &[0; 16]), y()), json!({}), &["`arrays.x` contains Python objects (pickle)"]),
        (both(x(), npy("<U1", &[2], false, &[0; 8])), json!({}), &["array `y` contains text", "numpy.unique"]),
        (both(npy("<c8", &[2], false, &[0; 16]), y()), json!({}), &["contains complex numbers"]),
        (both(npy(FLOATS, &[2, 1], false, &nan), y()), json!({}), &["array `x` has NaN in row 1"]),
        (both(npy(BYTES, &[0, 3], false, &[]), npy(BYTES, &[0], false, &[])), json!({}), &["`arrays.x` has no rows"]),
        (
            both(npy(BYTES, &[2, 9], false, &[0; 6]), y()),
            json!({}),
            &["array `x` is truncated", "needs 18 bytes, but 6"],
        ),
        (both(npy(BYTES, &[1 << 40, 1 << 40], false, &[0; 6]), y()), json!({}), &["impossible shape"]),
        (
            both(x(), y())[..200].to_vec(),
            json!({}),
            &["is truncated or damaged: the end of its ZIP directory is missing"],
        ),
        (b"x,y\n1,2\n".to_vec(), json!({}), &["neither an `.npz`, an `.npy` nor a `.safetensors` file"]),
        (x(), json!({}), &["is a single array"]),
        (vec![], json!({}), &["is empty"]),
        (both(x(), y()), json!({ "x_test": "x" }), &["`arrays.y_test` is missing"]),
        (
            npz(&[("x", x()), ("y", y()), ("x_val", x())], false),
            json!({}),
            &["`arrays.y_val` is missing", "has the array `x_val`, but no `y_val`", "y=y, x_val=x_val, y_val=y_val)"],
        ),
        (
            npz(&[("x", x())], false),
            json!({}),
            &["has the array `x`, but no `y`", "numpy.savez(\"data.npz\", x=x, y=y)"],
        ),
        (both(x(), y()), json!({ "scale": "unit", "channels": "first" }), &["`arrays.channels` is for images"]),
        (both(npy(FLOATS, &[2], false, &[0; 8]), y()), json!({ "scale": "unit" }), &["`x` has the type float32"]),
        (both(x(), y()), json!({ "classes": ["a"] }), &["has the class 1 in row 1, but `classes` has 1 name"]),
    ] {
        assert_says(&refused(&bytes, settings), words);
    }
    // a declared size that the stored bytes cannot have
    let mut bomb = npz(&[("x", x()), ("y", y())], true);
    let directory = bomb.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bomb[directory + 24..directory + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert_says(&refused(&bomb, json!({})), &["array `x` declares 1.9 GiB", "impossible"]);
    let mut encrypted = npz(&[("x", x()), ("y", y())], false);
    let starts: Vec<usize> = (0..encrypted.len() - 4)
        .filter(|&at| [&b"PK\x01\x02"[..], b"PK\x03\x04"].contains(&&encrypted[at..at + 4]))
        .collect();
    for at in starts {
        let flags = at + if encrypted[at + 2] == 1 { 8 } else { 6 };
        encrypted[flags] |= 1;
    }
    assert_says(&refused(&encrypted, json!({})), &["array `x` is encrypted"]);
    // another compression, as of `zipfile.ZIP_BZIP2`
    let mut bzip2 = npz(&[("x", x()), ("y", y())], false);
    for (start, method) in [(&b"PK\x01\x02"[..], 10), (b"PK\x03\x04", 8)] {
        (0..bzip2.len() - 4).filter(|&at| bzip2[at..at + 4] == *start).collect::<Vec<_>>().into_iter().for_each(|at| {
            bzip2[at + method] = 12;
        });
    }
    let refused = refused(&bzip2, json!({}));
    assert_says(&refused, &["array `x` is compressed with Bzip2, which cannot be read", "with `numpy.savez`"]);
}
