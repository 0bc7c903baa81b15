//! Text of `runner exp --dry-run`.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::output_args::OutputArgs;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, settings, terminal};
use crate::compare::settings::format_seeds;
use crate::device;
use crate::experiment::dry_run::GroupPreview;
use crate::experiment::plan::study::Study;
use crate::experiment::plan::{BASE, Model};
use crate::experiment::run::Options;
use crate::io::byte_size::format_bytes;
use crate::metrics::threshold::{Cost, ThresholdRule};

/// Maximum number of layers that are shown.
const MOST_LAYERS: usize = 12;

/// Maximum number of groups of variants that are shown without `--verbose`.
const MOST_GROUPS: usize = 5;

/// Maximum number of variants of a group that are named without `--verbose`.
const MOST_NAMES: usize = 10;

/// Prints what a run in this number of processes would train.
pub fn print(
    study: &Study,
    groups: &[GroupPreview],
    out: &Path,
    options: &Options,
    workers: usize,
    output_args: &OutputArgs,
) {
    let folder = out.join(&study.name);
    if output_args.json {
        output_args.print(&json!({
            "name": study.name,
            "trials": study.trials(),
            "seeds": study.spec.seeds,
            "folder": folder,
            "device": device::name(options.device),
            "threads": options.threads,
            "workers": workers,
            "groups": groups.iter().map(group_json).collect::<Vec<_>>(),
        }));
        return;
    }
    let page = TextStyle::of_output();
    let count = |number: usize, what: &str| (number > 1).then(|| format!("{} {what}s", number_format::count(number)));
    let trials = study.trials();
    let factors = [
        count(study.plans.len(), "variant"),
        count(study.spec.data.split().folds.unwrap_or(1), "fold"),
        count(study.spec.seeds.len(), "seed"),
    ];
    let factors: Vec<String> = factors.into_iter().flatten().collect();
    let of = if factors.is_empty() { String::new() } else { format!(" ({})", factors.join(" × ")) };
    let s = if trials == 1 { "" } else { "s" };
    let mut lines = vec![terminal::bold(&format!("{}: {} trial{s}{of}", study.name, number_format::count(trials)))];
    let most_groups = if output_args.verbose { groups.len() } else { MOST_GROUPS };
    for group in groups.iter().take(most_groups) {
        let first = group.plans[0];
        if first.variant != BASE {
            let key = if group.plans.len() == 1 { "variant" } else { "variants" };
            lines.push(String::new());
            lines.push(page.wrapped(&format!("{key:<9} {}", variants(group, output_args.verbose)), 10));
        }
        lines.extend(
            group_lines(group, options).into_iter().map(|(key, text)| page.wrapped(&format!("{key:<9} {text}"), 10)),
        );
    }
    if groups.len() > 1 {
        lines.push(String::new());
    }
    if groups.len() > most_groups {
        let left: usize = groups[most_groups..].iter().map(|group| group.plans.len()).sum();
        let s = if left == 1 { "" } else { "s" };
        lines.push(format!("{} more variant{s} (`--verbose` shows all)", number_format::count(left)));
    }
    let seeds = format_seeds(&study.spec.seeds);
    lines.push(page.wrapped(&format!("{:<9} {seeds}", if study.spec.seeds.len() == 1 { "seed" } else { "seeds" }), 10));
    let s = if options.threads == 1 { "" } else { "s" };
    let of_workers = if workers == 1 { String::new() } else { format!("{workers} workers, each with ") };
    let device = device::name(options.device);
    lines.push(format!("device    {device}, {of_workers}up to {} thread{s}", options.threads));
    lines.push(page.wrapped(&format!("writes to {}/…", folder.display()), 10));
    lines.push("nothing was trained or written: leave `--dry-run` out to train".to_owned());
    terminal::out(&lines.join("\n"));
}

/// Returns the names of a group's variants: all of them, or the first ones and the number of the others.
fn variants(group: &GroupPreview, shows_all: bool) -> String {
    let names: Vec<&str> = group.plans.iter().map(|plan| plan.variant.as_str()).collect();
    match names.len() {
        count if count > MOST_NAMES + 1 && !shows_all => {
            let more = number_format::count(count - MOST_NAMES);
            format!("{} and {more} more (`--verbose` shows all)", names[..MOST_NAMES].join(", "))
        }
        _ => names.join(", "),
    }
}

/// Returns how the threshold of the predictions is chosen.
fn threshold(rule: ThresholdRule) -> String {
    match rule {
        ThresholdRule::Fixed(value) => number_format::setting(value),
        ThresholdRule::F1 => "highest F1 on the validation rows".to_owned(),
        ThresholdRule::Cost(Cost { miss, false_alarm }) => format!(
            "lowest cost on the validation rows: {} for a miss, {} for a false alarm",
            number_format::setting(miss),
            number_format::setting(false_alarm)
        ),
    }
}

/// Returns the lines about a group of variants, each with its heading.
fn group_lines(group: &GroupPreview, options: &Options) -> Vec<(&'static str, String)> {
    let plan = group.plans[0];
    let rows = group.rows;
    let parts = settings::of_rows([("training", rows.train), ("validation", rows.validation), ("test", rows.test)]);
    let resampled = group
        .resampled_from
        .map(|from| format!(" (training: {} before it was resampled)", number_format::count(from as usize)));
    let target = &plan.info.target;
    let data = plan.spec.data.name();
    let features = if plan.info.sample.elements() == 1 { "" } else { "s" };
    let mut lines = vec![
        ("data", format!("{data}: {parts}{}", resampled.unwrap_or_default())),
        ("input", format!("{} feature{features}; target: {target}", plan.info.sample)),
    ];
    match &plan.model {
        Model::Tree(tree) => lines.push(("model", settings::of_tree(tree))),
        Model::Network(network) => {
            let record = network.record();
            let name = |layer: &crate::history::LayerRecord| match (layer.parameters, &layer.output[..]) {
                (1.., [units]) => format!("{} {units}", layer.kind),
                _ => layer.kind.clone(),
            };
            let mut layers: Vec<String> = record.layers.iter().take(MOST_LAYERS).map(name).collect();
            layers.extend((record.layers.len() > MOST_LAYERS).then(|| "…".to_owned()));
            let parameters = number_format::count(record.parameters);
            lines.push(("network", format!("{}: {parameters} parameters", layers.join(", "))));
            let weights = plan.initial_weights().map(|from| match &from.file {
                Some(file) => format!("{} ({file})", settings::of_initial_weights(from)),
                None => settings::of_initial_weights(from),
            });
            lines.extend(weights.map(|weights| ("start", weights)));
            let training: Vec<_> = group.plans.iter().filter_map(|plan| Some(&plan.network()?.train)).collect();
            let steps = rows.train.div_ceil(network.train.batch.size(rows.train));
            lines.push((
                "training",
                format!(
                    "{}; {}{} epoch{} of {} step{}",
                    settings::of_training(&training, rows.train, plan.has_validation()),
                    if training.iter().any(|train| train.early_stopping.is_some()) { "at most " } else { "" },
                    number_format::count(network.train.epochs),
                    if network.train.epochs == 1 { "" } else { "s" },
                    number_format::count(steps),
                    if steps == 1 { "" } else { "s" }
                ),
            ));
        }
    }
    lines.extend(plan.spec.threshold.map(|rule| ("threshold", threshold(rule))));
    if let Some(stacks) = &group.stacks {
        let largest = stacks.replicas.iter().max().copied().unwrap_or(0);
        let (s, up_to) = if stacks.replicas.len() == 1 { ("", "") } else { ("s", "up to ") };
        let (bytes, free) = (format_bytes(stacks.bytes), format_bytes(device::memory::free(options.device)));
        let stacks = number_format::count(stacks.replicas.len());
        let models = if largest == 1 { "model" } else { "models" };
        let text =
            format!("{stacks} stack{s} of {up_to}{largest} {models}, about {bytes} besides libtorch; {free} free");
        lines.push(("memory", text));
    }
    lines
}

fn group_json(group: &GroupPreview) -> Value {
    let plan = group.plans[0];
    let network = plan.network();
    let batch = network.map(|network| network.train.batch.size(group.rows.train));
    json!({
        "variants": group.plans.iter().map(|plan| &plan.variant).collect::<Vec<_>>(),
        "data": plan.spec.data.name(),
        "rows": group.rows,
        "parameters": network.map(|network| network.record().parameters),
        "epochs": network.map(|network| network.train.epochs),
        "threshold": plan.spec.threshold,
        "steps_per_epoch": batch.map(|batch| group.rows.train.div_ceil(batch)),
        "stacks": group.stacks.as_ref().map(|stacks| &stacks.replicas),
        "bytes": group.stacks.as_ref().map(|stacks| stacks.bytes),
    })
}
