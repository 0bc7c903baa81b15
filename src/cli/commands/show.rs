//! `runner show NAME`

use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::text::table::Columns;
use crate::cli::text::{number_format, terminal};
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::plan::study::Study;
use crate::experiment::spec::catalogue;
use crate::history::NetworkRecord;
use crate::tensor::shape::Shape;

/// Arguments of `runner show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  runner show overfit_mnist\n  runner show digits_mlp --set train.optimizer=sgd")]
pub struct Args {
    /// Name of an experiment, or path of its TOML file
    experiment: String,
    /// Change a setting, as in `runner exp`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the settings of an experiment, with defaults and changes, and its layers.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let source = catalogue::find(&args.experiment)?;
    let study = Study::new(&source, &args.set)?;
    let plan = study.baseline();
    if args.json {
        terminal::json(
            &json!({ "name": study.name, "config": study.spec, "network": plan.network().map(NetworkPlan::record) }),
        );
        return Ok(Exit::Done);
    }
    let layers = plan.network().map(|network| commented(&layer_table(&network.record(), &plan.info.sample)));
    let extended = source.layers.iter().skip(1).map(|layer| format!(" extends {}", layer.origin)).collect::<String>();
    let header = terminal::dim(&format!("# {} ({}{extended})", plan.name, source.origin));
    terminal::out(&format!("{header}\n{}\n{}", study.spec.to_toml(), layers.unwrap_or_default()));
    Ok(Exit::Done)
}

/// Returns the text as TOML comments, so that the printed text is a valid experiment file.
fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Returns the layers as Keras prints them: name, kind, output shape, parameters, and the total.
fn layer_table(network: &NetworkRecord, input: &Shape) -> String {
    let mut table = Columns::new(["layer", "kind", "output", "parameters"], [2, 3]);
    table.row(["", "input", &input.to_string(), ""]);
    for layer in &network.layers {
        let output = Shape::from(&layer.output[..]).to_string();
        table.row([&layer.name, &layer.kind, &output, &number_format::count(layer.parameters)]);
    }
    table.row(["total", "", "", &number_format::count(network.parameters)]);
    table.text()
}
