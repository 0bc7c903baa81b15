//! `runner show NAME`

use std::path::Path;

use anyhow::anyhow;
use serde_json::json;

use crate::cli::args::lookup::find_run;
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::summary::full;
use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::text::table::Columns;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::Hint;
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::plan::study::Study;
use crate::experiment::spec::catalogue;
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::experiment::store::find::{Damaged, SavedRun};
use crate::experiment::store::newest;
use crate::experiment::store::run_record::RunRecord;
use crate::history::NetworkRecord;
use crate::tensor::shape::Shape;

/// Arguments of `runner show`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Name of an experiment, path of its TOML file, or a run
    #[arg(value_name = "NAME|FILE|RUN")]
    name: String,
    /// Change a setting of an experiment, as in `runner exp`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    out: RunsDir,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner show overfit_mnist
  runner show digits_mlp --set train.optimizer=sgd
  runner show runs/overfit_mnist/latest     all results of a run";

/// Prints the settings of an experiment, with defaults and changes, and its layers; or the whole summary of a run.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match named_experiment(&args.name, &args.out)? {
        Some(source) => show_experiment(&source, args),
        None => show_run(args),
    }
}

/// Returns the experiment of this name or file; `None` if a run is named.
fn named_experiment(name: &str, out: &Path) -> anyhow::Result<Option<SourceText>> {
    let path = Path::new(name);
    let is_file_of_run = path.extension().is_some_and(|extension| extension == "json" || extension == "safetensors");
    let is_run = path.is_dir() && (newest::is_run(path) || newest::holds_history(path));
    if is_run || is_file_of_run {
        return Ok(None);
    }
    match catalogue::find(name) {
        Ok(source) => Ok(Some(source)),
        Err(_) if !name.ends_with(".toml") && SavedRun::find(name, out).is_ok() => Ok(None),
        Err(_) if path.is_dir() => Ok(None),
        Err(error) => Err(match error.downcast::<SpecError>() {
            Ok(SpecError { message, hint }) if message == format!("no experiment `{name}`") => {
                SpecError { message: format!("no experiment or run `{name}`"), hint }.into()
            }
            Ok(error) => error.into(),
            Err(error) => error,
        }),
    }
}

/// Prints the whole summary of a run, or what is known of one in which no trial has ended.
fn show_run(args: &Args) -> anyhow::Result<Exit> {
    if !args.set.is_empty() {
        let error = anyhow!("`--set` changes an experiment, and `{}` is a run", args.name);
        return Err(error.context(Hint("name the experiment instead, or leave `--set` out".to_owned())));
    }
    let folder = Path::new(&args.name);
    if let Some(record) = RunRecord::read(folder).ok().filter(|_| !newest::holds_history(folder)) {
        return Ok(show_without_trials(folder, &record, args.json));
    }
    let mut run = find_run(&args.name, &args.out)?;
    let damaged = std::mem::take(&mut run.damaged);
    let run = TrainedRun::saved(run);
    if args.json {
        terminal::json(&json!({ "run": run.folder, "plots": run.plots(), "histories": run.histories }));
    } else {
        terminal::out(&full::render(&run, None, TextStyle::of_output()));
    }
    damaged.iter().for_each(|Damaged { error, .. }| terminal::error(error));
    Ok(if damaged.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Prints that no trial of a run has ended yet.
fn show_without_trials(folder: &Path, record: &RunRecord, as_json: bool) -> Exit {
    let trials = record.study().ok().map(|study| study.trials());
    match as_json {
        true => terminal::json(&json!({ "run": folder, "plots": [], "histories": [] })),
        false => {
            let of = trials.map(|trials| format!("0 of {trials} trials have ended")).unwrap_or_default();
            let (name, started) = (&record.experiment, &record.started);
            terminal::out(&format!("{name}: {of}; started {started}\n\n{}/", folder.display()));
        }
    }
    Exit::Done
}

fn show_experiment(source: &SourceText, args: &Args) -> anyhow::Result<Exit> {
    let study = Study::new(source, &args.set)?;
    let plan = study.baseline();
    if args.json {
        terminal::json(
            &json!({ "name": study.name, "config": study.spec, "network": plan.network().map(NetworkPlan::record) }),
        );
        return Ok(Exit::Done);
    }
    let layers = plan.network().map(|network| commented(&layer_table(&network.record(), &plan.info.sample)));
    let extended = source.layers.iter().skip(1).map(|layer| format!(" extends {}", layer.origin)).collect::<String>();
    let header = terminal::dim(&format!("# {} ({}{extended})", plan.name, source.origin));
    terminal::out(&format!("{header}\n{}\n{}", study.spec.to_toml(), layers.unwrap_or_default()));
    Ok(Exit::Done)
}

/// Returns the text as TOML comments, so that the printed text is a valid experiment file.
fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Returns the layers as Keras prints them: name, kind, output shape, parameters, and the total.
fn layer_table(network: &NetworkRecord, input: &Shape) -> String {
    let mut table = Columns::new(["layer", "kind", "output", "parameters"], [2, 3]);
    table.row(["", "input", &input.to_string(), ""]);
    for layer in &network.layers {
        let output = Shape::from(&layer.output[..]).to_string();
        table.row([&layer.name, &layer.kind, &output, &number_format::count(layer.parameters)]);
    }
    table.row(["total", "", "", &number_format::count(network.parameters)]);
    table.text()
}
