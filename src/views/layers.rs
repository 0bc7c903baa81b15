//! Sections about the models: layers of networks, splits of trees, layer statistics and learned weights.

use crate::compare::group::{Group, union};
use crate::compare::trial::Curve;
use crate::history::number::{Number, brief, count};
use crate::history::tree::TreeRecord;
use crate::history::{History, Learned, NetworkRecord};
use crate::tensor::shape::Shape;
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::{mean_of_finite, value_or_dash};
use crate::views::document::table::{Cell, Table};
use crate::views::document::thinning;

/// Maximum number of values per group in the charts, over all layers.
const MAX_VALUES: usize = 20_000;

/// Weights are shown of networks with at most this many parameters.
const MAX_PARAMETERS: usize = 64;

/// Values of one observer, by layer and group.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The observer's name in histories: `gradient_norm`.
    pub kind: String,
    /// Names of all layers that any group has values for.
    pub layers: Vec<String>,
    /// The values of each group.
    pub groups: Vec<OfGroup>,
}

/// A group's index, its epochs, and for each layer the mean over trials by epoch; `None` for layers that the group
/// lacks.
pub type OfGroup = (usize, Vec<usize>, Vec<Option<Vec<Option<f64>>>>);

impl Observed {
    /// Returns the name in words: `gradient norm`.
    pub fn words(&self) -> String {
        self.kind.replace('_', " ")
    }

    /// Returns whether the values are shares in 0–1, which need no logarithmic scale.
    pub fn is_share(&self) -> bool {
        !self.kind.ends_with("norm")
    }
}

/// Returns the section about layers and trees; `None` if no group has a record of them.
pub fn section(groups: &[Group]) -> Option<Section> {
    // Groups with the same layers share a table.
    let mut parts: Vec<(String, Vec<Block>)> = Vec::new();
    for group in groups {
        let Some(history) = group.trials.first().and_then(|trial| trial.history()) else { continue };
        let table = match (&history.network, &history.tree) {
            (Some(network), _) => layers(network),
            (None, Some(tree)) => splits(tree, group.trials.len()),
            (None, None) => continue,
        };
        let blocks = vec![Block::Table(table)];
        match parts.iter_mut().find(|(_, other)| *other == blocks) {
            Some((labels, _)) => *labels = format!("{labels}, {}", group.label),
            None => parts.push((group.label.clone(), blocks)),
        }
    }
    let is_tree = |group: &Group| group.trials.iter().any(|t| t.history().is_some_and(|h| h.tree.is_some()));
    let title = if groups.iter().all(is_tree) { "Tree" } else { "Layers" };
    (!parts.is_empty()).then(|| Section { id: "layers", title, blocks: vec![Block::ByGroup(parts)] })
}

fn layers(network: &NetworkRecord) -> Table {
    let caption = format!("{} trainable parameters", count(network.parameters));
    let mut table = Table::new(caption, ["layer", "kind", "output", "parameters", "share"], 2..4);
    for layer in &network.layers {
        let output = Shape::from(&layer.output[..]).to_string();
        let cells = [layer.name.clone(), layer.kind.clone(), output, count(layer.parameters)].map(Cell::Text);
        let share = layer.parameters as f64 / network.parameters.max(1) as f64;
        table.row(cells.into_iter().chain([Cell::Share(share)]));
    }
    table
}

fn splits(tree: &TreeRecord, trials: usize) -> Table {
    let caption = format!(
        "{} of depth {}, with {} leaves and {} nodes; its most important features",
        if trials > 1 { "The first trial's decision tree" } else { "A decision tree" },
        tree.depth,
        count(tree.leaves),
        count(tree.nodes)
    );
    let mut table = Table::new(caption, ["feature", "importance", "splits", "share"], 1..3);
    for feature in &tree.features {
        let cells = [feature.name.clone(), brief(feature.importance), count(feature.splits)].map(Cell::Text);
        table.row(cells.into_iter().chain([Cell::Share(feature.importance)]));
    }
    table
}

/// Returns the recorded layer statistics of all groups, by observer.
pub fn observed(groups: &[Group]) -> Vec<Observed> {
    let mut kinds: Vec<Observed> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let series: Vec<(&str, &str)> = group.series().into_iter().filter_map(|name| name.split_once('.')).collect();
        let network = group.trials.iter().find_map(|trial| trial.history()?.network.as_ref());
        let names = union(series.iter().map(|(kind, _)| vec![*kind]));
        for kind in names {
            if !kinds.iter().any(|known| known.kind == kind) {
                kinds.push(Observed { kind: kind.to_owned(), layers: Vec::new(), groups: Vec::new() });
            }
            let Some(observed) = kinds.iter_mut().find(|known| known.kind == kind) else { continue };
            let layers: Vec<&str> =
                series.iter().filter(|(other, _)| *other == kind).map(|(_, layer)| *layer).collect();
            let epochs = kept_epochs(group, layers.len());
            let mut values: Vec<Option<Vec<Option<f64>>>> = vec![None; observed.layers.len()];
            for layer in layers {
                let words = layer_label(layer, network);
                let at = observed.layers.iter().position(|known| *known == words).unwrap_or_else(|| {
                    observed.layers.push(words);
                    values.push(None);
                    observed.layers.len() - 1
                });
                let series = format!("{kind}.{layer}");
                let curves: Vec<Curve> = group.trials.iter().filter_map(|trial| trial.curve(&series)).collect();
                values[at] = Some(epochs.iter().map(|&epoch| mean(&curves, epoch)).collect());
            }
            observed.groups.push((place, epochs, values));
        }
    }
    kinds
}

fn layer_label(layer: &str, network: Option<&NetworkRecord>) -> String {
    let known = network.and_then(|network| network.layers.iter().find(|known| known.name == layer));
    known.map_or_else(|| format!("layer {layer}"), |known| format!("layer {layer} ({})", known.kind))
}

fn kept_epochs(group: &Group, layers: usize) -> Vec<usize> {
    let recorded = group.recorded_epochs();
    thinning::places(recorded.len(), MAX_VALUES / layers.max(1)).into_iter().map(|place| recorded[place]).collect()
}

fn mean(curves: &[Curve], epoch: usize) -> Option<f64> {
    mean_of_finite(&curves.iter().filter_map(|curve| curve.at(epoch)).collect::<Vec<f64>>())
}

/// Returns the section with layer statistics; `None` if none were recorded.
pub fn observed_section(groups: &[Group]) -> Option<Section> {
    let kinds = observed(groups);
    if kinds.is_empty() {
        return None;
    }
    let mut parts: Vec<(String, Vec<Block>)> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let tables: Vec<Block> = kinds.iter().filter_map(|kind| ends(kind, place)).map(Block::Table).collect();
        if !tables.is_empty() {
            parts.push((group.label.clone(), tables));
        }
    }
    let several = groups.iter().any(|group| group.trials.len() > 1);
    let means = if several { "Means over the trials of a group; layers" } else { "Layers" };
    let blocks = vec![
        Block::Html("<div id=\"observed-charts\" class=\"stack needs-js\"></div>".to_owned()),
        Block::Note(format!("{means} in their order, starting at the input.")),
        Block::Folded("Layer statistics in a table".to_owned(), vec![Block::ByGroup(parts)]),
    ];
    Some(Section { id: "observed", title: "Inside the layers", blocks })
}

/// Returns a table with the first and last values of a group's layers.
fn ends(kind: &Observed, place: usize) -> Option<Table> {
    let (_, epochs, values) = kind.groups.iter().find(|(group, ..)| *group == place)?;
    let (first, last) = (epochs.first()?, epochs.last()?);
    let heads = ["layer".to_owned(), format!("epoch {first}"), format!("epoch {last}")];
    let mut table = Table::new(kind.words(), heads, 1..);
    for (layer, values) in kind.layers.iter().zip(values).filter_map(|(layer, values)| Some((layer, values.as_ref()?)))
    {
        let [first, last] = [values.first(), values.last()].map(|value| value_or_dash(value.copied().flatten()));
        table.row([layer.clone(), first, last]);
    }
    Some(table)
}

/// Returns the section with the weights and predictions of small networks; `None` if none were recorded.
pub fn learned_section(groups: &[Group]) -> Option<Section> {
    let learned = |group: &Group| -> Option<(String, Vec<Block>)> {
        let (history, learned) = group.trials.iter().find_map(|trial| {
            let history = trial.history()?;
            Some((history, history.learned.as_ref()?))
        })?;
        let of_first = if group.trials.len() > 1 { format!(" of {}", group.trials[0].name()) } else { String::new() };
        let tables = [predictions(learned, &of_first).filled(), weights(history, learned, &of_first).filled()];
        Some((group.label.clone(), tables.into_iter().flatten().map(Block::Table).collect()))
    };
    let parts: Vec<(String, Vec<Block>)> = groups.iter().filter_map(learned).collect();
    let blocks = vec![Block::ByGroup(parts.clone())];
    (!parts.is_empty()).then_some(Section { id: "learned", title: "What it has learned", blocks })
}

/// Returns the predictions of a small network for each training row.
pub fn predictions(learned: &Learned, of_first: &str) -> Table {
    let exact = |numbers: &[Number]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut table = Table::new(format!("Predictions{of_first}"), ["input", "target", "output"], 1..);
    for row in &learned.predictions {
        table.row([exact(&row.input), exact(&row.target), joined(&row.output)]);
    }
    table
}

fn weights(history: &History, learned: &Learned, of_first: &str) -> Table {
    let is_small = history.network.as_ref().is_some_and(|network| network.parameters <= MAX_PARAMETERS);
    let mut table = Table::new(format!("Weights{of_first}"), ["parameter", "values"], 0..0);
    for (name, values) in learned.parameters.iter().filter(|_| is_small) {
        table.row([name.clone(), joined(values)]);
    }
    table
}

/// Returns the numbers with four decimals.
pub fn joined(numbers: &[Number]) -> String {
    numbers.iter().map(|number| brief(number.0)).collect::<Vec<_>>().join(", ")
}
