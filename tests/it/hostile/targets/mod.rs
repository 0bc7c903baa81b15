//! What becomes of bytes that anybody may have written: one function for each of our parsers, which takes it as far as
//! the program would. None of them may panic, take more memory than its input accounts for, or go on for seconds.
//!
//! The fuzz targets (`fuzz/`) and the tests beside this file call the same functions: what a fuzzer found stays found by
//! the tests, which need no nightly compiler.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use runner::classical::tree::Tree;
use runner::compare::comparison::{self, compare};
use runner::compare::find::find;
use runner::compare::group::Group;
use runner::compare::trial::Axis;
use runner::compare::{caution, settings};
use runner::data::image_file::{self, Invert};
use runner::data::inspect::describe::{describe, describe_table};
use runner::data::prepare::batches::DeviceRows;
use runner::data::prepare::fitted_data::FittedData;
use runner::data::prepare::prepared::Prepared;
use runner::data::source::DataSpec;
use runner::data::source::mnist_csv::idx_from_csv;
use runner::data::store::cache::Cache;
use runner::data::store::checksum::sha256;
use runner::data::store::fetch;
use runner::data::store::manifest::{DataFile, Manifest};
use runner::data::table::Table;
use runner::data::table::external_table::Truth;
use runner::data::table::form::{Form, ImageSize};
use runner::data::table::reading::{Reading, TextColumns};
use runner::data::table::recognize::dates::DateColumn;
use runner::data::table::recognize::number_format::NumberFormat;
use runner::experiment::plan::Plan;
use runner::experiment::plan::study::Study;
use runner::experiment::run::checkpointing::Found;
use runner::experiment::run::test_metrics::measure;
use runner::experiment::spec::source_text::SourceText;
use runner::experiment::store::find::SavedRun;
use runner::experiment::store::load_model::Saved;
use runner::experiment::store::preprocessing_file::PreprocessingFile;
use runner::experiment::store::run_record::{Program, RunRecord};
use runner::export;
use runner::network::init::Init;
use runner::network::layer::Layer;
use runner::network::stack::{Architecture, Stack};
use runner::network::state_dict;
use runner::plot::charts::{curves, dots, layers, run_figures, thresholds};
use runner::plot::draw::page::Size;
use runner::report::page;
use runner::tensor::predictor::Predictor;
use runner::tensor::shape::Shape;
use runner::train::checkpoint::file::{decode, encode};
use runner::train::checkpoint::{Checkpoint, Keeper, State};
use runner::train::evaluate::on_device;
use runner::train::fit::fit;
use runner::train::task::Task;
use serde::Deserialize;
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};
use tempfile::TempDir;

/// A target's name, which is that of its corpus, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: [Target; 13] = [
    ("history", history),
    ("weights", weights),
    ("experiment", experiment),
    ("table", table),
    ("idx", idx),
    ("picture", picture),
    ("foreign", foreign),
    ("events", events),
    ("tree", tree),
    ("archive", archive),
    ("checkpoint", checkpoint),
    ("run_record", run_record),
    ("preprocessing", preprocessing),
];

thread_local! {
    /// A folder in memory, where there is one.
    static PLACE: TempDir = {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        TempDir::with_prefix_in("runner-hostile-", folder).expect("a folder can be made")
    };
    static TRAINING_OF_FOUR_EPOCHS: Training = Training::new();
    /// The checkpoint of its second epoch.
    static SOUND: Checkpoint = TRAINING_OF_FOUR_EPOCHS.with(|training| {
        let kept = training.goes_on_from(None).expect("nothing is in its way");
        kept.expect("it is kept after the second epoch")
    });
    static NETWORK: Stack = {
        let layers = json!([{ "linear": 4 }, { "batch_norm": {} }, "relu", { "linear": 2 }]);
        let layers: Vec<Layer> = serde_json::from_value(layers).expect("four layers");
        let network = Architecture::follow(&layers, Init::Pytorch, &Shape::from([3])).expect("they fit");
        network.build(&[0], Device::Cpu)
    };
}

/// A training of four epochs on four rows, with all that a checkpoint holds something of.
const TRAINING: &str = r#"title = "Four epochs"
seeds = [0, 1]
[data.logic]
gate = "xor"
[network]
layers = [{ linear = 3 }, { batch_norm = {} }, "relu", { dropout = 0.1 }, { linear = 2 }]
[train]
epochs = 4
batch = 2
loss = "cross_entropy"
optimizer = { adam = { lr = 0.1 } }
schedule = { reduce_on_plateau = { patience = 1, monitor = "loss" } }
early_stopping = { patience = 3, monitor = "loss" }
"#;

/// What a training is made of.
struct Training {
    plan: Plan,
    rows: DeviceRows,
}

impl Training {
    fn new() -> Training {
        let name = || "training".to_owned();
        let source = SourceText { name: name(), origin: name(), text: TRAINING.to_owned(), folder: None };
        let plan = Study::new(&source, &[]).unwrap_or_else(|error| panic!("{error}")).plans.remove(0);
        let loaded = plan.spec.data.load(&Cache::at("nowhere"), &mut ()).expect("the points are in the program");
        let prepared = Prepared::new(&loaded, &plan.spec.data.split(), plan.spec.data.scale()).expect("they are sound");
        let network = plan.network().expect("it is one");
        let rows = on_device(prepared.training.rows(), &network.train.loss, network.outputs(), Device::Cpu);
        let rows = DeviceRows::of_folds(vec![rows], &vec![0; plan.spec.seeds.len()]);
        Training { plan, rows }
    }

    /// Trains to the end, from a checkpoint where there is one. The last one that was kept comes back.
    fn goes_on_from(&self, checkpoint: Option<Checkpoint>) -> anyhow::Result<Option<Checkpoint>> {
        struct Last(Option<Checkpoint>, Option<Checkpoint>);
        impl Keeper for Last {
            fn resumes_from(&mut self) -> Option<Checkpoint> {
                self.0.take()
            }
            fn is_due(&mut self, epoch: usize) -> bool {
                epoch == 2
            }
            fn keep(&mut self, checkpoint: &Checkpoint) -> Option<String> {
                self.1 = Some(copy(checkpoint));
                None
            }
            fn keep_last(&mut self, checkpoint: &Checkpoint) -> Option<String> {
                self.keep(checkpoint)
            }
        }
        let network = self.plan.network().expect("it is one");
        let (train, seeds) = (&network.train, &self.plan.spec.seeds);
        let target = self.plan.card.target;
        let stack = network.architecture.build(seeds, Device::Cpu);
        let measure = measure(network, target, &self.rows.of_each_replica(&self.rows.truth, seeds.len()), 1);
        let task = Task {
            settings: train,
            measure: &measure,
            monitor: train.monitored(false, target),
            seeds,
            optimizers: &vec![&train.optimizer; seeds.len()],
            training: &self.rows,
            validation: None,
            layers: &network.spec.layers,
            device: Device::Cpu,
            threads: 1,
        };
        let mut keeper = Last(checkpoint, None);
        let outcomes = fit(&stack, &task, &AtomicBool::new(false), &mut keeper, &mut ())?;
        assert!(outcomes.iter().all(|outcome| outcome.curves.len() <= train.epochs));
        Ok(keeper.1)
    }
}

/// The same in memory of its own.
fn copy(checkpoint: &Checkpoint) -> Checkpoint {
    let tensors = checkpoint.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.copy())).collect();
    Checkpoint { state: checkpoint.state.clone(), tensors }
}

/// The path of a file in the folder that holds these bytes.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PLACE.with(|place| place.path().join(name));
    std::fs::write(&path, bytes).expect("the folder can be written to");
    path
}

/// A history of ours: read, rebuilt into its plan, exported, compared with another, drawn and reported.
pub fn history(bytes: &[u8]) {
    let other = file("other.json", include_bytes!("../../../../fuzz/corpus/history/mlp_xor.json"));
    let path = file("base-seed0.json", bytes);
    if let Ok(run) = SavedRun::find(&path.to_string_lossy(), Path::new("nowhere")) {
        let _ = Saved::load(&run.trials[0], Device::Cpu); // there are no weights; the plan is made before
        let trials: Vec<export::files::Trial> = run
            .trials
            .iter()
            .map(|trial| export::files::Trial { stem: trial.stem(), history: &trial.history })
            .collect();
        for format in [export::Format::TensorBoard, export::Format::Csv, export::Format::Keras] {
            for file in format.files(&trials).into_iter().flatten() {
                assert!(file.path.is_relative() && !file.path.starts_with(".."), "{}", file.path.display());
            }
        }
        let histories: Vec<_> = run.trials.into_iter().map(|trial| trial.history).collect();
        run_figures::draw(&histories).into_iter().filter_map(|(_, drawn)| drawn.ok()).for_each(|drawn| {
            drawn.svg.finish();
        });
    }
    looked_at(&[&other, &path]);
}

/// What the commands that look at histories do with these.
fn looked_at(paths: &[&Path]) {
    let names: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let Ok(found) = find(&names, Path::new("nowhere")) else { return };
    page::html(&found);
    let groups: &[Group] = &found.groups;
    if groups.len() > 1 {
        let asked = comparison::Asked::default();
        let _ = compare(groups, &asked).map(|comparison| serde_json::to_string(&comparison).expect("it is laid out"));
    }
    caution::of(groups, true);
    settings::differing(groups);
    for x in [Axis::Epoch, Axis::Step, Axis::Seconds] {
        let _ = curves::draw(groups, &curves::Options { x, ..curves::Options::default() }).map(|it| it.svg.finish());
        let _ = layers::draw(groups, &layers::Options { x, ..layers::Options::default() }).map(|it| it.svg.finish());
    }
    let _ = thresholds::draw(groups, Size::default()).map(|drawn| drawn.svg.finish());
    let _ = dots::draw(groups, None, Size::default()).map(|drawn| drawn.svg.finish());
}

/// Weights for a small network with batch normalization.
pub fn weights(bytes: &[u8]) {
    let path = file("weights.safetensors", bytes);
    NETWORK.with(|network| {
        let _ = state_dict::load(network, 0, &path);
    });
}

/// An experiment, checked whole; behind each byte 1 stands a `--set`.
pub fn experiment(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\u{1}');
    let text = parts.next().unwrap_or_default().to_owned();
    let changes: Vec<String> = parts.map(str::to_owned).collect();
    let source = SourceText { name: "fuzzed".to_owned(), origin: "fuzzed.toml".to_owned(), text, folder: None };
    if let Ok(study) = Study::new(&source, &changes) {
        let resolved = SourceText { text: study.spec.to_toml(), ..source };
        let again = resolved.parse().unwrap_or_else(|error| panic!("{error}\n{}", resolved.text));
        assert!(again == study.spec, "it is not read back as it was written:\n{}", resolved.text);
    }
}

/// A table: as data to train on, whose last column is the target, and as one that is given to a trained network. The first
/// byte says what separates fields, the second how the table is taken.
pub fn table(bytes: &[u8]) {
    let [separator, how, text @ ..] = bytes else { return };
    let separator = [',', ';', '\t', ' '].get(usize::from(*separator)).copied().unwrap_or(char::from(*separator));
    let path = file("table.csv", text);
    let _ = idx_from_csv(text.to_vec());
    let Ok(read) = Table::from_csv(text, separator) else { return };
    describe_table("table", &read, String::new(), read.columns.last());
    read_otherwise(text, separator, &read);
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
    let Ok(card) = data.card() else { return };
    let checked = data.check(&card).is_ok();
    let Ok(loaded) = data.load(&Cache::at("nowhere"), &mut ()) else { return };
    describe("table", &loaded);
    if checked {
        let _ = Prepared::new(&loaded, &data.split(), data.scale());
    }
    if let Form::Table(form) = &loaded.form {
        let _ = form.read(&read, &loaded.classes, Truth::WhereThere);
        let _ = form.read(&read, &loaded.classes, Truth::Required);
    }
}

/// The same table with other readings of its fields.
fn read_otherwise(text: &[u8], separator: char, read: &Table) {
    let first = read.columns[0].name.clone();
    let numbers = NumberFormat { decimal: ',', thousands: Some('.') };
    let dates = vec![DateColumn { name: first.clone(), format: None }];
    let plain = Reading::new(separator);
    for reading in [
        Reading { text: TextColumns::All, ..plain.clone() },
        Reading { numbers, missing_values: Some(vec!["1".to_owned()]), ..plain.clone() },
        Reading { dates, ..plain.clone() },
    ] {
        if let Ok(table) = Table::read(text, &reading) {
            describe_table("table", &table, String::new(), table.columns.last());
        }
    }
    // read at once or by way of text, the first column has the same categories
    let all = Reading { text: TextColumns::All, ..plain.clone() };
    let named = Reading { text: TextColumns::Named(vec![first]), ..plain };
    let categories = |reading| Table::read(text, reading).map(|table| table.columns[0].categories());
    if let (Ok(all), Ok(named)) = (categories(&all), categories(&named)) {
        assert_eq!(all, named); // quotes amid a header are read at once only
    }
}

/// Images and labels in the IDX format. The first two bytes say how many of the others are the images' file.
pub fn idx(bytes: &[u8]) {
    let [high, low, rest @ ..] = bytes else { return };
    let (images, labels) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
    let (images, labels) = (file("images", images), file("labels", labels));
    for flatten in [true, false] {
        let data = json!({ "idx": { "images": images, "labels": labels, "flatten": flatten, "scale": "unit" } });
        let data: DataSpec = serde_json::from_value(data).expect("it is one");
        let Ok(card) = data.card() else { return };
        let checked = data.check(&card).is_ok();
        let Ok(loaded) = data.load(&Cache::at("nowhere"), &mut ()) else { return };
        describe("images", &loaded);
        if checked {
            let _ = Prepared::new(&loaded, &data.split(), data.scale());
        }
    }
}

/// A picture for a network that takes images of 8×8 pixels, or of 28×28.
pub fn picture(bytes: &[u8]) {
    let path = file("picture", bytes);
    for side in [8, 28] {
        let size = ImageSize { height: side, width: side };
        if let Ok(picture) = image_file::read(&path, size, Invert::Auto, true) {
            assert_eq!(picture.pixels.len(), side * side);
        }
    }
}

/// A history that another program wrote: the first byte says whether its name ends in `.json` or `.csv`.
pub fn foreign(bytes: &[u8]) {
    let [ending, text @ ..] = bytes else { return };
    let path = file(if ending % 2 == 0 { "log.json" } else { "log.csv" }, text);
    looked_at(&[&path]);
}

/// An event file of TensorBoard: as it is, or (where the first byte is odd) cut into records whose check sums are right,
/// each behind a byte that says how long it is.
pub fn events(bytes: &[u8]) {
    let [how, rest @ ..] = bytes else { return };
    let mut framed = Vec::new();
    if how % 2 == 0 {
        framed.extend_from_slice(rest);
    } else {
        let masked = |bytes: &[u8]| crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
        let mut rest = rest;
        while let [length, behind @ ..] = rest {
            let (record, behind) = behind.split_at(usize::from(*length).min(behind.len()));
            let length = (record.len() as u64).to_le_bytes();
            framed.extend([&length[..], &masked(&length), record, &masked(record)].concat());
            rest = behind;
        }
    }
    looked_at(&[&file("events.out.tfevents.1", &framed)]);
}

/// A decision tree, asked what it makes of some rows.
pub fn tree(bytes: &[u8]) {
    const MOST_FEATURES: usize = 1000;
    let path = file("base-seed0.tree.json", bytes);
    let Ok(tree) = Tree::read(&path) else { return };
    tree.importances();
    tree.record(&[]);
    assert!(tree.leaves() <= tree.nodes() && tree.depth() <= tree.nodes());
    if tree.features() <= MOST_FEATURES {
        let rows = Tensor::arange(3 * tree.features() as i64, (Kind::Float, Device::Cpu)) - 5.0;
        let outputs = tree.outputs(&rows.view([3, tree.features() as i64]));
        assert_eq!(outputs.size(), [3, tree.classes() as i64]);
    }
}

/// A file that is taken for one of a data set's, packed or not, and as a wheel whose checksum held.
pub fn archive(bytes: &[u8]) {
    const TABLE: &[u8] = b"x,y\n1,2\n";
    let mut manifest = Manifest::named("creditcard").expect("it is known");
    manifest.name = "small".to_owned();
    let wanted = DataFile { name: "table.csv".to_owned(), bytes: TABLE.len() as u64, sha256: sha256(TABLE) };
    manifest.files = vec![wanted];
    let cache = Cache::at(PLACE.with(|place| place.path().join("cache")));
    if fetch::take(&manifest, &cache, &file("copy", bytes)).is_ok() {
        assert_eq!(cache.read(&manifest, &manifest.files[0]).expect("it was just taken"), TABLE);
    }
    let _ = fetch::members_of(bytes.to_vec(), &["table.csv".to_owned()], 1 << 20);
}

/// What stands in a checkpoint beside the tensors, as far as training needs it.
#[derive(Deserialize)]
struct Kept {
    training: State,
}

/// A checkpoint that training goes on from. As it is (where the first byte is even), or with a checksum that is right: two
/// bytes say how long its JSON is, and the rest is written into the tensors of a sound one; the first byte says what else
/// is done to them.
pub fn checkpoint(bytes: &[u8]) {
    let [how, rest @ ..] = bytes else { return };
    let file = match how % 2 {
        0 => rest.to_vec(),
        _ => {
            let [high, low, rest @ ..] = rest else { return };
            let (state, values) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
            let Checkpoint { state: of_sound, mut tensors } = SOUND.with(copy);
            let state: Value = match state {
                [] => json!({ "training": of_sound }),
                state => match serde_json::from_slice(state) {
                    Ok(state) => state,
                    Err(_) => return,
                },
            };
            let place = usize::from(how >> 4) % tensors.len();
            overwrite(&tensors[place].1, values);
            match (how >> 1) % 8 {
                1 => drop(tensors.remove(place)),
                2 => tensors[place].0.push('x'),
                3 => tensors[place].1 = tensors[place].1.to_kind(Kind::Int64),
                4 => tensors[place].1 = tensors[place].1.flatten(0, -1),
                5 => tensors.push(("memory.9".to_owned(), Tensor::from_slice(&[1.0_f32]))),
                6 => tensors[place].1 = tensors[place].1.narrow(0, 0, 1).copy(),
                _ => {}
            }
            encode(&state, &tensors).expect("it is JSON, with tensors of floats and whole numbers")
        }
    };
    let _ = Found::of_bytes(&file).map(|found| (found.epoch(), found.seconds()));
    if let Ok((Kept { training: state }, tensors)) = decode(&file) {
        TRAINING_OF_FOUR_EPOCHS.with(|training| {
            let _ = training.goes_on_from(Some(Checkpoint { state, tensors }));
        });
    }
}

/// Writes bytes over the beginning of a tensor.
fn overwrite(tensor: &Tensor, bytes: &[u8]) {
    if tensor.kind() == Kind::Float {
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four bytes"))).collect();
        let count = values.len().min(tensor.numel());
        let _no_grad = tch::no_grad_guard();
        tensor.view(-1).narrow(0, 0, count as i64).copy_(&Tensor::from_slice(&values[..count]));
    }
}

/// What was fitted in a run: checked, and applied to a new row of a table.
pub fn preprocessing(bytes: &[u8]) {
    let Ok(file) = PreprocessingFile::of_json(bytes) else { return };
    for entry in file.fitted {
        let Ok(data) = FittedData::of_record(entry.fitted) else { continue };
        let Form::Table(form) = &data.form else { continue };
        let columns = &form.encoding.columns;
        let line = |texts: Vec<&str>| texts.join(&form.reading.separator.to_string());
        let names = line(columns.iter().map(|column| column.name.as_str()).collect());
        let first = |categories: &[String]| categories.first().cloned().unwrap_or_else(|| "1.5".to_owned());
        let values: Vec<String> = columns.iter().map(|column| first(column.categories())).collect();
        let row = line(values.iter().map(String::as_str).collect());
        let Ok(table) = Table::read(format!("{names}\n{row}\n").as_bytes(), &form.reading) else { continue };
        let Ok(given) = form.read(&table, &data.classes, Truth::WhereThere) else { continue };
        if let Ok(features) = data.preprocessing.features(given.features, "new") {
            assert_eq!(features.size()[1] as usize, data.card.sample.elements());
        }
    }
}

/// The record of a run, and the experiment in it.
pub fn run_record(bytes: &[u8]) {
    let Ok(record) = RunRecord::of_json(bytes) else { return };
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
    assert!(RunRecord::of_json(json.as_bytes()).expect("it is read back") == record, "{json}");
}
