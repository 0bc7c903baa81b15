//! A plan: an experiment that was checked completely before training.
//!
//! Checked are names, ranges, shapes, the match of loss, output and target, and the monitored metric. Code that runs a
//! plan does not check them again. Expectations can concern several plans, so the study checks them.

use std::collections::BTreeSet;

use crate::classical::decision_tree::TreeSpec;
use crate::config::check::{Invalid, refuse, require};
use crate::data::resample::Resample;
use crate::data::{DatasetInfo, Target};
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::plan::positive_class;
use crate::experiment::spec::{ModelName, Spec, missing_keys};
use crate::history::provenance::Provenance;
use crate::metrics::score::{ClassScore, Score};
use crate::metrics::{self, Metric};
use crate::network::initial_weights::InitialWeights;
use crate::network::layer::Layer;
use crate::network::torchscript::TorchScript;
use crate::train::TrainSpec;
use crate::train::loss::Loss;

/// Variant name of an experiment without variants.
pub const BASE: &str = "base";

/// A checked experiment, or one of its variants.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The experiment's name.
    pub name: String,
    /// The variant's name; [`BASE`] if the experiment has no variants.
    pub variant: String,
    /// Its settings.
    pub spec: Spec,
    /// The model that is fitted to the training rows.
    pub model: Model,
    /// Description of its data set.
    pub info: DatasetInfo,
    /// The command and settings that asked for this plan; `None` if it was rebuilt from a history.
    pub asked: Option<Provenance>,
}

/// The model that is fitted to the training rows.
#[derive(Clone, Debug)]
pub enum Model {
    /// A neural network.
    Network(Box<NetworkPlan>),
    /// A decision tree.
    Tree(TreeSpec),
}

impl Plan {
    /// Reads the description of the data set and checks an experiment.
    ///
    /// # Errors
    /// The first invalid setting, with its full key.
    pub fn new(name: &str, variant: &str, spec: Spec) -> Result<Plan, Invalid> {
        let info = spec.data.info().map_err(|fault| fault.under("data"))?;
        Plan::with_dataset(name, variant, spec, info)
    }

    /// Checks an experiment whose data set has the description `info`.
    ///
    /// # Errors
    /// The first invalid setting, with its full key.
    pub fn with_dataset(name: &str, variant: &str, mut spec: Spec, info: DatasetInfo) -> Result<Plan, Invalid> {
        let distinct: BTreeSet<i64> = spec.seeds.iter().copied().collect();
        require(!spec.seeds.is_empty(), "seeds", "must contain at least one seed", "none")?;
        require(
            distinct.len() == spec.seeds.len(),
            "seeds",
            "must differ from each other",
            format!("{:?}", spec.seeds),
        )?;
        spec.data.check(&info).map_err(|fault| fault.under("data"))?;
        check_resampling(&spec, &info)?;
        positive_class::check(spec.positive.as_deref(), &info)?;
        spec.train.iter_mut().for_each(TrainSpec::resolve);
        let model = Model::new(&spec, &info)?;
        let plan = Plan { name: name.to_owned(), variant: variant.to_owned(), spec, model, info, asked: None };
        plan.check_threshold()?;
        Ok(plan)
    }

    /// The network; `None` for a tree.
    pub fn network(&self) -> Option<&NetworkPlan> {
        match &self.model {
            Model::Network(network) => Some(network),
            Model::Tree(_) => None,
        }
    }

    /// The trained weights that the network starts from, if they are not random.
    pub fn initial_weights(&self) -> Option<&InitialWeights> {
        self.network()?.spec.from.as_ref()
    }

    /// Sets the trained weights that the network starts from.
    pub fn set_initial_weights(&mut self, weights: &InitialWeights) {
        if let Model::Network(network) = &mut self.model {
            network.spec.from = Some(weights.clone());
        }
        self.spec.network.iter_mut().for_each(|network| network.from = Some(weights.clone()));
    }

    /// Whether this run was started by a version whose `one_cycle` schedule did not cycle the momentum.
    pub fn has_constant_momentum(&self) -> bool {
        self.spec.train.as_ref().is_some_and(|train| !train.schedule.is_resolved())
    }

    /// Returns the plan with a `one_cycle` schedule that leaves the momentum constant, as in older versions.
    pub fn with_constant_momentum(mut self) -> Plan {
        if let Model::Network(network) = &mut self.model {
            network.train.schedule.forget_momentum();
        }
        self.spec.train.iter_mut().for_each(|train| train.schedule.forget_momentum());
        self
    }

    /// Returns the TorchScript modules of network, loss and metrics, each with its key.
    pub fn modules(&self) -> Vec<(String, &TorchScript)> {
        let layers = self.network().map_or(&[][..], |network| &network.layers);
        let is_whole = self.network().is_some_and(|network| network.spec.torchscript.is_some());
        let of_layers = layers.iter().enumerate().filter_map(|(number, layer)| match layer {
            Layer::TorchScript(module) if is_whole => Some(("network.torchscript".to_owned(), module)),
            Layer::TorchScript(module) => Some((format!("network.layers.{number}.torchscript"), module)),
            _ => None,
        });
        let loss = self.network().and_then(|network| match &network.train.loss {
            Loss::TorchScript(module) => Some(("train.loss.torchscript".to_owned(), module)),
            _ => None,
        });
        let (table, metrics) = match &self.model {
            Model::Network(network) => ("train", &network.train.metrics),
            Model::Tree(tree) => ("tree", &tree.metrics),
        };
        let of_metrics = metrics::modules(metrics).map(|(key, module)| (format!("{table}.{key}"), module));
        of_layers.chain(loss).chain(of_metrics).collect()
    }

    /// Returns the metrics to compute.
    pub fn metrics(&self) -> Vec<Metric> {
        match &self.model {
            Model::Network(network) => network.train.metrics(self.info.target),
            Model::Tree(tree) if tree.metrics.is_some() => tree.metrics(),
            Model::Tree(tree) => {
                // those of the network of the same file, and those of test rows, so that both can be compared on validation rows
                let target = self.info.target;
                let of_network = self.spec.train.as_ref().map(|train| train.metrics(target)).unwrap_or_default();
                let classes = if let Target::Classes(classes) = target { Some(classes) } else { None };
                let all =
                    of_network.into_iter().chain(tree.metrics()).chain(Metric::test_defaults(classes).iter().cloned());
                all.fold(Vec::new(), |mut metrics, metric| {
                    if !metrics.contains(&metric) {
                        metrics.push(metric);
                    }
                    metrics
                })
            }
        }
    }

    /// Score of the positive class; `None` unless there are two classes.
    pub fn score(&self, positive: usize) -> Option<ClassScore> {
        Some(self.binary_score()?.for_class(positive))
    }

    /// How a class score is computed from the outputs; `None` unless there are two classes.
    fn binary_score(&self) -> Option<Score> {
        match &self.model {
            Model::Network(network) => {
                network.train.loss.score(network.output_kind(), self.info.target, network.outputs())
            }
            Model::Tree(_) => (self.info.target == Target::Classes(2)).then_some(Score::Probabilities),
        }
    }

    /// Checks the decision threshold: two classes, and the rows that it needs.
    fn check_threshold(&self) -> Result<(), Invalid> {
        let Some(by) = self.spec.threshold else { return Ok(()) };
        let Some(score) = self.binary_score() else {
            return Err(Invalid::new("threshold", format!("needs 2 classes, but the target has {}", self.info.target)));
        };
        let split = self.spec.data.split();
        if self.info.test_rows == 0 && split.test.is_none() {
            let fault = Invalid::new("threshold", "requires test rows, but the split has none");
            return Err(fault.hint("split some off: `split = { test = 0.2 }`"));
        }
        if by.needs_validation() && !self.has_validation() {
            let fault = Invalid::new("threshold", "requires validation rows, but the split has none");
            return Err(fault.hint("split some off: `split = { validation = 0.2 }`"));
        }
        by.check(score).map_err(|fault| fault.under("threshold"))
    }

    /// Names of the metrics of each epoch. A tree has one epoch and no loss.
    pub fn metric_names(&self) -> Vec<String> {
        let Model::Network(network) = &self.model else {
            let names = self.metrics().into_iter().map(|metric| metric.name().into_owned()).collect::<Vec<_>>();
            let of_validation = names.iter().filter(|_| self.has_validation()).map(|name| format!("val_{name}"));
            return names.iter().cloned().chain(of_validation).collect();
        };
        network.train.metric_names(self.has_validation(), self.info.target)
    }

    /// Whether the split has validation rows.
    pub fn has_validation(&self) -> bool {
        self.info.validation_rows > 0 || self.spec.data.split().holds_out_validation()
    }
}

impl Model {
    /// Checks the model that the experiment selects.
    fn new(spec: &Spec, info: &DatasetInfo) -> Result<Model, Invalid> {
        let has_network = spec.network.is_some() || spec.train.is_some();
        let name = match (spec.model, has_network, &spec.tree) {
            (Some(name), ..) => name,
            (None, true, None) => ModelName::Network,
            (None, false, Some(_)) => ModelName::Tree,
            (None, true, Some(_)) => {
                let fault = Invalid::new("model", "is missing at the top of the file, which has a network and a tree");
                return Err(fault.hint("set `model = \"network\"` or `model = \"tree\"`; a variant can set the other"));
            }
            (None, false, None) => {
                let fault = Invalid::new("network", "and `train` are missing");
                return Err(fault.hint(missing_keys::model_hint(info.target, false, false)));
            }
        };
        match name {
            ModelName::Network => NetworkPlan::new(spec, info).map(|network| Model::Network(Box::new(network))),
            ModelName::Tree => {
                let tree = spec.tree.as_ref().ok_or_else(|| {
                    let hint = "add a section, for example: `[tree]`, and below it `max_depth = 5`; `[network]` and \
                                    `[train]` can stay; on the command line, add `--set tree.max_depth=5`";
                    Invalid::new("model", "is `tree`, which needs a `[tree]` section").hint(hint)
                })?;
                tree.check(info.target).map_err(|fault| fault.under("tree"))?;
                if info.token_ids.is_some() {
                    let message = "needs features that can be compared, but the rows are token ids of texts";
                    return Err(Invalid::new("tree", message).hint("train a network that begins with `embedding`"));
                }
                let mut tree = tree.clone();
                for (key, module) in tree.modules_mut() {
                    module.locate(&spec.seeds, &format!("tree.{key}"))?;
                }
                metrics::inspect(&tree.metrics(), info.target.outputs(), info.target)
                    .map_err(|fault| fault.under("tree"))?;
                if spec.data.weights().is_some() {
                    let fault = Invalid::new(
                        format!("data.{}.weights", spec.data.name()),
                        "sets row weights, which a decision tree does not support",
                    );
                    return Err(fault.hint("use `class_weights` in `[tree]` to weight classes"));
                }
                Ok(Model::Tree(tree))
            }
        }
    }
}

/// Checks the resampling settings.
fn check_resampling(spec: &Spec, info: &DatasetInfo) -> Result<(), Invalid> {
    let (leaks, key) = (spec.resample_before_split, "resample_before_split");
    let Some(resample) = &spec.resample else {
        return refuse(leaks, || Invalid::new(key, "requires `resample`"));
    };
    resample.check().map_err(|fault| fault.under("resample"))?;
    let Target::Classes(_) = info.target else {
        return Err(Invalid::new("resample", format!("is for classes, and the target is {}", info.target)));
    };
    let is_synthetic = !matches!(resample, Resample::Under(_) | Resample::Over(_));
    if info.token_ids.is_some() && is_synthetic {
        let message = format!("creates synthetic rows with `{}`, but the rows are texts", resample.name());
        return Err(Invalid::new("resample", message).hint("use `over` or `under`"));
    }
    if spec.data.weights().is_some() && is_synthetic {
        let message = format!("creates synthetic rows with `{}`, which have no weights", resample.name());
        return Err(Invalid::new("resample", message).hint("remove the weights, or use `over`"));
    }
    refuse(leaks && info.token_ids.is_some(), || Invalid::new(key, "is for numbers, but the rows are texts"))?;
    let split = spec.data.split();
    let by_column =
        [("group", &split.group), ("order_by", &split.order_by)].into_iter().find(|(_, name)| name.is_some());
    if let Some((column, _)) = by_column.filter(|_| leaks) {
        let message = format!("cannot be used with `split.{column}`: new rows have no value in its column");
        return Err(Invalid::new(key, message));
    }
    if leaks && info.test_rows + info.validation_rows > 0 {
        let part = if info.test_rows > 0 { "test" } else { "validation" };
        let message =
            format!("cannot be used: `{}` has its own {part} rows, which are already split off", spec.data.name());
        return Err(Invalid::new(key, message));
    }
    Ok(())
}
