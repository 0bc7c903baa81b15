//! `cargo xtask …`: gets libtorch ready, then hands over to cargo.
//!
//! `torch-sys` must find libtorch before anything of `runner` compiles, so neither cargo nor `runner`
//! itself can fetch it. This crate stands in front: it needs nothing but `anyhow`, `serde_json` and `libc`,
//! compiles in seconds, and every command below begins by making sure that libtorch is there.
//!
//! - [`setup`] is that part: find, check, download, unpack;
//! - [`cargo`] builds `runner` and becomes it (`cargo xtask run`);
//! - [`checks`] is what has to hold before a change is merged (`cargo xtask test`), [`supply`] its look at dependencies;
//! - [`lessons`] runs the lessons' experiments and writes `docs/RESULTS.md`;
//! - [`notebooks`] executes the notebooks, [`browser`] looks at the report, both with a [`python`] of their own;
//! - [`mod@bench`] measures ours beside the peers' programs and writes `docs/BENCHMARKS.md`;
//! - [`install`] puts `runner` where the shell finds it.

mod args;
mod bench;
mod browser;
mod cargo;
mod checks;
mod compiler;
mod install;
mod lessons;
mod libtorch;
mod notebooks;
mod own;
mod packages;
mod pip;
mod python;
mod results;
mod say;
mod scratch;
mod setup;
mod stamp;
mod supply;
mod tool;
mod trouble;
mod unpack;
mod workspace;

use std::process::ExitCode;

use args::Request;
use setup::{Source, Wish};
use workspace::Workspace;

fn main() -> ExitCode {
    act().unwrap_or_else(|error| {
        say::error(&error);
        ExitCode::from(2)
    })
}

fn act() -> anyhow::Result<ExitCode> {
    let request = args::parse(std::env::args_os().skip(1))?;
    let wish = match request {
        Request::Help { asked } => {
            say::data(args::HELP);
            return Ok(ExitCode::from(if asked { 0 } else { 2 }));
        }
        Request::Setup(wish) => wish,
        _ => Wish::default(),
    };

    let workspace = Workspace::find()?;
    // Notebooks read what runs left: nothing is built for them.
    if let Request::Notebooks(asked) = &request {
        return notebooks::write(&workspace, asked);
    }
    let source = setup::ensure(&workspace, wish)?;
    match request {
        Request::Run(args) => cargo::build_and_become_runner(&workspace, &source, &args),
        Request::Test(extra) => checks::run(&workspace, &source, &extra),
        Request::Lessons(asked) => lessons::run(&workspace, &source, &asked),
        Request::Bench(asked) => bench::run(&workspace, &source, &asked),
        Request::Install { root } => install::run(&workspace, &source, root.as_deref()),
        Request::Setup(_) | Request::Notebooks(_) | Request::Help { .. } => {
            say::note(&describe(&source, &workspace));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn describe(source: &Source, workspace: &Workspace) -> String {
    let version = libtorch::VERSION;
    match source {
        Source::Ours(variant) => {
            let home = workspace.libtorch_home();
            format!("libtorch {version} ({variant}) is ready in `{}`", home.display())
        }
        Source::OwnFolder(folder) => {
            format!("libtorch {version} in `{}` is used, as `LIBTORCH` says: nothing to set up", folder.display())
        }
        Source::OwnPyTorch => {
            format!(
                "libtorch {version} of Python's own torch is used, as `LIBTORCH_USE_PYTORCH` says: nothing to set up"
            )
        }
    }
}
