//! A plan: an experiment that has been checked whole, before anything is trained.
//!
//! Names, ranges, shapes, whether the loss fits the output and the targets, whether the monitored metric exists. What
//! runs later checks none of it again. What is expected speaks of several plans at once, and is checked by the study.

use std::collections::BTreeSet;

use crate::check::{Invalid, require};
use crate::data::Card;
use crate::experiment::spec::Spec;
use crate::history::{LayerRecord, NetworkRecord};
use crate::network::stack::Architecture;

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
    /// Its network, every shape known.
    pub architecture: Architecture,
    /// Its data set.
    pub card: Card,
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
        let architecture = check_network(&spec, &card)?;
        let has_validation = spec.data.split().holds_out_validation();
        spec.train.check(has_validation, card.target).map_err(|fault| fault.under("train"))?;
        if let Some(augment) = &spec.train.augment {
            augment.check(&card.sample).map_err(|fault| fault.under("train.augment"))?;
        }
        let last = &architecture.layers().last().expect("checked above").layer;
        spec.train.loss.check_fit(last, architecture.output(), card.target).map_err(|fault| fault.under("train"))?;
        Ok(Plan { name: name.to_owned(), variant: variant.to_owned(), spec, architecture, card })
    }

    /// Whether validation rows are split off.
    pub fn has_validation(&self) -> bool {
        self.spec.data.split().holds_out_validation()
    }

    /// Whether the network and its training rows are few enough to be shown in full.
    pub fn is_tiny(&self, training_rows: usize) -> bool {
        self.architecture.parameters() <= TINY.0 && training_rows <= TINY.1
    }

    /// The network as a history records it.
    pub fn network_record(&self) -> NetworkRecord {
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

/// Checks each layer's settings, and follows a row through all of them.
fn check_network(spec: &Spec, card: &Card) -> Result<Architecture, Invalid> {
    let layers = &spec.network.layers;
    if layers.is_empty() {
        let hint = format!("the simplest is `layers = [{{ linear = {} }}]`", card.target.outputs());
        return Err(Invalid::new("network.layers", "is empty: a network needs a layer").hint(hint));
    }
    spec.network.init.check().map_err(|fault| fault.under("network.init"))?;
    for (number, layer) in layers.iter().enumerate() {
        layer.check().map_err(|fault| fault.under(format!("network.layers.{number}")))?;
    }
    let architecture = Architecture::follow(layers, spec.network.init, &card.sample).map_err(|(number, fault)| {
        let before = match number {
            0 => format!("a row of `{}`", spec.data.name()),
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
