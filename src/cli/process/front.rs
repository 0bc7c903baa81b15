//! The front, `runner` itself: it reads the command line, does what needs no tensor, and becomes the engine for the rest.
//!
//! Loading libtorch takes a third of a second, which no list, comparison or picture should wait for. So the front is
//! linked without it (`build.rs` says how), and must not be able to reach a tensor: where something in `begin` does, the
//! link fails with `undefined symbol: at_…` and the function of tch that refers to it.

use std::ffi::{OsStr, OsString};
use std::process::{Command as Process, ExitCode};
use std::{env, io};

use anyhow::Context;
use clap::Parser;

use crate::cli::command_line::Cli;
use crate::cli::commands::{
    Command, compare, completions, data, export, list, man, plot, report, runs, schema, selftest, show,
};
use crate::cli::exit::{Exit, ended};
use crate::cli::process::work::{Begun, Work};
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::io::{atomic_write, signals};

/// What the front and the engine are built from: they belong together when they say the same.
pub(crate) const BUILD: &str = env!("RUNNER_BUILD");

/// Where the front says it to the engine.
pub(crate) const VARIABLE: &str = "RUNNER_FRONT";

/// Parses the arguments, and runs the command that they name, or becomes the engine.
pub fn main() -> ExitCode {
    terminal::shorten_panics();
    atomic_write::ignore_sigxfsz();
    signals::ignore_sigusr1();
    let exit = ended(match begin(&Cli::parse().command) {
        Begun::Ended(outcome) => outcome,
        Begun::NeedsTensors(_) => become_engine(),
    });
    ExitCode::from(exit.code())
}

/// Runs a command that needs no tensor.
pub(crate) fn begin(command: &Command) -> Begun<'_> {
    Begun::Ended(match command {
        Command::Runs(args) => runs::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Export(args) => export::run(args),
        Command::Report(args) => report::run(args),
        Command::List(args) => list::run(args),
        Command::Show(args) => show::run(args),
        Command::Selftest(args) => selftest::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => completions::run::<Cli>(args),
        Command::Man(args) => man::run::<Cli>(args),
        Command::Plot(args) => return plot::begin(args),
        Command::Data(args) => return data::begin(args),
        Command::Exp(args) => return Begun::NeedsTensors(Work::Exp(args)),
        Command::Reproduce(args) => return Begun::NeedsTensors(Work::Reproduce(args)),
        Command::Resume(args) => return Begun::NeedsTensors(Work::Resume(args)),
        Command::Eval(args) => return Begun::NeedsTensors(Work::Eval(args)),
        Command::Predict(args) => return Begun::NeedsTensors(Work::Predict(args)),
        Command::Doctor(args) => return Begun::NeedsTensors(Work::Doctor(args)),
    })
}

/// From here on the process is the engine, with the same arguments, environment and streams; its exit code is ours.
fn become_engine() -> anyhow::Result<Exit> {
    let front = env::current_exe().context("failed to find the folder that `runner` is in")?;
    let engine = front.with_file_name(format!("runner-engine{}", env::consts::EXE_SUFFIX));
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("runner"));
    let mut process = Process::new(&engine);
    process.args(arguments).env(VARIABLE, BUILD);
    let error = replace(process, &name);
    let missing = error.kind() == io::ErrorKind::NotFound;
    let error = anyhow::Error::new(error)
        .context(format!("failed to start `{}`, which does what needs libtorch", engine.display()));
    let hint = match missing {
        true => {
            "`runner` and `runner-engine` belong side by side: `cargo xtask install` puts both where they are found, and in a \
                 clone `cargo build --release` makes both"
        }
        false => {
            "it must be a program that this machine can run: `cargo xtask install`, or `cargo build --release` in a clone, \
                  makes it anew"
        }
    };
    Err(error.context(Hint(hint.to_owned())))
}

/// Becomes another program, called by this name; comes back only when that fails.
#[cfg(unix)]
fn replace(mut process: Process, name: &OsStr) -> io::Error {
    use std::os::unix::process::CommandExt;
    process.arg0(name).exec()
}

#[cfg(not(unix))]
fn replace(mut process: Process, _name: &OsStr) -> io::Error {
    match process.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(2)),
        Err(error) => error,
    }
}
