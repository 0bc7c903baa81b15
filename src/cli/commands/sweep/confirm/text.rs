//! A confirmation and its results as text and as JSON.

use serde_json::{Value, json};

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::compare::statistics::sample::Sample;
use crate::experiment::spec::seeds;
use crate::sweep::confirmation::{Confirmation, Confirmed, Standing};
use crate::sweep::labels::Labels;
use crate::sweep::record::{Extension, SweepRecord};
use crate::views::document::statistic::mean_and_std;

/// Returns the configurations on fresh seeds as a table, and the conclusion below it.
pub(crate) fn table(confirmation: &Confirmation, page: TextStyle) -> String {
    let results = &confirmation.results;
    let values = |sample: &dyn Fn(&Confirmed) -> Option<Sample>| -> Vec<String> {
        results.iter().map(|one| sample(one).as_ref().map_or("–".to_owned(), mean_and_std)).collect()
    };
    let metric = results.iter().zip(values(&|one| one.result.metric.clone()));
    let metric = metric.map(|(one, text)| Cell { text, is_best: one.standing == Standing::Best });
    let plain = |texts: Vec<String>| texts.into_iter().map(Cell::plain);
    let in_search = results.iter().map(|one| number_format::metric(one.in_search)).collect();
    let p = results.iter().map(|one| one.p.map_or("–".to_owned(), number_format::p_value)).collect();
    let mut groups = vec![
        vec![Column::numbers(confirmation.by.metric, metric)],
        vec![Column::numbers("p-value", plain(p))],
        vec![Column::numbers("in the search", plain(in_search))],
    ];
    if let Some(test) = &confirmation.test_metric {
        groups.push(vec![Column::numbers(test.as_str(), plain(values(&|one| one.test.clone())))]);
    }
    let closing = Column::words("conclusion", results.iter().map(|one| one.standing.words().to_owned()));
    let labels = Column::words("configuration", results.iter().map(|one| one.name().to_owned()));
    let mut parts = Fitted { closing: Some(closing), ..Fitted::new(labels, groups) }.tables(page);
    let mut below = vec![confirmation.conclusion()];
    below.extend(shrinkage(confirmation));
    parts.push(below.iter().map(|line| page.wrapped(line, 2)).collect::<Vec<_>>().join("\n"));
    parts.join("\n\n")
}

/// Returns how the metric of the best configuration of the search differs on fresh seeds, as text.
fn shrinkage(confirmation: &Confirmation) -> Option<String> {
    let (name, fresh, in_search) = confirmation.best_of_search()?;
    let what = if fresh < in_search { "lower" } else { "higher" };
    let [by, fresh, in_search] =
        [(fresh - in_search).abs(), fresh, in_search].map(|value| number_format::metric(Some(value)));
    let metric = confirmation.by.metric;
    Some(format!(
        "`{name}` was best in the search: its {metric} is {by} {what} on fresh seeds ({fresh} instead of {in_search})"
    ))
}

/// Returns the confirmation as JSON.
pub(crate) fn json(confirmation: &Confirmation) -> Value {
    let result = |one: &Confirmed| {
        json!({
            "configuration": one.name(), "metric": one.result.metric, "in_search": one.in_search, "test": one.test,
            "parameters": one.parameters, "p": one.p, "conclusion": one.standing.words(),
        })
    };
    json!({
        "seeds": confirmation.plan.seeds, "test_metric": confirmation.test_metric,
        "results": confirmation.results.iter().map(result).collect::<Vec<_>>(),
        "cheapest": confirmation.cheapest().map(Confirmed::name),
        "shrinkage": confirmation.shrinkage(), "conclusion": confirmation.conclusion(),
    })
}

/// Returns what a confirmation trains, as text.
pub(super) fn describe(record: &SweepRecord, extension: &Extension) -> String {
    let Some(plan) = &extension.confirmation else { return String::new() };
    let labels = Labels::new(&record.settings);
    let of_one = |name: &str| {
        let set = record.configuration(name).map(|configuration| labels.describe(&configuration.set));
        format!("  {name}  {}", set.unwrap_or_default())
    };
    let best = match plan.configurations.len() {
        1 => "configuration".to_owned(),
        several => format!("{several} configurations"),
    };
    let (s, seeds) = (if plan.seeds.len() == 1 { "" } else { "s" }, seeds::format(&plan.seeds));
    let mut lines = vec![format!("the best {best} on seed{s} {seeds}:")];
    lines.extend(plan.configurations.iter().map(|chosen| of_one(&chosen.name)));
    lines.join("\n")
}
