//! `runner data list|fetch|verify|path|describe`

pub(crate) mod describe;
mod describe_text;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use crate::cli::commands::data::describe::{DescribeArgs, find_manifest};
pub(crate) use crate::cli::commands::data::describe::{image_summary, is_image_directory, table_error};
use crate::cli::exit::Exit;
use crate::cli::process::dispatch::{Dispatched, EngineCommand};
use crate::cli::text::progress::progress_bar::Progress;
use crate::cli::text::table::Columns;
use crate::cli::text::terminal;
use crate::config::hint::hinted;
use crate::data::store::cache::{Cache, CacheError};
use crate::data::store::fetch;
use crate::data::store::manifest::Manifest;

/// Arguments of `runner data`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner data list\n  runner data fetch mnist\n  runner data describe digits\n  runner data describe my/table.csv --target price\n  runner data describe my/table.csv --target price --toml >> my/idea.toml"
)]
pub struct Args {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// List data sets and whether they are available
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download or repair a data set
    #[command(alias = "download")]
    Fetch {
        /// The data set
        name: String,
        /// Use this file instead of a download (`.gz` is unpacked)
        #[arg(long, value_name = "PATH")]
        file: Option<PathBuf>,
    },
    /// Verify the checksums of cached files
    Verify {
        /// Data set [default: all]
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the directory of a data set
    Path {
        /// The data set
        name: String,
    },
    /// Describe rows, columns and classes of a data set
    Describe(DescribeArgs),
}

/// Runs a command about the files of data sets. `describe` needs tensors and is left to the engine.
pub(crate) fn dispatch(args: &Args) -> Dispatched<'_> {
    let cache = Cache::for_user();
    Dispatched::Done(match &args.command {
        DataCommand::List { json } => list(&cache, *json),
        DataCommand::Fetch { name, file } => {
            find_manifest(name).and_then(|manifest| fetch(&cache, &manifest, file.as_deref()))
        }
        DataCommand::Verify { name, json } => verify(&cache, name.as_deref(), *json),
        DataCommand::Path { name } => find_manifest(name).and_then(|manifest| path(&cache, &manifest)),
        DataCommand::Describe(args) => return Dispatched::ForEngine(EngineCommand::Describe(args)),
    })
}

/// Returns whether a data set is available: `built in`, `fetched`, `not fetched` or `damaged`.
fn state(cache: &Cache, manifest: &Manifest) -> &'static str {
    if manifest.is_embedded() {
        return "built in";
    }
    let faults = manifest.files.iter().filter_map(|file| cache.read(manifest, file).err()).collect::<Vec<_>>();
    match &faults[..] {
        [] => "fetched",
        faults if faults.iter().any(|fault| !matches!(fault, CacheError::Missing(_))) => "damaged",
        _ => "not fetched",
    }
}

/// Prints all data sets.
fn list(cache: &Cache, json: bool) -> anyhow::Result<Exit> {
    let manifests: Vec<Manifest> = Manifest::names().filter_map(Manifest::named).collect();
    if json {
        let listed: Vec<_> = manifests
            .iter()
            .map(|m| {
                json!({ "name": m.name, "title": m.title, "rows": m.rows, "features": m.features, "target": m.target,
                    "license": m.license, "citation": m.citation, "bytes": m.bytes(), "state": state(cache, m) })
            })
            .collect();
        terminal::json(&listed);
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(["data set", "rows", "features", "license", "state"], []);
    for manifest in &manifests {
        let state = state(cache, manifest);
        // `describe` shows the full license
        let license = manifest.license.split([':', ';']).next().unwrap_or_default();
        let license = match license.split_once(" or ") {
            Some((first, second)) => format!("{}/{second}", first.split(' ').next().unwrap_or_default()),
            None => license.to_owned(),
        };
        table.row([&manifest.name, &manifest.rows, &manifest.features, &*license, state]);
    }
    terminal::out(&table.text());
    Ok(Exit::Done)
}

/// Downloads a data set, or takes its file from `file`.
fn fetch(cache: &Cache, manifest: &Manifest, file: Option<&Path>) -> anyhow::Result<Exit> {
    if manifest.is_embedded() {
        terminal::say(&format!("`{}` is built in: there is nothing to fetch", manifest.name));
        return Ok(Exit::Done);
    }
    match file {
        Some(file) => fetch::import_copy(manifest, cache, file)?,
        None => Progress::during(|progress| fetch::fetch(manifest, cache, progress))?,
    };
    let (folder, license) = (cache.folder_of(manifest), &manifest.license);
    terminal::say(&format!("`{}` is available in `{}`; license: {license}", manifest.name, folder.display()));
    Ok(Exit::Done)
}

/// Prints whether the cached files have the expected checksums.
///
/// # Errors
/// If a file is damaged, or if the data set was named and a file is missing.
fn verify(cache: &Cache, name: Option<&str>, json: bool) -> anyhow::Result<Exit> {
    let manifests: Vec<Manifest> = match name {
        Some(name) => vec![find_manifest(name)?],
        None => Manifest::names().filter_map(Manifest::named).filter(|manifest| !manifest.is_embedded()).collect(),
    };
    let mut all_ok = true;
    let mut results = Vec::new();
    for manifest in &manifests {
        for file in &manifest.files {
            let fault = cache.read(manifest, file).err();
            // a file that was never fetched is an error only if the data set was named
            let is_missing = matches!(fault, Some(CacheError::Missing(_)));
            all_ok &= fault.is_none() || (is_missing && name.is_none());
            let verdict = fault.map_or("ok".to_owned(), |fault| fault.to_string());
            results.push((manifest.name.clone(), file.name.clone(), verdict));
        }
    }
    if json {
        let rows: Vec<_> = results
            .iter()
            .map(|(name, file, verdict)| json!({ "name": name, "file": file, "verdict": verdict }))
            .collect();
        terminal::json(&rows);
    } else {
        results.iter().for_each(|(name, file, verdict)| terminal::out(&format!("{name}/{file}: {verdict}")));
        if results.is_empty() {
            terminal::out("built in: there are no files to verify");
        }
    }
    if !all_ok {
        let hint = format!("download them with `runner data fetch {}`", name.unwrap_or("NAME"));
        return Err(hinted("files are missing or damaged", hint));
    }
    Ok(Exit::Done)
}

/// Prints the directory of a data set.
///
/// # Errors
/// If the data set is built in.
fn path(cache: &Cache, manifest: &Manifest) -> anyhow::Result<Exit> {
    if manifest.is_embedded() {
        return Err(anyhow!("`{}` is built in: it has no directory", manifest.name));
    }
    terminal::out(&cache.folder_of(manifest).display().to_string());
    Ok(Exit::Done)
}
