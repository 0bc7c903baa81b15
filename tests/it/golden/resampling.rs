//! Resampled training rows equal those of imbalanced-learn.

use runner::data::resample::Resample;
use runner::data::{Rows, Training};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use super::fixture::{assert_near, floats, load_fixture, rows, shape_of, values};

/// The sampler of a case, with the names that `runner` uses.
fn sampler(case: &Value) -> Resample {
    let mut options = case["options"].clone();
    if let Some(ratio) = options.as_object_mut().unwrap().remove("sampling_strategy") {
        options["ratio"] = ratio;
    }
    serde_json::from_value(json!({ case["sampler"].as_str().unwrap(): options })).unwrap()
}

#[test]
fn every_sampler_returns_the_rows_of_imbalanced_learn() {
    let fixture = load_fixture("resampling");
    let cases = fixture["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 40);
    let mut changed = 0;
    for case in cases {
        let table = &fixture["tables"][case["table"].as_str().unwrap()];
        let features = Tensor::from_slice(&floats(&table["x"])).view(&shape_of(&table["x"])[..]);
        let classes: Vec<i64> = rows(&table["y"]).into_iter().map(|class| class as i64).collect();
        let training = Training::from(Rows::new(features, Tensor::from_slice(&classes)));
        let what = format!("{} {} {}", case["table"], case["sampler"], case["options"]);
        let resampled =
            training.resample(&sampler(case), &[], Device::Cpu).unwrap_or_else(|fault| panic!("{what}: {fault}"));
        let found = resampled.rows();
        assert_eq!(found.features.kind(), Kind::Double);
        assert_near(&values(&found.targets), &floats(&case["y"]), 0.0, &what);
        assert_near(&values(&found.features), &floats(&case["x"]), 1e-12, &what);
        changed += usize::from(found.len() != classes.len());
    }
    assert!(changed >= 36, "samplers that changed the rows: {changed}");
}
