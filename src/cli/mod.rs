//! The command line: one file for each command, and rooms for what a run shows; `terminal` alone prints.
//!
//! There are two programs. `runner` is the [`front`]: it does what needs no tensor, at once. For the rest it becomes
//! `runner-engine`, the [`engine`], which is linked to libtorch.
//!
//! While a run goes on it is `progress` that speaks, with `settings`. At its end `summary` begins: `comparison` for
//! variants, `trials` for seeds and folds, and below them `observed`, `val_loss_rise` and `endings`. A [`figure::Figure`] is what
//! a column shows, and [`fitted::Fitted`] lays columns out on a [`page::Page`].

pub mod asking;
pub mod baselines;
pub mod classes;
pub mod closing;
pub mod compare;
pub mod compared;
pub mod comparison;
pub mod completions;
pub mod data;
mod described;
pub mod doctor;
pub mod endings;
pub mod engine;
pub mod eval;
mod eval_data;
mod eval_text;
pub mod exp;
pub mod expectations;
pub mod export;
pub mod figure;
pub mod figures;
pub mod fitted;
pub mod front;
pub mod leak;
pub mod list;
#[cfg(test)]
mod made_up;
pub mod observed;
pub mod page;
pub mod picture;
pub mod pictures;
pub mod plot;
mod plot_classes;
mod plot_data;
mod plot_file;
mod plot_samples;
pub mod predict;
mod predict_data;
mod predict_text;
pub mod progress;
pub mod report;
pub mod reproduce;
mod reproduce_text;
pub mod resume;
pub mod runs;
pub mod schema;
pub mod selftest;
pub mod settings;
pub mod show;
pub mod summary;
pub mod table;
pub mod terminal;
pub mod tree;
pub mod trials;
mod trouble;
pub mod val_loss_rise;

use std::path::Path;

use clap::{Parser, Subcommand};
use tch::Device;

use crate::device::{self, DeviceChoice};
use crate::experiment::runs::SavedRun;
use crate::hint::Hint;

/// An experiment runner for deep learning on libtorch: one TOML file, one command, a JSON history.
#[derive(Debug, Parser)]
#[command(bin_name = "runner", version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("RUNNER_COMMIT"), ", libtorch ", env!("RUNNER_LIBTORCH_VERSION"), ")"), after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  runner list                                    what there is to run
  runner exp overfit_mnist                       train, watch, read the outcome
  runner exp overfit_mnist --seeds 0..4          five seeds, trained as one stack
  runner exp digits_mlp --set train.epochs=200   with a setting changed
  runner exp my/idea.toml                        an experiment of your own
  runner resume overfit_mnist                    go on with a run that was interrupted
  runner reproduce overfit_mnist                 train it again: does the same come out?
  runner show overfit_mnist                      its settings and layers
  runner runs --sort test.acc                    what was run, the best first
  runner compare overfit_mnist mnist_dropout     which is better, and by more than luck?
  runner eval overfit_mnist                      its newest run's weights, tested again
  runner predict overfit_mnist --index 4523      what the network makes of a row
  runner report overfit_mnist                    a page of it, to look at and to send
  runner plot overfit_mnist mnist_dropout        their learning curves as a picture

Data go to standard output, talk to standard error. Exit codes: 0 done, 1 under
--strict an expectation was missed or figures differ from the history, and a run
that was not reproduced, 2 bad input or failure, 130 interrupted (143 by SIGTERM).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment
    Exp(exp::Args),
    /// Go on with a run that was interrupted
    Resume(resume::Args),
    /// Train a run again, and say whether it comes out the same, or where it parts and why
    Reproduce(reproduce::Args),
    /// List past runs
    Runs(runs::Args),
    /// Compare runs: settings, figures, curves, and whether differences are more than luck
    Compare(compare::Args),
    /// Rebuild a run's networks from their weights, and hold their figures against the history
    Eval(eval::Args),
    /// Show what a trained network makes of a row, a table or a picture
    Predict(predict::Args),
    /// Draw learning curves and other pictures, as SVG or PNG
    Plot(plot::Args),
    /// Write a run's histories for TensorBoard, as CSV, or as Keras's JSON
    Export(export::Args),
    /// Write what became of runs as one HTML page
    Report(report::Args),
    /// List the experiments
    List(list::Args),
    /// Show an experiment's settings and its layers
    Show(show::Args),
    /// List, fetch, check and describe data sets
    Data(data::Args),
    /// Prove on this machine that nothing is lost when a run is killed
    Selftest(selftest::Args),
    /// Say what this machine can run, and what to mend
    Doctor(doctor::Args),
    /// Print the JSON Schema of a history
    Schema,
    /// Print completions for a shell
    Completions(completions::Args),
}

/// How a command ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Done,
    /// 1: under `--strict` an expectation was missed, or figures differ from the history; a run was not reproduced.
    Missed,
    /// 2: bad input, or a failure.
    Failed,
    /// 128 and the signal's number: stopped from outside; Ctrl-C makes it 130, SIGTERM 143.
    Interrupted(i32),
}

impl Exit {
    /// The exit code.
    fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Missed => 1,
            Exit::Failed => 2,
            Exit::Interrupted(signal) => 128 + signal as u8,
        }
    }
}

/// The device that was asked for.
fn resolved(choice: DeviceChoice) -> anyhow::Result<Device> {
    device::resolve(choice).map_err(|fault| {
        let hint = Hint(fault.hint().to_owned());
        anyhow::Error::new(fault).context(format!("failed to use `--device {choice}`")).context(hint)
    })
}

/// The run of this name. Where a newer one has not finished, it is said.
fn find_run(named: &str, out: &Path) -> anyhow::Result<SavedRun> {
    let run = SavedRun::find(named, out)?;
    run.note().iter().for_each(|note| terminal::say(&format!("note: {note}")));
    Ok(run)
}

/// What a command comes to.
enum Begun<'a> {
    /// It needed no tensor, and is done.
    Ended(anyhow::Result<Exit>),
    /// It needs tensors, and is the engine's.
    NeedsTensors(engine::Work<'a>),
}

/// Tells how the program ended.
fn ended(outcome: anyhow::Result<Exit>) -> Exit {
    let exit = outcome.unwrap_or_else(|error| {
        terminal::error(&error);
        Exit::Failed
    });
    match exit {
        Exit::Done | Exit::Missed if terminal::has_failed() => Exit::Failed,
        Exit::Done | Exit::Missed | Exit::Failed | Exit::Interrupted(_) => exit,
    }
}
