//! The value of a setting in the JSON of an experiment, found by its path, and hints on paths that do not exist.

use serde_json::Value;

use crate::config::suggest;
use crate::experiment::spec::setting_keys::{is_varied, keys_in};
use crate::experiment::spec::source_text::SpecError;
use crate::experiment::spec::{aliases, file_hints};

/// Maximum number of parts of a path. Deeper nesting could overflow the stack.
const DEEPEST: usize = 32;

/// Returns whether a path exists.
pub fn exists(tree: &Value, path: &str) -> bool {
    find(&mut tree.clone(), path).is_ok()
}

/// Returns the value at a path.
///
/// # Errors
/// If the path does not exist.
pub fn find<'a>(tree: &'a mut Value, path: &str) -> Result<&'a mut Value, SpecError> {
    find_for(tree, path, None)
}

/// Same as [`find`]; `new` is the value that the setting is to have, for hints.
///
/// # Errors
/// As for [`find`].
pub fn find_for<'a>(tree: &'a mut Value, path: &str, new: Option<&str>) -> Result<&'a mut Value, SpecError> {
    let mut walked = String::new();
    let depth = path.split('.').count();
    if depth > DEEPEST {
        let message = format!("the path of a setting has at most {DEEPEST} parts, found {depth}");
        return Err(SpecError::new(message, "write it as `train.optimizer.adam.lr`"));
    }
    let last = path.rsplit('.').next().unwrap_or_default();
    let meant = keys_in(tree, last);
    if meant.len() > 1 && !path.contains('.') && tree.get(path).is_none() {
        let message = format!("`{path}` is the name of {} settings", meant.len());
        return Err(SpecError::new(message, format!("write {}", suggest::either(&meant))));
    }
    let meant = suggest::either(&meant);
    let in_split = split_part(last).map(|part| {
        let sources = tree.get("data").and_then(Value::as_object).into_iter().flat_map(|data| data.keys());
        format!("data.{}.split.{part}", sources.into_iter().next().map_or("NAME", String::as_str))
    });
    let near = if path.contains('.') || tree.get(path).is_some() { None } else { nearest_setting(tree, path) };
    let is_short = path.split_once('.').is_some_and(|(first, _)| !keys_in(tree, first).is_empty());
    let loss = tree.pointer("/train/loss").cloned().unwrap_or_default();
    let mut place = tree;
    for part in path.split('.') {
        let missing = |hint: String| SpecError {
            message: match walked.as_str() {
                "" if is_short => format!("`{path}` is not the full key of a setting"),
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
                        _ if is_indexed(part) => format!("write `{}`", path.replace('[', ".").replace(']', "")),
                        _ if walked.is_empty() && part == "sweep" => {
                            "use an option of `runner sweep`, such as `--trials 16` or `--halving none`: `--set` and `--unset` \
                             change the experiment"
                                .to_owned()
                        }
                        // a choice, such as the optimizer: the table itself must be set to change it
                        [chosen] if map[chosen].get(part).is_some() => {
                            format!("did you mean `{walked}.{chosen}.{part}`?")
                        }
                        // Keras names dropout's probability so, too
                        _ if part == "rate" && map.contains_key("lr") => format!("did you mean `{walked}.lr`?"),
                        // the name of a setting that is somewhere else
                        _ if !meant.is_empty()
                            && (part == last
                                || (walked.is_empty() && suggest::nearest(part, known.iter().copied()).is_none())) =>
                        {
                            format!("did you mean {meant}?")
                        }
                        _ if matches!(part, "class_weight" | "class_weights") && takes_pos_weight(&loss) => {
                            format!("write `--set pos_weight={}`", new.unwrap_or("balanced").trim_matches('"'))
                        }
                        _ if walked.is_empty() && matches!(part, "seed" | "random_seed" | "manual_seed") => match new {
                            Some(seed) if seed.parse::<i64>().is_ok() => {
                                format!("use `--seeds {seed}`, or `seeds = [{seed}]` in the file")
                            }
                            _ => "use `--seeds 0..4`, or `seeds = \"0..4\"` in the file".to_owned(),
                        },
                        _ if !walked.is_empty()
                            && path == format!("{walked}.{part}")
                            && matches!(part, "threshold" | "resample" | "resample_before_split" | "positive") =>
                        {
                            format!("did you mean `{part}`?")
                        }
                        _ if in_split.is_some() => {
                            format!("did you mean `{}`?", in_split.unwrap_or_default())
                        }
                        [chosen] => {
                            format!(
                                "the experiment has `{chosen}`; to use another: `--set '{walked}={{ {part} = {{ … }} }}'`"
                            )
                        }
                        _ => file_hints::of_key(part, new, &known)
                            .or_else(|| file_hints::synonym(part, &known))
                            .or_else(|| near.filter(|_| suggest::nearest(part, known.iter().copied()).is_none()))
                            .unwrap_or_else(|| suggest::hint(part, known)),
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
            other => return Err(missing(hint_on_single_value(&walked, part, part == last, other))),
        };
        walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}.{part}") };
    }
    Ok(place)
}

/// Returns whether a part of a path has an index in brackets: `layers[0]`.
fn is_indexed(part: &str) -> bool {
    let index = part.strip_suffix(']').and_then(|part| part.rsplit_once('['));
    index.is_some_and(|(_, index)| index.parse::<usize>().is_ok())
}

/// Returns whether a loss has a weight of the positive class.
fn takes_pos_weight(loss: &Value) -> bool {
    loss.as_str() == Some("bce_with_logits") || loss.get("bce_with_logits").is_some()
}

/// Returns a hint with the full keys of the setting whose name is most similar; `None` if none is.
fn nearest_setting(tree: &Value, name: &str) -> Option<String> {
    fn collect<'a>(place: &'a Value, names: &mut Vec<&'a str>) {
        match place {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                names.push(key);
                collect(value, names);
            }),
            Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    let varied = tree.as_object()?.iter().filter(|(key, _)| is_varied(key));
    varied.for_each(|(_, table)| collect(table, &mut names));
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let spelled = plain(name); // `learning-rate` and `learningrate` are `learning_rate`
    let other_names = names.iter().flat_map(|key| aliases::of(key).iter().map(move |alias| (*alias, *key)));
    let spelled =
        names.iter().map(|key| (*key, *key)).chain(other_names).find(|(written, _)| plain(written) == spelled);
    let meant = spelled.map(|(_, key)| key).or_else(|| suggest::nearest(name, names.iter().copied()))?;
    let keys = keys_in(tree, meant);
    (!keys.is_empty()).then(|| format!("did you mean {}?", suggest::either(&keys)))
}

/// Returns the part of a split that is meant by the name of another program.
fn split_part(name: &str) -> Option<&'static str> {
    match name {
        "validation_split" | "val_split" | "validation_size" | "validation" => Some("validation"),
        "test_split" | "test_size" => Some("test"),
        _ => None,
    }
}

/// Returns the hint on a path that continues with `part` behind a single value. A choice, such as the schedule, is replaced
/// by another one.
fn hint_on_single_value(path: &str, part: &str, is_last: bool, value: &Value) -> String {
    const CHOICES: [&str; 4] = ["loss", "optimizer", "schedule", "resample"];
    let name = path.rsplit('.').next().unwrap_or_default();
    match value.as_str() {
        Some(chosen) if CHOICES.contains(&name) && !is_last && chosen == part => {
            format!(
                "`{chosen}` has its default settings; to set one: `--set '{path}={{ {part} = {{ KEY = VALUE }} }}'`"
            )
        }
        Some(chosen) if CHOICES.contains(&name) && !is_last => {
            format!("the {name} is `{chosen}`; to use another: `--set '{path}={{ {part} = {{ … }} }}'`")
        }
        Some(chosen) => format!("`{path}` has no settings, its value is `{chosen}`: write `--set {path}=…`"),
        None => format!("`{path}` has no settings, its value is {value}: write `--set {path}=…`"),
    }
}
