//! Full keys of overrides: `train.optimizer.adam.lr` for `lr` or `optimizer.lr`, `train.batch` for `train.batch_size`.

use serde_json::Value;

use crate::experiment::spec::aliases;
use crate::experiment::spec::former_keys::current_path;
use crate::experiment::spec::setting_keys::keys_in;
use crate::experiment::spec::setting_path::exists;

/// Returns the full key of the setting that a path on the command line means. Parts that do not exist stay as they are.
pub(super) fn full_key(tree: &Value, path: &str) -> String {
    let path = current_path(path.trim());
    named(tree, &path).unwrap_or_else(|| canonical(tree, &path))
}

/// Returns the full key of the only setting that has this name, or whose key ends with this path: `train.optimizer.adam.lr`
/// for `lr` and for `optimizer.lr`.
fn named(tree: &Value, path: &str) -> Option<String> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    if tree.get(first).is_some() {
        return None;
    }
    let starts = keys_in(tree, first);
    let found: Vec<String> = match rest {
        None => starts,
        Some(rest) => starts.iter().filter_map(|start| below(tree, start, rest)).collect(),
    };
    <[String; 1]>::try_from(found).ok().map(|[key]| key)
}

/// Returns the key of the setting at `rest` below `start`, or below the choice there, such as the optimizer.
fn below(tree: &Value, start: &str, rest: &str) -> Option<String> {
    let place = tree.pointer(&format!("/{}", start.replace('.', "/")))?;
    let fields = place.as_object().filter(|fields| fields.len() == 1);
    let chosen = fields.and_then(|fields| fields.keys().next()).map(|chosen| format!("{start}.{chosen}.{rest}"));
    let paths = [Some(format!("{start}.{rest}")), chosen].into_iter().flatten();
    paths.map(|path| canonical(tree, &path)).find(|path| exists(tree, path))
}

/// Returns the path with the keys of the experiment in place of their aliases. Parts that do not exist stay as they are.
pub fn canonical(tree: &Value, path: &str) -> String {
    let mut place = Some(tree);
    let parts: Vec<&str> = path.split('.').collect();
    let known = parts.into_iter().map(|part| {
        let fields = place.and_then(Value::as_object);
        let part = fields.map_or(part, |fields| match fields.contains_key(part) {
            true => part,
            false => aliases::current(part)
                .find(|key| fields.contains_key(*key))
                .or_else(|| chosen_class(fields, part))
                .unwrap_or(part),
        });
        place = place.and_then(|place| match place {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            place => place.get(part),
        });
        part
    });
    known.collect::<Vec<_>>().join(".")
}

/// Returns the name of a choice if the class of PyTorch means it: `adam` for `Adam`, `step` for `StepLR`.
fn chosen_class<'a>(fields: &'a serde_json::Map<String, Value>, class: &str) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace('_', "");
    let (chosen, _) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let class = plain(class);
    [&*class, class.trim_end_matches("lr"), class.trim_end_matches("loss")]
        .contains(&&*plain(chosen))
        .then_some(chosen.as_str())
}
