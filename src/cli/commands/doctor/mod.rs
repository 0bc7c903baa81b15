//! `runner doctor`: checks what this machine, or a cluster with Slurm, can run, and suggests a fix for each problem.

mod check;
mod machine;
mod slurm;

use std::path::PathBuf;

use crate::cli::args::lookup::resolve_device;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::config::hint::hinted;
use crate::device::{DeviceChoice, memory};
use check::Check;

/// Arguments of `runner doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Check the settings of Slurm and explain what they mean
    #[arg(long)]
    slurm: bool,
    /// Submit a job of one minute that checks a compute node, and wait until it has run
    #[arg(long)]
    probe: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print only the number of free bytes on a device
    #[arg(long, value_name = "DEVICE", hide = true)]
    free_memory: Option<DeviceChoice>,
    /// Write what this compute node sees into the directory of a probe
    #[arg(long, value_name = "DIR", hide = true)]
    node_report: Option<PathBuf>,
    /// Options of `sbatch` for the job of `--probe`
    #[arg(value_name = "SBATCH OPTIONS", last = true)]
    sbatch: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  runner doctor
  runner doctor --slurm
  runner doctor --slurm --probe -- --partition=gpu --gres=gpu:1";

/// Runs the checks and prints their results.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(choice) = args.free_memory {
        terminal::out(&memory::free(resolve_device(choice)?).to_string());
        return Ok(Exit::Done);
    }
    if let Some(directory) = &args.node_report {
        slurm::report_of_node(directory)?;
        return Ok(Exit::Done);
    }
    if args.probe && !args.slurm {
        return Err(hinted("`--probe` needs `--slurm`", "write `runner doctor --slurm --probe`"));
    }
    if !args.probe && !args.sbatch.is_empty() {
        let message = format!("options of sbatch (`-- {}`) need `--probe`", args.sbatch.join(" "));
        return Err(hinted(message, "write `runner doctor --slurm --probe -- OPTIONS`"));
    }
    let mut checks = if args.slurm { slurm::checks()? } else { machine::checks() };
    if !args.json {
        print(&checks);
    }
    if args.probe {
        let seen = slurm::probe(&args.sbatch)?;
        if !args.json {
            print(&seen);
        }
        checks.extend(seen);
    }
    if args.json {
        terminal::json(&checks);
    }
    Ok(Exit::Done)
}

/// Prints checks, a line each, and below a failed one how to fix it.
fn print(checks: &[Check]) {
    let page = TextStyle::of_output();
    let width = checks.iter().map(|check| check.what.len()).max().unwrap_or_default();
    for check in checks {
        let mark = match check.passed {
            true => terminal::green("✓"),
            false if check.is_absent => "–".to_owned(),
            false => terminal::red("✗"),
        };
        let indent = width + 3;
        terminal::out(&page.wrapped(&format!("{mark} {:<width$} {}", check.what, check.found), indent));
        if let Some(remedy) = &check.remedy {
            terminal::out(&page.wrapped(&format!("{}hint: {remedy}", " ".repeat(indent)), indent));
        }
    }
}
