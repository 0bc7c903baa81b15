//! Adds a confirmation to a sweep.

use anyhow::anyhow;

use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::experiment::spec::seeds;
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::labels::Labels;
use crate::sweep::record::{Extension, SweepRecord};

/// Adds a confirmation to a sweep.
///
/// # Errors
/// If another process has extended the sweep at the same time.
pub(super) fn add(
    dir: &SweepDir,
    record: &mut SweepRecord,
    extension: Extension,
    is_quiet: bool,
) -> anyhow::Result<()> {
    if !extensions::publish(dir.path(), record.extensions.len() + 1, &extension)? {
        return Err(anyhow!("another process has extended the sweep").context(Hint("try it again".to_owned())));
    }
    if !is_quiet {
        terminal::say(&describe(record, &extension));
    }
    record.extend(extension);
    Ok(())
}

/// Returns what a confirmation trains, as text.
pub(super) fn describe(record: &SweepRecord, extension: &Extension) -> String {
    let Some(plan) = &extension.confirmation else { return String::new() };
    let labels = Labels::new(&record.settings);
    let of_one = |name: &str| {
        let set = record.configuration(name).map(|configuration| labels.describe(&configuration.set));
        format!("  {name}  {}", set.unwrap_or_default())
    };
    let mut lines = vec![format!(
        "the best {} on seed{} {}:",
        match plan.configurations.len() {
            1 => "configuration".to_owned(),
            several => format!("{several} configurations"),
        },
        if plan.seeds.len() == 1 { "" } else { "s" },
        seeds::format(&plan.seeds)
    )];
    lines.extend(plan.configurations.iter().map(|chosen| of_one(&chosen.name)));
    lines.join("\n")
}
