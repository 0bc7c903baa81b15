//! What the header of a run says about a stack: variants, rows, the positive class, seeds and the device.

use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, settings};
use crate::compare::settings::format_seeds;
use crate::device;
use crate::experiment::plan::Plan;
use crate::experiment::run::progress::StackInfo;
use crate::history::positive_class::ChosenBy;

/// Returns the names of variants in at most two lines: all of them, or their number with the first and the last. `of` is the
/// number of variants of the experiment.
pub(super) fn list_of_variants(variants: &[&str], of: usize, page: TextStyle) -> String {
    let part = if variants.len() < of { format!(" ({} of {of})", variants.len()) } else { String::new() };
    let all = page.wrapped(&format!("variants {}{part}", variants.join(", ")), 2);
    match variants {
        [first, .., last] if all.lines().count() > 2 => {
            page.wrapped(&format!("{} variants: {first}, …, {last}{part}", variants.len()), 2)
        }
        _ => all,
    }
}

/// Returns the data set and the number of rows of each part.
pub(super) fn of_data(plan: &Plan, stack: &StackInfo) -> String {
    let rows = stack.rows;
    let (mut training, mut leak) = ("training".to_owned(), String::new());
    if let Some(resampled) = &stack.resampled {
        let (method, from) = (&resampled.method, number_format::count(resampled.from.iter().sum::<u64>() as usize));
        match resampled.before_split {
            true => leak = format!("; data leakage: {method} resampled all {from} rows before the split"),
            false => training = format!("training ({from} before {method})"),
        }
    }
    let rows = settings::of_rows([(&training, rows.train), ("validation", rows.validation), ("test", rows.test)]);
    format!("{}: {rows}{leak}", plan.spec.data.name())
}

/// Returns the positive class if a metric or a setting is about it.
pub(super) fn positive_class(plan: &Plan, stack: &StackInfo) -> Option<String> {
    let is_of_it = stack.rows.test > 0
        || plan.spec.positive.is_some()
        || plan.metrics().iter().any(|metric| metric.info().uses_positive_class)
        || plan.network().is_some_and(|network| network.train.loss.has_pos_weight());
    let positive = stack.positive.as_ref().filter(|_| is_of_it)?;
    let other = match positive.chosen {
        ChosenBy::Rarer => "; `positive` in the experiment file chooses another",
        ChosenBy::Stated | ChosenBy::Second => "",
    };
    Some(format!("positive class: {}{other}", positive.describe()))
}

/// Returns what is trained together, and on which device.
pub(super) fn of_stack(plans: &[&Plan], stack: &StackInfo) -> String {
    let threads = match stack.threads {
        1 => "1 thread".to_owned(),
        threads => format!("up to {threads} threads"),
    };
    format!("{}, on {} with {threads}", describe_stack(plans, stack), device::name(stack.device))
}

/// Returns the seeds, folds and variants that are trained together, and what is shown of them.
pub(super) fn describe_stack(plans: &[&Plan], stack: &StackInfo) -> String {
    let s = if stack.seeds.len() == 1 { "" } else { "s" };
    let seeds = format!("seed{s} {}", format_seeds(&stack.seeds));
    if stack.replicas == 1 {
        let fold = if stack.folds.is_some() { ", one fold" } else { "" };
        return format!("{seeds}{fold}");
    }
    let folds = stack.folds.filter(|&folds| folds > 1).map(|folds| format!("{folds} folds"));
    let shown = match plans {
        [_] => "the mean",
        _ => "the best and the worst",
    };
    let variants = (plans.len() > 1).then(|| format!("{} variants", plans.len()));
    let parts: Vec<String> = variants.into_iter().chain(folds).chain([seeds]).collect();
    match &parts[..] {
        [seeds] => format!("{seeds} trained together (showing {shown})"),
        parts => format!("trained together: {} (showing {shown})", parts.join(", ")),
    }
}
