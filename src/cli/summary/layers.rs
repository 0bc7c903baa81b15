//! Layer statistics: a table for each observer, with a row for each layer and a column for each variant. Each cell has the
//! value of the first and of the last epoch.
//!
//! If the table does not fit, it has a row for each variant and a column for each layer, and shows one epoch: for gradients
//! the first, which shows the effect of the initial weights and the depth (at the end a gradient is small because the
//! network has learned); for other statistics the last. Layers that do not fit are left out, but never the first and last.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, terminal};
use crate::history::History;
use crate::observe::observer::Observer;
use crate::views::document::statistic::mean_of_finite;
use crate::views::variants::variant::Variant;

/// Returns the tables of several variants, one for each observer.
pub fn of_variants(variants: &[Variant], page: TextStyle) -> Vec<String> {
    let series: Vec<(&str, Vec<&History>)> =
        variants.iter().map(|variant| (variant.name, variant.trials.clone())).collect();
    let trials: Vec<&History> = variants.iter().flat_map(|variant| variant.trials.iter().copied()).collect();
    observers(&trials).into_iter().map(|observer| of_observer(observer, &series, page)).collect()
}

/// Returns the table of one variant's trials, with a column for each observer.
pub fn of_trials(trials: &[History], page: TextStyle) -> Option<String> {
    let trials: Vec<&History> = trials.iter().collect();
    let observers = observers(&trials);
    if observers.is_empty() {
        return None;
    }
    let numbers: BTreeSet<usize> = observers.iter().flat_map(|observer| layers(observer, &trials)).collect();
    let numbers: Vec<usize> = numbers.into_iter().collect();
    let columns = observers.iter().map(|observer| column(observer, observer, &numbers, &trials));
    let labels = Column::words("layer", numbers.iter().map(|&layer| label(layer, &trials)));
    let table = Fitted::new(labels, vec![columns.collect()]);
    let means = if trials.len() > 1 { " means over the trials," } else { "" };
    let legend = terminal::dim(&format!("first → last epoch,{means} by layer"));
    Some(format!("{}\n{legend}", table.tables(page).join("\n\n")))
}

/// Returns the observers in the order of the history.
fn observers<'a>(trials: &[&'a History]) -> Vec<&'a str> {
    let names = trials.iter().flat_map(|history| history.history.series.keys());
    let observers: IndexSet<&str> = names.filter_map(|name| in_layer(name)).map(|(observer, _)| observer).collect();
    observers.into_iter().collect()
}

/// Returns the observer and the layer of a series: `gradient_norm` and 3 for `gradient_norm.3`.
fn in_layer(series: &str) -> Option<(&str, usize)> {
    let (observer, layer) = series.rsplit_once('.')?;
    Some((observer, layer.parse().ok()?))
}

/// Returns the layers that an observer has values for, in order.
fn layers(observer: &str, trials: &[&History]) -> Vec<usize> {
    let names = trials.iter().flat_map(|history| history.history.series.keys());
    let own = names.filter_map(|name| in_layer(name)).filter(|(name, _)| *name == observer);
    let layers: BTreeSet<usize> = own.map(|(_, layer)| layer).collect();
    layers.into_iter().collect()
}

/// Returns the layer's number, with its kind if that is the same in all trials.
fn label(layer: usize, trials: &[&History]) -> String {
    let mut kinds =
        trials.iter().filter_map(|history| history.network.as_ref()?.layers.get(layer)).map(|layer| &layer.kind);
    match kinds.next() {
        Some(first) if kinds.all(|kind| kind == first) => format!("{layer} {first}"),
        _ => layer.to_string(),
    }
}

/// A layer's values in the first epoch, and in the last if there are several: means over the trials.
struct Ends {
    first: f64,
    last: Option<f64>,
}

fn ends(observer: &str, layer: usize, trials: &[&History]) -> Option<Ends> {
    let name = format!("{observer}.{layer}");
    let curves: Vec<Vec<f64>> = trials.iter().filter_map(|history| history.history.metric(&name)).collect();
    let mean = |end: fn(&[f64]) -> Option<&f64>| {
        mean_of_finite(&curves.iter().filter_map(|curve| end(curve)).copied().collect::<Vec<f64>>())
    };
    let last = mean(<[f64]>::last).filter(|_| curves.iter().any(|curve| curve.len() > 1));
    mean(<[f64]>::first).map(|first| Ends { first, last })
}

/// Returns the column of an observer and some trials, with `first → last` in each cell, their arrows aligned.
fn column(header: &str, observer: &str, layers: &[usize], trials: &[&History]) -> Column {
    let values: Vec<Option<Ends>> = layers.iter().map(|&layer| ends(observer, layer, trials)).collect();
    let lasts = values.iter().flatten().filter_map(|ends| ends.last);
    let widest = lasts.map(|last| number_format::short(last).chars().count()).max().unwrap_or_default();
    let text = |ends: &Option<Ends>| match ends {
        None => "–".to_owned(),
        Some(Ends { first, last: None }) => number_format::short(*first),
        Some(Ends { first, last: Some(last) }) => {
            format!("{} → {:>widest$}", number_format::short(*first), number_format::short(*last))
        }
    };
    Column::numbers(header, values.iter().map(|ends| Cell::plain(text(ends))))
}

fn of_observer(observer: &str, variants: &[(&str, Vec<&History>)], page: TextStyle) -> String {
    let seen: Vec<&(&str, Vec<&History>)> =
        variants.iter().filter(|(_, trials)| !layers(observer, trials).is_empty()).collect();
    let trials: Vec<&History> = seen.iter().flat_map(|(_, trials)| trials.iter().copied()).collect();
    let layers = layers(observer, &trials);
    let labels = Column::words("layer", layers.iter().map(|&layer| label(layer, &trials)));
    let columns = seen.iter().map(|(name, trials)| column(name, observer, &layers, trials));
    let down = Fitted::new(labels, vec![columns.collect()]);
    let means = if seen.iter().any(|(_, trials)| trials.len() > 1) { ", means over trials" } else { "" };
    let (title, table) = match down.is_one(page) {
        true => (format!("{observer} by layer, first → last epoch{means}"), down),
        false => {
            let (epoch, table, left_out) = across(observer, &seen, &layers, page);
            let left_out = if left_out > 0 { format!(" ({left_out} more layers between)") } else { String::new() };
            (format!("{observer} by layer{left_out}, {epoch} epoch{means}"), table)
        }
    };
    format!("{title}\n{}", table.tables(page).join("\n\n"))
}

/// Returns a table of one epoch, with a row for each variant and as many layers as fit; which epoch, and the number of layers
/// that are left out.
fn across(
    observer: &str,
    variants: &[&(&str, Vec<&History>)],
    layers: &[usize],
    page: TextStyle,
) -> (&'static str, Fitted, usize) {
    let is_first = observer == Observer::GradientNorm.name();
    let cell = |layer: usize, trials: &[&History]| {
        let value = ends(observer, layer, trials)
            .map(|Ends { first, last }| if is_first { first } else { last.unwrap_or(first) });
        Cell::plain(value.map_or("–".to_owned(), number_format::short))
    };
    let column =
        |&layer: &usize| Column::numbers(layer.to_string(), variants.iter().map(|(_, trials)| cell(layer, trials)));
    let labels = Column::words("variant", variants.iter().map(|(name, _)| (*name).to_owned()));
    let table = |layers: &[usize]| Fitted::new(labels.clone(), vec![layers.iter().map(column).collect()]);
    // at least the first and the last
    let fits = |count: &usize| table(&spread(layers, *count)).is_one(page);
    let count = (2..=layers.len()).rev().find(fits).unwrap_or(2).min(layers.len());
    (if is_first { "first" } else { "last" }, table(&spread(layers, count)), layers.len() - count)
}

/// Returns `count` of the layers, evenly spaced, including the first and the last.
fn spread(layers: &[usize], count: usize) -> Vec<usize> {
    let (last, steps) = (layers.len().saturating_sub(1), count.saturating_sub(1).max(1));
    (0..count.min(layers.len())).map(|place| layers[(place * last + steps / 2) / steps]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{PLAIN, history, width};

    fn trial(variant: &str, observer: &str, layers: &[usize], kinds: &[&str]) -> History {
        let names: Vec<String> = layers.iter().map(|layer| format!("{observer}.{layer}")).collect();
        let mut series = vec![("loss", &[1.0, 0.5][..])];
        series.extend(names.iter().map(|name| (name.as_str(), &[0.25, 8.4e-9][..])));
        history(variant, 0, &series).with_layers(kinds).0
    }

    #[test]
    fn layers_go_down_and_variants_across_with_the_first_and_the_last_epoch() {
        let mut histories = [
            trial("relu", "gradient_norm", &[0, 2], &["linear", "relu", "linear"]),
            trial("tanh", "gradient_norm", &[0, 2], &["linear", "tanh", "linear"]),
            history("unseen", 0, &[("loss", &[1.0, 0.5])]).0,
        ];
        histories[1].history.series["gradient_norm.2"][1].0 = f64::NAN;
        let tables = of_variants(&Variant::all(["relu", "tanh", "unseen"], &histories), PLAIN);
        assert_eq!(
            tables,
            ["gradient_norm by layer, first → last epoch\n\
             layer               relu            tanh\n\
             0 linear  0.250 → 8.4e-9  0.250 → 8.4e-9\n\
             2 linear  0.250 → 8.4e-9  0.250 →    nan"]
        );
    }

    #[test]
    fn many_variants_go_down_with_the_epoch_that_tells_and_layers_from_between_left_out() {
        let names: Vec<String> = (0..12).map(|number| format!("xavier_uniform-tanh-{number}")).collect();
        let layers: Vec<usize> = (0..11).map(|layer| 2 * layer).collect();
        for (observer, epoch, value) in [("gradient_norm", "first", "0.250"), ("saturation", "last", "8.4e-9")] {
            let histories: Vec<History> = names.iter().map(|name| trial(name, observer, &layers, &[])).collect();
            let table = of_variants(&Variant::all(names.iter().map(String::as_str), &histories), PLAIN).remove(0);
            let mut lines = table.lines();
            let title = lines.next().unwrap();
            assert!(title.starts_with(&format!("{observer} by layer (")), "{title}");
            assert!(title.ends_with(&format!("{epoch} epoch")), "{title}");
            let header: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
            assert_eq!((header[1], *header.last().unwrap()), ("0", "20"), "{table}");
            assert!(lines.all(|line| line.contains(value)), "{table}");
            assert!(width(&table) <= 80, "{table}");
        }
    }

    #[test]
    fn one_variant_has_a_column_for_each_observer() {
        let series = [("loss", &[1.0, 0.5][..]), ("gradient_norm.0", &[2.0, 1.0]), ("dead_units.1", &[0.0, 0.625])];
        let trials = [history("base", 0, &series).with_layers(&["linear", "relu"]).0];
        let table = of_trials(&trials, PLAIN).unwrap();
        assert_eq!(
            table,
            "layer     gradient_norm  dead_units\n0 linear    2.00 → 1.00           –\n\
             1 relu                –   0 → 0.625\nfirst → last epoch, by layer"
        );
        assert_eq!(of_trials(&[history("base", 0, &[("loss", &[1.0])]).0], PLAIN), None);
    }

    #[test]
    fn layers_that_are_kept_are_spread_evenly() {
        let layers: Vec<usize> = (0..11).collect();
        assert_eq!(spread(&layers, 11), layers);
        assert_eq!(spread(&layers, 3), [0, 5, 10]);
        assert_eq!(spread(&layers, 2), [0, 10]);
        assert_eq!(spread(&[4], 2), [4]);
    }
}
