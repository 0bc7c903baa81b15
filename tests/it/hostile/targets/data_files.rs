//! Tables, images and archives.

use runner::data::image_file;
use runner::data::image_file::Invert;
use runner::data::inspect::describe::{describe, describe_table};
use runner::data::inspect::image_section::ImageSummary;
use runner::data::prepare::prepared::Prepared;
use runner::data::source::DataSpec;
use runner::data::store::cache::Cache;
use runner::data::store::checksum::sha256;
use runner::data::store::manifest::{DataFile, Manifest};
use runner::data::store::mnist_csv::idx_from_csv;
use runner::data::store::{fetch, wheel};
use runner::data::table::Table;
use runner::data::table::external_table::{Truth, Unknown};
use runner::data::table::field_format::{FieldFormat, TextColumns};
use runner::data::table::form::{Form, ImageSize};
use runner::data::table::recognize::dates::DateColumn;
use runner::data::table::recognize::number_format::NumberFormat;
use serde_json::json;

use super::folder::{DIRECTORY, file};

/// A table, read as training data whose last column is the target, and as new data for a trained network. The first
/// byte selects the separator, the second byte selects the reading options.
pub fn table(bytes: &[u8]) {
    let [separator, how, text @ ..] = bytes else { return };
    let separator = [',', ';', '\t', ' '].get(usize::from(*separator)).copied().unwrap_or(char::from(*separator));
    let path = file("table.csv", text);
    let _ = idx_from_csv(text.to_vec());
    let Ok(read) = Table::from_csv(text, separator) else { return };
    describe_table("table", &read, String::new(), read.columns.last());
    read_with_other_settings(text, separator, &read);
    let target = read.names().last().expect("a table has a column");
    let one_of = |shift: u8, words: &[&str]| words[usize::from(how >> shift) % words.len()].to_owned();
    let data = json!({ "csv": {
        "path": path, "target": target, "separator": separator,
        "encode": one_of(0, &["one_hot", "label", "error"]),
        "missing": one_of(2, &["drop", "mean", "median", "most_frequent", "error"]),
        "scale": one_of(4, &["standard", "min_max", "none"]),
        "task": one_of(6, &["classes", "values", "labels"]),
        "split": { "validation": 0.25 },
    } });
    let Ok(data) = serde_json::from_value::<DataSpec>(data) else { return };
    let Ok(info) = data.info() else { return };
    let checked = data.check(&info).is_ok();
    let Ok(loaded) = data.load(&Cache::at("nowhere"), &mut ()) else { return };
    describe("table", &loaded);
    if checked {
        let _ = Prepared::new(&loaded, &data.split(), data.scale());
    }
    if let Form::Table(form) = &loaded.form {
        let _ = form.read(&read, &loaded.classes, Truth::Optional, Unknown::Error);
        let _ = form.read(&read, &loaded.classes, Truth::Required, Unknown::Error);
    }
}

/// Reads the same table with other settings.
fn read_with_other_settings(text: &[u8], separator: char, read: &Table) {
    let first = read.columns[0].name.clone();
    let numbers = NumberFormat { decimal: ',', thousands: Some('.') };
    let dates = vec![DateColumn { name: first.clone(), format: None }];
    let plain = FieldFormat::new(separator);
    for reading in [
        FieldFormat { text: TextColumns::All, ..plain.clone() },
        FieldFormat { numbers, missing_values: Some(vec!["1".to_owned()]), ..plain.clone() },
        FieldFormat { dates, ..plain.clone() },
    ] {
        if let Ok(table) = Table::read(text, &reading) {
            describe_table("table", &table, String::new(), table.columns.last());
        }
    }
    // the first column has the same categories, whether it is read directly or as text
    let all = FieldFormat { text: TextColumns::All, ..plain.clone() };
    let named = FieldFormat { text: TextColumns::Named(vec![first]), ..plain };
    let categories = |reading| Table::read(text, reading).map(|table| table.columns[0].categories());
    if let (Ok(all), Ok(named)) = (categories(&all), categories(&named)) {
        assert_eq!(all, named); // only the direct reader accepts quotes inside a header
    }
}

/// Images and labels in the IDX format. The first two bytes give the length of the image file.
pub fn idx(bytes: &[u8]) {
    let [high, low, rest @ ..] = bytes else { return };
    let (images, labels) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
    let (images, labels) = (file("images", images), file("labels", labels));
    for flatten in [true, false] {
        let data = json!({ "idx": { "images": images, "labels": labels, "flatten": flatten, "scale": "unit" } });
        let data: DataSpec = serde_json::from_value(data).expect("it is one");
        let Ok(info) = data.info() else { return };
        let checked = data.check(&info).is_ok();
        let Ok(loaded) = data.load(&Cache::at("nowhere"), &mut ()) else { return };
        describe("images", &loaded);
        if checked {
            let _ = Prepared::new(&loaded, &data.split(), data.scale());
        }
    }
}

/// A file of arrays. The first byte selects the settings.
pub fn arrays(bytes: &[u8]) {
    let [how, content @ ..] = bytes else { return };
    let path = file("arrays.npz", content);
    let one_of = |shift: u8, words: &[Option<&'static str>]| words[usize::from(how >> shift) % words.len()];
    let mut settings = json!({
        "path": path,
        "channels": one_of(0, &[None, Some("first"), Some("last")]),
        "task": one_of(2, &[None, Some("classes"), Some("values"), Some("labels")]),
        "scale": one_of(4, &[Some("none"), Some("unit"), Some("standard"), Some("min_max")]),
    });
    if content.starts_with(b"\x93NUMPY") {
        let path = file("x.npy", content);
        settings["path"] = serde_json::Value::Null;
        settings["x"] = json!(path);
        settings["y"] = json!(path);
    }
    let Ok(data) = serde_json::from_value::<DataSpec>(json!({ "arrays": settings })) else { return };
    let Ok(info) = data.info() else { return };
    let checked = data.check(&info).is_ok();
    let Ok(loaded) = data.load(&Cache::at("nowhere"), &mut ()) else { return };
    assert_eq!((loaded.rows.len(), loaded.target), (info.rows, info.target));
    describe("arrays", &loaded);
    if checked {
        let _ = Prepared::new(&loaded, &data.split(), data.scale());
    }
}

/// Image files for training. The first byte selects the settings, and whether the rest is an image, or a CSV file with the
/// paths and labels of images.
pub fn images(bytes: &[u8]) {
    let [how, content @ ..] = bytes else { return };
    let is_manifest = how & 0x80 != 0;
    let image = if is_manifest { &include_bytes!("../../../../fuzz/corpus/picture/grey.png")[..] } else { content };
    let folder = DIRECTORY.with(|dir| dir.path().join("images"));
    for class in ["a", "b"] {
        std::fs::create_dir_all(folder.join(class)).expect("the directory is writable");
        std::fs::write(folder.join(class).join("1.png"), image).expect("the directory is writable");
    }
    let size = [[8, 8], [1, 28], [28, 1], [3, 5]][usize::from(how & 3)];
    let path = if is_manifest { file("images.csv", content) } else { folder.clone() };
    let one_of = |shift: u8, words: &[&str]| words[usize::from(how >> shift) % words.len()].to_owned();
    let data = json!({ "images": {
        "path": path,
        "root": is_manifest.then_some(&folder),
        "size": size,
        "color_mode": one_of(2, &["rgb", "grayscale"]),
        "resize": one_of(3, &["crop", "stretch"]),
        "scale": one_of(4, &["none", "unit", "standard", "min_max"]),
        "cache": false,
    } });
    let _ = ImageSummary::read(&path.display().to_string());
    let Ok(data) = serde_json::from_value::<DataSpec>(data) else { return };
    let Ok(info) = data.info() else { return };
    let checked = data.check(&info).is_ok();
    let Ok(loaded) = data.load(&Cache::at("nowhere"), &mut ()) else { return };
    assert_eq!((loaded.rows.len(), loaded.target), (info.rows, info.target));
    describe("images", &loaded);
    if checked {
        let _ = Prepared::new(&loaded, &data.split(), data.scale());
    }
}

/// A file of texts, as JSON lines or as CSV. The first byte selects the settings.
pub fn texts(bytes: &[u8]) {
    let [how, content @ ..] = bytes else { return };
    let path = file(if how & 1 == 0 { "texts.jsonl" } else { "texts.csv" }, content);
    let one_of = |shift: u8, words: &[&'static str]| words[usize::from(how >> shift) % words.len()];
    let settings = json!({
        "path": path,
        "target": "label",
        "task": "classes",
        "tokens": one_of(1, &["words", "characters", "bytes"]),
        "padding": one_of(3, &["end", "start"]),
        "length": usize::from(how >> 4) + 1,
        "lowercase": how & 8 == 0,
    });
    let data: DataSpec = serde_json::from_value(json!({ "text": settings })).expect("they are settings");
    let Ok(info) = data.info() else { return };
    let loaded = data.load(&Cache::at("nowhere"), &mut ()).expect("it was just read");
    assert_eq!((loaded.rows.len(), loaded.target), (info.rows, info.target));
    describe("texts", &loaded);
    if let Ok(prepared) = Prepared::new(&loaded, &data.split(), data.scale()) {
        let ids = &prepared.training.rows().features;
        assert!(ids.max().double_value(&[]) < info.token_ids.expect("they are texts") as f64);
    }
}

/// An image file for networks with 8×8 or 28×28 pixels.
pub fn picture(bytes: &[u8]) {
    let path = file("picture", bytes);
    for side in [8, 28] {
        let size = ImageSize { height: side, width: side };
        if let Ok(picture) = image_file::read(&path, size, Invert::Auto, true) {
            assert_eq!(picture.pixels.len(), side * side);
        }
    }
}

/// A downloaded data file, compressed or not, and a wheel with the correct checksum.
pub fn archive(bytes: &[u8]) {
    const TABLE: &[u8] = b"x,y\n1,2\n";
    let mut manifest = Manifest::named("creditcard").expect("the data set is known");
    manifest.name = "small".to_owned();
    let expected = DataFile { name: "table.csv".to_owned(), bytes: TABLE.len() as u64, sha256: sha256(TABLE) };
    manifest.files = vec![expected];
    let cache = Cache::at(DIRECTORY.with(|dir| dir.path().join("cache")));
    if fetch::import_copy(&manifest, &cache, &file("copy", bytes)).is_ok() {
        assert_eq!(cache.read(&manifest, &manifest.files[0]).expect("the copy exists"), TABLE);
    }
    let _ = wheel::wheel_members(bytes.to_vec(), &["table.csv".to_owned()], 1 << 20);
}
