//! The command line as clap parses it.

use clap::Parser;

use crate::cli::commands::Command;

/// Experiment runner for deep learning on libtorch.
#[derive(Debug, Parser)]
#[command(bin_name = "runner", version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("RUNNER_COMMIT"), ", libtorch ", env!("RUNNER_LIBTORCH_VERSION"), ")"), after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  runner list                                    list the experiments
  runner new churn --csv data.csv --target churn write an experiment
  runner exp overfit_mnist                       train, and read the summary
  runner exp overfit_mnist --seeds 0..4          five seeds, trained together
  runner exp digits_mlp --set train.epochs=200   change a setting
  runner exp my/idea.toml                        your own experiment
  runner watch                                   curves of the run in training
  runner resume overfit_mnist                    resume an interrupted run
  runner reproduce overfit_mnist                 train it again and compare
  runner show overfit_mnist                      settings and layers
  runner runs --sort test.acc                    past runs, best first
  runner compare overfit_mnist mnist_dropout     test their difference
  runner eval overfit_mnist                      evaluate the saved weights
  runner predict overfit_mnist --index 4523      predict one test row
  runner report overfit_mnist                    HTML report
  runner plot overfit_mnist mnist_dropout        plot learning curves

Results go to stdout; progress, warnings and errors go to stderr.

Exit codes:
  0    success
  1    with --strict: an expectation was missed, none was checked, or a metric
       differs from the history; reproduce: the results differ; sweep verify:
       a file was changed, is missing or unknown
  2    invalid input or failure
  130  interrupted by Ctrl-C (143: by SIGTERM)";
