//! `extends = "base.toml"`: an experiment file that changes another experiment.
//!
//! The files are merged to one text without `extends`, which the rest of the program reads. `name` and `lesson` belong to
//! one experiment and are not inherited.

use std::path::{Path, PathBuf};

use anyhow::Context;
use toml_edit::{Document, DocumentMut, InlineTable, Item};

use crate::experiment::spec::data_paths;
use crate::experiment::spec::merge::{Schema, merge};
use crate::experiment::spec::source_text::{Layer, SourceText, SpecError};

/// The key.
const KEY: &str = "extends";

/// Keys that a file does not inherit.
const OWN: [&str; 2] = ["name", "lesson"];

/// Maximum number of files that extend each other.
const DEEPEST: usize = 16;

/// Returns the experiment merged with those that it extends. `find` returns an experiment by its name, or by the path of
/// its file. An experiment that extends none is returned as it is.
///
/// # Errors
/// If an experiment does not exist or is not valid TOML, or if the files extend each other in a circle.
pub fn resolve(
    source: SourceText,
    find: &dyn Fn(&str, Option<&Path>) -> anyhow::Result<SourceText>,
) -> anyhow::Result<SourceText> {
    let mut sources = vec![source];
    while let Some((base, line)) = base_of(&sources[sources.len() - 1])? {
        let extending = &sources[sources.len() - 1];
        let place = format!("{}, line {line}", extending.origin);
        let found =
            find_base(&base, extending, find).with_context(|| format!("failed to extend `{base}` ({place})"))?;
        check_chain(&sources, &found, &place)?;
        sources.push(found);
    }
    if sources.len() == 1 {
        return Ok(sources.remove(0));
    }
    let schema = Schema::default();
    let folder = sources[0].folder.clone();
    let mut merged = InlineTable::new();
    for source in sources.iter().rev() {
        let document = source.text.parse::<DocumentMut>().map_err(|error| {
            let message = format!("failed to read `{}`\n{}", source.origin, error.to_string().trim_end());
            SpecError { message, hint: None }
        });
        let mut table = document?.into_table();
        table.remove(KEY);
        if source.folder != folder {
            source.folder.iter().for_each(|folder| data_paths::make_absolute(&mut table, folder));
        }
        OWN.iter().for_each(|key| drop(merged.remove(key)));
        merge(&mut merged, &table.into_inline_table(), &schema);
    }
    let mut document = DocumentMut::new();
    for (key, mut value) in merged {
        value.decor_mut().set_prefix(" ");
        document.insert(&key, Item::Value(value));
    }
    let layers: Vec<Layer> =
        sources.iter().map(|source| Layer { origin: source.origin.clone(), text: source.text.clone() }).collect();
    let origins: Vec<String> = layers.iter().map(|layer| format!("`{}`", layer.origin)).collect();
    let text = format!("# Merged: {}.\n{document}", origins.join(" extends "));
    Ok(SourceText { text, layers, ..sources.remove(0) })
}

/// Returns what an experiment extends, and the line of the key; `None` if it extends none. A text that is not TOML is
/// reported later, with all other errors.
fn base_of(source: &SourceText) -> Result<Option<(String, usize)>, SpecError> {
    let Ok(document) = Document::parse(source.text.as_str()) else { return Ok(None) };
    let Some(item) = document.get(KEY) else { return Ok(None) };
    let line = 1 + item.span().map_or(0, |span| source.text[..span.start].matches('\n').count());
    match item.as_str().filter(|base| !base.is_empty()) {
        Some(base) => Ok(Some((base.to_owned(), line))),
        None => Err(SpecError::new(
            format!(
                "`{KEY}` must be the path of an experiment file, or the name of an experiment ({}, line {line})",
                source.origin
            ),
            format!("write `{KEY} = \"base.toml\"` or `{KEY} = \"overfit_mnist\"`"),
        )),
    }
}

/// Returns the experiment that `extending` extends: a path is relative to the file.
fn find_base(
    base: &str,
    extending: &SourceText,
    find: &dyn Fn(&str, Option<&Path>) -> anyhow::Result<SourceText>,
) -> anyhow::Result<SourceText> {
    if !is_path(base) {
        return find(base, path_of(extending).as_deref()).map_err(|error| {
            let file = format!("{base}.toml");
            match extending.folder.as_ref().is_some_and(|folder| folder.join(&file).is_file()) {
                true => SpecError::new(error.to_string(), format!("did you mean `{file}`?")).into(),
                false => error,
            }
        });
    }
    let shown = Path::new(&extending.origin).with_file_name(base);
    find(&shown.display().to_string(), None)
}

/// Whether the text is the path of a file, not the name of an experiment.
pub fn is_path(text: &str) -> bool {
    text.ends_with(".toml") || text.contains(std::path::MAIN_SEPARATOR)
}

/// Returns the path of the experiment's file; `None` for a shipped experiment.
fn path_of(source: &SourceText) -> Option<PathBuf> {
    let file = Path::new(&source.origin).file_name()?;
    source.folder.as_ref()?.join(file).canonicalize().ok()
}

/// Checks that `found`, the next base, is none of the experiments that extend it, and that they are not too many.
fn check_chain(sources: &[SourceText], found: &SourceText, place: &str) -> Result<(), SpecError> {
    let is_found = |source: &&SourceText| match (path_of(source), path_of(found)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => source.name == found.name,
        _ => false,
    };
    if let Some(first) = sources.iter().position(|source| is_found(&source)) {
        let circle = sources[first..].iter().chain([found]).map(|source| format!("`{}`", source.origin));
        let circle = circle.collect::<Vec<_>>().join(" extends ");
        let hint = match sources[first..].len() {
            1 => format!("remove `{KEY}`, or name another file"),
            _ => format!("remove `{KEY}` from one of them"),
        };
        return Err(SpecError::new(format!("`{KEY}` is circular: {circle} ({place})"), hint));
    }
    if sources.len() >= DEEPEST {
        let message = format!("more than {DEEPEST} files extend each other ({place})");
        return Err(SpecError::new(message, "merge some of them"));
    }
    Ok(())
}
