//! Built-in data sets with their encodings, labels and scalers.

use runner::data::prepare::prepared::Prepared;
use runner::data::prepare::scale::{Scale, Scaler};
use runner::data::source::{DataSpec, penguins};
use runner::data::split::{Parts, Split};
use runner::data::store::cache::Cache;
use runner::data::table::form::Form;
use runner::data::{Loaded, Rows, Target};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use super::fixture::{assert_near, floats, load_fixture, shape_of, values};

#[test]
fn built_in_tables_equal_scikit_learn() {
    let fixture = load_fixture("tables");
    for case in fixture["loaded"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (spec, loaded) = load(json!({ name: {} }));
        let features = to_f64(&loaded.rows.features);
        assert_eq!(json!(features.size()), case["shape"], "{name}");
        assert_eq!(loaded.form.encoding().unwrap().names().join(", "), case["features"], "{name}");
        assert_eq!(spec.info().unwrap().rows as i64, features.size()[0]);
        let sums = features.sum_dim_intlist(0, false, Kind::Double);
        assert_near(&values(&sums), &floats(&case["sums"]), 1e-12, name);
        assert_eq!(values(&features.get(0)), floats(&case["first"]), "{name}");
        assert_eq!(values(&features.get(features.size()[0] - 1)), floats(&case["last"]), "{name}");
        let targets = values(&loaded.rows.targets);
        assert_eq!(targets.iter().sum::<f64>(), case["target_sum"].as_f64().unwrap(), "{name}");
        assert_eq!(targets[..10], floats(&case["target_first"])[..], "{name}");
        assert_eq!(targets[targets.len() - 10..], floats(&case["target_last"])[..], "{name}");
        if matches!(loaded.target, Target::Classes(_)) {
            assert_eq!(json!(loaded.classes), case["classes"]);
        }
    }
}

#[test]
fn scalers_equal_scikit_learn_even_for_constant_columns() {
    let fixture = &load_fixture("tables")["scaled"];
    let table = |value: &Value| Tensor::from_slice(&floats(value)).view(&shape_of(value)[..]);
    let (training, others) = (table(&fixture["training"]), table(&fixture["others"]));
    for case in fixture["cases"].as_array().unwrap() {
        let scale: Scale = serde_json::from_value(case["name"].clone()).unwrap();
        let features = Tensor::cat(&[&training, &others], 0);
        let count = training.size()[0] as usize;
        let all = features.size()[0] as usize;
        let rows = Rows::new(features, Tensor::zeros([all as i64, 1], (Kind::Float, Device::Cpu)));
        let loaded = Loaded::new(String::new(), Target::Values(1), vec!["y".to_owned()], rows, Form::Points);
        let parts = Parts { training: (0..count).collect(), validation: Some((count..all).collect()), test: None };
        let prepared = Prepared::from_parts(&loaded, &parts, scale).unwrap();
        let name = &case["name"].to_string();
        assert_near(&values(&prepared.training.rows().features), &floats(&case["training"]), 1e-7, name);
        let scaled = values(&prepared.validation.unwrap().rows().features);
        assert_near(&scaled, &floats(&case["others"]), 1e-7, name);
        // the scaler alone, applied to the rows it was fitted to
        let again = Scaler::fit(scale, &prepared.training, 1.0, None).apply(&prepared.training.rows().features);
        assert_near(&values(&again), &floats(&case["training"]), 1e-6, name);
    }
}

#[test]
fn scalers_are_fitted_to_training_rows_like_scikit_learn() {
    let fixture = load_fixture("tables");
    for case in fixture["breast_cancer"].as_array().unwrap() {
        let scale = serde_json::from_value(case["name"].clone()).unwrap();
        assert_splits(json!({ "breast_cancer": {} }), scale, case);
    }
    assert_splits(json!({ "digits": {} }), Scale::Standard, &fixture["digits"]);
}

#[test]
fn penguins_are_imputed_encoded_and_scaled_like_scikit_learn() {
    let fixture = &load_fixture("tables")["penguins"];
    for case in fixture["cases"].as_array().unwrap() {
        let spec = json!({ "penguins": { "missing": case["missing"], "encode": case["encode"] } });
        assert_splits(spec, Scale::Standard, case);
    }
    let table = penguins::table();
    assert_eq!(table.duplicate_rows() as u64, fixture["duplicates"].as_u64().unwrap());
    for (name, count) in fixture["missing"].as_object().unwrap() {
        let values = &table.column(name).unwrap().values;
        let missing = (0..table.rows()).filter(|&row| values.is_missing(row)).count();
        assert_eq!(missing as u64, count.as_u64().unwrap(), "{name}");
    }
}

#[test]
fn digit_labels_equal_numpy() {
    let fixture = &load_fixture("tables")["digits_labels"];
    let names: Vec<&String> = fixture.as_object().unwrap().keys().collect();
    let (_, loaded) = load(json!({ "digits": { "labels": names } }));
    assert_eq!(loaded.target, Target::Labels(4));
    for (number, name) in names.iter().enumerate() {
        let labels = values(&loaded.rows.targets.select(1, number as i64));
        assert_eq!(labels.iter().sum::<f64>(), fixture[*name]["sum"].as_f64().unwrap(), "{name}");
        assert_eq!(labels[..20], floats(&fixture[*name]["first"])[..], "{name}");
    }
}

/// Splits and scales as in the fixture, and compares sums and rows of all three parts.
#[track_caller]
fn assert_splits(spec: Value, scale: Scale, case: &Value) {
    let (_, loaded) = load(spec);
    let split = Split { test: Some(0.2), validation: Some(0.25), random_state: 42, stratify: true, ..Split::default() };
    let prepared = Prepared::new(&loaded, &split, scale).unwrap();
    let parts = [
        ("train", prepared.training.rows().shallow_clone()),
        ("validation", prepared.validation.unwrap().rows().shallow_clone()),
        ("test", prepared.test.unwrap().open()),
    ];
    for (part, found) in parts {
        let (expected, what) = (&case[part], format!("{}, {part}", case["name"]));
        let features = to_f64(&found.features);
        assert_eq!(found.len() as u64, expected["rows"].as_u64().unwrap(), "{what}");
        assert_near(&values(&features.get(0)), &floats(&expected["first"]), 1e-6, &what);
        assert_near(&values(&features.get(found.len() as i64 - 1)), &floats(&expected["last"]), 1e-6, &what);
        let sums = features.sum_dim_intlist(0, false, Kind::Double);
        assert_near(&values(&sums), &floats(&expected["sums"]), 1e-4, &what);
    }
}

/// Loads a built-in data set with these settings.
fn load(spec: Value) -> (DataSpec, Loaded) {
    let spec: DataSpec = serde_json::from_value(spec).unwrap();
    let loaded = spec.load(&Cache::at("unused: it is in the binary"), &mut ()).unwrap();
    (spec, loaded)
}

fn to_f64(tensor: &Tensor) -> Tensor {
    tensor.to_kind(Kind::Double)
}
