//! Checks the `[[expect]]` and `[[reference]]` tables of an experiment. Each table is checked against the plan of its
//! variant, or against all plans if it names none.

use crate::config::check::{Invalid, refuse};
use crate::config::suggest;
use crate::experiment::plan::available_metrics::{AvailableMetrics, text_values};
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::spec::Spec;
use crate::history::diagnosis::canonical;
use crate::history::expectation::{Expectation, Over};
use crate::history::metric_path::VARIANT_SEPARATOR;
use crate::history::reference::Reference;

/// Checks all expectations and references. `seeds` is the number of seeds in the experiment file; the command line may
/// select fewer.
///
/// # Errors
/// When a table names an unknown variant or metric, or has no bound.
pub fn check(spec: &Spec, plans: &[Plan], seeds: usize) -> Result<(), Invalid> {
    let runs: Vec<VariantMetrics> =
        plans.iter().map(|plan| VariantMetrics { plan, metrics: AvailableMetrics::new(plan), seeds }).collect();
    for (number, expectation) in spec.expect.iter().enumerate() {
        check_expectation(expectation, &runs).map_err(|fault| fault.under(format!("expect.{number}")))?;
    }
    for (number, theirs) in spec.theirs.iter().enumerate() {
        let same = |other: &&Reference| other.value == theirs.value && other.variant == theirs.variant;
        if spec.theirs[..number].iter().any(|other| same(&other)) {
            let message = format!("is a duplicate: `{}` already has a reference", theirs.value);
            return Err(Invalid::new(format!("reference.{number}.metric"), message));
        }
        check_reference(theirs, &runs).map_err(|fault| fault.under(format!("reference.{number}")))?;
    }
    Ok(())
}

/// A variant and the metrics that its trials will have.
struct VariantMetrics<'a> {
    plan: &'a Plan,
    metrics: AvailableMetrics,
    seeds: usize,
}

impl VariantMetrics<'_> {
    fn trials(&self) -> usize {
        self.plan.spec.seeds.len().max(self.seeds) * self.plan.spec.data.split().folds.unwrap_or(1)
    }
}

/// Returns the variants that a table applies to: the named one, or all.
fn selected<'a>(
    key: &str,
    named: Option<&str>,
    runs: &'a [VariantMetrics<'a>],
) -> Result<&'a [VariantMetrics<'a>], Invalid> {
    let Some(name) = named else { return Ok(runs) };
    match runs.iter().position(|run| run.plan.variant == name) {
        Some(place) => Ok(&runs[place..=place]),
        None => {
            let hint = match runs {
                [run] if run.plan.variant == BASE => "the experiment has no variants".to_owned(),
                runs => suggest::hint(name, runs.iter().map(|run| run.plan.variant.as_str())),
            };
            Err(Invalid::new(key, format!("names no variant: `{name}`")).hint(hint))
        }
    }
}

/// Checks that all variants in `of` have the metric. If only another variant has it, the hint says which.
fn check_figure(key: &str, name: &str, wanted: &[VariantMetrics], runs: &[VariantMetrics]) -> Result<(), Invalid> {
    wanted.iter().try_for_each(|run| run.metrics.check(key, name)).map_err(|fault| {
        match runs.iter().find(|run| run.metrics.check(key, name).is_ok()) {
            Some(run) => fault.hint(format!("it is one of {}", run.metrics.label)),
            None => fault,
        }
    })
}

fn check_reference(theirs: &Reference, runs: &[VariantMetrics]) -> Result<(), Invalid> {
    let selected = selected("variant", theirs.variant.as_deref(), runs)?;
    check_figure("metric", &theirs.value, selected, runs)?;
    if text_values(&theirs.value).is_some() {
        return Err(Invalid::new("metric", format!("must be a numeric metric, found `{}`", theirs.value)));
    }
    refuse(!theirs.figure.is_finite(), || Invalid::new("value", "must be a finite number"))
}

fn check_expectation(expectation: &Expectation, runs: &[VariantMetrics]) -> Result<(), Invalid> {
    let Expectation { value, at_least, at_most, near, within, above, times, is, .. } = expectation;
    check_line("claim", expectation.claim.as_deref())?;
    let selected = selected("variant", expectation.variant.as_deref(), runs)?;
    check_figure("metric", value, selected, runs)?;
    if let Some(name) = above {
        check_above(name, selected, runs)?;
        let named = name.split_once(VARIANT_SEPARATOR);
        let (variant, figure) = named.map_or((None, &name[..]), |(variant, figure)| (Some(variant), figure));
        if figure == value && (variant.is_none() || variant == expectation.variant.as_deref()) {
            return Err(Invalid::new("above", format!("must be another metric, found `{value}`")));
        }
    }
    let stated = [at_least.is_some(), at_most.is_some(), near.is_some(), above.is_some(), is.is_some()];
    if !stated.contains(&true) {
        let message = format!("has no bound for `{value}`");
        return Err(Invalid::new("metric", message).hint("add `at_least`, `at_most`, `near`, `above` or `is`"));
    }
    refuse(near.is_some() != within.is_some(), || Invalid::new("near", "and `within` must be used together"))?;
    for (key, bound) in [("at_least", at_least), ("at_most", at_most), ("near", near), ("times", times)] {
        let is_wrong = bound.is_some_and(|bound| !bound.is_finite());
        refuse(is_wrong, || Invalid::new(key, "must be a finite number"))?;
    }
    let is_wrong = within.is_some_and(|within| !within.is_finite() || within < 0.0);
    refuse(is_wrong, || Invalid::new("within", "must be finite and at least 0"))?;
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        return Err(Invalid::new("at_least", format!("must not exceed `at_most`, which is {most}, found {least}")));
    }
    refuse(times.is_some_and(|times| times <= 0.0), || Invalid::new("times", "must be above 0"))?;
    refuse(times.is_some() && above.is_none(), || Invalid::new("times", "requires `above`"))?;
    check_over(expectation, selected)?;
    let (allowed, bounds) = (text_values(value), stated[..4].contains(&true));
    match (allowed, is) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Invalid::new("is", "is for text, but this metric is a number")),
        (_, None) => Err(Invalid::new("metric", format!("is text: `{value}`")).hint("add `is`")),
        (_, Some(_)) if bounds && expectation.over != Some(Over::Share) => {
            Err(Invalid::new("is", "is for text and cannot be combined with bounds"))
        }
        (Some(known), Some(word)) if !known.is_empty() && !known.contains(&canonical(word)) => {
            let message = format!("is not a value of `{value}`: `{word}`");
            Err(Invalid::new("is", message).hint(suggest::hint(word, known.iter().copied())))
        }
        (_, Some(_)) => Ok(()),
    }
}

/// Checks the metric in `above`, which belongs to the variant that it names, or else to the same variant.
fn check_above(name: &str, same: &[VariantMetrics], runs: &[VariantMetrics]) -> Result<(), Invalid> {
    let (others, name) = match name.split_once(VARIANT_SEPARATOR) {
        Some((variant, name)) => (selected("above", Some(variant), runs)?, name),
        None => (same, name),
    };
    check_figure("above", name, others, runs)?;
    let is_text = text_values(name).is_some();
    refuse(is_text, || Invalid::new("above", format!("must be a numeric metric, found `{name}`")))
}

fn check_over(expectation: &Expectation, selected: &[VariantMetrics]) -> Result<(), Invalid> {
    let Some(over) = expectation.over else {
        return match expectation.min_seeds {
            None => Ok(()),
            Some(_) => Err(Invalid::new("min_seeds", "requires `over`")
                .hint("add `over = \"mean\"`, or remove `min_seeds`: without `over` each trial is checked by itself")),
        };
    };
    if let Some(seeds @ ..2) = expectation.min_seeds {
        return Err(Invalid::new("min_seeds", format!("must be at least 2, found {seeds}")));
    }
    let word = over.word();
    if expectation.seed.is_some() {
        return Err(Invalid::new("over", format!("is a {word} over all seeds, but `seed` selects one"))
            .hint("remove one of them"));
    }
    let value = &expectation.value;
    match (text_values(value).is_some(), over == Over::Share) {
        (true, false) => {
            let message = format!("must be `share`: `{value}` is text and has no {word}");
            let hint = "use `over = \"share\"`, the share of trials with the value in `is`";
            return Err(Invalid::new("over", message).hint(hint));
        }
        (false, true) => {
            let message = format!("is `share`, which requires text: `{value}` is a number");
            return Err(Invalid::new("over", message).hint("use `mean`, `std`, `min` or `max`"));
        }
        _ => {}
    }
    if over == Over::Share {
        if expectation.is.is_none() {
            return Err(Invalid::new("is", "is missing: `over = \"share\"` counts the trials with this value"));
        }
        if expectation.above.is_some() {
            let fault = Invalid::new("above", "cannot be combined with `over = \"share\"`");
            return Err(fault.hint("add `at_least` or `at_most`"));
        }
        if expectation.at_least.or(expectation.at_most).or(expectation.near).is_none() {
            return Err(Invalid::new("over", "is `share`, but there is no bound").hint("add `at_least = 0.6`"));
        }
    }
    if over == Over::Std && selected.iter().any(|run| run.trials() < 2) {
        return Err(Invalid::new("over", "is `std`, which requires at least two trials, found 1")
            .hint("add seeds, `seeds = [0, 1, 2]`, or folds, `split = { folds = 5 }`"));
    }
    Ok(())
}

/// Checks a text that is shown on one line.
///
/// # Errors
/// When it is empty or has several lines.
pub fn check_line(key: &str, text: Option<&str>) -> Result<(), Invalid> {
    match text {
        Some(text) if text.trim().is_empty() => Err(Invalid::new(key, "is empty").hint("remove it")),
        Some(text) if text.contains('\n') => Err(Invalid::new(key, "must be a single line")),
        _ => Ok(()),
    }
}
