//! What is said of trials whose rows were resampled before they were split: that their figures are too good, and why;
//! and beside its honest twin, by how much.

use crate::cli::summary::variant::Compared;
use crate::cli::text::number_format;
use crate::cli::text::page::Page;
use crate::experiment::spec::Spec;
use crate::history::History;

/// The figures that a leak is told by: the first that both have.
const TOLD_BY: [&str; 4] = ["f1", "ap", "balanced_acc", "acc"];

/// What is to be said of the trials of one model.
pub fn of_trials(histories: &[History], page: Page) -> Option<String> {
    let why = histories.first()?.data.resample.as_ref()?.leak.as_ref()?;
    Some(page.wrapped(&format!("leaky: {why}"), 2))
}

/// A sentence for each variant that leaks: beside the variant that is the same but for the leak, where there is one.
pub fn of_variants(variants: &[Compared], page: Page) -> Option<String> {
    let lines: Vec<String> =
        variants.iter().filter_map(|leaky| sentence(leaky, variants)).map(|line| page.wrapped(&line, 2)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn sentence(leaky: &Compared, variants: &[Compared]) -> Option<String> {
    let (name, why) = (leaky.variant(), leaky.trials.first()?.data.resample.as_ref()?.leak.as_ref()?);
    let told = honest_twin(leaky, variants).and_then(|honest| {
        let figure = |variant: &Compared, metric: &str| variant.mean(|history| test_figure(history, metric));
        TOLD_BY.iter().find_map(|metric| Some((honest, *metric, figure(leaky, metric)?, figure(honest, metric)?)))
    });
    Some(match told {
        None => format!("{name} leaks: {why}"),
        Some((honest, metric, with, without)) => format!(
            "{name} leaks: its test {metric} of {} is no better than the {} of {}; {why}",
            number_format::metric(Some(with)),
            number_format::metric(Some(without)),
            honest.variant()
        ),
    })
}

/// The variant that differs in the leak alone.
fn honest_twin<'v, 'a>(leaky: &Compared, variants: &'v [Compared<'a>]) -> Option<&'v Compared<'a>> {
    let honest = Spec { resample_before_split: false, ..leaky.plan.spec.clone() };
    variants.iter().find(|variant| variant.plan.spec == honest)
}

fn test_figure(history: &History, metric: &str) -> Option<f64> {
    Some(history.test.as_ref()?.metrics.get(metric)?.0)
}
