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
use crate::train::METRICS;

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
        spec.data.check().map_err(|fault| fault.under("data"))?;
        let card = spec.data.card();
        let architecture = check_network(&spec, &card)?;
        let has_validation = spec.data.split().validation.is_some();
        spec.train.check(has_validation).map_err(|fault| fault.under("train"))?;
        let last = &architecture.layers().last().expect("checked above").layer;
        spec.train.loss.check_fit(last, architecture.output(), card.target).map_err(|fault| fault.under("train"))?;
        let figures = Figures {
            metrics: METRICS
                .iter()
                .map(|(name, _)| *name)
                .filter(|n| has_validation || !n.starts_with("val_"))
                .collect(),
            has_test: card.test_rows > 0 || spec.data.split().test.is_some(),
        };
        for (number, expectation) in spec.expect.iter().enumerate() {
            check_expectation(expectation, &figures).map_err(|fault| fault.under(format!("expect.{number}")))?;
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

/// The largest number of parameters: 8 GB of them, and as much again for each thing that the optimizer remembers.
const LARGEST_NETWORK: usize = 2_000_000_000;

/// Checks each layer's settings, and follows a row through all of them.
fn check_network(spec: &Spec, card: &Card) -> Result<Architecture, Invalid> {
    let layers = &spec.network.layers;
    if layers.is_empty() {
        let hint = format!("the simplest is `layers = [{{ linear = {} }}]`", card.target.classes());
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

/// The groups of figures that an expectation can name.
const GROUPS: [&str; 9] = ["first", "last", "epoch", "best", "min", "max", "test", "diagnosis", "learned"];

/// The figures of a diagnosis.
const DIAGNOSIS: [&str; 7] = ["verdict", "sentence", "overfits_from", "gap", "acc_gap", "explained", "rises"];

/// The verdicts of a diagnosis.
const VERDICTS: [&str; 5] = ["underfitting", "good", "overfitting", "diverged", "jumping_about"];

/// What figures a run will have.
struct Figures<'a> {
    metrics: Vec<&'a str>,
    has_test: bool,
}

impl Figures<'_> {
    /// Checks that the run will have a figure of this name.
    fn check(&self, key: &str, name: &str) -> Result<(), Invalid> {
        let unknown =
            |hint: String| Err(Invalid::new(key, format!("names no figure of this run: `{name}`")).hint(hint));
        let one_of = |figure: &str, known: &[&str]| match figure.strip_prefix("val_") {
            _ if known.contains(&figure) => Ok(()),
            Some(of_training) if known.contains(&of_training) => {
                unknown("split off validation rows: `split = { validation = 0.2 }`".to_owned())
            }
            _ => unknown(suggest::hint(figure, known.iter().copied())),
        };
        let Some((group, figure)) = name.split_once('.') else {
            return unknown(match self.metrics.contains(&name) {
                true => format!("say which epoch's: `last.{name}`, `best.{name}`, `min.{name}`"),
                false => {
                    format!("a figure is named as `last.loss`; instead of `last`, {} can stand", suggest::list(&GROUPS))
                }
            });
        };
        let extra = |more: &[&'static str]| [&self.metrics[..], more].concat();
        match group {
            "first" | "last" | "min" | "max" => one_of(figure, &extra(&["lr", "seconds"])),
            "best" => one_of(figure, &extra(&["epoch"])),
            "epoch" => {
                let Some((epoch, metric)) = figure.split_once('.') else {
                    return unknown("write it as `epoch.11.loss`".to_owned());
                };
                // one beyond the last is no mistake: a shorter run of the same file has no such figure
                match epoch.parse::<usize>() {
                    Ok(1..) => one_of(metric, &extra(&["lr", "seconds"])),
                    _ => unknown("epochs are numbered from 1".to_owned()),
                }
            }
            "test" if !self.has_test => unknown("there are no test rows: `split = { test = 0.2 }`".to_owned()),
            "test" => {
                let tested: Vec<&str> = self.metrics.iter().copied().filter(|name| !name.starts_with("val_")).collect();
                one_of(figure, &tested)
            }
            "diagnosis" => one_of(figure, &DIAGNOSIS),
            "learned" => Ok(()), // which parameters there are is known when they are there
            _ => unknown(suggest::hint(group, GROUPS)),
        }
    }
}

fn check_expectation(expectation: &Expectation, figures: &Figures) -> Result<(), Invalid> {
    let Expectation { value, at_least, at_most, near, within, above, is, .. } = expectation;
    figures.check("value", value)?;
    above.iter().try_for_each(|other| figures.check("above", other))?;
    let stated = [at_least.is_some(), at_most.is_some(), near.is_some(), above.is_some(), is.is_some()];
    if !stated.contains(&true) {
        let message = format!("holds `{value}` against nothing");
        return Err(Invalid::new("value", message).hint("state `at_least`, `at_most`, `near`, `above` or `is`"));
    }
    if near.is_some() != within.is_some() {
        return Err(Invalid::new("near", "and `within` need each other"));
    }
    match is {
        Some(word) if value == "diagnosis.verdict" && !VERDICTS.contains(&word.as_str()) => {
            Err(Invalid::new("is", format!("is no verdict: `{word}`")).hint(suggest::hint(word, VERDICTS)))
        }
        _ => Ok(()),
    }
}
