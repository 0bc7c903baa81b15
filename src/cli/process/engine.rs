//! The engine, `runner-engine`: what needs tensors. The front becomes it; started by itself it does everything.

use std::env;

use anyhow::anyhow;
use clap::Parser;

use crate::cli::command_line::Cli;
use crate::cli::commands::plot::{classes, samples};
use crate::cli::commands::{data, doctor, eval, exp, predict, reproduce, resume};
use crate::cli::exit::{Exit, ended};
use crate::cli::process::front::{BUILD, VARIABLE, begin};
use crate::cli::process::work::{Begun, Work};
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::io::{atomic_write, signals};

/// Parses the arguments, and runs the command that they name.
pub fn main() -> ! {
    terminal::shorten_panics();
    atomic_write::ignore_sigxfsz();
    signals::ignore_sigusr1();
    let outcome = check_front().and_then(|()| match begin(&Cli::parse().command) {
        Begun::Ended(outcome) => outcome,
        Begun::NeedsTensors(work) => run(&work),
    });
    let code = ended(outcome).code();
    terminal::flush(); // all files are written by now
    signals::leave(i32::from(code))
}

fn run(work: &Work) -> anyhow::Result<Exit> {
    match work {
        Work::Exp(args) => exp::run(args),
        Work::Resume(args) => resume::run(args),
        Work::Reproduce(args) => reproduce::run(args),
        Work::Eval(args) => eval::run(args),
        Work::Predict(args) => predict::run(args),
        Work::PlotClasses(args) => classes::run(args),
        Work::PlotSamples(args) => samples::run(args),
        Work::Describe(args) => data::description::describe_any(args),
        Work::Doctor(args) => doctor::run(args),
    }
}

/// Refuses a front of another build: `cargo run` and `cargo build --bin runner` build no engine.
fn check_front() -> anyhow::Result<()> {
    match env::var_os(VARIABLE) {
        Some(front) if front != BUILD => {
            let hint = "build both: `cargo build --release`, or `cargo xtask install`";
            Err(anyhow!("`runner` and the `runner-engine` beside it are of different builds")
                .context(Hint(hint.to_owned())))
        }
        _ => Ok(()),
    }
}
