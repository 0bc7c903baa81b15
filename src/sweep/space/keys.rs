//! Keys of the settings of a space: full keys, other names of them, and on the command line short names.

use serde_json::Value;

use crate::config::suggest;
use crate::experiment::spec::former_keys::current_path;
use crate::experiment::spec::overrides::{canonical, check_path};
use crate::experiment::spec::setting_keys::{VARIED, is_varied, keys_in};
use crate::sweep::space::origin::SpaceFault;

/// Key of the seeds, which cannot vary.
const SEEDS: &str = "seeds";

/// Returns the full key of a setting that may vary: `train.optimizer.adam.lr` for `lr`. `tree` has the settings of the
/// experiment.
///
/// # Errors
/// If there is no such setting, several have the name, or it cannot vary. A short name is an error unless `allows_short`.
pub fn resolve(tree: &Value, written: &str, allows_short: bool) -> Result<String, SpaceFault> {
    let key = canonical(tree, &current_path(written.trim()));
    if is_within(&key, SEEDS) {
        let hint = "set `seeds` in `[sweep]`, or use `--seeds 0..4`";
        return Err(SpaceFault::new("`seeds` cannot vary: each configuration is trained on the same seeds", hint));
    }
    if is_varied(&key) {
        return Ok(key);
    }
    let name = key.rsplit('.').next().unwrap_or(&key);
    let mut found = keys_in(tree, name);
    if key.contains('.') {
        found.retain(|full| full.ends_with(&format!(".{key}")));
    }
    match &found[..] {
        [full] if allows_short => Ok(full.clone()),
        [full] => {
            let message = format!("`{written}` is not the full key of a setting");
            Err(SpaceFault::new(message, format!("write `\"{full}\"`")))
        }
        [] => Err(match check_path(tree, &key) {
            Err(error) => SpaceFault { message: error.message, hint: error.hint, origin: None },
            Ok(()) => {
                let keys: Vec<&str> = VARIED.into_iter().filter(|key| *key != SEEDS).collect();
                let hint = format!("vary only keys that begin with {}", suggest::list(&keys));
                SpaceFault::new(format!("`{key}` must be the same for all configurations"), hint)
            }
        }),
        several => {
            let names: Vec<&str> = several.iter().map(String::as_str).collect();
            let message = format!("`{written}` is the name of {} settings", several.len());
            Err(SpaceFault::new(message, format!("write {}", suggest::either(&names))))
        }
    }
}

/// Returns whether `inner` is the key `outer` or a key below it.
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner == outer || part_below(inner, outer).is_some()
}

/// Returns the part of `inner` that follows `outer`: `adam` for `train.optimizer.adam.lr` and `train.optimizer`; `None`
/// if it is not below it.
pub fn part_below<'a>(inner: &'a str, outer: &str) -> Option<&'a str> {
    inner.strip_prefix(outer)?.strip_prefix('.')?.split('.').next()
}

/// Returns the value of a setting; `None` if it is absent.
pub fn value_at<'a>(tree: &'a Value, key: &str) -> Option<&'a Value> {
    let found = key.split('.').try_fold(tree, |place, part| match place {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        place => place.get(part),
    });
    found.filter(|value| !value.is_null())
}
