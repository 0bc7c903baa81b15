//! `runner exp NAME`

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use tch::Device;

use crate::cli::progress::Progress;
use crate::cli::{Exit, pictures, resolved, summary, terminal};
use crate::data::cache::Cache;
use crate::device::DeviceChoice;
use crate::device::arithmetic::Arithmetic;
use crate::experiment::run::{Options, Watch, run as run_study};
use crate::experiment::{catalogue, study::Study};
use crate::files;
use crate::history::Status;
use crate::requests::{self, Requests};
use crate::threads;

/// Arguments of `runner exp`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The experiment's name, or the path of its file
    #[arg(value_name = "NAME|FILE")]
    experiment: String,
    /// Change a setting; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The seed
    #[arg(long, value_name = "N", conflicts_with = "seeds", allow_negative_numbers = true)]
    seed: Option<i64>,
    /// Several seeds, trained as one stack: `0..4` (both ends belong to it) or `1,5,7`
    #[arg(long, value_name = "SEEDS", value_parser = parse_seeds, allow_hyphen_values = true)]
    seeds: Option<Seeds>,
    /// How often the training rows are gone through
    #[arg(long, value_name = "N", value_parser = parse_epochs, allow_negative_numbers = true)]
    epochs: Option<usize>,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// The most CPU threads that it may use [default: `OMP_NUM_THREADS`, else one for each core]
    #[arg(long, value_name = "N", value_parser = threads::parse, allow_negative_numbers = true)]
    threads: Option<usize>,
    /// The most seeds, folds or variants that are trained as one stack [default: by the device and its free memory]
    #[arg(long, value_name = "N", value_parser = parse_stack, allow_negative_numbers = true)]
    stack: Option<usize>,
    /// Write where the time of training went to FILE, as JSON
    #[arg(long, value_name = "FILE", hide = true)]
    phases: Option<PathBuf>,
    /// Let a GPU round the factors of products to TF32, which is faster and less exact
    #[arg(long)]
    tf32: bool,
    /// Use only algorithms that give the same figures each time, on a GPU as well
    #[arg(long)]
    deterministic: bool,
    /// The folder that runs are put in
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Show nothing but errors
    #[arg(long, short)]
    quiet: bool,
    /// Print the histories as JSON in place of the summary
    #[arg(long)]
    json: bool,
    /// Exit with 1 when an expectation is missed
    #[arg(long)]
    strict: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner exp overfit_mnist
  runner exp overfit_mnist --seeds 0..4 --epochs 10
  runner exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=32
  runner exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }'
  runner exp my/idea.toml --device cuda --out results
  runner exp digits_mlp --json | jq '.histories[0].history.loss'";

type Seeds = Vec<i64>;

fn parse_epochs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(epochs @ 1..=1_000_000) => Ok(epochs),
        _ => Err("expected a whole number, at least 1 and at most 1,000,000".to_owned()),
    }
}

fn parse_stack(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(replicas @ 1..) => Ok(replicas),
        _ => Err("expected a whole number, at least 1".to_owned()),
    }
}

/// What was asked for and has no part in this run.
fn without_part(args: &Args, study: &Study, device: Device) -> Vec<String> {
    let has_tree = study.plans.iter().any(|plan| plan.network().is_none());
    let notes = [
        (args.stack.is_some() && has_tree, "`--stack` has no part in trees: they are fitted one by one"),
        (args.tf32 && !device.is_cuda(), "`--tf32` has no part on the CPU: it computes in float32"),
    ];
    notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note.to_owned()).collect()
}

/// Reads `0..4` (five seeds) or `1,5,7`.
fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| {
        let text = text.trim();
        text.parse::<i64>().map_err(|_| format!("expected whole numbers as in `0..4` or `1,5,7`, found `{text}`"))
    };
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
        return match last.checked_sub(first) {
            Some(0..10_000) => Ok((first..=last).collect()),
            Some(10_000..) => Err(format!("`{text}` are more than 10,000 seeds")),
            _ => Err(format!("`{text}` holds no seed: {first} is greater than {last}")),
        };
    }
    text.split(',').map(number).collect()
}

/// Runs an experiment.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let study = study(args)?;
    let device = resolved(args.device)?;
    let threads = threads::asked_or_available(args.threads);
    threads::limit(threads);
    threads::set_libtorch(threads);
    Arithmetic { tf32: args.tf32, deterministic: args.deterministic }.put_into_use();
    let requests = Arc::new(Requests::default());
    requests::listen(&requests, terminal::say).context("failed to listen for Ctrl-C")?;
    let mut progress = Progress::new(args.quiet, Arc::clone(&requests));
    without_part(args, &study, device).iter().for_each(|note| progress.note(note));
    let options =
        Options { device, threads, stack: args.stack, out: &args.out, cache: &Cache::of_user(), stop: &requests.stop };
    let finished = run_study(&study, &options, &mut progress);
    progress.end();
    let finished = finished?;
    if let Some(file) = &args.phases {
        let epochs = finished.histories.first().map_or(0, |history| history.history.len());
        files::write_whole(file, json!({ "phases": progress.phases(), "epochs": epochs }).to_string().as_bytes())?;
    }
    let drawn = pictures::write(&finished);

    if args.json {
        terminal::json(&json!({ "run": finished.folder.path(), "pictures": drawn, "histories": finished.histories }));
    } else if !args.quiet {
        terminal::out(&summary::of(&study, &finished, &drawn));
    }
    let interrupted = finished.histories.iter().any(|history| history.status == Status::Interrupted);
    let mut missed: Vec<String> = Vec::new();
    for history in &finished.histories {
        for verified in history.expectations.iter().filter(|verified| !verified.met) {
            let of = if verified.over.is_some() { history.variant.clone() } else { history.stem() };
            missed.push(format!("{of}: {} {}", verified.name(), verified.expected));
        }
    }
    let mut told = BTreeSet::new();
    missed.retain(|miss| told.insert(miss.clone())); // each trial of a variant has the same statistic
    if interrupted {
        terminal::say("interrupted: what was completed is kept");
        return Ok(Exit::Interrupted);
    }
    if args.strict && !missed.is_empty() {
        terminal::say(&format!("missed: {}", missed.join("; ")));
        return Ok(Exit::Missed);
    }
    Ok(Exit::Done)
}

/// The experiment with everything that the command line changes.
fn study(args: &Args) -> anyhow::Result<Study> {
    let source = catalogue::find(&args.experiment)?;
    let mut changes = args.set.clone();
    let seeds = args.seeds.clone().or(args.seed.map(|seed| vec![seed]));
    changes.extend(seeds.map(|seeds| format!("seeds={seeds:?}")));
    changes.extend(args.epochs.map(|epochs| format!("train.epochs={epochs}")));
    Ok(Study::new(&source, &changes)?.asked_by(&command(args)))
}

/// The command that makes this run again: what was typed, but for what changes nothing of the outcome.
fn command(args: &Args) -> String {
    let mut words = vec!["runner".to_owned(), "exp".to_owned(), quoted(&args.experiment)];
    words.extend(args.set.iter().map(|change| format!("--set {}", quoted(change))));
    words.extend(args.seed.map(|seed| format!("--seed {seed}")));
    words.extend(args.seeds.as_ref().map(|seeds| format!("--seeds {}", written_seeds(seeds))));
    words.extend(args.epochs.map(|epochs| format!("--epochs {epochs}")));
    words.extend((args.device != DeviceChoice::Auto).then(|| format!("--device {}", args.device)));
    words.extend(args.threads.map(|threads| format!("--threads {threads}")));
    words.extend(args.stack.map(|stack| format!("--stack {stack}")));
    words.extend(args.tf32.then(|| "--tf32".to_owned()));
    words.extend(args.deterministic.then(|| "--deterministic".to_owned()));
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.,+=/:@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Seeds as [`parse_seeds`] reads them.
fn written_seeds(seeds: &[i64]) -> String {
    match seeds {
        [first, .., last] if seeds.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1])) => {
            format!("{first}..{last}")
        }
        _ => seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_what_was_typed_as_far_as_it_changes_the_outcome() {
        use clap::Parser;
        #[derive(Parser)]
        struct Typed {
            #[command(flatten)]
            args: Args,
        }
        let typed = |words: &[&str]| command(&Typed::parse_from([&["runner"], words].concat()).args);
        let long =
            ["my idea.toml", "--set", "train.optimizer={ sgd = {} }", "--seeds", "3..5", "--out", "/tmp/x", "-q"];
        assert_eq!(typed(&long), "runner exp 'my idea.toml' --set 'train.optimizer={ sgd = {} }' --seeds 3..5");
        let devices = ["digits_mlp", "--seeds", "1,5", "--epochs", "2", "--device", "cpu", "--threads", "1", "--json"];
        assert_eq!(typed(&devices), "runner exp digits_mlp --seeds 1,5 --epochs 2 --device cpu --threads 1");
        let machine = ["a", "--stack", "8", "--tf32", "--deterministic"];
        assert_eq!(typed(&machine), "runner exp a --stack 8 --tf32 --deterministic");
        assert_eq!(typed(&["o'clock", "--seed", "-1"]), r"runner exp 'o'\''clock' --seed -1");
    }

    #[test]
    fn seeds_are_a_range_with_both_ends_or_a_list() {
        assert_eq!(parse_seeds("0..4"), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(parse_seeds("0..=1"), Ok(vec![0, 1]));
        assert_eq!(parse_seeds("1,5, 7"), Ok(vec![1, 5, 7]));
        assert_eq!(parse_seeds("3"), Ok(vec![3]));
        assert!(parse_seeds("4..0").is_err());
        assert!(parse_seeds("a..b").is_err());
        assert!(parse_seeds("0..999999999").is_err());
        assert!(parse_seeds("-9223372036854775808..9223372036854775807").is_err());
    }
}
