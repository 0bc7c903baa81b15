//! The command line of `cargo xtask`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::libtorch::files::Variant;
use crate::libtorch::setup::Request;

const ENVIRONMENT: &str = "\
Every command except `notebooks` first sets up libtorch if it is not ready.

Environment:
  LIBTORCH                        folder of your own libtorch 2.11.0, used instead of the download
  LIBTORCH_USE_PYTORCH            `1`: use the torch 2.11.0 of the current Python
  PIP_INDEX_URL, HTTPS_PROXY, …   as in pip
  RUNNER_BENCH_TORCH              Python with `benches/requirements-torch.txt`, for `bench`
  RUNNER_BENCH_KERAS              Python with `benches/requirements-keras.txt`, for `bench`;
                                  without these two, `bench` installs the packages (PyTorch: 3 GB)
  RUNNER_CHROMIUM                 path of Chromium or Chrome, for `test`
  CXX                             C++ compiler

Exit codes: 0 success, 1 a check failed, 2 invalid input or failure; `run` exits with the code of `runner`";

/// Set up libtorch, then build, run, test, measure or install runner
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = ENVIRONMENT)]
pub struct CommandLine {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prepare libtorch 2.11.0 in `.libtorch`
    Setup(SetupArgs),
    /// Build runner and run it in the current folder
    #[command(disable_help_flag = true)]
    Run {
        /// Arguments of runner, for example `exp overfit_mnist`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run all checks
    Test {
        /// Arguments of the test runner, for example `-- NAME`
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Run the lessons' experiments and write `docs/RESULTS.md`
    Lessons(LessonsArgs),
    /// Execute the notebooks and save their output
    Notebooks(NotebooksArgs),
    /// Measure runner, PyTorch, Keras and scikit-learn; write `docs/BENCHMARKS.md`
    Bench(BenchArgs),
    /// Update the output shown in the documentation and build the book
    Docs {
        /// Compare the output with the documentation instead of updating it
        #[arg(long)]
        check: bool,
    },
    /// Build the Python package with both programs
    Wheel {
        /// Also test it in an empty environment, and run the tests of the package
        #[arg(long)]
        check: bool,
    },
    /// Install runner and runner-engine
    Install {
        /// Install into DIR/bin [default: cargo's bin folder]
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
    },
}

/// Arguments of `setup`.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Without CUDA (0.5 GB) [default: with CUDA if an NVIDIA driver is found]
    #[arg(long, conflicts_with = "cuda")]
    cpu: bool,
    /// With CUDA (3 GB), even without a driver, as on a cluster's login node
    #[arg(long)]
    cuda: bool,
    /// Prepare it again even if it is ready
    #[arg(long)]
    force: bool,
}

impl SetupArgs {
    pub fn request(&self) -> Request {
        let variant = self.cuda.then_some(Variant::Cuda).or(self.cpu.then_some(Variant::Cpu));
        Request { variant, force: self.force }
    }
}

/// Arguments of `lessons`.
#[derive(Debug, Args)]
pub struct LessonsArgs {
    /// Experiments to run; the results of the others are kept [default: all of the lessons]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only experiments that take seconds
    #[arg(long)]
    pub quick: bool,
    /// Run these seeds, for example `100..119` or `3,5`, and write only the section on pass rates
    #[arg(long, allow_hyphen_values = true, value_parser = parse_seeds)]
    pub seeds: Option<Seeds>,
}

/// Arguments of `notebooks`.
#[derive(Debug, Args)]
pub struct NotebooksArgs {
    /// Notebooks, for example `A_perceptrons` [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Folder of the runs to load [default: $RUNNER_RUNS, else `runs`]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// How often to run each program [default: 5, with --quick 1]
    #[arg(long, value_name = "N")]
    pub rounds: Option<NonZeroUsize>,
    /// Number of CPU threads, or several as `1,2` [default: all]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub threads: Vec<NonZeroUsize>,
    /// One round with few epochs, to test that everything runs
    #[arg(long)]
    pub quick: bool,
    /// Only runner: phases of training and start-up time
    #[arg(long)]
    pub ours: bool,
    /// Only these parts; writes `target/bench/BENCHMARKS.md`
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = ["mnist", "stack", "digits", "sweep", "csv", "tree", "start", "phases"])]
    pub only: Vec<String>,
}

/// Distinct seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Seeds(pub Vec<i64>);

/// Parses `100..119` (both ends included) or `3,5`.
fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| "write `100..119` or `3,5`".to_owned());
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (number(first)?, number(last)?);
        return match last.checked_sub(first) {
            Some(0..1000) => Ok(Seeds((first..=last).collect())),
            _ => Err("the last seed must not be below the first; at most 1000 seeds are allowed".to_owned()),
        };
    }
    let mut seeds = Vec::new();
    for seed in text.split(',') {
        let seed = number(seed)?;
        if seeds.contains(&seed) {
            return Err(format!("seed {seed} is listed twice"));
        }
        seeds.push(seed);
    }
    Ok(Seeds(seeds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_or_a_list_without_duplicates() {
        assert_eq!(parse_seeds("98..100"), Ok(Seeds(vec![98, 99, 100])));
        assert_eq!(parse_seeds("3,-1"), Ok(Seeds(vec![3, -1])));
        for text in ["", "4..0", "0..x", "1,1", "0..1000"] {
            assert!(parse_seeds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn everything_after_run_belongs_to_runner() {
        for (line, expected) in [("run --help", "--help"), ("run -- -h", "-h"), ("run exp x -- y", "exp x -- y")] {
            let words = std::iter::once("xtask").chain(line.split_whitespace());
            let Command::Run { args } = CommandLine::try_parse_from(words).unwrap().command else { panic!("{line}") };
            assert_eq!(args.join(" ".as_ref()), expected);
        }
    }
}
