//! CSV and JSON output of `runner predict`.

use serde_json::{Map, Value as Json, json};

use crate::cli::commands::predict::kept_columns;
use crate::cli::commands::predict::text::PredictionView;
use crate::data::Target;
use crate::experiment::predict::prediction::{Label, Prediction, Value};
use crate::io::csv_line;

/// Returns CSV with a line for each row: the prediction, the probability or score of every class, and the true value.
pub(crate) fn to_csv(view: &PredictionView) -> String {
    let prefix = if view.predictions.are_probabilities { "p" } else { "score" };
    let (each, truth) = (view.names.iter(), view.has_truth);
    let mut header = vec!["row".to_owned()];
    match view.target {
        Target::Classes(_) => {
            header.push("prediction".to_owned());
            header.extend(each.map(|name| format!("{prefix}_{name}")));
            header.extend(truth.then(|| "truth".to_owned()));
        }
        Target::Labels(_) => header.extend(each.flat_map(|name| {
            let truth = truth.then(|| format!("truth_{name}"));
            [Some(name.clone()), Some(format!("{prefix}_{name}")), truth].into_iter().flatten()
        })),
        Target::Values(_) => header.extend(each.flat_map(|name| {
            let [truth, error] = ["truth", "error"].map(|what| truth.then(|| format!("{what}_{name}")));
            [Some(name.clone()), truth, error].into_iter().flatten()
        })),
    }
    let kept: Vec<String> = view.kept.iter().map(|(name, _)| kept_columns::header(name, &header)).collect();
    header.splice(1..1, kept);
    let mut lines = vec![csv_line::line(&header)];
    let known = |text: Option<String>| truth.then(|| text.unwrap_or_default());
    for (row, (number, prediction)) in view.numbers.iter().zip(&view.predictions.rows).enumerate() {
        let mut fields = vec![number.to_string()];
        fields.extend(view.kept_of(row).map(str::to_owned));
        match prediction {
            Prediction::Class { class, shares, truth } => {
                fields.push(view.names[*class].clone());
                fields.extend(shares.iter().map(f64::to_string));
                fields.extend(known(truth.map(|truth| view.names[truth].clone())));
            }
            Prediction::Labels(labels) => fields.extend(labels.iter().flat_map(|Label { yes, share, truth }| {
                let truth = known(truth.map(|truth| u8::from(truth).to_string()));
                [Some(u8::from(*yes).to_string()), Some(share.to_string()), truth].into_iter().flatten()
            })),
            Prediction::Values(values) => fields.extend(values.iter().flat_map(|value| {
                let number = |number: Option<f64>| known(number.map(|number| number.to_string()));
                [Some(value.value.to_string()), number(value.truth), number(value.error())].into_iter().flatten()
            })),
        }
        lines.push(csv_line::line(&fields));
    }
    lines.join("\n")
}

/// Returns a JSON object for each row.
pub(crate) fn to_json(view: &PredictionView) -> Json {
    let row = |(row, (number, prediction)): (usize, (&usize, &Prediction))| {
        let mut object = json!({ "row": number });
        if !view.kept.is_empty() {
            let names = view.kept.iter().map(|(name, _)| name.clone());
            let kept = names.zip(view.kept_of(row).map(Json::from));
            object["columns"] = kept.collect::<Map<String, Json>>().into();
        }
        let each = |values: Vec<Json>| -> Json {
            view.names.iter().cloned().zip(values).collect::<Map<String, Json>>().into()
        };
        match prediction {
            Prediction::Class { class, shares, truth } => {
                object["prediction"] = json!(view.names[*class]);
                object[view.score_name()] = json!(shares[*class]);
                let shown = view.top.map_or_else(|| (0..shares.len()).collect(), |_| view.classes(shares));
                let named = shown.into_iter().map(|number| (view.names[number].clone(), json!(shares[number])));
                let key = if view.predictions.are_probabilities { "probabilities" } else { "scores" };
                object[key] = named.collect::<Map<String, Json>>().into();
                if let Some(truth) = truth {
                    object["truth"] = json!(view.names[*truth]);
                    object["right"] = json!(truth == class);
                }
            }
            Prediction::Labels(labels) => {
                let label = |Label { yes, share, truth }: &Label| {
                    let mut label = json!({ "prediction": yes });
                    label[view.score_name()] = json!(share);
                    truth.iter().for_each(|truth| label["truth"] = json!(truth));
                    label
                };
                object["labels"] = each(labels.iter().map(label).collect());
            }
            Prediction::Values(values) => {
                let value = |value: &Value| match (value.truth, value.error()) {
                    (Some(truth), Some(error)) => json!({ "prediction": value.value, "truth": truth, "error": error }),
                    _ => json!({ "prediction": value.value }),
                };
                object["values"] = each(values.iter().map(value).collect());
            }
        }
        object
    };
    view.numbers.iter().zip(&view.predictions.rows).enumerate().map(row).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::predict::prediction::Predictions;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn predictions(rows: Vec<Prediction>) -> Predictions {
        Predictions { are_probabilities: true, rows }
    }

    fn view<'a>(predictions: &'a Predictions, target: Target, names: &'a [String]) -> PredictionView<'a> {
        PredictionView {
            predictions,
            target,
            names,
            numbers: &[4, 5, 6],
            kept: &[],
            top: None,
            has_truth: true,
            most_rows: 9,
        }
    }

    #[test]
    fn classes_have_a_column_for_each_probability_and_an_unknown_truth_is_empty() {
        let class = |class, shares: &[f64], truth| Prediction::Class { class, shares: shares.to_vec(), truth };
        let rows = vec![class(1, &[0.25, 0.75], Some(1)), class(0, &[0.9, 0.1], Some(1)), class(0, &[0.6, 0.4], None)];
        let (predictions, names) = (predictions(rows), names(&["a,b", "c"]));
        let view = view(&predictions, Target::Classes(2), &names);
        let csv = to_csv(&view);
        let lines =
            ["row,prediction,\"p_a,b\",p_c,truth", "4,c,0.25,0.75,c", "5,\"a,b\",0.9,0.1,c", "6,\"a,b\",0.6,0.4,"];
        assert_eq!(csv.lines().collect::<Vec<_>>(), lines);
        let all = to_json(&view);
        assert_eq!((&all[1]["right"], &all[2].get("truth")), (&json!(false), &None));
        assert_eq!(all[0]["probabilities"], json!({ "a,b": 0.25, "c": 0.75 }));
        let top = to_json(&PredictionView { top: Some(1), ..view });
        assert_eq!(top[0]["probabilities"], json!({ "c": 0.75 }));
    }

    #[test]
    fn each_label_and_value_has_its_columns() {
        let label = |yes, share, truth| Label { yes, share, truth };
        let labels = Prediction::Labels(vec![label(true, 0.75, Some(true)), label(false, 0.5, None)]);
        let (labels, label_names) = (predictions(vec![labels]), names(&["even", "prime"]));
        let of_labels = view(&labels, Target::Labels(2), &label_names);
        assert_eq!(to_csv(&of_labels), "row,even,p_even,truth_even,prime,p_prime,truth_prime\n4,1,0.75,1,0,0.5,");
        assert_eq!(to_json(&of_labels)[0]["labels"]["prime"], json!({ "prediction": false, "probability": 0.5 }));
        let values = predictions(vec![Prediction::Values(vec![Value { value: 1.5, truth: Some(2.0) }])]);
        let value_names = names(&["y"]);
        let of_values = view(&values, Target::Values(1), &value_names);
        assert_eq!(to_csv(&of_values), "row,y,truth_y,error_y\n4,1.5,2,-0.5");
        assert_eq!(to_csv(&PredictionView { has_truth: false, ..of_values }), "row,y\n4,1.5");
    }
}
