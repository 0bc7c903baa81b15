//! `cargo xtask`: sets up libtorch, then builds, runs, tests, measures or installs `runner`.
//!
//! `torch-sys` needs libtorch before anything of `runner` compiles, so neither cargo nor `runner` can download it. This
//! program does, and it compiles in seconds. It also holds every check that a change must pass.
//!
//! What is easier in Python is in Python: `benches/harness` measures, `xtask/scripts/lessons.py` runs the lessons.

mod bench;
mod browser;
mod cargo;
mod checks;
mod cli;
mod console;
mod docs;
mod folders;
mod install;
mod lessons;
mod libtorch;
mod notebooks;
mod process;
mod python;
mod supply_chain;
mod wheel;
mod workspace;

use std::process::ExitCode;

use clap::Parser;
use cli::{Command, CommandLine};
use libtorch::setup::{self, Request};
use workspace::Workspace;

fn main() -> ExitCode {
    run(CommandLine::parse().command).unwrap_or_else(|error| {
        console::error(&error);
        ExitCode::from(2)
    })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    let ready = || setup::ensure(&workspace, Request::default());
    match command {
        Command::Setup(args) => {
            let source = setup::ensure(&workspace, args.request())?;
            console::note(&source.describe(&workspace));
            Ok(ExitCode::SUCCESS)
        }
        Command::Run { args } => cargo::build_and_become_runner(&workspace, &ready()?, &args),
        Command::Test { args } => checks::run(&workspace, &ready()?, &args),
        Command::Lessons(args) => lessons::run(&workspace, &ready()?, &args),
        Command::Notebooks(args) => notebooks::write(&workspace, &args),
        Command::Bench(args) => bench::run(&workspace, &ready()?, &args),
        Command::Docs { check } => docs::run(&workspace, &ready()?, check),
        Command::Wheel { check } => wheel::run(&workspace, &ready()?, check),
        Command::Install { root } => install::run(&workspace, &ready()?, root.as_deref()),
    }
}
