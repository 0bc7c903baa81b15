//! The command line as clap parses it.

use clap::Parser;

use crate::cli::commands::Command;

/// An experiment runner for deep learning on libtorch: one TOML file, one command, a JSON history.
#[derive(Debug, Parser)]
#[command(bin_name = "runner", version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("RUNNER_COMMIT"), ", libtorch ", env!("RUNNER_LIBTORCH_VERSION"), ")"), after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
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
