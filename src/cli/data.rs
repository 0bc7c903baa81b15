//! `runner data list|fetch|verify|path|describe`

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use crate::cli::progress::Progress;
use crate::cli::table::Columns;
use crate::cli::{Exit, figures, terminal};
use crate::data::cache::{Cache, Fault};
use crate::data::describe::{Description, describe};
use crate::data::fetch;
use crate::data::manifest::Manifest;
use crate::data::source::DataSpec;
use crate::hint::Hint;
use crate::suggest;

/// Arguments of `runner data`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  runner data list\n  runner data fetch mnist\n  runner data describe digits")]
pub struct Args {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// List the data sets, and whether they are at hand
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch a data set, or mend its damaged files
    Fetch {
        /// The data set
        name: String,
    },
    /// Check the cached files against their checksums
    Verify {
        /// The data set [default: all]
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the folder that a data set is kept in
    Path {
        /// The data set
        name: String,
    },
    /// Show a data set's rows, features and classes
    Describe {
        /// The data set
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs a command about data sets.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let cache = Cache::of_user();
    match &args.command {
        DataCommand::List { json } => list(&cache, *json),
        DataCommand::Fetch { name } => fetch(&cache, &manifest(name)?),
        DataCommand::Verify { name, json } => verify(&cache, name.as_deref(), *json),
        DataCommand::Path { name } => path(&cache, &manifest(name)?),
        DataCommand::Describe { name, json } => describe_data(&cache, &manifest(name)?, *json),
    }
}

fn manifest(name: &str) -> anyhow::Result<Manifest> {
    Manifest::named(name)
        .ok_or_else(|| anyhow!("there is no data set `{name}`").context(Hint(suggest::hint(name, Manifest::names()))))
}

/// Whether a data set is at hand, in a word or two.
fn state(cache: &Cache, manifest: &Manifest) -> &'static str {
    if manifest.is_embedded() {
        return "in the binary";
    }
    let faults = manifest.files.iter().filter_map(|file| cache.read(manifest, file).err()).collect::<Vec<_>>();
    match &faults[..] {
        [] => "fetched",
        faults if faults.iter().any(|fault| !matches!(fault, Fault::Missing(_))) => "damaged",
        _ => "not fetched",
    }
}

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
        table.row([&manifest.name, &manifest.rows, &manifest.features, &manifest.license, state]);
    }
    terminal::out(&table.text());
    Ok(Exit::Done)
}

fn fetch(cache: &Cache, manifest: &Manifest) -> anyhow::Result<Exit> {
    if manifest.is_embedded() {
        terminal::say(&format!("`{}` is in the binary: there is nothing to fetch", manifest.name));
        return Ok(Exit::Done);
    }
    let mut progress = Progress::new(false);
    let fetched = fetch::fetch(manifest, cache, &mut progress);
    progress.end();
    fetched?;
    let folder = cache.folder_of(manifest);
    terminal::say(&format!("`{}` is whole in `{}`; license: {}", manifest.name, folder.display(), manifest.license));
    Ok(Exit::Done)
}

fn verify(cache: &Cache, name: Option<&str>, json: bool) -> anyhow::Result<Exit> {
    let manifests: Vec<Manifest> = match name {
        Some(name) => vec![manifest(name)?],
        None => Manifest::names().filter_map(Manifest::named).filter(|manifest| !manifest.is_embedded()).collect(),
    };
    let mut all_whole = true;
    let mut found = Vec::new();
    for manifest in &manifests {
        for file in &manifest.files {
            let fault = cache.read(manifest, file).err();
            // what was never fetched is no fault, unless it was asked for by name
            let missing = matches!(fault, Some(Fault::Missing(_)));
            all_whole &= fault.is_none() || (missing && name.is_none());
            let verdict = fault.map_or("whole".to_owned(), |fault| fault.to_string());
            found.push((manifest.name.clone(), file.name.clone(), verdict));
        }
    }
    if json {
        let rows: Vec<_> = found
            .iter()
            .map(|(name, file, verdict)| json!({ "name": name, "file": file, "verdict": verdict }))
            .collect();
        terminal::json(&rows);
    } else {
        found.iter().for_each(|(name, file, verdict)| terminal::out(&format!("{name}/{file}: {verdict}")));
        if found.is_empty() {
            terminal::out("in the binary: there are no files to check");
        }
    }
    if !all_whole {
        let name = name.unwrap_or("NAME");
        return Err(anyhow!("files are missing or damaged")
            .context(Hint(format!("`runner data fetch {name}` gets them again"))));
    }
    Ok(Exit::Done)
}

fn path(cache: &Cache, manifest: &Manifest) -> anyhow::Result<Exit> {
    if manifest.is_embedded() {
        return Err(anyhow!("`{}` is in the binary, and has no folder", manifest.name));
    }
    terminal::out(&cache.folder_of(manifest).display().to_string());
    Ok(Exit::Done)
}

fn describe_data(cache: &Cache, manifest: &Manifest, json: bool) -> anyhow::Result<Exit> {
    let spec = DataSpec::by_name(&manifest.name).expect("every manifest has a loader");
    let mut progress = Progress::new(false);
    let loaded = spec.load(cache, &mut progress);
    progress.end();
    let description = describe(&manifest.name, &loaded?);
    if json {
        terminal::json(&description);
    } else {
        terminal::out(&described(manifest, &description));
    }
    Ok(Exit::Done)
}

fn described(manifest: &Manifest, description: &Description) -> String {
    let mut lines =
        vec![terminal::bold(&manifest.title), format!("license {}; {}", manifest.license, manifest.citation)];
    for part in &description.parts {
        let shape: Vec<String> = part.sample.iter().map(i64::to_string).collect();
        lines.push(String::new());
        lines.push(format!(
            "{}: {} rows of {} values, {} to {}, mean {:.4}",
            part.part,
            figures::count(part.rows),
            shape.join("×"),
            part.min,
            part.max,
            part.mean
        ));
        let most = part.classes.iter().map(|class| class.rows).max().unwrap_or(1).max(1);
        let width = part.classes.iter().map(|class| class.class.chars().count()).max().unwrap_or(0);
        for class in &part.classes {
            let bar = "█".repeat((class.rows * 40).div_ceil(most));
            lines.push(format!(
                "  {:>width$}  {:>7}  {:>8.4} %  {bar}",
                class.class,
                figures::count(class.rows),
                100.0 * class.share
            ));
        }
    }
    lines.join("\n")
}
