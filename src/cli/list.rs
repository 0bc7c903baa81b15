//! `runner list`

use serde::Serialize;

use crate::cli::table::Columns;
use crate::cli::{Exit, figures, terminal};
use crate::experiment::catalogue;
use crate::experiment::study::Study;

/// Arguments of `runner list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  runner list\n  runner list --quick --json")]
pub struct Args {
    /// Only those that take seconds and need no download
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    title: String,
    data: &'static str,
    parameters: usize,
    variants: usize,
    quick: bool,
}

/// Lists the experiments; one that cannot be read is told, and the others are shown.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut listed = Vec::new();
    let (sources, faults) = catalogue::all();
    faults.iter().for_each(terminal::error);
    for source in sources {
        match Study::new(&source, &[]) {
            Ok(study) if args.quick && !study.spec.quick => {}
            Ok(study) => listed.push(Listed {
                name: study.name.clone(),
                title: study.spec.title.clone(),
                data: study.spec.data.name(),
                parameters: study.baseline().architecture.parameters(),
                variants: study.spec.variants.len(),
                quick: study.spec.quick,
            }),
            Err(error) => terminal::say(&format!("left out: {error}")),
        }
    }
    if args.json {
        terminal::json(&listed);
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(["experiment", "title", "data", "size"], [3]);
    for item in &listed {
        table.row([&item.name, &shortened(&item.title), item.data, &figures::count(item.parameters)]);
    }
    terminal::out(&table.text());
    Ok(Exit::Done)
}

/// A title that leaves room for the other columns within 80.
fn shortened(title: &str) -> String {
    const MOST: usize = 28;
    match title.chars().count() {
        ..=MOST => title.to_owned(),
        _ => format!("{}…", title.chars().take(MOST - 1).collect::<String>().trim_end()),
    }
}
