//! `runner show NAME`

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::Serialize;
use serde_json::json;

use crate::cli::args::lookup::find_run;
use crate::cli::args::run_args::parse_positive;
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::summary::{full, short};
use crate::cli::text::table::Columns;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::Hint;
use crate::experiment::plan::study::Study;
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::experiment::spec::{catalogue, overrides};
use crate::experiment::store::find::{Damaged, SavedRun};
use crate::experiment::store::newest::{self, NewestRun};
use crate::experiment::store::run_name::{experiment_directory, single_run};
use crate::experiment::store::run_record::RunRecord;
use crate::network::layer::layer_size::LayerSize;
use crate::network::stack::Architecture;
use crate::run_dir::writer::Writer;
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
    /// Number of variants of a run, best first
    #[arg(long, value_name = "N", default_value_t = short::TOP, value_parser = parse_positive, allow_negative_numbers = true)]
    top: usize,
    /// Show all variants of a run
    #[arg(long, conflicts_with = "top")]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner show overfit_mnist
  runner show digits_mlp --set train.optimizer=sgd
  runner show runs/overfit_mnist/latest     all results of a run
  runner show regularize_mnist/dropout      all results of one variant
  runner show regularize_mnist --all        all variants";

/// Prints the settings of an experiment, with defaults and changes, and its layers; or the whole summary of a run.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match named_experiment(&args.name, &args.out)? {
        Some(source) => {
            let exit = show_experiment(&source, args)?;
            if let Some(newest) = newest_run(&args.name, &args.out).filter(|_| !args.json && args.set.is_empty()) {
                terminal::say(&format!("note: `runner show {}` shows the results of the newest run", newest.display()));
            }
            Ok(exit)
        }
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
        Err(_) if !name.ends_with(".toml") && (SavedRun::find(name, out).is_ok() || single_run(name, out).is_ok()) => {
            Ok(None)
        }
        Err(_) if path.is_dir() => Ok(None),
        // the error names the variants of the run
        Err(_) if name.rsplit_once('/').is_some_and(|(run, _)| SavedRun::find(run, out).is_ok()) => Ok(None),
        Err(_) if variant_without_run(name).is_some() => {
            let (run, variant) = variant_without_run(name).unwrap_or_default();
            let error = anyhow!("there is no run of `{run}`, so there are no results of its variant `{variant}`");
            Err(error.context(Hint(format!("train it first: `runner exp {run}`"))))
        }
        Err(error) => Err(match error.downcast::<SpecError>() {
            Ok(SpecError { message, hint }) if message == format!("no experiment `{name}`") => {
                let near = hint.filter(|hint| hint.starts_with("did you mean"));
                let all = || "`runner list` shows all experiments, and `runner runs` all runs".to_owned();
                SpecError { message: format!("no experiment or run `{name}`"), hint: near.or_else(|| Some(all())) }
                    .into()
            }
            Ok(error) => error.into(),
            Err(error) => error,
        }),
    }
}

/// Returns the directory of the newest run of an experiment that has a history; `None` if there is none.
fn newest_run(name: &str, out: &Path) -> Option<PathBuf> {
    Some(NewestRun::find(&experiment_directory(name, out)?).ok()??.run)
}

/// Splits `NAME/VARIANT` if there is an experiment with this name, and it has this variant.
fn variant_without_run(name: &str) -> Option<(&str, &str)> {
    let (experiment, variant) = name.rsplit_once('/')?;
    let spec = catalogue::find(experiment).ok()?.parse().ok()?;
    spec.variants.iter().any(|one| one.name == variant).then_some((experiment, variant))
}

/// Prints the whole summary of a run, or what is known of one in which no trial has ended.
fn show_run(args: &Args) -> anyhow::Result<Exit> {
    if !args.set.is_empty() {
        let error = anyhow!("`--set` changes an experiment, and `{}` is a run", args.name);
        return Err(error.context(Hint("name the experiment instead, or leave `--set` out".to_owned())));
    }
    let folder =
        single_run(&args.name, &args.out).map(|found| found.folder).unwrap_or_else(|_| args.name.clone().into());
    if let Some(record) = RunRecord::read(&folder).ok().filter(|_| !newest::holds_history(&folder)) {
        return Ok(show_without_trials(&folder, &record, args.json));
    }
    let mut run = find_run(&args.name, &args.out)?;
    let damaged = std::mem::take(&mut run.damaged);
    let run = TrainedRun::saved(run);
    let training = Training::of(&run.folder);
    if args.json {
        let (plots, histories) = (run.plots(), &run.histories);
        terminal::json(&json!({ "run": run.folder, "training": training, "plots": plots, "histories": histories }));
    } else {
        terminal::out(&full::render(&run, (!args.all).then_some(args.top), TextStyle::of_output()));
        training.iter().for_each(|training| terminal::say(&format!("note: {}", training.sentence())));
    }
    damaged.iter().for_each(|Damaged { error, .. }| terminal::error(error));
    Ok(if damaged.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Progress of a run that is still training.
#[derive(Serialize)]
struct Training {
    epoch: Option<usize>,
    epochs: Option<usize>,
    process: Option<u32>,
}

impl Training {
    /// Returns the progress of a run; `None` if no process is training it.
    fn of(folder: &Path) -> Option<Training> {
        let Writer { process, progress, .. } = Writer::find(folder).filter(|writer| writer.is_running)?;
        let (epoch, epochs) = progress.unzip();
        Some(Training { epoch, epochs, process })
    }

    /// Returns the progress in words: `still training: epoch 3 of 50 (pid 4711)`.
    fn sentence(&self) -> String {
        let progress = self.epoch.zip(self.epochs).map(|(epoch, epochs)| format!(": epoch {epoch} of {epochs}"));
        let process = self.process.map(|process| format!(" (pid {process})"));
        format!("still training{}{}", progress.unwrap_or_default(), process.unwrap_or_default())
    }
}

/// Prints that no trial of a run has ended yet, and its progress.
fn show_without_trials(folder: &Path, record: &RunRecord, as_json: bool) -> Exit {
    let trials = record.study().ok().map(|study| study.trials());
    let training = Training::of(folder);
    match as_json {
        true => terminal::json(&json!({ "run": folder, "training": training, "plots": [], "histories": [] })),
        false => {
            let of = trials.map(|trials| format!("0 of {trials} trials have ended")).unwrap_or_default();
            let training = training.map(|training| training.sentence());
            let parts = training.into_iter().chain(Some(of).filter(|of| !of.is_empty()));
            let parts: Vec<String> = parts.chain([format!("started {}", record.started)]).collect();
            let line = format!("{}: {}", record.experiment, parts.join("; "));
            terminal::out(&format!("{}\n\n{}/", TextStyle::of_output().wrapped(&line, 2), folder.display()));
        }
    }
    Exit::Done
}

fn show_experiment(source: &SourceText, args: &Args) -> anyhow::Result<Exit> {
    let study = Study::new(source, &args.set)?;
    overrides::check_distinct(&study.changes)?;
    let plan = study.baseline();
    if args.json {
        let network = plan.network().map(|network| {
            let layers = network.architecture.sizes();
            let multiply_adds = total_multiply_adds(&layers);
            json!({ "layers": layers, "parameters": network.architecture.parameters(), "multiply_adds": multiply_adds })
        });
        terminal::json(&json!({ "name": study.name, "config": study.spec, "network": network }));
        return Ok(Exit::Done);
    }
    let layers = plan.network().map(|network| commented(&layer_table(&network.architecture, &plan.info.sample)));
    let extended = source.layers.iter().skip(1).map(|layer| format!(" extends {}", layer.origin)).collect::<String>();
    let header = terminal::dim(&format!("# {} ({}{extended})", plan.name, source.origin));
    terminal::out(&format!("{header}\n{}\n{}", study.spec.to_toml(), layers.unwrap_or_default()));
    Ok(Exit::Done)
}

/// Returns the text as TOML comments, so that the printed text is a valid experiment file.
fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Returns the layers as Keras prints them: name, kind, output shape, parameters and multiply-adds, those of blocks indented,
/// and the total.
fn layer_table(architecture: &Architecture, input: &Shape) -> String {
    let mut table = Columns::new(["layer", "kind", "output", "parameters", "multiply-adds"], [2, 3, 4]);
    table.row(["", "input", &input.to_string(), "", ""]);
    let sizes = architecture.sizes();
    add_rows(&mut table, &sizes, 0);
    let parameters = number_format::count(architecture.parameters());
    table.row(["total", "", "", &parameters, &multiply_adds(total_multiply_adds(&sizes))]);
    table.text()
}

/// Adds a row for each layer, and for the layers in it, indented.
fn add_rows(table: &mut Columns, layers: &[LayerSize], depth: usize) {
    for layer in layers {
        let name = format!("{}{}", "  ".repeat(depth), layer.name);
        let parameters = number_format::count(layer.parameters);
        table.row([&name, layer.kind, &layer.output.to_string(), &parameters, &multiply_adds(layer.multiply_adds)]);
        add_rows(table, &layer.layers, depth + 1);
    }
}

fn total_multiply_adds(layers: &[LayerSize]) -> Option<u64> {
    layers.iter().map(|layer| layer.multiply_adds).sum()
}

fn multiply_adds(number: Option<u64>) -> String {
    number.map_or_else(|| "unknown".to_owned(), |number| number_format::count(number as usize))
}
