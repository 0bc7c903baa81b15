//! The report as Markdown: a section for each experiment, with a column for each of its runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::compare::find::Found;
use crate::compare::group::Group;
use crate::compare::settings::identity;
use crate::compare::trial::Trial;
use crate::history::History;
use crate::plot::charts::best_first::best_first;
use crate::report::markdown_table::{code, escaped, expectations, references, table};
use crate::views::capital::capital;
use crate::views::classes::{by_class, positive_class};
use crate::views::document::badge::Badge;
use crate::views::document::block::{Block, Tile, callout};
use crate::views::trials::{Runs, label};
use crate::views::variants::table::tables;
use crate::views::variants::variant::Variant;
use crate::views::variants::{baselines, leakage, trial_status, val_loss_rise};
use crate::views::{data, metrics, settings, summary, title, variant};

/// Marks a file as a report of runner.
pub const SIGN: &str = "<!-- generator: runner report -->";

/// Returns the report of these runs.
pub fn markdown(found: &Found) -> String {
    let mut parts = vec![SIGN.to_owned()];
    parts.extend(summary::boxes(found).map(|content| block(&content)));
    for experiment in experiments(&found.groups) {
        parts.push(section(&experiment));
    }
    parts.join("\n\n") + "\n"
}

/// Runs of one experiment with the same settings.
struct Experiment {
    name: String,
    runs: Vec<Run>,
}

/// A run, by its variants.
struct Run {
    label: String,
    folder: PathBuf,
    variants: Vec<Group>,
}

/// Returns the experiments in order. Runs that differ only in their seeds belong together; each history of another program
/// is by itself.
fn experiments(groups: &[Group]) -> Vec<Experiment> {
    let mut runs: IndexMap<(String, PathBuf), Run> = IndexMap::new();
    for group in groups {
        for trial in &group.trials {
            let folder = folder(trial);
            let key = match trial.history() {
                Some(history) => (history.experiment.clone(), folder.clone()),
                None => (group.label.clone(), trial.file.clone()),
            };
            let run = runs.entry(key).or_insert_with(|| Run { label: String::new(), folder, variants: Vec::new() });
            let variant = trial.history().map_or(&group.label, |history| &history.variant);
            match run.variants.iter_mut().find(|known| known.label == *variant) {
                Some(known) => known.trials.push(trial.clone()),
                None => run.variants.push(Group { label: variant.clone(), trials: vec![trial.clone()] }),
            }
        }
    }
    let mut experiments: IndexMap<(String, BTreeSet<String>), Experiment> = IndexMap::new();
    for ((name, _), run) in runs {
        let first = |variant: &Group| variant.trials.first().and_then(Trial::history).map(identity);
        let settings = run.variants.iter().map(|variant| first(variant).unwrap_or_default()).collect();
        let experiment = experiments.entry((name.clone(), settings));
        experiment.or_insert_with(|| Experiment { name, runs: Vec::new() }).runs.push(run);
    }
    experiments.into_values().map(Experiment::labeled).collect()
}

/// Returns the folder of a trial's file.
fn folder(trial: &Trial) -> PathBuf {
    let file = trial.file.canonicalize().unwrap_or_else(|_| trial.file.clone());
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

impl Experiment {
    /// Returns the experiment with the variants of each run ranked, and its runs labeled by their seeds, and by their folders if seeds are repeated.
    fn labeled(mut self) -> Experiment {
        for run in &mut self.runs {
            run.variants = best_first(std::mem::take(&mut run.variants));
            run.label = label(&run.variants.iter().flat_map(Group::seeds).collect());
        }
        let labels: Vec<String> = self.runs.iter().map(|run| run.label.clone()).collect();
        for run in &mut self.runs {
            if labels.iter().filter(|label| **label == run.label).count() > 1 {
                let folder = run.folder.file_name().unwrap_or_default().to_string_lossy();
                run.label = format!("{} ({folder})", run.label);
            }
        }
        self
    }

    fn runs(&self) -> Runs<'_> {
        Runs::of(self.runs.iter().map(|run| (run.label.clone(), run.trials())).collect())
    }
}

impl Run {
    fn trials(&self) -> Vec<&History> {
        self.variants.iter().flat_map(|variant| &variant.trials).filter_map(Trial::history).collect()
    }
}

/// Returns a section: what is about all runs, then the results of the first.
fn section(experiment: &Experiment) -> String {
    let first = &experiment.runs[0];
    let groups = &first.variants;
    let runs = experiment.runs();
    let mut parts = vec![format!("## {}", escaped(&experiment.name)), introduction(groups)];
    parts.extend(summary::warnings(groups).iter().map(block));
    parts.extend(references(&runs).as_ref().map(table));
    parts.extend(expectations(&runs).as_ref().map(table));
    let several = if experiment.runs.len() > 1 { format!(", {}", first.label) } else { String::new() };
    parts.push(format!("### Results{several}"));
    parts.extend(results(groups).iter().map(block));
    for section in [settings::section(groups, settings::Shown::Changed), data::environment(groups)].iter().flatten() {
        parts.push(format!("### {}{several}", section.title));
        parts.extend(section.blocks.iter().map(block));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

/// Returns the title, question, source and data of an experiment.
fn introduction(groups: &[Group]) -> String {
    let text = |key: &str| title::config(&groups[0], key).map(escaped);
    let mut words: Vec<String> = text("title").map(|title| format!("**{title}.**")).into_iter().collect();
    words.extend(text("question"));
    let data = groups[0].trials.first().and_then(Trial::history);
    let data = data.map(|history| format!("{}: {}", code(&history.data.name), data::describe_rows(&history.data)));
    let source: Vec<String> = text("source").into_iter().chain(data).collect();
    words.extend((!source.is_empty()).then(|| format!("*({})*", source.join("; "))));
    words.join(" ")
}

/// Returns the table of several variants with notes about them; of one variant, its diagnosis, its metrics, and those by class.
fn results(groups: &[Group]) -> Vec<Block> {
    let variants = Variant::of_groups(groups);
    if groups.len() > 1 && variants.len() == groups.len() {
        let mut blocks: Vec<Block> = tables(&variants, "bold").into_iter().map(Block::Table).collect();
        let mut notes = trial_status::of_variants(&variants);
        notes.extend(val_loss_rise::sentences(&variants));
        notes.extend(leakage::sentences(&variants));
        blocks.extend(callout(false, "Notes", notes));
        return blocks;
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (place, group) in groups.iter().enumerate() {
        blocks.extend(variant::diagnosis(group));
        let metrics = metrics::of_group(group);
        blocks.extend(
            metrics.into_iter().map(|block| if groups.len() == 1 { without_name(block, group) } else { block }),
        );
        let histories: Vec<&History> = group.trials.iter().filter_map(Trial::history).collect();
        let notes = baselines::line(&histories).into_iter().chain(positive_class::sentence(&histories));
        blocks.extend(notes.map(Block::Note));
        blocks.extend(by_class::by_class(group, place));
    }
    blocks
}

/// Returns a table whose caption does not repeat the name of the only variant, which the section is about.
fn without_name(block: Block, group: &Group) -> Block {
    match block {
        Block::Table(mut table) => {
            if let Some(rest) = table.caption.strip_prefix(&group.label) {
                table.caption = capital(rest.trim_start_matches([',', ';', ':', ' ']));
            }
            Block::Table(table)
        }
        other => other,
    }
}

/// Returns a block as Markdown.
fn block(content: &Block) -> String {
    match content {
        Block::Paragraph(words) | Block::Note(words) => escaped(words),
        Block::Callout { heading, items, .. } => {
            let items: Vec<String> = items.iter().map(|item| format!("> - {}", escaped(item))).collect();
            format!("> **{}**\n>\n{}", escaped(heading), items.join("\n"))
        }
        Block::Diagnosis(before, badges, after) => {
            let badges: Vec<String> =
                badges.iter().map(|Badge { text, .. }| format!("**{}**", escaped(text))).collect();
            let words = [escaped(before), badges.join(", "), escaped(after)];
            words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
        }
        Block::Tiles(tiles) => {
            let line = |Tile { name, value, note }: &Tile| match note.is_empty() {
                true => format!("- {}: {}", escaped(name), escaped(value)),
                false => format!("- {}: {} ({})", escaped(name), escaped(value), escaped(note)),
            };
            tiles.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Block::Table(content) => table(content),
        Block::Confusion(matrix) => table(&matrix.table()),
        Block::Command(_, command) => format!("```sh\n{}\n```", command.replace("```", "")),
        Block::Folded(summary, content) => format!("**{}**\n\n{}", escaped(summary), blocks(content)),
        Block::ByGroup(groups) => {
            let group = |(label, content): &(String, Vec<Block>)| match groups.len() {
                1 => blocks(content),
                _ => format!("#### {}\n\n{}", escaped(label), blocks(content)),
            };
            groups.iter().map(group).collect::<Vec<_>>().join("\n\n")
        }
        // the captions of the tables say the same as the headings
        Block::Heading(_) | Block::ChartNote(_) | Block::Html(_) => String::new(),
    }
}

fn blocks(content: &[Block]) -> String {
    let parts = content.iter().map(block).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::history::expectation::ExpectationResult;
    use crate::history::metric_path::MetricValue as Value;
    use crate::history::number::Number;
    use crate::history::trial_for_tests;

    /// Returns a trial in this folder, which is expected to end with a loss of at most 0.5.
    fn trial(folder: &str, variant: &str, seed: i64, loss: f64) -> Trial {
        let mut history = trial_for_tests(variant, seed, loss);
        history.experiment = "xor".to_owned();
        history.config =
            json!({ "title": "XOR", "question": "Can it?", "source": "lesson 2", "train": { "epochs": 3 } });
        history.expectations = vec![ExpectationResult {
            number: 0,
            claim: Some("It learns".to_owned()),
            value: "last.loss".to_owned(),
            over: None,
            expected: "≤ 0.5".to_owned(),
            variant: None,
            found: Some(Value::Number(Number(loss))),
            against: None,
            met: loss <= 0.5,
        }];
        let file = format!("/nowhere/{folder}/{}.json", history.stem());
        Trial::from_history(history, PathBuf::from(file))
    }

    fn report(groups: &[(&str, Vec<Trial>)]) -> String {
        let group = |(label, trials): &(&str, Vec<Trial>)| Group { label: (*label).to_owned(), trials: trials.clone() };
        let groups = groups.iter().map(group).collect();
        markdown(&Found { groups, faults: Vec::new(), notes: Vec::new(), named: Vec::new() })
    }

    #[test]
    fn a_run_has_a_section_with_its_expectations_and_settings() {
        let report = report(&[("xor", vec![trial("one", "base", 0, 0.25)])]);
        for part in [
            "\n\n## xor\n\n**XOR.** Can it? *(lesson 2; `logic`: 1 training rows)*\n\n",
            "| claim | metric | expected | found |\n|---|---|---|---|\n| It learns | `last.loss` | ≤ 0.5 | ✓ 0.2500 |\n",
            "\n\n### Results\n\n",
            "| loss | 0.2500 |\n",
            "\n\n### Settings\n\n",
            "| `train.epochs` | `3` | unknown |\n",
        ] {
            assert!(report.contains(part), "no {part} in:\n{report}");
        }
        assert!(!report.contains("base:"), "the only variant is not named: {report}");
        assert!(report.starts_with(SIGN) && report.ends_with("|\n") && !report.contains("\n\n\n"), "{report}");
    }

    #[test]
    fn runs_that_differ_in_their_seeds_share_a_section() {
        let first = vec![trial("one", "base", 0, 0.25)];
        let second = vec![trial("two", "base", 1, 0.75), trial("two", "base", 2, 0.5)];
        let report = report(&[("xor one", first.clone()), ("xor two", second)]);
        assert_eq!(report.matches("\n## ").count(), 1, "{report}");
        assert!(report.contains("| claim | metric | expected | seed 0 | seeds 1 and 2 |\n"), "{report}");
        assert!(report.contains("| ✓ 0.2500 | ✗ 1 of 2 trials: 0.5000 to 0.7500 |\n"), "{report}");
        let again = self::report(&[("xor one", first), ("xor two", vec![trial("two", "base", 0, 0.25)])]);
        assert!(again.contains("| seed 0 (one) | seed 0 (two) |\n"), "{again}");
    }

    #[test]
    fn variants_have_a_table_with_their_diagnosis() {
        let variant = |name, loss| (name, vec![trial("one", name, 0, loss)]);
        let report = report(&[variant("small", 0.25), variant("large", 0.75)]);
        assert!(
            report.contains("| variant | loss | diagnosis |\n|---|--:|---|\n| `small` | **0.2500** | – |\n"),
            "{report}"
        );
        assert!(
            report.contains("| It learns | `small/last.loss` | ≤ 0.5 | ✓ 0.2500 |\n| | `large/last.loss` |"),
            "{report}"
        );
    }
}
