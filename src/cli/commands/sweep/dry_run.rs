//! Text and JSON of `runner sweep --dry-run`.

use serde_json::{Map, Value, json};

use crate::cli::commands::sweep::ranking_text::setting_columns;
use crate::cli::text::column::Column;
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::number_format::{self, count, counted};
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::device::memory;
use crate::experiment::halving::rule::Halving;
use crate::experiment::spec::seeds;
use crate::io::byte_size::format_bytes;
use crate::sweep::estimate::{TimeEstimate, finished_epochs, planned_epochs};
use crate::sweep::labels::Labels;
use crate::sweep::plan::PlannedSweep;
use crate::sweep::plan::confirm_check::at_most;
use crate::sweep::record::{Configuration, StackPlan};
use crate::sweep::spec::Confirm;

/// Maximum number of lines of the text; `--all` and `--json` list all configurations.
const MOST_LINES: usize = 60;

/// Estimated duration, or why it is unknown.
pub(super) type Duration = Result<TimeEstimate, String>;

/// Prints what a sweep would train; all configurations if `lists_all`.
pub(super) fn print(sweep: &PlannedSweep, workers: usize, duration: &Duration, lists_all: bool) {
    let (page, configurations) = (TextStyle::of_output(), sweep.record.configurations.len());
    let mut rows = if lists_all { configurations } else { configurations.min(MOST_LINES) };
    let mut printed = text(sweep, workers, duration, rows, page);
    // a wide table is split into several ones
    while !lists_all && rows > 1 && printed.lines().count() > MOST_LINES {
        rows -= 1;
        printed = text(sweep, workers, duration, rows, page);
    }
    terminal::out(&printed);
}

/// Returns the plan as JSON.
pub(super) fn to_json(sweep: &PlannedSweep, workers: usize, duration: &Duration) -> Value {
    let record = &sweep.record;
    let configuration = |Configuration { name, set }: &Configuration| {
        let varied = record.settings.iter().filter_map(|key| Some((key.clone(), set.get(key)?.clone())));
        json!({ "name": name, "set": varied.collect::<Map<_, _>>() })
    };
    let stack = |(stack, replicas): (&StackPlan, &usize)| json!({ "name": stack.name, "configurations": stack.configurations, "replicas": replicas });
    let stacks = sweep.stacks.stacks.iter().zip(&sweep.stacks.replicas).map(stack);
    let halving = record.halving.map(|halving| {
        json!({
            "first": halving.first, "keep": halving.keep, "rungs": halving.rungs(most_epochs(sweep)),
            "epochs": epochs(sweep), "all_epochs": epochs_without_halving(sweep),
        })
    });
    json!({
        "experiment": record.experiment,
        "method": sweep.record.search.method.name(),
        "round": record.search.rounds.map(|rounds| rounds.size),
        "chosen_later": record.unchosen(),
        "metric": record.metric,
        "higher_is_better": record.higher_is_better,
        "halving": halving,
        "confirm": record.confirm,
        "seeds": record.seeds,
        "further_seeds": record.further_seeds,
        "trials": trials(sweep),
        "settings": record.settings,
        "configurations": record.configurations.iter().map(configuration).collect::<Vec<_>>(),
        "stacks": stacks.collect::<Vec<_>>(),
        "stack": record.options.stack,
        "device": record.options.device,
        "threads": record.options.threads,
        "workers": workers,
        "bytes": u64::try_from(sweep.stacks.bytes).unwrap_or(u64::MAX),
        "seconds": duration.as_ref().ok().map(|estimate| estimate.seconds),
    })
}

/// Returns the plan as text.
fn text(sweep: &PlannedSweep, workers: usize, duration: &Duration, rows: usize, page: TextStyle) -> String {
    let record = &sweep.record;
    let (configurations, all) = (record.configurations.len(), record.all_configurations());
    let number = counted(all, "configuration");
    let title = format!("{}: {number}, {} trials", record.experiment, count(trials(sweep)));
    let mut lines = vec![terminal::bold(&title)];
    let row = |key: &str, text: String| page.wrapped(&format!("{key:<9} {text}"), 10);
    let direction = if record.higher_is_better { "highest" } else { "lowest" };
    lines.push(row("metric", format!("{}, {direction} is best", record.metric)));
    lines.push(row("method", method(sweep)));
    let further = if record.further_seeds.is_empty() { "" } else { " for configurations that are trained to the end" };
    lines.push(row("seeds", format!("{}{further}", record.seeds_text())));
    lines.extend(record.halving.map(|rungs| row("halving", halving(sweep, rungs))));
    lines.extend(record.confirm.as_ref().map(|confirm| row("confirm", confirmed(confirm))));
    lines.push(row("stacks", stacks(sweep)));
    let options = &record.options;
    let s = if options.threads == 1 { "" } else { "s" };
    let processes = counted(workers, "worker");
    lines.push(row("device", format!("{}; {processes}, up to {} thread{s} each", options.device, options.threads)));
    if sweep.stacks.bytes > 0 {
        let bytes = |bytes: u128| format_bytes(u64::try_from(bytes).unwrap_or(u64::MAX));
        let (each, free) = (bytes(sweep.stacks.bytes), format_bytes(memory::free(sweep.stacks.device)));
        let of_worker = "besides libtorch for the largest stack of a worker (calculated)";
        lines.push(row("memory", format!("about {each} {of_worker}; {free} free")));
    }
    lines.push(row("time", time(duration, workers, record.halving.is_some())));
    lines.push(String::new());
    lines.push(table(sweep, rows, page));
    if configurations > rows {
        lines.push(format!("… {} more: list them with `--all`", count(configurations - rows)));
    }
    if record.unchosen() > 0 {
        lines.push(format!("… {} more are chosen from the results of these", count(record.unchosen())));
    }
    lines.push(String::new());
    lines.push("nothing was written: leave `--dry-run` out to train".to_owned());
    lines.join("\n")
}

/// Returns the estimated duration and what it is based on.
fn time(duration: &Duration, workers: usize, has_halving: bool) -> String {
    match duration {
        Ok(TimeEstimate { seconds, measured }) => {
            let on = if workers == 1 { String::new() } else { format!(" on {} workers", count(workers)) };
            let (stacks, each) = if measured.len() == 1 { ("stack", "") } else { ("stacks", " each") };
            let rounded = if *seconds < 10.0 { *seconds } else { seconds.round() };
            let all = if has_halving {
                "longer if configurations continue because their results are close"
            } else {
                "if all epochs are trained"
            };
            let (time, names) = (number_format::seconds(rounded), joined(measured));
            let estimated = format!("estimated: one worker trained the {stacks} {names} for a second{each}");
            format!("about {time} of training{on}, {all} ({estimated})")
        }
        Err(reason) => format!("unknown: {reason}"),
    }
}

/// Returns names as a list: `S000, S001 and S002`.
fn joined(names: &[String]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.concat(),
    }
}

/// Returns the method of the search, and its rounds.
fn method(sweep: &PlannedSweep) -> String {
    let (name, first) = (sweep.record.search.method.name(), count(sweep.record.configurations.len()));
    match sweep.record.search.rounds {
        Some(rounds) if sweep.record.unchosen() > 0 => {
            format!("{name}: {first} configurations at first, then rounds of {} from results", count(rounds.size))
        }
        Some(_) | None => name.to_owned(),
    }
}

/// Returns the number for all configurations from the one for those that are chosen already.
fn for_all(sweep: &PlannedSweep, number: usize) -> usize {
    let record = &sweep.record;
    number * record.all_configurations() / record.configurations.len().max(1)
}

/// Returns the rungs, and the number of epochs of all trials that are planned.
fn halving(sweep: &PlannedSweep, halving: Halving) -> String {
    let rungs: Vec<String> = halving.rungs(most_epochs(sweep)).iter().map(usize::to_string).collect();
    let s = if rungs.len() == 1 { "" } else { "s" };
    let (at, share) = (rungs.join(", "), (1e4 * halving.keep).round() / 100.0);
    let (planned, all) = (count(epochs(sweep)), count(epochs_without_halving(sweep)));
    format!(
        "rung{s} after epoch{s} {at}, at which {share} % of a stack's configurations continue: {planned} of {all} epochs, or \
         more if results are close"
    )
}

/// Returns what is trained again when all configurations are trained.
fn confirmed(confirm: &Confirm) -> String {
    let seeds =
        confirm.seeds.as_ref().map_or("ten fresh seeds".to_owned(), |fresh| format!("seeds {}", seeds::format(fresh)));
    match at_most(confirm) {
        1 => format!("afterwards the best configuration on {seeds}"),
        most => format!("afterwards the best {most} configurations on {seeds}"),
    }
}

/// Returns the largest number of epochs of a configuration.
fn most_epochs(sweep: &PlannedSweep) -> usize {
    sweep.plans.iter().filter_map(|plan| Some(plan.network()?.train.epochs)).max().unwrap_or(0)
}

/// Returns the number of epochs of all trials that are planned.
fn epochs(sweep: &PlannedSweep) -> usize {
    let (first, further) = (sweep.record.seeds.len(), sweep.record.further_seeds.len());
    let of_stack = |stack| first * planned_epochs(sweep, stack) + further * finished_epochs(sweep, stack);
    for_all(sweep, sweep.stacks.stacks.iter().map(of_stack).sum())
}

/// Returns the number of epochs of all trials if none is dropped.
fn epochs_without_halving(sweep: &PlannedSweep) -> usize {
    let epochs = sweep.plans.iter().filter_map(|plan| Some(plan.network()?.train.epochs));
    let seeds = sweep.record.seeds.len() + sweep.record.further_seeds.len();
    for_all(sweep, seeds * epochs.sum::<usize>())
}

/// Returns the number of stacks and of models in them.
fn stacks(sweep: &PlannedSweep) -> String {
    let replicas = &sweep.stacks.replicas;
    let (least, most) = (replicas.iter().min().copied().unwrap_or(0), replicas.iter().max().copied().unwrap_or(0));
    let each = if least == most { count(most) } else { format!("{} to {}", count(least), count(most)) };
    let models = if most == 1 { "model" } else { "models" };
    // the seeds and folds of a configuration are in one stack
    let limit = match sweep.stacks.width {
        1 if most > 1 => "1 model is trained at once".to_owned(),
        width if width < most => format!("{} models are trained at once", count(width)),
        1 => "at most 1 model in a stack".to_owned(),
        width => format!("at most {} models in a stack", count(width)),
    };
    let first = if sweep.record.unchosen() > 0 { "at first " } else { "" };
    let in_each = if replicas.len() == 1 { "" } else { " each" };
    let number = counted(replicas.len(), "stack");
    format!("{first}{number} of {each} {models}{in_each} (configurations × seeds; {limit})")
}

/// Returns the first configurations with their settings.
fn table(sweep: &PlannedSweep, rows: usize, page: TextStyle) -> String {
    let record = &sweep.record;
    let labels = Labels::new(&record.settings);
    let shown = &record.configurations[..rows.min(record.configurations.len())];
    let names = Column::words("name", shown.iter().map(|one| one.name.clone()));
    Fitted::new(names, setting_columns(&labels, shown.iter())).tables(page).join("\n\n")
}

/// Number of trials: configurations × folds × seeds.
fn trials(sweep: &PlannedSweep) -> usize {
    for_all(sweep, sweep.stacks.replicas.iter().sum())
}
