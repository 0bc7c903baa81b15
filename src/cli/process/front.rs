//! The front end, `runner` itself: parses the command line, runs the commands that need no tensors, and replaces itself
//! by the engine for the others.
//!
//! Loading libtorch takes a third of a second, too long for a list, a comparison or a plot. So the front end is linked
//! without libtorch (see `build.rs`), and nothing that `dispatch` calls may use tensors. If something does, linking fails
//! with `undefined symbol: at_…` and names the function of tch that is used.

use std::ffi::{OsStr, OsString};
use std::process::{Command as Process, ExitCode};
use std::{env, io};

use anyhow::Context;

use crate::cli::args::user_defaults;
use crate::cli::command_line::Cli;
use crate::cli::commands::{
    Command, compare, completions, data, export, list, man, new, plot, report, runs, schema, selftest, serve, setup,
    show, sweep, watch,
};
use crate::cli::exit::{Exit, report_outcome};
use crate::cli::process::dispatch::{Dispatched, EngineCommand};
use crate::cli::process::usage_errors::parse_arguments;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::io::signals;
use crate::slurm::job;

/// Environment variables that say how OpenMP's threads wait for each other.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";
const SPIN_COUNT: &str = "GOMP_SPINCOUNT";

/// How often an idle thread looks for work before it sleeps. By default, threads look for about a millisecond, in which other
/// programs cannot use the core: on a busy machine, a training with two threads took ten times as long.
const SHORT_SPIN: &str = "1000";

/// Environment variable with settings of glibc.
const GLIBC_TUNABLES: &str = "GLIBC_TUNABLES";

/// Lets large allocations use huge pages. Rows are read in random order, and with small pages the processor looks up the page
/// of nearly every row in memory. Other C libraries, and older versions, ignore it.
const HUGE_PAGES: &str = "glibc.malloc.hugetlb=1";

/// Identifies the build. The front end and the engine must have the same value.
pub(crate) const BUILD: &str = env!("RUNNER_BUILD");

/// Environment variable that passes [`BUILD`] from the front end to the engine.
pub(crate) const BUILD_VARIABLE: &str = "RUNNER_FRONT";

/// Parses the arguments and runs the command, or replaces this process by the engine.
pub fn main() -> ExitCode {
    prepare();
    completions::answer_shell::<Cli>();
    let exit = report_outcome(match dispatch(&parse_arguments().command) {
        Dispatched::Done(outcome) => outcome,
        Dispatched::ForEngine(_) => become_engine(),
    });
    ExitCode::from(exit.code())
}

/// Prepares the process for panics and signals.
pub(crate) fn prepare() {
    terminal::install_panic_hook();
    signals::ignore_sigxfsz_and_sigusr1();
    if job::is_in_job() {
        signals::hold_sigusr2();
    }
}

/// Runs a command that needs no tensors, or returns it for the engine. An invalid `runner.toml` is an error of all commands
/// that use its defaults; `doctor` shows it.
pub(crate) fn dispatch(command: &Command) -> Dispatched<'_> {
    let needs_defaults =
        !matches!(command, Command::Doctor(_) | Command::Setup(_) | Command::Completions(_) | Command::Man(_));
    if let (true, Err(error)) = (needs_defaults, user_defaults::get()) {
        return Dispatched::Done(Err(error));
    }
    Dispatched::Done(match command {
        Command::Runs(args) => runs::run(args),
        Command::Watch(args) => watch::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Export(args) => export::run(args),
        Command::Report(args) => report::run(args),
        Command::List(args) => list::run(args),
        Command::New(args) => new::run(args),
        Command::Show(args) => show::run(args),
        Command::Selftest(args) => selftest::run(args),
        Command::Setup(args) => setup::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run::<Cli>(args),
        Command::Plot(args) => return plot::dispatch(args),
        Command::Data(args) => return data::dispatch(args),
        Command::Exp(args) => return Dispatched::ForEngine(EngineCommand::Exp(args)),
        Command::Reproduce(args) => return Dispatched::ForEngine(EngineCommand::Reproduce(args)),
        Command::Sweep(args) => return sweep::dispatch(args),
        Command::Resume(args) => return Dispatched::ForEngine(EngineCommand::Resume(args)),
        Command::Eval(args) => return Dispatched::ForEngine(EngineCommand::Eval(args)),
        Command::Predict(args) => return Dispatched::ForEngine(EngineCommand::Predict(args)),
        Command::Doctor(args) => return Dispatched::ForEngine(EngineCommand::Doctor(args)),
    })
}

/// Replaces this process by the engine, with the same arguments, environment and streams. Returns only on failure.
fn become_engine() -> anyhow::Result<Exit> {
    let front = env::current_exe().context("failed to find the directory of `runner`")?;
    let engine = front.with_file_name(format!("runner-engine{}", env::consts::EXE_SUFFIX));
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("runner"));
    let mut process = Process::new(&engine);
    process.args(arguments).env(BUILD_VARIABLE, BUILD);
    if env::var_os(WAIT_POLICY).is_none() && env::var_os(SPIN_COUNT).is_none() {
        process.env(SPIN_COUNT, SHORT_SPIN);
    }
    process.env(GLIBC_TUNABLES, with_huge_pages(env::var_os(GLIBC_TUNABLES).unwrap_or_default()));
    let error = exec(process, &name);
    let missing = error.kind() == io::ErrorKind::NotFound;
    let error =
        anyhow::Error::new(error).context(format!("failed to start `{}`, which this command needs", engine.display()));
    let hint = match missing {
        true => {
            "put `runner-engine` into the directory of `runner`: `cargo xtask install` installs both, and in a clone \
                 `cargo build --release` builds both"
        }
        false => "rebuild it for this machine: `cargo xtask install`, or `cargo build --release` in a clone",
    };
    Err(error.context(Hint(hint.to_owned())))
}

/// Returns settings of glibc with huge pages, unless these settings choose pages themselves.
fn with_huge_pages(mut tunables: OsString) -> OsString {
    if !tunables.to_string_lossy().contains("glibc.malloc.hugetlb") {
        if !tunables.is_empty() {
            tunables.push(":");
        }
        tunables.push(HUGE_PAGES);
    }
    tunables
}

/// Replaces this process by another program that is called `name`. Returns only on failure, with the error.
#[cfg(unix)]
fn exec(mut process: Process, name: &OsStr) -> io::Error {
    use std::os::unix::process::CommandExt;
    process.arg0(name).exec()
}

#[cfg(not(unix))]
fn exec(mut process: Process, _name: &OsStr) -> io::Error {
    match process.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(2)),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_pages_are_added_to_the_settings_of_the_user() {
        for (found, expected) in [
            ("", "glibc.malloc.hugetlb=1"),
            ("glibc.malloc.check=1", "glibc.malloc.check=1:glibc.malloc.hugetlb=1"),
            ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),
        ] {
            assert_eq!(with_huge_pages(found.into()), expected);
        }
    }
}
