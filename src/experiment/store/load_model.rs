//! Loads a trained model: settings from the trial's history, weights or tree from the file next to it.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use tch::{Device, Tensor};

use crate::classical::tree::Tree;
use crate::config::hint::{Hint, into_error};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::{DatasetInfo, Rows};
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::plan::{Model, Plan};
use crate::experiment::run::test_metrics;
use crate::experiment::spec::source_text::{SpecError, reparse};
use crate::experiment::spec::{Spec, data_paths};
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::preprocessing_file;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::trial_data::TrialData;
use crate::history::number::count;
use crate::history::test_record::{TestRecord, ThresholdRecord};
use crate::history::{History, Status};
use crate::metrics::threshold::ChosenThreshold;
use crate::network::layer::Layer;
use crate::network::layer::sequence::check_ids;
use crate::network::stack::Stack;
use crate::network::state_dict;
use crate::tensor::predictor::Predictor;
use crate::train::evaluate;
use crate::train::kept_weights::Keep;

/// The trained model of a trial.
#[derive(Debug)]
pub struct TrainedModel {
    /// The plan that it was trained with.
    pub plan: Plan,
    /// Columns, classes and preprocessing of its data, without the rows; `None` if the run did not store them.
    pub data: Option<FittedData>,
    fitted: FittedModel,
    /// Index of the positive class of a binary target, otherwise 1.
    pub positive: usize,
    /// The decision threshold of its test, if one was chosen.
    threshold: Option<ChosenThreshold>,
    device: Device,
}

/// The fitted model.
#[derive(Debug)]
enum FittedModel {
    Network(Box<(NetworkPlan, Stack)>),
    Tree(Tree),
}

impl TrainedModel {
    /// Rebuilds the model and loads its weights or tree.
    ///
    /// # Errors
    /// When the trial diverged, its settings can no longer be used, or the file is missing, damaged or of another
    /// model.
    pub fn load(trial: &SavedTrial, device: Device) -> anyhow::Result<TrainedModel> {
        let (history, stem) = (&trial.history, trial.stem());
        if history.status == Status::Diverged {
            let hint = "train again with a smaller learning rate: `runner exp … --set train.optimizer.….lr=…`";
            return Err(
                anyhow!("trial `{stem}` diverged: its weights cannot predict anything").context(Hint(hint.to_owned()))
            );
        }
        if history.network.is_none() && history.tree.is_none() {
            let hint = "fit it again with `runner exp`".to_owned();
            return Err(anyhow!("trial `{stem}` was interrupted before its tree was fitted").context(Hint(hint)));
        }
        let folder = trial.file.parent().unwrap_or(Path::new(""));
        let data = preprocessing_file::read_for_trial(folder, history)?;
        let info = data.as_ref().map(|data| data.info.clone());
        let plan = rebuild_plan(history, info, folder)
            .with_context(|| format!("failed to rebuild the network of `{stem}`"))?;
        let (file, what) = match &plan.model {
            Model::Network(_) => (trial.weights(), "weights"),
            Model::Tree(_) => (trial.tree(), "splits"),
        };
        if !file.exists() {
            let hint = format!("put the file back next to its history, `{}`", trial.file.display());
            return Err(
                anyhow!("the {what} of `{stem}` are missing: there is no `{}`", file.display()).context(Hint(hint))
            );
        }
        let damaged = "train again with `runner exp`: the file is damaged or belongs to another model";
        let fitted = match &plan.model {
            Model::Network(network) => check_file_size(&file, network.architecture.parameters()).and_then(|()| {
                let stack = network.architecture.build(&[history.seed], device)?;
                state_dict::load(&stack, 0, &file).map(|()| FittedModel::Network(Box::new((*network.clone(), stack))))
            }),
            Model::Tree(_) => Tree::read(&file).and_then(|tree| check_tree(tree, &plan)).map(FittedModel::Tree),
        };
        let fitted = fitted
            .with_context(|| format!("failed to load the {what} of `{stem}`"))
            .context(Hint(damaged.to_owned()))?;
        let threshold = history.test.as_ref().and_then(|test| test.threshold.as_ref());
        let threshold =
            threshold.map(read_threshold).transpose().with_context(|| format!("failed to read `{stem}`"))?;
        Ok(TrainedModel { plan, data, fitted, positive: history.data.positive_index(), threshold, device })
    }

    /// The decision threshold of the positive class, if one was chosen.
    pub fn threshold(&self) -> Option<f64> {
        self.threshold.as_ref().map(|choice| choice.value)
    }

    /// Whether the best or the last weights were kept; `None` for a tree, which has no epochs.
    pub fn keep(&self) -> Option<Keep> {
        self.plan.network().map(|network| network.train.keep)
    }

    /// Returns loss, metrics and confusion matrix on preprocessed rows; with `at_threshold`, at the threshold that was
    /// chosen for its test.
    pub fn test(&self, data: &TrialData, rows: &Rows, at_threshold: bool) -> TestRecord {
        let choice = self.threshold.clone().filter(|_| at_threshold);
        let (network, stack) = match &self.fitted {
            FittedModel::Network(network) => &**network,
            FittedModel::Tree(tree) => return test_metrics::tree_record(&self.plan, tree, rows, self.positive, choice),
        };
        let truth = data.fitted_targets.to_device(self.device).unsqueeze(0);
        let measure = test_metrics::measure(network, &[&network.train], self.plan.info.target, &truth, self.positive);
        self.check_ids(&rows.features);
        let rows = evaluate::on_device(rows, None, &network.train.loss, network.outputs(), self.device);
        test_metrics::test_records(stack, &rows, &measure, network.train.keep, &[choice]).remove(0)
    }

    /// Computes the outputs for preprocessed rows: `[rows, …sample]` f32 → `[rows, outputs]` f64, on the CPU.
    pub fn outputs(&self, features: &Tensor) -> Tensor {
        let predictor: &dyn Predictor = match &self.fitted {
            FittedModel::Network(network) => &network.1,
            FittedModel::Tree(tree) => tree,
        };
        self.check_ids(features);
        predictor.outputs(features)
    }

    /// Checks that rows are ids in the vocabulary of the first layer, before they move to a GPU, where nothing checks them.
    fn check_ids(&self, features: &Tensor) {
        let first = self.plan.network().and_then(|network| network.layers.first());
        if let Some(tokens) = first.and_then(Layer::input_tokens).filter(|_| self.device != Device::Cpu) {
            check_ids(features, tokens as i64);
        }
    }
}

/// Reads the recorded threshold.
fn read_threshold(record: &ThresholdRecord) -> anyhow::Result<ChosenThreshold> {
    let by = serde_json::from_value(record.by.clone()).context("its threshold was chosen by an unknown rule")?;
    Ok(ChosenThreshold { by, value: record.value, validation: record.validation.clone() })
}

/// Checks that a weights file is large enough for this number of parameters before memory is allocated: a damaged
/// history may state any number.
fn check_file_size(weights: &Path, parameters: usize) -> anyhow::Result<()> {
    let found = std::fs::metadata(weights).with_context(|| format!("failed to read `{}`", weights.display()))?.len();
    let wanted = parameters as u64 * 4;
    ensure!(
        found >= wanted,
        "`{}` is damaged: it has {} bytes, but the {} parameters in its history need {}",
        weights.display(),
        count(found as usize),
        count(parameters),
        count(wanted as usize)
    );
    Ok(())
}

/// Checks that a tree fits the data of its plan.
fn check_tree(tree: Tree, plan: &Plan) -> anyhow::Result<Tree> {
    let (features, classes) = (plan.info.sample.elements(), plan.info.target.outputs());
    ensure!(
        (tree.features, tree.classes) == (features, classes),
        "it is a tree of {} features and {} classes, but the data have {features} and {classes}",
        tree.features,
        tree.classes
    );
    Ok(tree)
}

/// Rebuilds the plan of a history whose run directory is `folder`. `info` describes its data; without it, the data are
/// read.
///
/// # Errors
/// When its settings or its data cannot be read.
pub fn rebuild_plan(history: &History, info: Option<DatasetInfo>, folder: &Path) -> anyhow::Result<Plan> {
    let mut spec: Spec = reparse(history.config.clone(), None).map_err(|SpecError { message, hint }| {
        let hint = hint.unwrap_or_else(|| "use the version of runner that wrote the history".to_owned());
        anyhow!("its settings cannot be read: {message}").context(Hint(hint))
    })?;
    let is_resolved = spec.train.as_ref().is_none_or(|train| train.schedule.is_resolved());
    // expectations are not part of the network
    let record = RunRecord::read(folder);
    spec.set_module_copies(record.as_ref().map_or(&[], |record| &record.modules));
    if spec.data.paths_mut().into_iter().any(|(_, path)| Path::new(path).is_relative() || !Path::new(path).exists()) {
        let bases = record.map(|record| record.folders()).unwrap_or_default();
        data_paths::relocate(&mut spec, &bases, &std::env::current_dir().unwrap_or_default());
    }
    let spec = Spec { expect: Vec::new(), ..spec };
    let plan = match info {
        Some(info) => Plan::with_dataset(&history.experiment, &history.variant, spec, info),
        None => Plan::new(&history.experiment, &history.variant, spec),
    }
    .map_err(into_error)?;
    Ok(if is_resolved { plan } else { plan.with_constant_momentum() })
}
