//! `runner sweep verify DIR`: checks all files of a sweep.

use serde_json::json;

use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::exit::Exit;
use crate::cli::text::number_format::{count, counted};
use crate::cli::text::terminal;
use crate::sweep::verify::{Verification, verify};

/// Arguments of `runner sweep verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub struct VerifyArgs {
    #[command(flatten)]
    sweep: NamedSweep,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const NOTES: &str = "\
The command computes again which configurations the search chooses, from the
space and the seed of the search (with `--method tpe` or `gp`, also from the
results that each round has seen), and in which stacks they are trained. It
checks that the sweep has these configurations and stacks, that its results
and table.csv are those of the histories, that files have their checksums, and
that each stack was trained by one worker at a time. Nothing is changed. If
files are missing, modified or unknown, it lists them, and the exit code is 1.";

/// Checks a sweep, and lists what is wrong.
pub fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let path = args.sweep.locate()?;
    let result = verify(&path)?;
    let Verification { configurations, stacks, ended, unchosen, lacking, trials, files, findings } = &result;
    if args.json {
        terminal::json(&json!({
            "sweep": path, "verified": findings.is_empty(), "configurations": configurations,
            "stacks": { "all": stacks, "ended": ended }, "trials": trials, "files": files, "findings": findings,
        }));
    } else {
        findings.iter().for_each(|finding| terminal::out(&format!("{}: {}", finding.file, finding.problem)));
        let (configurations, trials, files) = (count(*configurations), count(*trials), count(*files));
        let stacks_ended = format!("{} of {} stacks ended", count(*ended), count(*stacks));
        let numbers =
            format!("{configurations} configurations, {stacks_ended}, {trials} trials, {files} files of stacks");
        terminal::out(&match findings.len() {
            0 => format!("verified: {numbers}"),
            problems => format!("{}; checked: {numbers}", counted(problems, "problem")),
        });
        if ended < stacks || *unchosen > 0 || *lacking > 0 {
            terminal::say("the sweep has not ended: only what has ended was checked completely");
        }
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Missed })
}
