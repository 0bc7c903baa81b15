//! `runner list`

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::text::table::{Columns, fitted};
use crate::cli::text::{number_format, terminal};
use crate::cli::truncate::truncated;
use crate::config::suggest;
use crate::experiment::plan::study::Study;
use crate::experiment::spec::catalogue;
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::sweep::expectation::SweepExpectation;

/// Arguments of `runner list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  runner list\n  runner list --lesson C\n  runner list --quick --json")]
pub struct Args {
    /// Only experiments that take seconds and need no download
    #[arg(long)]
    quick: bool,
    /// Only the lesson whose heading starts with this text (`C`) or contains it (`overfitting`)
    #[arg(long, value_name = "LESSON")]
    lesson: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An experiment in the list.
#[derive(Serialize)]
struct Entry {
    name: String,
    title: String,
    lesson: Option<String>,
    data: &'static str,
    parameters: Option<usize>,
    variants: usize,
    seeds: Vec<i64>,
    quick: bool,
    sweep: Option<SweepEntry>,
    #[serde(skip)]
    own: bool,
}

/// The `[sweep]` table of an experiment in the list.
#[derive(Serialize)]
struct SweepEntry {
    metric: Option<String>,
    trials: Option<usize>,
    seeds: Option<Vec<i64>>,
    /// The conditions on its result: `most_important is train.batch`.
    expectations: Vec<String>,
}

impl Entry {
    /// Returns the position of the heading among the kinds of headings, and the heading.
    fn heading(&self) -> (u8, &str) {
        match &self.lesson {
            Some(lesson) => (0, lesson), // each lesson starts with a letter that orders it
            None if self.own => (1, "Your own"),
            None => (2, "Others"),
        }
    }
}

/// Prints the experiments under their lessons. Reports those that cannot be read.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut entries = all_experiments();
    if let Some(lesson) = &args.lesson {
        keep_lesson(&mut entries, lesson)?;
    }
    entries.retain(|item| item.quick || !args.quick);
    entries.sort_by(|a, b| a.heading().cmp(&b.heading()));
    if args.json {
        terminal::json(&entries);
        return Ok(Exit::Done);
    }
    terminal::out(&render(&entries, terminal::width()));
    Ok(Exit::Done)
}

/// Returns all experiments, shipped and user-defined, sorted by name.
fn all_experiments() -> Vec<Entry> {
    let shipped: BTreeMap<String, String> = catalogue::shipped().map(|source| (source.name, source.text)).collect();
    let (sources, faults) = catalogue::all();
    faults.iter().for_each(terminal::error);
    let entry = |source: SourceText| {
        let study = Study::new(&source, &[])?;
        Ok(Entry {
            name: study.name.clone(),
            title: study.spec.title.clone(),
            lesson: study.spec.lesson.clone(),
            data: study.spec.data.name(),
            parameters: study.baseline().network().map(|network| network.architecture.parameters()),
            variants: study.spec.variants.len(),
            seeds: study.spec.seeds.clone(),
            quick: study.spec.quick,
            sweep: source.parse()?.sweep.map(|sweep| SweepEntry {
                metric: sweep.metric,
                trials: sweep.trials,
                seeds: sweep.seeds.map(|seeds| seeds.first),
                expectations: sweep.expect.iter().map(SweepExpectation::statement).collect(),
            }),
            own: shipped.get(&source.name) != Some(&source.text),
        })
    };
    // an experiment with many variants takes a few milliseconds to check
    let entries: Vec<Result<Entry, SpecError>> = sources.into_par_iter().map(entry).collect();
    let readable =
        |entry: Result<Entry, SpecError>| entry.map_err(|error| terminal::say(&format!("skipped: {error}"))).ok();
    entries.into_iter().filter_map(readable).collect()
}

/// Keeps the experiments whose lesson starts with `lesson`; if there are none, those whose lesson contains it.
fn keep_lesson(entries: &mut Vec<Entry>, lesson: &str) -> Result<(), SpecError> {
    let lessons: BTreeSet<String> = entries.iter().filter_map(|item| item.lesson.clone()).collect();
    let wanted = lesson.trim().to_lowercase();
    let matching = |fits: &dyn Fn(&str) -> bool| -> Vec<&String> {
        lessons.iter().filter(|lesson| fits(&lesson.to_lowercase())).collect()
    };
    let mut kept = matching(&|lesson| lesson.starts_with(&wanted));
    if kept.is_empty() && wanted.len() > 2 {
        kept = matching(&|lesson| lesson.contains(&wanted));
    }
    if kept.is_empty() || wanted.is_empty() {
        let lessons: Vec<&str> = lessons.iter().map(String::as_str).collect();
        let hint = format!("available lessons: {}", suggest::list(&lessons));
        return Err(SpecError { message: format!("no lesson `{lesson}`"), hint: Some(hint) });
    }
    entries.retain(|item| item.lesson.as_ref().is_some_and(|lesson| kept.contains(&lesson)));
    Ok(())
}

/// Returns the table without headings, with titles of at most `title` characters.
fn columns(entries: &[Entry], title: usize) -> String {
    let mut table = Columns::new(["experiment", "title", "data", "size"], [3]);
    for item in entries {
        table.row([
            &item.name,
            &truncated(&item.title, title),
            item.data,
            &item.parameters.map_or("tree".to_owned(), number_format::count),
        ]);
    }
    table.text()
}

/// Returns the table with a heading above each lesson. Titles that do not fit are cut.
fn render(entries: &[Entry], width: usize) -> String {
    let longest = entries.iter().map(|item| item.title.chars().count()).max().unwrap_or(0);
    let table = fitted(width, longest, |title| columns(entries, title));
    let (header, rows) = table.split_once('\n').unwrap_or((&table, ""));
    let mut lines = vec![header.to_owned()];
    let mut previous = None;
    for (item, row) in entries.iter().zip(rows.lines()) {
        let (_, heading) = item.heading();
        if previous.replace(heading) != Some(heading) {
            lines.extend([String::new(), terminal::bold(&truncated(heading, width.clamp(20, 80)))]);
        }
        lines.push(row.to_owned());
    }
    lines.join("\n")
}
