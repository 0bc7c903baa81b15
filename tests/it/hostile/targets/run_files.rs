//! The other files of a run: weights, experiment, trees, preprocessing and record.

use runner::classical::tree::Tree;
use runner::data::prepare::fitted_data::FittedData;
use runner::data::table::Table;
use runner::data::table::external_table::{Truth, Unknown};
use runner::data::table::form::Form;
use runner::experiment::plan::study::Study;
use runner::experiment::spec::source_text::SourceText;
use runner::experiment::store::history_fields::Program;
use runner::experiment::store::preprocessing_file::PreprocessingFile;
use runner::experiment::store::run_record::RunRecord;
use runner::network::NetworkSpec;
use runner::network::init::Init;
use runner::network::stack::{Architecture, Stack};
use runner::network::state_dict;
use runner::tensor::predictor::Predictor;
use runner::tensor::shape::Shape;
use serde_json::json;
use tch::{Device, Kind, Tensor};

use super::folder::file;

thread_local! {
    static NETWORK: Stack = {
        let layers = json!([{ "linear": 4 }, { "batch_norm": {} }, "relu", { "linear": 2 }]);
        let spec: NetworkSpec = serde_json::from_value(json!({ "layers": layers })).expect("four layers");
        let network = Architecture::follow(&spec.layers, Init::Pytorch, &Shape::from([3])).expect("the layers fit");
        network.build(&[0], Device::Cpu).unwrap()
    };
}

/// Weights for a small network with batch normalization.
pub fn weights(bytes: &[u8]) {
    let path = file("weights.safetensors", bytes);
    NETWORK.with(|network| {
        let _ = state_dict::load(network, 0, &path);
    });
}

/// A complete check of an experiment. Each byte 1 starts a `--set` argument.
pub fn experiment(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\u{1}');
    let text = parts.next().unwrap_or_default().to_owned();
    let changes: Vec<String> = parts.map(str::to_owned).collect();
    let source =
        SourceText { name: "fuzzed".to_owned(), origin: "fuzzed.toml".to_owned(), text, ..SourceText::default() };
    if let Ok(study) = Study::new(&source, &changes) {
        let resolved = SourceText { text: study.spec.to_toml(), ..source };
        let again = resolved.parse().unwrap_or_else(|error| panic!("{error}\n{}", resolved.text));
        assert!(again == study.spec, "the text changed after reading it again:\n{}", resolved.text);
    }
}

/// A decision tree and its predictions for some rows.
pub fn tree(bytes: &[u8]) {
    const MOST_FEATURES: usize = 1000;
    let path = file("base-seed0.tree.json", bytes);
    let Ok(tree) = Tree::read(&path) else { return };
    tree.importances();
    tree.record(&[]);
    assert!(tree.leaves() <= tree.nodes() && tree.depth() <= tree.nodes());
    if tree.features <= MOST_FEATURES {
        let rows = Tensor::arange(3 * tree.features as i64, (Kind::Float, Device::Cpu)) - 5.0;
        let outputs = tree.outputs(&rows.view([3, tree.features as i64]));
        assert_eq!(outputs.size(), [3, tree.classes as i64]);
    }
}

/// Fitted preprocessing: checked, and applied to a new row of a table.
pub fn preprocessing(bytes: &[u8]) {
    let Ok(file) = PreprocessingFile::parse(bytes) else { return };
    for entry in file.fitted {
        let Ok(data) = FittedData::from_record(entry.fitted) else { continue };
        let Form::Table(form) = &data.form else { continue };
        let columns = &form.encoding.columns;
        let line = |texts: Vec<&str>| texts.join(&form.reading.separator.to_string());
        let names = line(columns.iter().map(|column| column.name.as_str()).collect());
        let first = |categories: &[String]| categories.first().cloned().unwrap_or_else(|| "1.5".to_owned());
        let values: Vec<String> = columns.iter().map(|column| first(column.categories())).collect();
        let row = line(values.iter().map(String::as_str).collect());
        let Ok(table) = Table::read(format!("{names}\n{row}\n").as_bytes(), &form.reading) else { continue };
        let Ok(given) = form.read(&table, &data.classes, Truth::Optional, Unknown::Error) else { continue };
        if let Ok(features) = data.preprocessing.features(given.features, "new") {
            assert_eq!(features.size()[1] as usize, data.info.sample.elements());
        }
    }
}

/// The record of a run, and the experiment in it.
pub fn run_record(bytes: &[u8]) {
    let Ok(record) = RunRecord::parse(bytes) else { return };
    let _ = record.started();
    if let Ok(study) = record.study() {
        record.is_of(&study);
    }
    let trials: usize = record.stacks().map(|stack| stack.trials.len()).sum();
    assert!(record.done() <= trials);
    record.program.differences(&Program::this());
    for stack in record.groups.iter().flat_map(|group| &group.stacks) {
        for trial in &stack.trials {
            assert!(!trial.stem().contains('/') && !trial.stem().starts_with('.'), "{}", trial.stem());
        }
    }
    let json = record.to_json().expect("a record is JSON");
    assert!(RunRecord::parse(json.as_bytes()).expect("the record can be read again") == record, "{json}");
}
