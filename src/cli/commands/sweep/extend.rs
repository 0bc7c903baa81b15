//! `runner sweep extend DIR`: further configurations and seeds.

use std::str::FromStr;

use anyhow::anyhow;

use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::commands::sweep::work::{check_is_extendable, resume_command};
use crate::cli::exit::Exit;
use crate::cli::text::number_format::{count, counted};
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::experiment::spec::seeds::{self, Seeds};
use crate::sweep::dir::extensions;
use crate::sweep::labels::Labels;
use crate::sweep::plan::extension::{ExtensionRequest, FurtherTrials, PlannedExtension, extension};
use crate::sweep::record::{Extension, SweepRecord};
use crate::sweep::results::csv;

/// Number of configurations that are listed unless all are asked for.
const LISTED: usize = 10;

/// Number of attempts while other processes extend the sweep, too.
const ATTEMPTS: usize = 100;

/// Arguments of `runner sweep extend`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExtendArgs {
    #[command(flatten)]
    sweep: NamedSweep,
    /// Number of configurations: `+8` adds 8; `40` adds configurations until there are 40
    #[arg(long, value_name = "+N|N", allow_hyphen_values = true)]
    trials: Option<FurtherTrials>,
    /// Wider values of a setting, which must include its present values; repeatable
    #[arg(long, value_name = "KEY=VALUES")]
    space: Vec<String>,
    /// Train all configurations on these seeds, too: `3..5` (both included) or `1,5,7`
    #[arg(long, value_name = "SEEDS", value_parser = seeds::parse, allow_hyphen_values = true)]
    seeds: Option<Seeds>,
    /// Show what would be added, without writing
    #[arg(long)]
    dry_run: bool,
    /// Extend a sweep of another build of runner, or with changed data
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner sweep extend digits_mlp --trials +8
  runner sweep extend digits_mlp --space lr=log:1e-4..1 --trials +16
  runner sweep extend digits_mlp --seeds 3..4
  runner sweep sweeps/digits_mlp/latest --resume      train what was added

Trained configurations stay as they are. If the space is unchanged, the
result is the same as that of a sweep started with more `--trials`, except
with `--method tpe` or `gp`, which learn from all earlier results. New values
of a grid are combined with all others. Running workers train what was added.";

impl FromStr for FurtherTrials {
    type Err = String;

    fn from_str(text: &str) -> Result<FurtherTrials, String> {
        let (digits, is_further) = match text.trim().strip_prefix('+') {
            Some(digits) => (digits, true),
            None => (text.trim(), false),
        };
        match digits.parse() {
            Ok(number @ 1..) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(if is_further { FurtherTrials::By(number) } else { FurtherTrials::To(number) })
            }
            _ => Err("expected `+8` for eight further configurations, or `40` for 40 in all".to_owned()),
        }
    }
}

/// Adds configurations and seeds to a sweep.
pub fn run(args: &ExtendArgs) -> anyhow::Result<Exit> {
    let (dir, mut record) = args.sweep.open()?;
    if !args.force {
        check_is_extendable(&dir, &record)?;
    }
    let (space, seeds, command) = (args.space.clone(), args.seeds.clone(), Some(args.command()));
    let request = ExtensionRequest { trials: args.trials, space, seeds, command };
    for _ in 0..ATTEMPTS {
        let planned = extension(&record, &request)?;
        if args.dry_run {
            terminal::out(&describe("would add", &record, &planned));
            terminal::say("nothing was written: leave `--dry-run` out to add it");
            return Ok(Exit::Done);
        }
        if extensions::publish(dir.path(), record.extensions.len() + 1, &planned.extension)? {
            csv::remove(&dir);
            terminal::out(&describe("added", &record, &planned));
            terminal::say(&format!("train what was added with `{}`", resume_command(dir.path())));
            return Ok(Exit::Done);
        }
        // another process has extended the sweep in the meantime: add to what it has now
        extensions::read_new(dir.path(), &mut record)?;
    }
    Err(anyhow!("other processes extend the sweep all the time").context(Hint("try it again".to_owned())))
}

/// Returns what an extension adds, as text that begins with this verb.
fn describe(verb: &str, record: &SweepRecord, planned: &PlannedExtension) -> String {
    let Extension { seeds, configurations, further_trials, stacks, .. } = &planned.extension;
    let mut parts = Vec::new();
    if let [first, .., last] = &configurations[..] {
        parts.push(format!("{} ({} to {})", counted(configurations.len(), "configuration"), first.name, last.name));
    } else if let [one] = &configurations[..] {
        parts.push(format!("configuration {}", one.name));
    }
    if *further_trials > 0 {
        parts.push(format!("{} that the next rounds choose", counted(*further_trials, "configuration")));
    }
    if !seeds.is_empty() {
        let s = if seeds.len() == 1 { "" } else { "s" };
        parts.push(format!("seed{s} {} of all configurations", seeds::format(seeds)));
    }
    let mut lines = vec![format!("{verb} {}", parts.join(" and "))];
    if !stacks.is_empty() {
        lines[0] += &format!(": {} in {}", counted(planned.trials, "trial"), counted(stacks.len(), "stack"));
    }
    let labels = Labels::new(&record.settings);
    let shown = configurations.iter().take(LISTED);
    lines.extend(shown.map(|one| format!("  {}  {}", one.name, labels.describe(&one.set))));
    if configurations.len() > LISTED {
        lines.push(format!("  … {} more", count(configurations.len() - LISTED)));
    }
    lines.join("\n")
}

impl ExtendArgs {
    /// Returns the command for the record.
    fn command(&self) -> String {
        let mut words = vec!["runner sweep extend".to_owned(), quoted(&self.sweep.sweep)];
        let mut option = |name: &str, value: &str| words.push(format!("--{name} {}", quoted(value)));
        match self.trials {
            Some(FurtherTrials::By(number)) => option("trials", &format!("+{number}")),
            Some(FurtherTrials::To(number)) => option("trials", &number.to_string()),
            None => {}
        }
        self.space.iter().for_each(|entry| option("space", entry));
        self.seeds.iter().for_each(|seeds| option("seeds", &seeds::format(seeds)));
        words.join(" ")
    }
}
