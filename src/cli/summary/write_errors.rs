//! Errors at the end of a run about files that could not be written to its directory, or were removed from it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::anyhow;

use crate::cli::text::shell_words::{quoted, quoted_path};
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::run_dir::RunDir;
use crate::run_dir::write_errors::WriteErrors;

/// Prints errors about a run's files, and unless `quiet` warnings. Returns whether all files are in the run directory.
pub(crate) fn tell(folder: &RunDir, quiet: bool) -> bool {
    let Some(trouble) = folder.write_errors() else { return true };
    let run = folder.path();
    if trouble.was_recreated && !quiet {
        terminal::warn(&format!("`{}` was removed during the run and was created again", run.display()));
    }
    errors(run, &trouble).iter().for_each(terminal::error);
    !trouble.is_incomplete()
}

/// Returns the errors, each with a hint.
fn errors(run: &Path, trouble: &WriteErrors) -> Vec<anyhow::Error> {
    let WriteErrors { reason, in_fallback, lost, fallback_errors, missing, .. } = trouble;
    let reason = || anyhow!(reason.clone().unwrap_or_else(|| "no reason given".to_owned()));
    let (shown, quoted_run) = (run.display(), quoted_path(run));
    let mut errors = Vec::new();
    let mut places: BTreeMap<&Path, Vec<String>> = BTreeMap::new();
    for file in in_fallback {
        let (Some(place), Some(name)) = (file.parent(), file.file_name()) else { continue };
        places.entry(place).or_default().push(name.to_string_lossy().into_owned());
    }
    for (place, names) in places {
        let place = place.display();
        let message = format!("`{shown}` could not take {}: saved in `{place}` instead", named(&names));
        let hint = format!("once it takes files again: `cp -r {} {quoted_run}`", quoted(&format!("{place}/.")));
        errors.push(reason().context(message).context(Hint(hint)));
    }
    if !lost.is_empty() {
        let because = fallback_errors.iter().fold(reason(), |error, refusal| anyhow!("{error:#}; {refusal}"));
        let message = format!("{} could not be written to `{shown}` or to a fallback directory", named(lost));
        let hint = format!("free disk space, then run `runner resume {quoted_run}` to train the missing trials again");
        errors.push(because.context(message).context(Hint(hint)));
    }
    if !missing.is_empty() {
        let message = format!("{} were lost with the removed directory", named(missing));
        let hint = format!("`runner resume {quoted_run}` trains the missing trials again");
        errors.push(anyhow!(message).context(Hint(hint)));
    }
    errors
}

/// Returns the first few of these names.
fn named(names: &[String]) -> String {
    const MOST: usize = 6;
    let first: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
