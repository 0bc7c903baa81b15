//! `--set train.optimizer.adam.lr=0.01`: settings changed from the command line, and by variants.
//!
//! The path must exist in the resolved experiment, so that a slip is an error and never a setting that nobody reads.
//! The value is written as in TOML; a bare word is taken as a string.

use std::mem::take;

use serde_json::Value;

use crate::config::suggest;
use crate::experiment::spec::Spec;
use crate::experiment::spec::source_text::{SpecError, reread};

/// What of an experiment can be changed from variant to variant: what is trained on, what is trained, and how.
pub const VARIED: [&str; 9] =
    ["data", "model", "network", "resample", "resample_before_split", "seeds", "threshold", "train", "tree"];

/// Applies overrides in their order.
///
/// # Errors
/// When a path does not exist, or a value does not fit; the override is named.
pub fn apply(spec: Spec, overrides: &[String]) -> Result<Spec, SpecError> {
    overrides.iter().try_fold(spec, |spec, written| {
        let fail = |message: String, hint: Option<String>| SpecError {
            message: format!("failed to apply `--set {written}`: {message}"),
            hint,
        };
        let (path, value) = parts(written).map_err(|error| fail(error.message, error.hint))?;
        set(spec, path, value).map_err(|error| fail(error.message, error.hint))
    })
}

/// An override's path and its value.
///
/// # Errors
/// When `=` is missing, or the value is none.
pub fn parts(written: &str) -> Result<(&str, Value), SpecError> {
    let (path, value) = written.split_once('=').ok_or_else(|| SpecError {
        message: "`=` is missing".to_owned(),
        hint: Some("write it as `--set train.epochs=5`".to_owned()),
    })?;
    let value = read_value(value.trim()).map_err(|message| SpecError { message, hint: None })?;
    Ok((path.trim(), value))
}

/// Puts a value in the place of a setting.
///
/// # Errors
/// When there is no such setting, or the value does not fit.
pub fn set(mut spec: Spec, path: &str, value: Value) -> Result<Spec, SpecError> {
    // the expectations are most of a file: they are converted to JSON and back only where they are set themselves
    let kept = is_varied(path).then(|| (take(&mut spec.variants), take(&mut spec.theirs), take(&mut spec.expect)));
    let mut tree = serde_json::to_value(&spec).expect("a spec is made of JSON's types");
    *find(&mut tree, path)? = value;
    let spec = reread(tree)?;
    Ok(match kept {
        Some((variants, theirs, expect)) => Spec { variants, theirs, expect, ..spec },
        None => spec,
    })
}

/// Whether a variant may change the setting at this path.
pub fn is_varied(path: &str) -> bool {
    path.split('.').next().is_some_and(|part| VARIED.contains(&part))
}

/// The last override that set this key, something in it, or the whole that it is part of.
pub fn behind<'a>(key: &str, overrides: &'a [String]) -> Option<&'a String> {
    overrides.iter().rev().find(|written| {
        let path = written.split('=').next().unwrap_or_default().trim();
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        within(key, path) || within(path, key)
    })
}

/// How many parts a path has at most: what is nested deeper cannot be read, nor even be thrown away, without a stack as
/// deep.
const DEEPEST: usize = 32;

/// The place in the tree that a path names.
fn find<'a>(tree: &'a mut Value, path: &str) -> Result<&'a mut Value, SpecError> {
    let mut place = tree;
    let mut walked = String::new();
    let depth = path.split('.').count();
    if depth > DEEPEST {
        let message = format!("a setting has at most {DEEPEST} parts, found {depth}");
        return Err(SpecError { message, hint: Some("such as `train.optimizer.adam.lr`".to_owned()) });
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
                        // a choice, such as the optimizer: another one is chosen by setting the whole
                        [chosen] => {
                            format!("it is `{chosen}` here; set another as `--set '{walked}={{ {part} = {{ … }} }}'`")
                        }
                        _ => suggest::hint(part, known),
                    }));
                }
                &mut map[part]
            }
            Value::Array(list) => {
                let count = list.len();
                let hint = match count {
                    0 => "it is an empty list".to_owned(),
                    _ => format!("it is a list: its items are numbered 0 to {}", count - 1),
                };
                part.parse::<usize>().ok().and_then(|index| list.get_mut(index)).ok_or_else(|| missing(hint))?
            }
            Value::Null => {
                // a setting that is left out: what is put into it is checked when the whole is read again
                *place = Value::Object(serde_json::Map::from_iter([(part.to_owned(), Value::Null)]));
                place.get_mut(part).expect("just put there")
            }
            other => {
                let hint = format!("set `{walked}` itself, which is {other} here");
                return Err(missing(hint));
            }
        };
        walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}.{part}") };
    }
    Ok(place)
}

/// Whether there is a number in it that is not finite: TOML has `nan` and `inf`, and JSON's `null` in their place.
pub fn has_no_number(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_no_number),
        Value::Object(fields) => fields.values().any(has_no_number),
        _ => false,
    }
}

/// A TOML value, or the text itself where it is a bare word.
fn read_value(text: &str) -> Result<Value, String> {
    match toml_edit::de::from_str::<Value>(&format!("value = {text}")) {
        Ok(mut table) => match table["value"].take() {
            value if has_no_number(&value) => Err("every number must be finite".to_owned()),
            value => Ok(value),
        },
        Err(error) if text.starts_with(['{', '[', '"', '\'']) => {
            Err(format!("the value is not TOML: {}", error.message()))
        }
        Err(_) => Ok(Value::String(text.to_owned())),
    }
}
