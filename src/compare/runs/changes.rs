//! What the command line of a run changed in its experiment: `lr=0.1 seeds=0..4`.

use std::collections::{BTreeSet, HashMap};

use crate::compare::settings::format_seeds;

/// A changed setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The complete key: `train.optimizer.adam.lr`.
    pub key: String,
    /// The new value, as short as possible: `0..4` for seeds, no quotes.
    pub value: String,
}

/// Returns the changes that a run recorded, as `--set` takes them. Of several changes of one key, the last counts.
pub fn parse(overrides: &[String]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for text in overrides {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let change = Change { key: key.trim().to_owned(), value: shorten(key.trim(), value.trim()) };
        changes.retain(|other| other.key != change.key);
        changes.push(change);
    }
    changes
}

/// Returns the value of a setting without quotes; a list of consecutive seeds as a range.
pub fn shorten(key: &str, value: &str) -> String {
    let items = value.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let seeds = items.filter(|_| key == "seeds").map(|items| items.split(',').map(|seed| seed.trim().parse::<i64>()));
    if let Some(Ok(seeds)) = seeds.map(Iterator::collect::<Result<Vec<i64>, _>>) {
        return format_seeds(&seeds).replace(", ", ",");
    }
    let text = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    text('"').or(text('\'')).unwrap_or(value).to_owned()
}

/// Short labels of keys: the last parts of each key that no other key ends in.
#[derive(Clone, Debug, Default)]
pub struct ShortKeys(HashMap<String, String>);

impl ShortKeys {
    /// Chooses the labels for these keys.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> ShortKeys {
        let keys: BTreeSet<&str> = keys.into_iter().collect();
        let mut endings: HashMap<&str, usize> = HashMap::new();
        keys.iter().flat_map(|key| endings_of(key)).for_each(|ending| *endings.entry(ending).or_default() += 1);
        let short = |key: &str| endings_of(key).find(|ending| endings[ending] == 1).unwrap_or(key).to_owned();
        ShortKeys(keys.iter().map(|key| ((*key).to_owned(), short(key))).collect())
    }

    /// Returns the label of a key.
    pub fn label<'a>(&'a self, key: &'a str) -> &'a str {
        self.0.get(key).map_or(key, String::as_str)
    }

    /// Returns changes as text: `lr=0.1 seeds=0..4`.
    pub fn describe(&self, changes: &[Change]) -> String {
        let one = |change: &Change| format!("{}={}", self.label(&change.key), change.value);
        changes.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

/// Returns the ends of a key, the shortest first: `lr`, `adam.lr`, `optimizer.adam.lr`, …
fn endings_of(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('.').map(|(dot, _)| &key[dot + 1..]).chain([key])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_short_and_their_keys_as_long_as_is_unique() {
        let overrides = ["train.optimizer.adam.lr=0.1", "seeds=[0, 1, 2, 3]", "train.loss=\"mse\"", "seeds=[3, 5]"];
        let changes = parse(&overrides.map(str::to_owned));
        let keys = || changes.iter().map(|change| change.key.as_str());
        assert_eq!(ShortKeys::new(keys()).describe(&changes), "lr=0.1 loss=mse seeds=3,5");
        let longer = ShortKeys::new(keys().chain(["train.optimizer.sgd.lr"]));
        assert_eq!(longer.describe(&changes), "adam.lr=0.1 loss=mse seeds=3,5");
        assert_eq!(parse(&["seeds=[0, 1, 2, 3]".to_owned()])[0].value, "0..3");
    }
}
