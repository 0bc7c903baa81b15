//! Required keys that an experiment file lacks: all of them at once, with text to add.

use toml_edit::{Document, Item, TableLike};

use crate::data::target::Target;

/// A required key: its name, another name, and an example.
type Key = (&'static str, Option<&'static str>, &'static str);

const TITLE: Key = ("title", None, "title = \"An idea\"");
const NETWORK: [Key; 1] = [("layers", Some("torchscript"), "layers = [{ linear = 64 }, \"relu\", { linear = 10 }]")];
const TRAIN: [Key; 4] = [
    ("epochs", None, "epochs = 20"),
    ("batch", Some("batch_size"), "batch = 64"),
    ("loss", None, "loss = \"cross_entropy\""),
    ("optimizer", None, "optimizer = { adam = { lr = 1e-3 } }"),
];

/// Required keys of the data sets that have some.
const DATA: [(&str, &[Key]); 3] = [
    ("csv", &[("path", None, "path = \"table.csv\""), ("target", None, "target = \"column\"")]),
    ("idx", &[("images", None, "images = \"images.gz\""), ("labels", None, "labels = \"labels.gz\"")]),
    ("logic", &[("gate", None, "gate = \"xor\"")]),
];

/// The data set of an example.
const DATA_EXAMPLE: &str =
    "[data.digits]\nscale = \"unit\"\nsplit = { test = 0.2, validation = 0.2, stratify = true }\n";

/// Returns the required keys that the text of an experiment lacks, as a message with text to add; `None` if it lacks
/// none, or is no TOML. `has_lines` is whether its lines are those of a file.
pub fn find(text: &str, has_lines: bool) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let root = document.as_table();
    let line = |item: &Item| item.span().map(|span| 1 + text[..span.start].matches('\n').count());
    let (mut names, mut lines): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    if !root.contains_key(TITLE.0) {
        names.push(TITLE.0.to_owned());
        lines.push(format!("{}\n", TITLE.2));
    }
    let mut of_table = |path: &str, item: Option<&Item>, keys: &[Key]| {
        let table = item.and_then(Item::as_table_like);
        let is_missing = |(key, other, _): &&Key| {
            let has = |name: &str| table.is_some_and(|table: &dyn TableLike| table.contains_key(name));
            !has(key) && !other.is_some_and(has)
        };
        let missing: Vec<&Key> = keys.iter().filter(is_missing).collect();
        if missing.is_empty() {
            return;
        }
        names.extend(missing.iter().map(|(key, ..)| format!("{path}.{key}")));
        let place =
            item.filter(|_| has_lines).and_then(line).map(|line| format!("  # line {line}")).unwrap_or_default();
        let examples: String = missing.iter().map(|(.., example)| format!("{example}\n")).collect();
        lines.push(format!("[{path}]{place}\n{examples}"));
    };
    let data = root.get("data");
    if let Some(data) = data.and_then(Item::as_table_like) {
        for (name, keys) in DATA {
            if let Some(item) = data.get(name) {
                of_table(&format!("data.{name}"), Some(item), keys);
            }
        }
    }
    let (network, train) = (root.get("network"), root.get("train"));
    let has_model = network.is_some() || train.is_some() || root.contains_key("tree");
    if network.is_some() || train.is_some() || (!has_model && data.is_none()) {
        of_table("network", network, &NETWORK);
        of_table("train", train, &TRAIN);
    }
    if data.is_none() {
        names.push("data".to_owned());
        lines.push(DATA_EXAMPLE.to_owned());
    }
    let (count, names) = (names.len(), names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
    let (keys, are) = if count == 1 { ("key", "is") } else { ("keys", "are") };
    (count > 0).then(|| format!("required {keys} {are} missing: {names}; add, for example:\n\n{}", lines.join("\n")))
}

/// Returns the hint for a file without a model: the tables to add for this target.
pub fn model_hint(target: Target, has_network: bool, has_train: bool) -> String {
    let outputs = target.outputs();
    let loss = match target {
        Target::Classes(_) => "cross_entropy",
        Target::Labels(_) => "bce_with_logits",
        Target::Values(_) => "mse",
    };
    let network = format!("\n[network]\nlayers = [{{ linear = 64 }}, \"relu\", {{ linear = {outputs} }}]\n");
    let train =
        format!("\n[train]\nepochs = 20\nbatch = 64\nloss = \"{loss}\"\noptimizer = {{ adam = {{ lr = 1e-3 }} }}\n");
    let tables = [(!has_network).then_some(network), (!has_train).then_some(train)];
    let tables: String = tables.into_iter().flatten().collect();
    let tree = if has_network || has_train { "" } else { " (or `[tree]` alone, for a decision tree)" };
    format!("add, for example{tree}:\n{}", tables.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::spec::source_text::SourceText;

    /// Returns the text to add.
    fn example(text: &str) -> String {
        find(text, true).unwrap().split_once("\n\n").unwrap().1.to_owned()
    }

    #[test]
    fn all_missing_keys_are_named_and_the_text_to_add_makes_the_file_valid() {
        let message = find("question = \"?\"\n", true).unwrap();
        let names = "`title`, `network.layers`, `train.epochs`, `train.batch`, `train.loss`, `train.optimizer`, `data`";
        assert!(message.contains(names), "{message}");
        for text in ["", "title = \"t\"\n", "title = \"t\"\nseeds = [1]\n"] {
            let text = format!("{text}{}", example(text));
            let source = SourceText { name: "t".into(), origin: "t.toml".into(), text, ..SourceText::default() };
            source.parse().unwrap();
            assert_eq!(find(&source.text, true), None);
        }
    }

    #[test]
    fn keys_are_looked_up_in_the_tables_that_the_file_has() {
        let text = "title = \"t\"\n[data.csv]\npath = \"a\"\n[train]\nbatch_size = 8\nloss = \"mse\"\n";
        let message = find(text, true).unwrap();
        assert!(
            message.contains("`data.csv.target`, `network.layers`, `train.epochs`, `train.optimizer`;"),
            "{message}"
        );
        assert!(message.contains("[data.csv]  # line 2\ntarget = \"column\""), "{message}");
        assert_eq!(find("title = \"t\"\ndata = \"digits\"\n[tree]\n", true), None);
    }
}
