//! Overrides of settings, from the command line (`--set train.optimizer.adam.lr=0.01`) and from variants.
//!
//! The path must exist in the resolved experiment, so that a typo is an error. The value is written as in TOML; a bare
//! word is a string.

use std::mem::take;

use serde_json::Value;

use crate::config::suggest;
use crate::experiment::spec::Spec;
use crate::experiment::spec::former_keys::current_path;
use crate::experiment::spec::source_text::{SpecError, reparse};

/// The tables and keys of an experiment file that variants can set.
pub const VARIED: [&str; 9] =
    ["data", "model", "network", "resample", "resample_before_split", "seeds", "threshold", "train", "tree"];

/// Applies overrides in their order.
///
/// # Errors
/// If a path does not exist or a value is invalid. The message names the override.
pub fn apply(spec: Spec, overrides: &[String]) -> Result<Spec, SpecError> {
    overrides.iter().try_fold(spec, |spec, written| {
        let fail = |message: String, hint: Option<String>| SpecError {
            message: format!("failed to apply `--set {written}`: {message}"),
            hint,
        };
        let (path, value) = parse(written).map_err(|error| fail(error.message, error.hint))?;
        set(spec, path, value).map_err(|error| fail(error.message, error.hint))
    })
}

/// Splits an override into path and value.
///
/// # Errors
/// If `=` is missing or the value is not valid TOML.
pub fn parse(written: &str) -> Result<(&str, Value), SpecError> {
    let (path, value) = written.split_once('=').ok_or_else(|| SpecError {
        message: "`=` is missing".to_owned(),
        hint: Some("write KEY=VALUE, such as `--set train.epochs=5`".to_owned()),
    })?;
    let value = read_value(value.trim()).map_err(|message| SpecError { message, hint: None })?;
    Ok((path.trim(), value))
}

/// Returns the experiment with a setting replaced.
///
/// # Errors
/// If the setting does not exist or the value is invalid.
pub fn set(mut spec: Spec, path: &str, value: Value) -> Result<Spec, SpecError> {
    let path = &*current_path(path);
    // expectations are most of a file: they are converted to JSON only if the override sets them
    let kept = is_varied(path).then(|| (take(&mut spec.variants), take(&mut spec.theirs), take(&mut spec.expect)));
    let mut tree = serde_json::to_value(&spec).expect("an experiment has JSON types only");
    *find(&mut tree, path)? = value;
    let spec = reparse(tree)?;
    Ok(match kept {
        Some((variants, theirs, expect)) => Spec { variants, theirs, expect, ..spec },
        None => spec,
    })
}

/// Returns whether a variant may set this path.
pub fn is_varied(path: &str) -> bool {
    path.split('.').next().is_some_and(|part| VARIED.contains(&part))
}

/// Returns the last override of this key, of a key below it, or of a table that contains it.
pub fn last_of<'a>(key: &str, overrides: &'a [String]) -> Option<&'a String> {
    overrides.iter().rev().find(|written| {
        let path = written.split('=').next().unwrap_or_default().trim();
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        within(key, path) || within(path, key)
    })
}

/// Maximum number of parts of a path. Deeper nesting could overflow the stack.
const DEEPEST: usize = 32;

/// Returns the value at a path.
fn find<'a>(tree: &'a mut Value, path: &str) -> Result<&'a mut Value, SpecError> {
    let mut place = tree;
    let mut walked = String::new();
    let depth = path.split('.').count();
    if depth > DEEPEST {
        let message = format!("the path of a setting has at most {DEEPEST} parts, found {depth}");
        return Err(SpecError { message, hint: Some("write it as `train.optimizer.adam.lr`".to_owned()) });
    }
    for part in path.split('.') {
        let missing = |hint: String| SpecError {
            message: match walked.as_str() {
                "" => format!("there is no setting `{part}`"),
                _ => format!("there is no `{part}` in `{walked}`"),
            },
            hint: Some(hint),
        };
        place = match place {
            Value::Object(map) => {
                if !map.contains_key(part) {
                    let known: Vec<&str> = map.keys().map(String::as_str).collect();
                    return Err(missing(match known[..] {
                        // a choice, such as the optimizer: the table itself must be set to change it
                        [chosen] if map[chosen].get(part).is_some() => {
                            format!("did you mean `{walked}.{chosen}.{part}`?")
                        }
                        [chosen] => {
                            format!(
                                "the experiment has `{chosen}`; to use another: `--set '{walked}={{ {part} = {{ … }} }}'`"
                            )
                        }
                        _ => suggest::hint(part, known),
                    }));
                }
                &mut map[part]
            }
            Value::Array(list) => {
                let count = list.len();
                let hint = match count {
                    0 => "the list is empty".to_owned(),
                    _ => format!("items of this list are numbered from 0 to {}", count - 1),
                };
                part.parse::<usize>().ok().and_then(|index| list.get_mut(index)).ok_or_else(|| missing(hint))?
            }
            Value::Null => {
                // an omitted setting: it is checked when the experiment is parsed again
                *place = Value::Object(serde_json::Map::from_iter([(part.to_owned(), Value::Null)]));
                place.get_mut(part).expect("was just inserted")
            }
            other => {
                let hint = format!("set `{walked}` itself; it is {other}");
                return Err(missing(hint));
            }
        };
        walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}.{part}") };
    }
    Ok(place)
}

/// Returns whether the value contains `nan` or `inf`, which TOML has and which become `null` in JSON.
pub fn has_non_finite(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_non_finite),
        Value::Object(fields) => fields.values().any(has_non_finite),
        _ => false,
    }
}

/// Parses a TOML value. A bare word is a string.
fn read_value(text: &str) -> Result<Value, String> {
    match toml_edit::de::from_str::<Value>(&format!("value = {text}")) {
        Ok(mut table) => match table["value"].take() {
            value if has_non_finite(&value) => Err("numbers must be finite".to_owned()),
            value => Ok(value),
        },
        Err(error) if text.starts_with(['{', '[', '"', '\'']) => {
            Err(format!("the value is not valid TOML: {}", error.message()))
        }
        Err(_) => Ok(Value::String(text.to_owned())),
    }
}
