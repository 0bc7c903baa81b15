//! An experiment's figures beside those that a walkthrough reports, and its variants beside each other.

use serde_json::Value;

use crate::results::Experiment;
use crate::results::markdown::{Table, decimals, mean, shown};

/// What a walkthrough reports, beside ours with each seed; `None` where it reports nothing.
pub fn theirs(experiment: &Experiment) -> Option<String> {
    let mut rows: Vec<(String, &Value, Vec<Vec<&Value>>)> = Vec::new();
    for (place, run) in experiment.runs.iter().enumerate() {
        for history in &run.histories {
            let of_variant = experiment.variant(history).map(|variant| format!("{variant}/")).unwrap_or_default();
            for beside in history["theirs"].as_array().into_iter().flatten() {
                let name = format!("{of_variant}{}", beside["value"].as_str()?);
                let known = rows.iter_mut().find(|(known, _, _)| *known == name);
                match known {
                    Some((_, _, by_seed)) => by_seed[place].push(&beside["ours"]),
                    None => {
                        let mut by_seed = vec![Vec::new(); experiment.runs.len()];
                        by_seed[place].push(&beside["ours"]);
                        rows.push((name, beside, by_seed));
                    }
                }
            }
        }
    }
    let written: Vec<String> = rows.iter().map(|(_, beside, _)| beside["theirs"].to_string()).collect();
    let decimals = written.iter().map(|figure| decimals(figure)).max()?;
    let header = ["figure", "theirs"].map(str::to_owned).into_iter().chain(experiment.labels());
    let mut table = Table::new(header, 1..2 + experiment.runs.len());
    for ((name, beside, by_seed), theirs) in rows.iter().zip(written) {
        let first = experiment.runs[0].label();
        let exact = if beside["exact"] == true { format!(" (exact, with {first})") } else { String::new() };
        let ours = by_seed.iter().map(|values| shown(&mean(values), decimals));
        table.row([format!("`{name}`{exact}"), theirs].into_iter().chain(ours));
    }
    Some(table.text())
}

/// Which trials leak, and why; `None` where none does.
pub fn leaks(experiment: &Experiment) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for history in &experiment.runs.first()?.histories {
        let Some(why) = history["data"]["resample"]["leak"].as_str() else { continue };
        let of = experiment.variant(history).map(|variant| format!("`{variant}`: ")).unwrap_or_default();
        let line = format!("**Leaky:** {of}{why}.\n");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The variants at the end of the first seed's run; `None` where there are none.
pub fn variants(experiment: &Experiment) -> Option<String> {
    let first = experiment.runs.first()?;
    let histories = &first.histories;
    let mut variants: Vec<(&str, Vec<&Value>)> = Vec::new();
    for history in histories {
        let variant = experiment.variant(history)?;
        match variants.iter_mut().find(|(known, _)| *known == variant) {
            Some((_, trials)) => trials.push(history),
            None => variants.push((variant, vec![history])),
        }
    }
    let metric = metric(histories)?;
    let val_metric = format!("val_{metric}");
    let columns: Vec<(String, Figure)> = vec![
        ("loss".to_owned(), at_the_end("loss".to_owned())),
        ("val_loss".to_owned(), at_the_end("val_loss".to_owned())),
        ("rise".to_owned(), Box::new(|history| Some(&history["diagnosis"]["val_loss_rise"]))),
        (metric.clone(), at_the_end(metric.clone())),
        (val_metric.clone(), at_the_end(val_metric)),
    ];
    // of two classes, one of them rare, F1 is not told without what it is made of
    let tested = if metric == "f1" { vec!["f1", "precision", "recall", "ap"] } else { vec![metric.as_str()] };
    let tested = tested.into_iter().map(|metric| metric.to_owned());
    let of_test = |metric: String| -> (String, Figure) {
        (format!("test {metric}"), Box::new(move |history: &Value| Some(&history["test"][&metric])))
    };
    let columns: Vec<(String, Figure)> = columns.into_iter().chain(tested.map(of_test)).collect();
    let of = |figure: &Figure, trials: &[&'_ Value]| -> Value {
        let found: Vec<&Value> = trials.iter().filter_map(|&history| figure(history)).collect();
        mean(&found.into_iter().filter(|value| !value.is_null()).collect::<Vec<_>>())
    };
    let shown_columns: Vec<&(String, Figure)> =
        columns.iter().filter(|(_, figure)| variants.iter().any(|(_, trials)| !of(figure, trials).is_null())).collect();

    let header = ["variant".to_owned()].into_iter().chain(shown_columns.iter().map(|(name, _)| name.clone()));
    let mut table = Table::new(header.chain(["reading".to_owned()]), 1..shown_columns.len() + 1);
    for (name, trials) in &variants {
        let figures = shown_columns.iter().map(|(_, figure)| match of(figure, trials) {
            Value::Null => "–".to_owned(),
            value => shown(&value, 4),
        });
        let mut readings: Vec<String> = Vec::new();
        for trial in trials {
            let leaks = trial["data"]["resample"]["leak"].is_string();
            let verdict = trial["diagnosis"]["verdict"].as_str();
            let reading = if leaks { "leaky" } else { verdict.unwrap_or("–") }.replace('_', " ");
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        table.row([format!("`{name}`")].into_iter().chain(figures).chain([readings.join(", ")]));
    }
    Some(format!("The variants at the end, with {}:\n\n{}", first.label(), table.text()))
}

/// A figure of a trial.
type Figure = Box<dyn Fn(&Value) -> Option<&Value>>;

/// A metric in the last epoch.
fn at_the_end(name: String) -> Figure {
    Box::new(move |history| history["history"][&name].as_array()?.last())
}

/// The metric that variants are compared by, beside the loss.
fn metric(histories: &[Value]) -> Option<String> {
    let first = histories.first()?;
    let known = |name: &&str| first["history"][*name].is_array();
    let written = first["config"]["train"]["metrics"][0].as_str();
    let first_of_tree = first["config"]["tree"]["metrics"][0].as_str().filter(|_| first["tree"].is_object());
    if let Some(metric) = first_of_tree {
        return Some(metric.to_owned());
    }
    ["acc", "r2"].into_iter().find(known).or(written).map(str::to_owned).or(Some("acc".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{history, of_seed};
    use serde_json::json;

    fn reported(mut history: Value, ours: Value, theirs: f64, exact: bool) -> Value {
        history["theirs"] = json!([{"value": "last.loss", "theirs": theirs, "ours": ours, "exact": exact}]);
        history
    }

    #[test]
    fn theirs_stand_beside_ours_with_as_many_decimals() {
        let run =
            |seed: i64, ours: f64| of_seed(seed, vec![reported(history("base", 0.5), json!(ours), 2.4022679, true)]);
        let experiment = Experiment { name: "digits".to_owned(), runs: vec![run(0, 2.40226794), run(1, 2.3)] };
        assert_eq!(
            theirs(&experiment).unwrap(),
            "| figure | theirs | seed 0 | seed 1 |\n|---|--:|--:|--:|\n\
             | `last.loss` (exact, with seed 0) | 2.4022679 | 2.4022679 | 2.3000000 |\n"
        );
    }

    #[test]
    fn ours_is_the_mean_over_folds_and_absent_where_there_is_none() {
        let folds = [0.25, 0.75].map(|ours| reported(history("base", 0.5), json!(ours), 0.5, false));
        let gone = reported(history("base", 0.5), Value::Null, 0.5, false);
        let experiment =
            Experiment { name: "xor".to_owned(), runs: vec![of_seed(0, folds.to_vec()), of_seed(1, vec![gone])] };
        let table = theirs(&experiment).unwrap();
        assert!(table.ends_with("| `last.loss` | 0.5 | 0.5000 | not available |\n"), "{table}");
        let silent = Experiment { name: "xor".to_owned(), runs: vec![of_seed(0, vec![history("base", 0.5)])] };
        assert_eq!(theirs(&silent), None);
    }

    #[test]
    fn variants_are_compared_by_what_they_have() {
        let mut diverged = history("large", 0.5);
        diverged["history"]["loss"] = json!(["nan"]);
        diverged["test"] = Value::Null;
        diverged["diagnosis"]["verdict"] = "diverged".into();
        let histories = vec![history("small", 0.25), diverged];
        let experiment =
            Experiment { name: "xor".to_owned(), runs: vec![of_seed(3, histories), of_seed(4, Vec::new())] };
        assert_eq!(
            variants(&experiment).unwrap(),
            "The variants at the end, with seed 3:\n\n| variant | loss | acc | test acc | reading |\n\
             |---|--:|--:|--:|---|\n| `small` | 0.2500 | 1 | 0.7500 | unstable |\n\
             | `large` | nan | 1 | – | diverged |\n"
        );
        let lone = Experiment { name: "xor".to_owned(), runs: vec![of_seed(0, vec![history("base", 0.5)])] };
        assert_eq!(variants(&lone), None);
    }
}
