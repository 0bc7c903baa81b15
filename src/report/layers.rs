//! Sections about the models: layers of networks, splits of trees, layer statistics and learned weights.

use crate::compare::group::{Group, union};
use crate::compare::trial::Curve;
use crate::history::number::{brief, count};
use crate::history::tree::TreeRecord;
use crate::history::{History, Learned, NetworkRecord};
use crate::report::markup::{Cell, Section, Table, by_group, folded, note, text};
use crate::report::thinned;
use crate::tensor::shape::Shape;

/// Maximum number of values per group in the charts, over all layers.
const FIGURES: usize = 20_000;

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
pub fn of(groups: &[Group]) -> Option<Section> {
    // Groups with the same layers share a table.
    let mut parts: Vec<(String, String)> = Vec::new();
    for group in groups {
        let Some(history) = group.trials.first().and_then(|trial| trial.history()) else { continue };
        let body = match (&history.network, &history.tree) {
            (Some(network), _) => layers(network),
            (None, Some(tree)) => splits(tree, group.trials.len()),
            (None, None) => continue,
        };
        match parts.iter_mut().find(|(_, other)| *other == body) {
            Some((labels, _)) => *labels = format!("{labels}, {}", group.label),
            None => parts.push((group.label.clone(), body)),
        }
    }
    let is_tree = |group: &Group| group.trials.iter().any(|t| t.history().is_some_and(|h| h.tree.is_some()));
    let title = if groups.iter().all(is_tree) { "Tree" } else { "Layers" };
    (!parts.is_empty()).then(|| Section { id: "layers", title, body: by_group(&parts) })
}

fn layers(network: &NetworkRecord) -> String {
    let heads = [
        Cell::text("layer"),
        Cell::text("kind"),
        Cell::text("output").of_class("n"),
        Cell::text("parameters").of_class("n"),
        Cell::text("share"),
    ];
    let caption = format!("{} trainable parameters", count(network.parameters));
    let mut table = Table::new(&caption, heads);
    for layer in &network.layers {
        let share = layer.parameters as f64 / network.parameters.max(1) as f64;
        table.row([
            Cell::head(text(&layer.name)),
            Cell::text(&layer.kind),
            Cell::number(&Shape::from(&layer.output[..]).to_string()),
            Cell::number(&count(layer.parameters)),
            bar(share, &format!("{:.1} %", 100.0 * share)),
        ]);
    }
    table.html_text()
}

/// Returns a cell with a bar whose length is proportional to a share.
fn bar(share: f64, words: &str) -> Cell {
    if share <= 0.0 {
        return Cell::text("");
    }
    let width = 8.0 * share.min(1.0);
    Cell::html(format!(
        "<span class=\"bar\" style=\"width: {width:.2}rem\"></span><span class=\"hidden\">{}</span>",
        text(words)
    ))
}

fn splits(tree: &TreeRecord, trials: usize) -> String {
    let of_first = if trials > 1 { "The first trial's tree: " } else { "A decision tree " };
    let heads = [
        Cell::text("feature"),
        Cell::text("importance").of_class("n"),
        Cell::text("splits").of_class("n"),
        Cell::text("share"),
    ];
    let caption = format!(
        "{of_first}of depth {}, with {} leaves and {} nodes; its most important features",
        tree.depth,
        count(tree.leaves),
        count(tree.nodes)
    );
    let mut table = Table::new(&caption, heads);
    for feature in &tree.features {
        table.row([
            Cell::head(text(&feature.name)),
            Cell::number(&brief(feature.importance)),
            Cell::number(&count(feature.splits)),
            bar(feature.importance, &format!("{:.1} %", 100.0 * feature.importance)),
        ]);
    }
    table.html_text()
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
                let words = in_words(layer, network);
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

fn in_words(layer: &str, network: Option<&NetworkRecord>) -> String {
    let known = network.and_then(|network| network.layers.iter().find(|known| known.name == layer));
    known.map_or_else(|| format!("layer {layer}"), |known| format!("layer {layer} ({})", known.kind))
}

fn kept_epochs(group: &Group, layers: usize) -> Vec<usize> {
    let recorded = group.recorded();
    thinned::places(recorded.len(), FIGURES / layers.max(1)).into_iter().map(|place| recorded[place]).collect()
}

fn mean(curves: &[Curve], epoch: usize) -> Option<f64> {
    let values: Vec<f64> = curves.iter().filter_map(|curve| curve.at(epoch)).collect();
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    match finite.len() {
        0 => values.first().copied(),
        n => Some(finite.iter().sum::<f64>() / n as f64),
    }
}

/// Returns the section with layer statistics; `None` if none were recorded.
pub fn of_observed(groups: &[Group]) -> Option<Section> {
    let kinds = observed(groups);
    if kinds.is_empty() {
        return None;
    }
    let mut parts: Vec<(String, String)> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        let tables: Vec<String> = kinds.iter().filter_map(|kind| ends(kind, place)).collect();
        if !tables.is_empty() {
            parts.push((group.label.clone(), tables.join("\n")));
        }
    }
    let means = match groups.iter().any(|group| group.trials.len() > 1) {
        true => note("Means over the trials of a group; layers in their order, from the input on."),
        false => note("Layers in their order, from the input on."),
    };
    let tables = folded("What was observed, in a table", &by_group(&parts));
    let body = format!("<div id=\"observed-charts\" class=\"stack needs-js\"></div>\n{means}\n{tables}");
    Some(Section { id: "observed", title: "Inside the layers", body })
}

/// Returns a table with the first and last values of a group's layers.
fn ends(kind: &Observed, place: usize) -> Option<String> {
    let (_, epochs, values) = kind.groups.iter().find(|(group, ..)| *group == place)?;
    let (first, last) = (epochs.first()?, epochs.last()?);
    let heads = [
        Cell::text("layer"),
        Cell::text(&format!("epoch {first}")).of_class("n"),
        Cell::text(&format!("epoch {last}")).of_class("n"),
    ];
    let mut table = Table::new(&kind.words(), heads);
    for (layer, values) in kind.layers.iter().zip(values).filter_map(|(layer, values)| Some((layer, values.as_ref()?)))
    {
        let shown = |value: Option<&Option<f64>>| value.copied().flatten().map_or("–".to_owned(), brief);
        table.row([Cell::head(text(layer)), Cell::number(&shown(values.first())), Cell::number(&shown(values.last()))]);
    }
    Some(table.html_text())
}

/// Returns the section with the weights and predictions of small networks; `None` if none were recorded.
pub fn of_learned(groups: &[Group]) -> Option<Section> {
    let learned = |group: &Group| -> Option<(String, String)> {
        let (history, learned) = group.trials.iter().find_map(|trial| {
            let history = trial.history()?;
            Some((history, history.learned.as_ref()?))
        })?;
        let of_first = if group.trials.len() > 1 { format!(" of {}", group.trials[0].name()) } else { String::new() };
        Some((group.label.clone(), learned_tables(history, learned, &of_first)))
    };
    let parts: Vec<(String, String)> = groups.iter().filter_map(learned).collect();
    (!parts.is_empty()).then(|| Section { id: "learned", title: "What it has learned", body: by_group(&parts) })
}

fn learned_tables(history: &History, learned: &Learned, of_first: &str) -> String {
    const PARAMETERS: usize = 64;
    let joined = |numbers: &[crate::history::number::Number]| -> String {
        numbers.iter().map(|number| brief(number.0)).collect::<Vec<_>>().join(", ")
    };
    let plain = |numbers: &[crate::history::number::Number]| -> String {
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let heads = [Cell::text("input"), Cell::text("target"), Cell::text("output").of_class("n")];
    let mut table = Table::new(&format!("Predictions{of_first}"), heads);
    for row in &learned.predictions {
        table.row([
            Cell::head(text(&plain(&row.input))),
            Cell::text(&plain(&row.target)),
            Cell::number(&joined(&row.output)),
        ]);
    }
    let few = history.network.as_ref().is_some_and(|network| network.parameters <= PARAMETERS);
    let mut weights = Table::new(&format!("Weights{of_first}"), [Cell::text("parameter"), Cell::text("values")]);
    for (name, values) in learned.parameters.iter().filter(|_| few) {
        weights.row([Cell::head(text(name)), Cell::text(&joined(values))]);
    }
    let weights = if weights.is_empty() { String::new() } else { weights.html_text() };
    format!("{}\n{weights}", table.html_text())
}
