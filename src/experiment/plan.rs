//! A plan: an experiment that has been checked whole, before anything is trained.
//!
//! Names, ranges, shapes, whether the loss fits the output and the targets, whether the monitored metric exists. What
//! runs later checks none of it again. What is expected speaks of several plans at once, and is checked by the study.

use std::collections::BTreeSet;

use crate::check::{Invalid, require};
use crate::data::{Card, Target};
use crate::experiment::spec::Spec;
use crate::history::{LayerRecord, NetworkRecord};
use crate::metrics::Metric;
use crate::network::NetworkSpec;
use crate::network::layer::Layer;
use crate::network::stack::Architecture;
use crate::train::TrainSpec;

/// The variant's name where an experiment has no variants.
pub const BASE: &str = "base";

/// A network is tiny, and shown in full, up to so many parameters and training rows.
pub const TINY: (usize, usize) = (256, 16);

/// A checked experiment, or one variant of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The experiment's name.
    pub name: String,
    /// The variant's name; [`BASE`] where an experiment has no variants.
    pub variant: String,
    /// Its settings.
    pub spec: Spec,
    /// What is fitted to the training rows.
    pub model: Model,
    /// Its data set.
    pub card: Card,
}

/// What is fitted to the training rows.
#[derive(Clone, Debug)]
pub enum Model {
    /// A network.
    Network(Box<NetworkPlan>),
}

/// A checked network, and how it is trained.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// How its weights are drawn, and its layers.
    pub spec: NetworkSpec,
    /// How it is trained.
    pub train: TrainSpec,
    /// Its layers, every shape known.
    pub architecture: Architecture,
}

impl Plan {
    /// Checks an experiment.
    ///
    /// # Errors
    /// The first fault, by its full key.
    pub fn new(name: &str, variant: &str, spec: Spec) -> Result<Plan, Invalid> {
        let distinct: BTreeSet<i64> = spec.seeds.iter().copied().collect();
        require(!spec.seeds.is_empty(), "seeds", "must hold a seed", "none")?;
        require(
            distinct.len() == spec.seeds.len(),
            "seeds",
            "must differ from each other",
            format!("{:?}", spec.seeds),
        )?;
        let card = spec.data.card().map_err(|fault| fault.under("data"))?;
        spec.data.check(&card).map_err(|fault| fault.under("data"))?;
        check_resampling(&spec, &card)?;
        let model = Model::of(&spec, &card)?;
        Ok(Plan { name: name.to_owned(), variant: variant.to_owned(), spec, model, card })
    }

    /// The network, where one is trained.
    pub fn network(&self) -> Option<&NetworkPlan> {
        match &self.model {
            Model::Network(network) => Some(network),
        }
    }

    /// The metrics that are taken of it.
    pub fn metrics(&self) -> Vec<Metric> {
        match &self.model {
            Model::Network(network) => network.train.metrics(self.card.target),
        }
    }

    /// Whether validation rows are split off.
    pub fn has_validation(&self) -> bool {
        self.spec.data.split().holds_out_validation()
    }
}

impl NetworkPlan {
    /// How many outputs it has for each row.
    pub fn outputs(&self) -> usize {
        self.architecture.output().elements()
    }

    /// The last layer.
    pub fn last(&self) -> &Layer {
        &self.architecture.layers().last().expect("a checked network has a layer").layer
    }

    /// Whether the network and its training rows are few enough to be shown in full.
    pub fn is_tiny(&self, training_rows: usize) -> bool {
        self.architecture.parameters() <= TINY.0 && training_rows <= TINY.1
    }

    /// The network as a history records it.
    pub fn record(&self) -> NetworkRecord {
        let layers = self.architecture.layers().iter().enumerate().map(|(number, planned)| LayerRecord {
            name: number.to_string(),
            kind: planned.layer.kind().to_owned(),
            output: planned.output.dimensions().to_vec(),
            parameters: planned.parameters,
        });
        NetworkRecord { layers: layers.collect(), parameters: self.architecture.parameters() }
    }
}

/// The largest number of parameters: 8 GB of them, and as much again for each thing that the optimizer remembers.
const LARGEST_NETWORK: usize = 2_000_000_000;

impl Model {
    /// The model that the experiment names, checked.
    fn of(spec: &Spec, card: &Card) -> Result<Model, Invalid> {
        let (network, train) = match (&spec.network, &spec.train) {
            (Some(network), Some(train)) => (network.clone(), train.clone()),
            (Some(_), None) => return Err(missing("train", "network")),
            (None, Some(_)) => return Err(missing("network", "train")),
            (None, None) => {
                let fault = Invalid::new("network", "is missing: there is nothing to train");
                return Err(fault.hint("add `[network]` and `[train]`"));
            }
        };
        let architecture = check_network(&network, spec.data.name(), card)?;
        let has_validation = spec.data.split().holds_out_validation();
        train.check(has_validation, card.target).map_err(|fault| fault.under("train"))?;
        if let Some(augment) = &train.augment {
            augment.check(&card.sample).map_err(|fault| fault.under("train.augment"))?;
        }
        let network = NetworkPlan { spec: network, train, architecture };
        let output = network.architecture.output();
        let fit = network.train.loss.check_fit(network.last(), output, card.target);
        fit.map_err(|fault| fault.under("train"))?;
        Ok(Model::Network(Box::new(network)))
    }
}

fn missing(table: &str, beside: &str) -> Invalid {
    Invalid::new(table, format!("is missing: `[{beside}]` needs it beside it"))
}

/// Checks how rows are resampled, and that they can be.
fn check_resampling(spec: &Spec, card: &Card) -> Result<(), Invalid> {
    let Some(resample) = &spec.resample else {
        return match spec.resample_before_split {
            true => Err(Invalid::new("resample_before_split", "is set, and there is no `resample`")),
            false => Ok(()),
        };
    };
    resample.check().map_err(|fault| fault.under("resample"))?;
    let Target::Classes(_) = card.target else {
        return Err(Invalid::new("resample", format!("is for classes, and the target is {}", card.target)));
    };
    if spec.resample_before_split && card.test_rows > 0 {
        let message = format!("cannot be: `{}` brings its own test rows, already split off", spec.data.name());
        return Err(Invalid::new("resample_before_split", message));
    }
    Ok(())
}

/// Checks each layer's settings, and follows a row through all of them; `data` is the name of the data set.
fn check_network(network: &NetworkSpec, data: &str, card: &Card) -> Result<Architecture, Invalid> {
    let layers = &network.layers;
    if layers.is_empty() {
        let hint = format!("the simplest is `layers = [{{ linear = {} }}]`", card.target.outputs());
        return Err(Invalid::new("network.layers", "is empty: a network needs a layer").hint(hint));
    }
    network.init.check().map_err(|fault| fault.under("network.init"))?;
    for (number, layer) in layers.iter().enumerate() {
        layer.check().map_err(|fault| fault.under(format!("network.layers.{number}")))?;
    }
    let architecture = Architecture::follow(layers, network.init, &card.sample).map_err(|(number, fault)| {
        let before = match number {
            0 => format!("a row of `{data}`"),
            _ => format!("layer {} (`{}`)", number - 1, layers[number - 1].kind()),
        };
        let message = format!(
            "cannot take its input: layer {number} (`{}`) takes {}, and {before} gives {}",
            layers[number].kind(),
            fault.wanted,
            fault.found
        );
        let fault_found = Invalid::new(format!("network.layers.{number}"), message);
        match fault.hint {
            Some(hint) => fault_found.hint(hint),
            None => fault_found,
        }
    })?;
    let parameters = architecture.parameters();
    if parameters > LARGEST_NETWORK {
        let message = format!("have {parameters} parameters, and at most {LARGEST_NETWORK} can be");
        return Err(
            Invalid::new("network.layers", message).hint("make a layer smaller: `runner show` lists their sizes")
        );
    }
    if parameters == 0 {
        let message = "has nothing to train: none of its layers has parameters";
        return Err(Invalid::new("network.layers", message).hint("add a layer such as `{ linear = 10 }`"));
    }
    Ok(architecture)
}
