//! `runner list`

use serde::Serialize;

use crate::cli::table::Columns;
use crate::cli::{Exit, figures, terminal};
use crate::experiment::catalogue;

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
    quick: bool,
}

/// Lists the experiments; one that cannot be read is told, and the others are shown.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut listed = Vec::new();
    for source in catalogue::all() {
        match catalogue::plan(&source, &[]) {
            Ok(plan) if args.quick && !plan.spec.quick => {}
            Ok(plan) => listed.push(Listed {
                name: plan.name.clone(),
                title: plan.spec.title.clone(),
                data: plan.spec.data.name(),
                parameters: plan.architecture.parameters(),
                quick: plan.spec.quick,
            }),
            Err(error) => terminal::say(&format!("left out: {error}")),
        }
    }
    if args.json {
        terminal::json(&listed);
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(["experiment", "title", "data", "parameters"], [3]);
    for item in &listed {
        table.row([&item.name, &item.title, item.data, &figures::count(item.parameters)]);
    }
    terminal::out(&table.text());
    Ok(Exit::Done)
}
