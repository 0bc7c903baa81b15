//! What an experiment may expect, and lay beside its own: each table is checked against the plan of the variant that it
//! names, or against all of them where it names none.

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::experiment::plan::available_metrics::{Figures, Words, words};
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::spec::Spec;
use crate::history::diagnosis::canonical;
use crate::history::expectation::{Expectation, Over};
use crate::history::figure::VARIANT_SEPARATOR;
use crate::history::theirs::Reference;

/// Checks all that the experiment expects, and all that it reports of others. `seeds` is how many there are when the
/// experiment is run as it is written: on the command line a single one may be asked for.
///
/// # Errors
/// When a table speaks of a variant or a figure that will not be there, or states nothing.
pub fn check(spec: &Spec, plans: &[Plan], seeds: usize) -> Result<(), Invalid> {
    let runs: Vec<Run> = plans.iter().map(|plan| Run { plan, figures: Figures::of(plan), seeds }).collect();
    for (number, expectation) in spec.expect.iter().enumerate() {
        check_expectation(expectation, &runs).map_err(|fault| fault.under(format!("expect.{number}")))?;
    }
    for (number, theirs) in spec.theirs.iter().enumerate() {
        let same = |other: &&Reference| other.value == theirs.value && other.variant == theirs.variant;
        if spec.theirs[..number].iter().any(|other| same(&other)) {
            let message = format!("reports `{}` a second time", theirs.value);
            return Err(Invalid::new(format!("theirs.{number}.value"), message));
        }
        check_theirs(theirs, &runs).map_err(|fault| fault.under(format!("theirs.{number}")))?;
    }
    Ok(())
}

/// A variant, and what its trials will have.
struct Run<'a> {
    plan: &'a Plan,
    figures: Figures,
    seeds: usize,
}

impl Run<'_> {
    fn trials(&self) -> usize {
        self.plan.spec.seeds.len().max(self.seeds) * self.plan.spec.data.split().folds.unwrap_or(1)
    }
}

/// The variants that a table concerns: the one that it names, or all.
fn concerned<'a>(key: &str, named: Option<&str>, runs: &'a [Run<'a>]) -> Result<&'a [Run<'a>], Invalid> {
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

/// Checks that each of these will have the figure; where only some have it, the hint says which.
fn check_figure(key: &str, name: &str, of: &[Run], runs: &[Run]) -> Result<(), Invalid> {
    of.iter().try_for_each(|run| run.figures.check(key, name)).map_err(|fault| {
        match runs.iter().find(|run| run.figures.check(key, name).is_ok()) {
            Some(run) => fault.hint(format!("it is one of {}", run.figures.of)),
            None => fault,
        }
    })
}

fn check_theirs(theirs: &Reference, runs: &[Run]) -> Result<(), Invalid> {
    let concerned = concerned("variant", theirs.variant.as_deref(), runs)?;
    check_figure("value", &theirs.value, concerned, runs)?;
    if words(&theirs.value) != Words::None {
        return Err(Invalid::new("value", format!("is a word, and a number is needed: `{}`", theirs.value)));
    }
    if !theirs.figure.is_finite() {
        return Err(Invalid::new("figure", "must be a finite number"));
    }
    Ok(())
}

fn check_expectation(expectation: &Expectation, runs: &[Run]) -> Result<(), Invalid> {
    let Expectation { value, at_least, at_most, near, within, above, times, is, .. } = expectation;
    check_line("claim", expectation.claim.as_deref())?;
    let concerned = concerned("variant", expectation.variant.as_deref(), runs)?;
    check_figure("value", value, concerned, runs)?;
    if let Some(name) = above {
        check_above(name, concerned, runs)?;
        let (variant, figure) = match name.split_once(VARIANT_SEPARATOR) {
            Some((variant, figure)) => (Some(variant), figure),
            None => (None, name.as_str()),
        };
        if figure == value && (variant.is_none() || variant == expectation.variant.as_deref()) {
            return Err(Invalid::new("above", format!("is the metric itself: `{value}`")));
        }
    }
    let stated = [at_least.is_some(), at_most.is_some(), near.is_some(), above.is_some(), is.is_some()];
    if !stated.contains(&true) {
        let message = format!("has no bound for `{value}`");
        return Err(Invalid::new("value", message).hint("state `at_least`, `at_most`, `near`, `above` or `is`"));
    }
    if near.is_some() != within.is_some() {
        return Err(Invalid::new("near", "and `within` need each other"));
    }
    for (key, bound) in [("at_least", at_least), ("at_most", at_most), ("near", near), ("times", times)] {
        if bound.is_some_and(|bound| !bound.is_finite()) {
            return Err(Invalid::new(key, "must be a finite number"));
        }
    }
    if within.is_some_and(|within| !within.is_finite() || within < 0.0) {
        return Err(Invalid::new("within", "must be finite and at least 0"));
    }
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        return Err(Invalid::new("at_least", format!("is {least}, above `at_most`, which is {most}")));
    }
    if times.is_some_and(|times| times <= 0.0) {
        return Err(Invalid::new("times", "must be above 0"));
    }
    if times.is_some() && above.is_none() {
        return Err(Invalid::new("times", "needs `above`"));
    }
    check_over(expectation, concerned)?;
    let (can_be, bounds) = (words(value), stated[..4].contains(&true));
    match (can_be, is) {
        (Words::None, None) => Ok(()),
        (Words::None, Some(_)) => Err(Invalid::new("is", "is for words, but this metric is a number")),
        (_, None) => Err(Invalid::new("value", format!("is a word: `{value}`")).hint("state `is`")),
        (_, Some(_)) if bounds && expectation.over != Some(Over::Share) => {
            Err(Invalid::new("is", "is for words and does not go with bounds"))
        }
        (Words::OneOf(known), Some(word)) if !known.contains(&canonical(word)) => {
            let message = format!("is nothing that `{value}` can be: `{word}`");
            Err(Invalid::new("is", message).hint(suggest::hint(word, known.iter().copied())))
        }
        (_, Some(_)) => Ok(()),
    }
}

/// The other figure is looked for in the variant that it names, or in the same one.
fn check_above(name: &str, same: &[Run], runs: &[Run]) -> Result<(), Invalid> {
    let (others, name) = match name.split_once(VARIANT_SEPARATOR) {
        Some((variant, name)) => (concerned("above", Some(variant), runs)?, name),
        None => (same, name),
    };
    check_figure("above", name, others, runs)?;
    match words(name) {
        Words::None => Ok(()),
        _ => Err(Invalid::new("above", format!("is a word, and a number is needed: `{name}`"))),
    }
}

fn check_over(expectation: &Expectation, concerned: &[Run]) -> Result<(), Invalid> {
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
        return Err(Invalid::new("over", format!("is a {word} over all seeds, and `seed` names one"))
            .hint("leave one of the two out"));
    }
    let is_word = words(&expectation.value) != Words::None;
    match (is_word, over == Over::Share) {
        (true, false) => {
            return Err(Invalid::new(
                "over",
                format!("cannot be: `{}` is a word, and has no {word}", expectation.value),
            )
            .hint("`over = \"share\"` is the share of the trials whose word is `is`"));
        }
        (false, true) => {
            return Err(Invalid::new(
                "over",
                format!("is `share`, which needs a word: `{}` is a number", expectation.value),
            )
            .hint("use `mean`, `std`, `min` or `max`"));
        }
        _ => {}
    }
    if over == Over::Share {
        if expectation.is.is_none() {
            return Err(Invalid::new("is", "is missing: `over = \"share\"` counts the trials whose word it is"));
        }
        if expectation.above.is_some() {
            return Err(
                Invalid::new("above", "does not go with `over = \"share\"`").hint("state `at_least` or `at_most`")
            );
        }
        if expectation.at_least.or(expectation.at_most).or(expectation.near).is_none() {
            return Err(Invalid::new("over", "is `share`, and no bound is stated").hint("add `at_least = 0.6`"));
        }
    }
    if over == Over::Std && concerned.iter().any(|run| run.trials() < 2) {
        return Err(Invalid::new("over", "is `std`, which requires at least two trials, found 1")
            .hint("more seeds, `seeds = [0, 1, 2]`, or folds, `split = { folds = 5 }`"));
    }
    Ok(())
}

/// A text that is shown in a line.
///
/// # Errors
/// When it is empty, or has more lines than one.
pub fn check_line(key: &str, text: Option<&str>) -> Result<(), Invalid> {
    match text {
        Some(text) if text.trim().is_empty() => Err(Invalid::new(key, "is empty").hint("leave it out")),
        Some(text) if text.contains('\n') => Err(Invalid::new(key, "must be a single line")),
        _ => Ok(()),
    }
}
