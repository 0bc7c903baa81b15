//! The table of an experiment's variants: each one's figures over its trials, and which closes the generalization gap.

use crate::cli::figures::{self, mean_and_std};
use crate::cli::table::Columns;
use crate::experiment::study::Study;
use crate::history::diagnosis::Verdict;
use crate::history::{History, Status};

/// The table, and a sentence on the gap where there are validation rows.
pub fn of(study: &Study, histories: &[History]) -> Vec<String> {
    let variants: Vec<(&str, Vec<&History>)> = study
        .plans
        .iter()
        .map(|plan| {
            let of_variant = histories.iter().filter(|history| history.variant == plan.variant);
            (plan.variant.as_str(), of_variant.collect())
        })
        .collect();
    let mut parts = vec![table(&variants)];
    parts.extend(gap_sentence(&variants));
    parts
}

/// A figure of a trial, where it has it.
type Figure = Box<dyn Fn(&History) -> Option<f64>>;

fn last(history: &History, metric: &str) -> Option<f64> {
    history.history.at(*history.history.epoch.last()?, metric)
}

fn gap(history: &History) -> Option<f64> {
    history.diagnosis.as_ref()?.gap
}

/// The first metric beside the loss, such as `acc`.
fn metric_of(history: &History) -> Option<&str> {
    let mut names = history.history.series.keys().map(String::as_str);
    names.find(|name| !matches!(*name, "loss" | "val_loss" | "lr" | "seconds") && !name.contains('.'))
}

fn table(variants: &[(&str, Vec<&History>)]) -> String {
    let first = variants.iter().find_map(|(_, trials)| trials.first());
    let metric = first.and_then(|history| metric_of(history)).unwrap_or("acc").to_owned();
    let val_metric = format!("val_{metric}");
    let any = |figure: &dyn Fn(&History) -> Option<f64>| {
        variants.iter().flat_map(|(_, trials)| trials).any(|history| figure(history).is_some())
    };
    let mut columns: Vec<(String, Figure)> = Vec::new();
    let mut column = |name: &str, figure: Figure| {
        if any(&*figure) {
            columns.push((name.to_owned(), figure));
        }
    };
    column("loss", Box::new(|history| last(history, "loss")));
    column("val_loss", Box::new(|history| last(history, "val_loss")));
    column("gap", Box::new(gap));
    let named = metric.clone();
    column(&metric, Box::new(move |history| last(history, &named)));
    let named = val_metric.clone();
    column(&val_metric, Box::new(move |history| last(history, &named)));
    let named = metric.clone();
    let tested = move |history: &History| Some(history.test.as_ref()?.metrics.get(&named)?.0);
    column(&format!("test {metric}"), Box::new(tested));

    let mut header = vec!["variant".to_owned()];
    header.extend(columns.iter().map(|(name, _)| name.clone()));
    let numbers = 1..header.len();
    let mut table = Columns::new(header, numbers);
    for (name, trials) in variants {
        let over_trials = |figure: &dyn Fn(&History) -> Option<f64>| -> Vec<f64> {
            let sound = trials.iter().filter(|history| history.status != Status::Diverged);
            sound.filter_map(|history| figure(history)).filter(|value| value.is_finite()).collect()
        };
        let mut row = vec![(*name).to_owned()];
        row.extend(columns.iter().map(|(_, figure)| figures::metric(mean(&over_trials(&**figure)))));
        table.row(row);
        if trials.len() > 1 {
            let mut row = vec![format!("  ± std of {}", trials.len())];
            row.extend(
                columns
                    .iter()
                    .map(|(_, figure)| figures::metric(mean_and_std(&over_trials(&**figure)).map(|(_, std)| std))),
            );
            table.row(row);
        }
    }
    let mut text = table.text();
    for (name, trials) in variants {
        let diverged = trials.iter().filter(|history| history.status == Status::Diverged).count();
        if diverged > 0 {
            text.push_str(&format!("\n{name}: {diverged} of {} diverged", trials.len()));
        }
    }
    text
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Which variant closes the generalization gap, the validation loss at the end minus its lowest; nothing is said where
/// the baseline does not overfit.
fn gap_sentence(variants: &[(&str, Vec<&History>)]) -> Option<String> {
    let overfits = |history: &&History| history.diagnosis.as_ref().is_some_and(|d| d.verdict == Verdict::Overfitting);
    if !variants.first()?.1.iter().any(overfits) {
        return None;
    }
    let gaps: Vec<(&str, f64)> = variants
        .iter()
        .filter_map(|(name, trials)| {
            let gaps: Vec<f64> =
                trials.iter().filter_map(|history| gap(history)).filter(|gap| gap.is_finite()).collect();
            Some((*name, mean(&gaps)?))
        })
        .collect();
    let (&(baseline, of_baseline), others) = gaps.split_first()?;
    let (best, smallest) = others.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    if *smallest < of_baseline {
        let below = others.iter().filter(|(_, gap)| *gap < of_baseline).count();
        Some(format!(
            "smallest generalization gap: {best} ({smallest:.4}, against {of_baseline:.4} of {baseline});\n{below} of {} variants have a smaller one than {baseline}",
            others.len()
        ))
    } else {
        Some(format!("no variant has a smaller generalization gap than {baseline} ({of_baseline:.4})"))
    }
}
