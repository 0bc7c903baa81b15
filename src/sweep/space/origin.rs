//! Where a part of a space was written: an option of the command line, or a key of the experiment file.

use toml_edit::{Document, Key};

use crate::config::hint::with_hint;
use crate::experiment::spec::source_text::SourceText;

/// Where a part of a space was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// `--space` with this text.
    Option(String),
    /// These keys of the experiment file, from the outermost table on.
    File(Vec<String>),
    /// The record of a sweep.
    #[default]
    Record,
}

/// An error in a space.
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceFault {
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// Where it was written; `None` if it concerns the whole sweep.
    pub origin: Option<Origin>,
}

impl SpaceFault {
    /// Returns an error of the whole sweep.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> SpaceFault {
        SpaceFault { message: message.into(), hint: Some(hint.into()), origin: None }
    }

    /// Returns the same error with its place.
    #[must_use]
    pub fn at(self, origin: &Origin) -> SpaceFault {
        SpaceFault { origin: Some(origin.clone()), ..self }
    }

    /// Returns the error with its place in the experiment file or on the command line.
    pub fn into_error(self, source: &SourceText) -> anyhow::Error {
        let place = self.origin.map(|origin| format!(" ({})", origin.place(source))).unwrap_or_default();
        with_hint(anyhow::anyhow!("{}{place}", self.message), self.hint)
    }
}

impl Origin {
    /// Returns an origin in the experiment file.
    pub fn file(keys: &[&str]) -> Origin {
        Origin::File(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    /// Returns the place for messages: `` `--space lr=0.1,0.2` `` or `idea.toml, line 12`.
    pub fn place(&self, source: &SourceText) -> String {
        match self {
            Origin::Option(text) => format!("`--space {text}`"),
            Origin::Record => "space of the sweep".to_owned(),
            Origin::File(keys) => {
                let layers = source.layers.iter().map(|layer| (&layer.origin, &layer.text));
                let own = source.layers.is_empty().then_some((&source.origin, &source.text));
                let mut found = layers.chain(own).filter_map(|(origin, text)| Some((origin, line_of(text, keys)?)));
                found.next().map_or_else(|| source.origin.clone(), |(origin, line)| format!("{origin}, line {line}"))
            }
        }
    }
}

/// Returns the line of a key; `None` if the text does not have it.
fn line_of(text: &str, keys: &[String]) -> Option<usize> {
    let document = Document::parse(text).ok()?;
    let (mut item, mut start) = (document.as_item(), None);
    for key in keys {
        let table = item.as_table_like();
        let key_span = table.and_then(|table| table.key(key)).and_then(Key::span);
        item = match key.parse::<usize>() {
            Ok(index) if table.is_none() => item.get(index)?,
            _ => item.get(key)?,
        };
        start = key_span.or(item.span()).map(|span| span.start).or(start);
    }
    start.map(|start| 1 + text[..start].matches('\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_keys_and_tables_in_lists_have_their_line() {
        let text = "title = \"t\"\n[sweep]\ntrials = 3\n[sweep.space]\n\"a.b\" = [1]\n\n\"a.c\" = [2]\n\
                    [[sweep.when]]\nif = { \"a.b\" = 1 }\nspace = { \"a.d\" = [1] }\n[[sweep.zip]]\n\"a.e\" = [1]\n";
        let source = SourceText { origin: "t.toml".to_owned(), text: text.to_owned(), ..SourceText::default() };
        for (keys, place) in [
            (&["sweep", "trials"][..], "t.toml, line 3"),
            (&["sweep", "space", "a.c"], "t.toml, line 7"),
            (&["sweep", "when", "0", "space", "a.d"], "t.toml, line 10"),
            (&["sweep", "zip", "0", "a.e"], "t.toml, line 12"),
            (&["sweep", "method"], "t.toml"),
        ] {
            assert_eq!(Origin::file(keys).place(&source), place, "{keys:?}");
        }
        assert_eq!(Origin::Option("a=1,2".to_owned()).place(&source), "`--space a=1,2`");
    }
}
