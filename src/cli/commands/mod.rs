//! The commands: one file or folder each.

pub mod compare;
pub mod completions;
pub mod data;
pub mod doctor;
pub mod eval;
pub mod exp;
mod exp_job;
pub mod export;
pub mod list;
pub mod man;
pub mod new;
mod new_hints;
pub mod plot;
pub mod predict;
pub mod report;
pub mod reproduce;
pub mod resume;
pub mod runs;
pub mod schema;
pub mod selftest;
pub mod serve;
pub mod setup;
pub mod show;
pub mod stack_worker;
pub mod sweep;
pub mod watch;
pub mod worker_processes;

use clap::Subcommand;

/// A command and its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a new experiment file
    New(new::Args),
    /// Run an experiment
    #[command(visible_aliases = ["run", "train"])]
    Exp(exp::Args),
    /// Train many configurations and rank them
    Sweep(Box<sweep::Args>),
    /// Resume an interrupted run
    Resume(resume::Args),
    /// Train a run again and compare the results
    Reproduce(reproduce::Args),
    /// Watch a run or a sweep in the terminal
    Watch(watch::Args),
    /// List past runs
    Runs(runs::Args),
    /// Show runs and sweeps live in a browser
    Serve(serve::Args),
    /// Compare settings, metrics and curves of runs
    Compare(compare::Args),
    /// Evaluate saved weights and check recorded metrics
    Eval(eval::Args),
    /// Predict rows, tables or images
    Predict(predict::Args),
    /// Plot learning curves and metrics
    Plot(plot::Args),
    /// Export histories to TensorBoard, CSV or Keras
    Export(export::Args),
    /// Write an HTML or Markdown report
    Report(report::Args),
    /// List the experiments
    List(list::Args),
    /// Show an experiment's settings or a run's results
    Show(show::Args),
    /// List, fetch, verify and describe data sets
    Data(data::Args),
    /// Test that killed runs resume exactly
    Selftest(selftest::Args),
    /// Download libtorch for the Python package
    Setup(setup::Args),
    /// Check this machine and suggest fixes
    Doctor(doctor::Args),
    /// Print the JSON Schema of histories or experiments
    Schema(schema::Args),
    /// Print or write man pages
    Man(man::Args),
    /// Print shell completions
    Completions(completions::Args),
}
