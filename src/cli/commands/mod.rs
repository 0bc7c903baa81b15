//! The commands: a file or a folder for each.

pub mod compare;
pub mod completions;
pub mod data;
pub mod doctor;
pub mod eval;
pub mod exp;
pub mod export;
pub mod list;
pub mod plot;
pub mod predict;
pub mod report;
pub mod reproduce;
pub mod resume;
pub mod runs;
pub mod schema;
pub mod selftest;
pub mod show;

use clap::Subcommand;

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
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
