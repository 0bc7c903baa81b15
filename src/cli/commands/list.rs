//! `runner list`

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::text::table::Columns;
use crate::cli::text::{number_format, terminal};
use crate::config::suggest;
use crate::experiment::plan::study::Study;
use crate::experiment::spec::catalogue;
use crate::experiment::spec::source_text::SpecError;

/// Arguments of `runner list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  runner list\n  runner list --lesson C\n  runner list --quick --json")]
pub struct Args {
    /// Only experiments that take seconds and need no download
    #[arg(long)]
    quick: bool,
    /// Only experiments of this lesson: the start of its heading, such as `C`, or a part of it
    #[arg(long, value_name = "LESSON")]
    lesson: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    title: String,
    lesson: Option<String>,
    data: &'static str,
    parameters: Option<usize>,
    variants: usize,
    seeds: Vec<i64>,
    quick: bool,
    #[serde(skip)]
    own: bool,
}

impl Listed {
    /// What it is listed under, and before it where that stands among the headings.
    fn heading(&self) -> (u8, &str) {
        match &self.lesson {
            Some(lesson) => (0, lesson), // lessons begin with a letter, which is their order
            None if self.own => (1, "Your own"),
            None => (2, "Others"),
        }
    }
}

/// Lists the experiments under their lessons; one that cannot be read is told, and the others are shown.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut listed = all();
    if let Some(asked) = &args.lesson {
        keep_lesson(&mut listed, asked)?;
    }
    listed.retain(|item| item.quick || !args.quick);
    listed.sort_by(|a, b| a.heading().cmp(&b.heading()));
    if args.json {
        terminal::json(&listed);
        return Ok(Exit::Done);
    }
    terminal::out(&text(&listed, terminal::width()));
    Ok(Exit::Done)
}

/// How many characters of a title fit where a line has 80.
const TITLE: usize = 28;

/// Every experiment that can be named, by name.
fn all() -> Vec<Listed> {
    let mut listed = Vec::new();
    let shipped: BTreeMap<String, String> = catalogue::shipped().map(|source| (source.name, source.text)).collect();
    let (sources, faults) = catalogue::all();
    faults.iter().for_each(terminal::error);
    for source in sources {
        match Study::new(&source, &[]) {
            Ok(study) => listed.push(Listed {
                name: study.name.clone(),
                title: study.spec.title.clone(),
                lesson: study.spec.lesson.clone(),
                data: study.spec.data.name(),
                parameters: study.baseline().network().map(|network| network.architecture.parameters()),
                variants: study.spec.variants.len(),
                seeds: study.spec.seeds.clone(),
                quick: study.spec.quick,
                own: shipped.get(&source.name) != Some(&source.text),
            }),
            Err(error) => terminal::say(&format!("left out: {error}")),
        }
    }
    listed
}

/// Keeps those whose lesson begins with what was asked for, or else has it in its heading.
fn keep_lesson(listed: &mut Vec<Listed>, asked: &str) -> Result<(), SpecError> {
    let lessons: BTreeSet<String> = listed.iter().filter_map(|item| item.lesson.clone()).collect();
    let wanted = asked.trim().to_lowercase();
    let meant = |fits: &dyn Fn(&str) -> bool| -> Vec<&String> {
        lessons.iter().filter(|lesson| fits(&lesson.to_lowercase())).collect()
    };
    let mut kept = meant(&|lesson| lesson.starts_with(&wanted));
    if kept.is_empty() && wanted.len() > 2 {
        kept = meant(&|lesson| lesson.contains(&wanted));
    }
    if kept.is_empty() || wanted.is_empty() {
        let lessons: Vec<&str> = lessons.iter().map(String::as_str).collect();
        let hint = format!("known are {}", suggest::list(&lessons));
        return Err(SpecError { message: format!("no lesson `{asked}`"), hint: Some(hint) });
    }
    listed.retain(|item| item.lesson.as_ref().is_some_and(|lesson| kept.contains(&lesson)));
    Ok(())
}

/// The table, with a heading above those that share it; on a narrow terminal titles are cut shorter.
fn text(listed: &[Listed], width: usize) -> String {
    let title = TITLE.saturating_sub(80_usize.saturating_sub(width)).max(8);
    let mut table = Columns::new(["experiment", "title", "data", "size"], [3]);
    for item in listed {
        table.row([
            &item.name,
            &shortened(&item.title, title),
            item.data,
            &item.parameters.map_or("tree".to_owned(), number_format::count),
        ]);
    }
    let table = table.text();
    let (header, rows) = table.split_once('\n').unwrap_or((&table, ""));
    let mut lines = vec![header.to_owned()];
    let mut above = None;
    for (item, row) in listed.iter().zip(rows.lines()) {
        let (_, heading) = item.heading();
        if above.replace(heading) != Some(heading) {
            lines.extend([String::new(), terminal::bold(&shortened(heading, width.clamp(20, 80)))]);
        }
        lines.push(row.to_owned());
    }
    lines.join("\n")
}

/// A text of at most so many characters.
fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() <= most {
        true => text.to_owned(),
        false => format!("{}…", text.chars().take(most - 1).collect::<String>().trim_end()),
    }
}
