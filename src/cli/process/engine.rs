//! The engine, `runner-engine`: runs the commands that need tensors. `runner` replaces itself by it. Started by hand, it
//! runs every command.

use std::env;

use anyhow::anyhow;

use crate::cli::commands::plot::{calibration, classes, pr, samples};
use crate::cli::commands::sweep::{confirm, extend, start, submit, verify, work};
use crate::cli::commands::{data, doctor, eval, exp, predict, reproduce, resume, stack_worker};
use crate::cli::exit::{Exit, report_outcome};
use crate::cli::process::dispatch::{Dispatched, EngineCommand};
use crate::cli::process::front::{BUILD, BUILD_VARIABLE, dispatch};
use crate::cli::process::usage_errors::parse_arguments;
use crate::cli::slurm::at_exit;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::io::signals;
use crate::network::torchscript::{inspection, inspector};
use crate::slurm::job;
use crate::workers::message;

/// Parses the arguments and runs the command.
pub fn main() -> ! {
    terminal::install_panic_hook();
    signals::ignore_sigxfsz_and_sigusr1();
    if job::is_in_job() {
        signals::hold_sigusr2();
    }
    inspection::set_inspector(inspector::inspect);
    let arguments: Vec<String> = env::args().collect();
    if let [_, command, arguments @ ..] = &arguments[..]
        && command == inspection::COMMAND
    {
        let code = report_outcome(inspection::answer(arguments).map(|answer| {
            terminal::out(&answer);
            Exit::Done
        }));
        terminal::flush();
        signals::exit_immediately(i32::from(code.code()));
    }
    if env::args().nth(1).as_deref() == Some(message::COMMAND) {
        let code = report_outcome(stack_worker::run());
        signals::exit_immediately(i32::from(code.code()));
    }
    let outcome = check_same_build().and_then(|()| match dispatch(&parse_arguments().command) {
        Dispatched::Done(outcome) => outcome,
        Dispatched::ForEngine(command) => run(&command),
    });
    let code = at_exit::after(report_outcome(outcome)).code();
    terminal::flush(); // all files have been written
    signals::exit_immediately(i32::from(code))
}

fn run(command: &EngineCommand) -> anyhow::Result<Exit> {
    match command {
        EngineCommand::Exp(args) => exp::run(args),
        EngineCommand::Sweep(args) => start::run(args),
        EngineCommand::SweepWork(args) => work::run(args),
        EngineCommand::SweepSubmit(args) => submit::run(args),
        EngineCommand::SweepConfirm(args) => confirm::run(args),
        EngineCommand::SweepExtend(args) => extend::run(args),
        EngineCommand::SweepVerify(args) => verify::run(args),
        EngineCommand::Resume(args) => resume::run(args),
        EngineCommand::Reproduce(args) => reproduce::run(args),
        EngineCommand::Eval(args) => eval::run(args),
        EngineCommand::Predict(args) => predict::run(args),
        EngineCommand::PlotClasses(args) => classes::run(args),
        EngineCommand::PlotCalibration(args) => calibration::run(args),
        EngineCommand::PlotPrByClass(args) => pr::plot_by_class(args),
        EngineCommand::PlotSamples(args) => samples::run(args),
        EngineCommand::Describe(args) => data::describe::run(args),
        EngineCommand::Doctor(args) => doctor::run(args),
    }
}

/// Checks that `runner` is of the same build as this engine: `cargo run` and `cargo build --bin runner` build no engine.
fn check_same_build() -> anyhow::Result<()> {
    match env::var_os(BUILD_VARIABLE) {
        Some(front) if front != BUILD => {
            let hint = "build both: `cargo build --release`, or `cargo xtask install`";
            Err(anyhow!("`runner` and `runner-engine` are from different builds").context(Hint(hint.to_owned())))
        }
        _ => Ok(()),
    }
}
