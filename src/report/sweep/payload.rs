//! Data of the charts of a sweep as JSON.

use serde_json::{Value, json};

use crate::history::number::Number;
use crate::sweep::results::setting_column::{SettingColumn, SettingScale};
use crate::sweep::results::{ConfigurationResult, Overview, csv};
use crate::views::document::thinning::{places, rounded};

/// Maximum number of configurations in the charts.
const MOST: usize = 2000;

/// Returns the data of all charts.
pub fn of(overview: &Overview) -> Value {
    let results = &overview.ranking.results;
    let shown = places(results.len(), MOST);
    let mut index = vec![None; results.len()];
    shown.iter().enumerate().for_each(|(number, place)| index[*place] = Some(number));
    let course = overview
        .course
        .iter()
        .filter_map(|step| Some(json!([index[step.place]?, step.epochs, step.best.map(rounded)])));
    let expected = overview.expected_best.iter().map(|(size, best)| json!([size, rounded(*best)]));
    json!({
        // the charts of runs have nothing to show
        "groups": [], "metrics": [], "shown": [], "grids": [], "trials": [], "observed": [],
        "sweep": {
            "metric": overview.metric,
            "higher": overview.higher_is_better,
            "columns": overview.columns.iter().map(|one| column(one, &shown)).collect::<Vec<_>>(),
            "configurations": shown.iter().map(|place| configuration(&results[*place], overview)).collect::<Vec<_>>(),
            "course": course.collect::<Vec<_>>(),
            "expected": expected.collect::<Vec<_>>(),
        },
    })
}

fn column(column: &SettingColumn, shown: &[usize]) -> Value {
    let (scale, choices) = match &column.scale {
        SettingScale::Linear => ("linear", &[][..]),
        SettingScale::Log => ("log", &[][..]),
        SettingScale::Choices(choices) => ("choices", &choices[..]),
    };
    let values: Vec<Option<f64>> = shown.iter().map(|place| column.values[*place]).collect();
    json!({ "label": column.label, "scale": scale, "choices": choices, "values": values })
}

fn configuration(result: &ConfigurationResult, overview: &Overview) -> Value {
    let (status, _) = csv::status(&result.outcome);
    let metric = result.metric.as_ref();
    let number = |value: f64| Number(rounded(value));
    json!({
        "name": result.configuration.name,
        "value": metric.map(|metric| number(metric.mean)),
        "std": metric.and_then(|metric| metric.std).map(number),
        "epochs": result.epochs,
        "status": status,
        "settings": overview.labels.describe(&result.configuration.set),
    })
}
