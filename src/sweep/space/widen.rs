//! A wider space for further configurations of a sweep: more choices, or ranges with more values.

use serde_json::Value;

use crate::config::suggest;
use crate::config::values::is_same;
use crate::experiment::spec::overrides::check_path;
use crate::sweep::space::build;
use crate::sweep::space::domain::{Domain, shown};
use crate::sweep::space::entry::{Entry, Values};
use crate::sweep::space::origin::SpaceFault;

/// Returns the entries of a sweep with the values of these options, as `--space` takes them, in place of its own. A setting in
/// several `[[sweep.when]]` gets the values in each of them. `tree` has the settings of the experiment.
///
/// # Errors
/// If an option is invalid, is about a setting that does not vary, lacks a value that the sweep has, or adds none.
pub fn widened(entries: &[Entry], options: &[String], tree: &Value) -> Result<Vec<Entry>, SpaceFault> {
    let mut wider = entries.to_vec();
    let mut places = Vec::new();
    for option in options {
        let entry = build::of_option(option, tree)?;
        let key = &entry.keys[0];
        let fail = |message: String, hint: String| SpaceFault::new(message, hint).at(&entry.origin);
        let own: Vec<usize> = (0..entries.len()).filter(|&place| entries[place].keys.contains(key)).collect();
        if own.is_empty() {
            if let Err(error) = check_path(tree, key) {
                return Err(SpaceFault { message: error.message, hint: error.hint, origin: None }.at(&entry.origin));
            }
            let keys: Vec<&str> = entries.iter().flat_map(|own| &own.keys).map(String::as_str).collect();
            let message = format!("`{key}` is not in the space of the sweep, which varies {}", suggest::list(&keys));
            return Err(fail(message, "start another sweep to vary other settings".to_owned()));
        }
        if own.iter().any(|place| places.contains(place)) {
            let message = format!("`{key}` is in the space twice");
            return Err(fail(message, "write all its values in one `--space`".to_owned()));
        }
        let mut is_wider = false;
        for &place in &own {
            let (Values::One(own), Values::One(new)) = (&entries[place].values, &entry.values) else {
                let message = format!("`{key}` is in `[[sweep.zip]]`, which cannot be extended");
                return Err(fail(message, "start another sweep".to_owned()));
            };
            check_contains(key, own, new).map_err(|(message, hint)| fail(message, hint))?;
            is_wider |= has_more(own, new);
            wider[place].values = Values::One(as_written_before(own, new));
        }
        if !is_wider {
            let (message, hint) = nothing_to_add(key, &entry.values);
            return Err(fail(message, hint));
        }
        places.extend(own);
    }
    Ok(wider)
}

/// Returns new values, of which those that a list had before are written as before: `1.0`, not `1`.
fn as_written_before(own: &Domain, new: &Domain) -> Domain {
    match (own, new) {
        (Domain::Choices(own), Domain::Choices(new)) => {
            let before = |value: &Value| own.iter().find(|other| is_same(other, value)).unwrap_or(value).clone();
            Domain::Choices(new.iter().map(before).collect())
        }
        (_, new) => new.clone(),
    }
}

/// Whether values that contain all of those before have more.
fn has_more(own: &Domain, new: &Domain) -> bool {
    match (own, new) {
        (Domain::Choices(own), Domain::Choices(new)) => new.len() > own.len(),
        (own, new) => own != new,
    }
}

/// Returns the message and the hint about values that are those of the sweep.
fn nothing_to_add(key: &str, values: &Values) -> (String, String) {
    match values {
        Values::One(Domain::Choices(_)) | Values::Rows(_) => (
            format!("the values of `{key}` are those of the sweep: there is nothing to add"),
            "add a value, or omit it".to_owned(),
        ),
        Values::One(Domain::Int { .. } | Domain::Float { .. } | Domain::Log { .. } | Domain::Copy(_)) => (
            format!("the range of `{key}` is the one of the sweep: there is nothing to add"),
            "write a wider range, or omit it".to_owned(),
        ),
    }
}

/// Checks that values include all of those before.
fn check_contains(key: &str, own: &Domain, new: &Domain) -> Result<(), (String, String)> {
    let form = |hint: String| {
        let message = format!("the values of `{key}` must be wider ones of the same form");
        Err((message, hint))
    };
    let further = |own: &[Value]| {
        let own: Vec<String> = own.iter().map(shown).collect();
        format!("write `{key}={},…` with further values", own.join(","))
    };
    match (own, new) {
        (Domain::Choices(own), Domain::Choices(new)) => {
            let has = |list: &[Value], value: &Value| list.iter().any(|other| is_same(other, value));
            let Some(missing) = own.iter().find(|value| !has(new, value)) else { return Ok(()) };
            let message =
                format!("the values of `{key}` must include those of the sweep: `{}` is missing", shown(missing));
            Err((message, further(own)))
        }
        (Domain::Choices(own), _) => form(further(own)),
        (Domain::Copy(formula), _) => {
            let message = format!("`{key}` has the value of another setting, `{}`", formula.to_text());
            Err((message, format!("widen `{}`", formula.key)))
        }
        (own, new) => match (own.range(), new.range().filter(|_| is_same_grid(own, new))) {
            (Some((low, high, _)), Some((new_low, new_high, _))) if new_low <= low && new_high >= high => Ok(()),
            (Some((low, high, _)), Some(_)) => {
                let message = format!("the range of `{key}` must contain the range of the sweep, {low} to {high}");
                Err((message, wider_range(own)))
            }
            _ => form(wider_range(own)),
        },
    }
}

/// Whether two ranges are of the same kind, with a step whose values in both are the same.
fn is_same_grid(own: &Domain, new: &Domain) -> bool {
    match (own, new) {
        (Domain::Int { low, step, log, .. }, Domain::Int { low: new_low, step: new_step, log: new_log, .. }) => {
            (step, log) == (new_step, new_log) && (low - new_low) % step == 0
        }
        (Domain::Float { low, step, .. }, Domain::Float { low: new_low, step: new_step, .. }) => {
            step == new_step && step.is_none_or(|step| is_whole((low - new_low) / step))
        }
        _ => matches!((own, new), (Domain::Log { .. }, Domain::Log { .. })),
    }
}

/// Returns the hint on a range that contains this one: an example with a higher end, on a logarithmic scale with a lower one.
fn wider_range(own: &Domain) -> String {
    let range = match own {
        Domain::Int { low, high, log: true, .. } => format!("int:{low}..{}:log", high.saturating_mul(2)),
        Domain::Int { low, high, step: 1, log: false } => {
            format!("int:{low}..{}", high.saturating_mul(2).max(high + 1))
        }
        Domain::Int { low, high, step, log: false } => format!("int:{low}..{}:{step}", high.saturating_add(*step)),
        Domain::Float { low, high, step: None } => format!("float:{low}..{}", high + (high - low)),
        Domain::Float { low, high, step: Some(step) } => format!("float:{low}..{}:{step}", high + step),
        Domain::Log { low, high } => format!("log:{}..{high}", low / 10.0),
        Domain::Choices(_) | Domain::Copy(_) => return String::new(),
    };
    format!("use a wider range, such as `{range}`")
}

/// Whether a number of steps is whole up to rounding.
fn is_whole(steps: f64) -> bool {
    (steps - steps.round()).abs() < 1e-9
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(own: Value, new: Value) -> Result<(), String> {
        let [own, new] = [own, new].map(|value| Domain::from_value(value).unwrap());
        let nothing = || Err(nothing_to_add("a.b", &Values::One(new.clone())));
        let checked = check_contains("a.b", &own, &new);
        let checked = checked.and_then(|()| if has_more(&own, &new) { Ok(()) } else { nothing() });
        checked.map_err(|(message, hint)| format!("{message} | {hint}"))
    }

    #[test]
    fn wider_values_include_all_of_those_before() {
        for (own, new) in [
            (json!([1, "a"]), json!(["a", 2, 1.0])),
            (json!({ "int": [4, 8] }), json!({ "int": [1, 8] })),
            (json!({ "int": [4, 8], "log": true }), json!({ "int": [4, 9], "log": true })),
            (json!({ "int": [4, 12], "step": 4 }), json!({ "int": [0, 16], "step": 4 })),
            (json!({ "float": [0.1, 0.5] }), json!({ "float": [0.0, 0.5] })),
            (json!({ "float": [0.1, 0.5], "step": 0.1 }), json!({ "float": [0.0, 0.5], "step": 0.1 })),
            (json!({ "log": [1e-4, 0.1] }), json!({ "log": [1e-5, 1.0] })),
        ] {
            assert_eq!(check(own.clone(), new.clone()), Ok(()));
            let fault = check(new, own.clone()).unwrap_err();
            assert!(fault.contains("must in") || fault.contains("must contain"), "{fault}");
            assert!(check(own.clone(), own).unwrap_err().contains("nothing to add"));
        }
    }

    #[test]
    fn values_of_another_form_are_refused_with_the_form_to_write() {
        for (own, new, expected) in [
            (json!({ "float": [0, 1] }), json!({ "log": [0.1, 1] }), "use a wider range, such as `float:0..2`"),
            (json!({ "int": [4, 8], "step": 4 }), json!({ "int": [0, 8] }), "use a wider range, such as `int:4..12:4`"),
            (json!({ "int": [4, 8], "step": 4 }), json!({ "int": [2, 10], "step": 4 }), "such as `int:4..12:4`"),
            (json!([1, 2]), json!({ "int": [1, 9] }), "write `a.b=1,2,…`"),
            (json!("= c.d * 2"), json!([1, 2]), "widen `c.d`"),
        ] {
            let fault = check(own, new).unwrap_err();
            assert!(fault.contains(expected), "{fault}");
        }
    }
}
