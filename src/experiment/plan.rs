//! A plan: an experiment that has been checked whole, before anything is trained.
//!
//! Names, ranges, shapes, whether the loss fits the output and the targets, whether the monitored metric exists. What
//! runs later checks none of it again.

use std::collections::BTreeSet;

use crate::check::{Invalid, require};
use crate::data::Card;
use crate::experiment::spec::Spec;
use crate::history::expectation::Expectation;
use crate::history::{LayerRecord, NetworkRecord};
use crate::network::stack::Architecture;
use crate::suggest;

/// A checked experiment.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The experiment's name.
    pub name: String,
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
    pub fn new(name: &str, spec: Spec) -> Result<Plan, Invalid> {
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
        let has_validation = spec.data.split().validation.is_some();
        spec.train.check(has_validation, card.target).map_err(|fault| fault.under("train"))?;
        let last = &architecture.layers().last().expect("checked above").layer;
        spec.train.loss.check_fit(last, architecture.output(), card.target).map_err(|fault| fault.under("train"))?;
        let metrics = spec.train.metric_names(has_validation, card.target);
        for (number, expectation) in spec.expect.iter().enumerate() {
            check_expectation(expectation, &metrics).map_err(|fault| fault.under(format!("expect.{number}")))?;
        }
        Ok(Plan { name: name.to_owned(), spec, architecture, card })
    }

    /// Whether validation rows are split off.
    pub fn has_validation(&self) -> bool {
        self.spec.data.split().validation.is_some()
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

/// Checks each layer's settings, and follows a row through all of them.
fn check_network(spec: &Spec, card: &Card) -> Result<Architecture, Invalid> {
    let layers = &spec.network.layers;
    if layers.is_empty() {
        let hint = format!("the simplest is `layers = [{{ linear = {} }}]`", card.target.outputs());
        return Err(Invalid::new("network.layers", "is empty: a network needs a layer").hint(hint));
    }
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
    if architecture.parameters() == 0 {
        let message = "has nothing to train: none of its layers has parameters";
        return Err(Invalid::new("network.layers", message).hint("add a layer such as `{ linear = 10 }`"));
    }
    Ok(architecture)
}

/// The groups of figures that an expectation can name.
const GROUPS: [&str; 9] = ["first", "last", "epoch", "best", "min", "max", "test", "diagnosis", "learned"];

fn check_expectation(expectation: &Expectation, metrics: &[String]) -> Result<(), Invalid> {
    let Expectation { value, at_least, at_most, near, within, above, is, .. } = expectation;
    for name in [Some(value), above.as_ref()].into_iter().flatten() {
        let group = name.split('.').next().unwrap_or_default();
        if !GROUPS.contains(&group) || !name.contains('.') {
            let hint = match metrics.contains(name) {
                true => format!("say which epoch's: `last.{name}`, `best.{name}`, `min.{name}`"),
                false => suggest::hint(group, GROUPS),
            };
            return Err(Invalid::new("value", format!("names no figure: `{name}`")).hint(hint));
        }
    }
    let stated = [at_least.is_some(), at_most.is_some(), near.is_some(), above.is_some(), is.is_some()];
    require(
        stated.contains(&true),
        "value",
        "is held against nothing: state `at_least`, `at_most`, `near`, `above` or `is`",
        value,
    )?;
    require(near.is_some() == within.is_some(), "near", "and `within` need each other", value)
}
