//! The summary of a run in at most 30 lines: the verdict, the metrics of the saved weights, missed expectations, time and
//! memory, the weakest classes and the files. [`full`](crate::cli::summary::full) has the rest.

use std::path::Path;

use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::summary::{best_variants, classification, expectations, kept_metrics, resources, verdict};
use crate::cli::text::settings;
use crate::cli::text::shell_words::quoted;
use crate::cli::text::text_style::TextStyle;
use crate::experiment::store::run_id::{self, RunEntries};
use crate::history::History;
use crate::views::classes::weakest;
use crate::views::variants::order::Ranked;
use crate::views::variants::ranking::incomparable;
use crate::views::variants::{baselines, leakage, trial_status};

/// Maximum number of lines.
pub const LINES: usize = 30;

/// Number of variants that are shown unless `--top` says otherwise.
pub const TOP: usize = 10;

/// Lines that are reserved for missed expectations.
const FOR_MISSED: usize = 4;

/// Returns the summary, with the best `top` variants. More than ten variants make it longer than [`LINES`].
pub fn render(run: &TrainedRun, top: usize, page: TextStyle) -> String {
    let ranked = Ranked::new(run.variants());
    let verdict = page.wrapped(&verdict::sentence(run, &ranked), 2);
    let table = match run.variants.len() {
        1 => kept_metrics::table(&run.trials(), page),
        _ if run.histories.iter().all(|history| history.history.is_empty()) => None,
        _ => Some(best_variants::table(&ranked, top, page)),
    };
    let baseline = baselines::line(&run.trials()).filter(|_| run.variants.len() > 1).map(|line| page.wrapped(&line, 2));
    let table: Vec<String> = table.into_iter().chain(baseline).collect();
    let resources = page.wrapped(&resources::line(run), 2);
    let is_checked = run.has_expectations() && !run.is_interrupted();
    let (missed, counted) = if is_checked { expectations::missed(&run.histories, page) } else { Default::default() };
    let files = files(run);

    let blanks = if table.is_empty() { 2 } else { 3 };
    let fixed = [&[verdict.clone(), resources.clone(), files.clone(), counted.clone()][..], &table[..]].concat();
    let mut room = LINES.saturating_sub(blanks + lines(&fixed));
    let reserved = FOR_MISSED.min(lines(&missed));
    let warnings = within(room.saturating_sub(reserved), warnings(run, page), "warnings");
    room = room.saturating_sub(lines(&warnings));
    let missed = within(room.max(1), missed, "missed expectations");
    room = room.saturating_sub(lines(&missed));
    let best = ranked.best().map(|(variant, _)| variant).filter(|_| run.variants.len() > 1);
    let weakest = match best {
        Some(best) => weakest::sentence(&best.trials).map(|sentence| format!("{}: {sentence}", best.name)),
        None if run.variants.len() == 1 => weakest::sentence(&run.trials()),
        None => None,
    };
    let weakest = weakest.map(|sentence| page.wrapped(&sentence, 2)).filter(|weakest| weakest.lines().count() <= room);
    let head: Vec<String> = std::iter::once(verdict).chain(warnings).collect();
    let tail: Vec<String> = missed.into_iter().chain([counted, resources]).chain(weakest).collect();
    let blocks = [head, table, tail, vec![files]];
    let blocks = blocks.iter().map(|block| {
        let filled = block.iter().filter(|part| !part.is_empty()).map(String::as_str);
        filled.collect::<Vec<&str>>().join("\n")
    });
    blocks.filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Returns the number of lines of these parts.
fn lines(parts: &[String]) -> usize {
    parts.iter().map(|part| part.lines().count()).sum()
}

/// Returns the parts that fit into `room` lines, the last of them the number of the others.
fn within(room: usize, parts: Vec<String>, what: &str) -> Vec<String> {
    if lines(&parts) <= room || room == 0 {
        return if room == 0 { Vec::new() } else { parts };
    }
    let (mut shown, all) = (Vec::new(), parts.len());
    for part in parts {
        if lines(&shown) + part.lines().count() >= room {
            break;
        }
        shown.push(part);
    }
    let more = if shown.is_empty() { String::new() } else { "more ".to_owned() };
    shown.push(format!("{} {more}{what}: `--verbose`", all - shown.len()));
    shown
}

/// Returns what makes metrics misleading: data leakage, variants that are no better than a constant, losses that cannot be
/// compared, a missing threshold, test targets near zero.
fn warnings(run: &TrainedRun, page: TextStyle) -> Vec<String> {
    let of_rows = classification::without_threshold(&run.histories).into_iter();
    let of_rows = of_rows.chain(trial_status::near_zero(&run.histories));
    let of_model: Vec<String> = if run.variants.len() > 1 {
        let variants = run.variants();
        let (leaks, cautions) = (leakage::sentences(&variants), baselines::cautions_of_variants(&variants));
        leaks.into_iter().chain(cautions).chain(incomparable(&variants, settings::of_loss)).collect()
    } else {
        let leak =
            |history: &History| Some(format!("data leakage: {}", history.data.resample.as_ref()?.leak.as_ref()?));
        run.histories.first().and_then(leak).into_iter().collect()
    };
    of_model.into_iter().chain(of_rows).map(|line| page.wrapped(&line, 2)).collect()
}

/// Returns the run directory and the next command: it continues a run that was stopped, and shows everything of others.
fn files(run: &TrainedRun) -> String {
    let folder = run.folder.display().to_string();
    let command = if run.is_interrupted() { "resume" } else { "show" };
    let entries = RunEntries::list(run.folder.parent().and_then(Path::parent).unwrap_or(&run.folder));
    let id = run_id::of_folder(&run.folder);
    let id = entries.short_ids().get(id.as_str()).map_or(String::new(), |short| format!(" (id {short})"));
    format!("files: {folder}/{id}\nnext:  runner {command} {}", quoted(&folder))
}
