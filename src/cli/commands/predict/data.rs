//! What `runner predict` gives to programs: CSV and JSON.

use serde_json::{Map, Value as Json, json};

use crate::cli::commands::predict::text::Shown;
use crate::data::Target;
use crate::experiment::predict::prediction::{Label, Prediction, Value};

/// A line for each row, for programs: the prediction, the share of every class, and what is true.
pub(crate) fn csv(shown: &Shown) -> String {
    let share = if shown.predictions.are_probabilities { "p" } else { "score" };
    let (each, truth) = (shown.names.iter(), shown.has_truth);
    let mut header = vec!["row".to_owned()];
    match shown.target {
        Target::Classes(_) => {
            header.push("prediction".to_owned());
            header.extend(each.map(|name| format!("{share}_{name}")));
            header.extend(truth.then(|| "truth".to_owned()));
        }
        Target::Labels(_) => header.extend(each.flat_map(|name| {
            let truth = truth.then(|| format!("truth_{name}"));
            [Some(name.clone()), Some(format!("{share}_{name}")), truth].into_iter().flatten()
        })),
        Target::Values(_) => header.extend(each.flat_map(|name| {
            let [truth, error] = ["truth", "error"].map(|what| truth.then(|| format!("{what}_{name}")));
            [Some(name.clone()), truth, error].into_iter().flatten()
        })),
    }
    let mut lines = vec![joined(&header)];
    for (number, prediction) in shown.numbers.iter().zip(&shown.predictions.rows) {
        let mut fields = vec![number.to_string()];
        match prediction {
            Prediction::Class { class, shares, truth } => {
                fields.push(shown.names[*class].clone());
                fields.extend(shares.iter().map(f64::to_string));
                let truth = truth.map(|truth| shown.names[truth].clone());
                fields.extend(shown.has_truth.then(|| truth.unwrap_or_default()));
            }
            Prediction::Labels(labels) => fields.extend(labels.iter().flat_map(|Label { yes, share, truth }| {
                let truth = shown.has_truth.then(|| truth.map(|truth| u8::from(truth).to_string()).unwrap_or_default());
                [Some(u8::from(*yes).to_string()), Some(share.to_string()), truth].into_iter().flatten()
            })),
            Prediction::Values(values) => fields.extend(values.iter().flat_map(|value| {
                let told = |number: Option<f64>| {
                    shown.has_truth.then(|| number.map(|number| number.to_string()).unwrap_or_default())
                };
                [Some(value.value.to_string()), told(value.truth), told(value.error())].into_iter().flatten()
            })),
        }
        lines.push(joined(&fields));
    }
    lines.join("\n")
}

/// Fields of a CSV line, in quotes where they need them.
fn joined(fields: &[String]) -> String {
    let field = |field: &String| match field.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.clone(),
    };
    fields.iter().map(field).collect::<Vec<_>>().join(",")
}

/// An object for each row.
pub(crate) fn json(shown: &Shown) -> Json {
    let row = |(number, prediction): (&usize, &Prediction)| {
        let mut object = json!({ "row": number });
        let each = |values: Vec<Json>| -> Json {
            shown.names.iter().cloned().zip(values).collect::<Map<String, Json>>().into()
        };
        match prediction {
            Prediction::Class { class, shares, truth } => {
                object["prediction"] = json!(shown.names[*class]);
                object[shown.share()] = json!(shares[*class]);
                let chosen = shown.top.map_or_else(|| (0..shares.len()).collect(), |_| shown.classes(shares));
                let named = chosen.into_iter().map(|number| (shown.names[number].clone(), json!(shares[number])));
                let key = if shown.predictions.are_probabilities { "probabilities" } else { "scores" };
                object[key] = named.collect::<Map<String, Json>>().into();
                if let Some(truth) = truth {
                    object["truth"] = json!(shown.names[*truth]);
                    object["right"] = json!(truth == class);
                }
            }
            Prediction::Labels(labels) => {
                let label = |Label { yes, share, truth }: &Label| {
                    let mut label = json!({ "prediction": yes });
                    label[shown.share()] = json!(share);
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
    shown.numbers.iter().zip(&shown.predictions.rows).map(row).collect::<Vec<_>>().into()
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

    fn shown<'a>(predictions: &'a Predictions, target: Target, names: &'a [String]) -> Shown<'a> {
        Shown { predictions, target, names, numbers: &[4, 5, 6], top: None, has_truth: true }
    }

    #[test]
    fn classes_have_a_column_for_each_share_and_leave_out_what_is_not_known() {
        let class = |class, shares: &[f64], truth| Prediction::Class { class, shares: shares.to_vec(), truth };
        let rows = vec![class(1, &[0.25, 0.75], Some(1)), class(0, &[0.9, 0.1], Some(1)), class(0, &[0.6, 0.4], None)];
        let (predictions, names) = (predictions(rows), names(&["a,b", "c"]));
        let shown = shown(&predictions, Target::Classes(2), &names);
        let csv = csv(&shown);
        let lines =
            ["row,prediction,\"p_a,b\",p_c,truth", "4,c,0.25,0.75,c", "5,\"a,b\",0.9,0.1,c", "6,\"a,b\",0.6,0.4,"];
        assert_eq!(csv.lines().collect::<Vec<_>>(), lines);
        let all = json(&shown);
        assert_eq!((&all[1]["right"], &all[2].get("truth")), (&json!(false), &None));
        assert_eq!(all[0]["probabilities"], json!({ "a,b": 0.25, "c": 0.75 }));
        let top = json(&Shown { top: Some(1), ..shown });
        assert_eq!(top[0]["probabilities"], json!({ "c": 0.75 }));
    }

    #[test]
    fn labels_and_values_have_columns_of_their_own() {
        let label = |yes, share, truth| Label { yes, share, truth };
        let labels = Prediction::Labels(vec![label(true, 0.75, Some(true)), label(false, 0.5, None)]);
        let (labels, label_names) = (predictions(vec![labels]), names(&["even", "prime"]));
        let of_labels = shown(&labels, Target::Labels(2), &label_names);
        assert_eq!(csv(&of_labels), "row,even,p_even,truth_even,prime,p_prime,truth_prime\n4,1,0.75,1,0,0.5,");
        assert_eq!(json(&of_labels)[0]["labels"]["prime"], json!({ "prediction": false, "probability": 0.5 }));
        let values = predictions(vec![Prediction::Values(vec![Value { value: 1.5, truth: Some(2.0) }])]);
        let value_names = names(&["y"]);
        let of_values = shown(&values, Target::Values(1), &value_names);
        assert_eq!(csv(&of_values), "row,y,truth_y,error_y\n4,1.5,2,-0.5");
        assert_eq!(csv(&Shown { has_truth: false, ..of_values }), "row,y\n4,1.5");
    }
}
