//! Where our own time goes: the phases of training, and what a command costs beside them.
//!
//! The program tells its phases: `runner exp … --phases FILE` writes a JSON object with `phases`, the seconds of each over
//! all epochs, and `epochs`. Which phases there are is its own affair.

use std::fs;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::bench::mnist::{run_ours, told};
use crate::bench::pairs::in_order;
use crate::bench::rounds::{self, Contender, Sample};
use crate::bench::section::Section;
use crate::bench::table::Table;

pub fn sections(bench: &Bench) -> Result<Vec<Section>> {
    let out = bench.scratch.join("phases");
    let contenders = [
        Contender::new("phases", || with_phases(bench)),
        Contender::new("epochs", || run_ours(bench, "0..0", bench.epochs, &out)),
    ];
    let all = rounds::run("phases", &contenders, bench.rounds);
    let [phases, plain] = &all[..] else { unreachable!("two were run") };
    rounds::ours(&all[1..])?;

    let mut section = Section::new(format!("Where our time goes, {}", bench.threads_shown()));
    section.paragraph(&format!(
        "`overfit_mnist`, one seed, {} epochs. The phases are of runs that tell them, a mean epoch each; with several threads, of the \
         first. The rest are of runs that do not.",
        bench.epochs
    ));
    let mut table = Table::new(["", "figure"]);
    for name in phases.samples.last().map(|sample| names(&sample.told, &sample.run.stdout)).unwrap_or_default() {
        let of_epoch = |sample: &Sample| per_epoch(&sample.told, &name).unwrap_or(f64::NAN);
        if let Some(spread) = phases.spread(of_epoch) {
            table.row([format!("{name}, s an epoch"), spread.shown(4)]);
        }
    }
    let rows = [
        ("a steady epoch, s", plain.spread(told("epoch")), 4),
        ("the command, s", plain.wall(), 3),
        ("of it beside the epochs, s", plain.spread(beside), 3),
        ("of all processors, s", plain.cpu(), 3),
        ("peak memory, MB", plain.peak_mb(), 0),
    ];
    for (what, spread, decimals) in rows {
        table.row([what.to_owned(), spread.map_or_else(String::new, |spread| spread.shown(decimals))]);
    }
    section.table(&table);
    section.note_missing(&all);
    Ok(vec![section])
}

fn with_phases(bench: &Bench) -> Result<Sample> {
    let file = bench.scratch.join("phases.json");
    let epochs = bench.epochs.to_string();
    let path = file.display().to_string();
    let arguments = ["--seed", "0", "--epochs", &epochs, "--phases", &path];
    let mut sample = bench.ours.exp("overfit_mnist", &arguments, &bench.scratch.join("phases")).map_err(|error| {
        match error.to_string().contains("unexpected argument '--phases'") {
            true => anyhow!("this `runner` does not tell its phases: it knows no `--phases`"),
            false => error,
        }
    })?;
    let text = fs::read_to_string(&file).with_context(|| format!("`--phases` left no `{path}`"))?;
    sample.told = read(&text, bench.epochs)?;
    sample.run.stdout = text;
    Ok(sample)
}

/// The file's object, with `epochs` where it does not tell them.
fn read(text: &str, epochs: usize) -> Result<Value> {
    let file: Value = serde_json::from_str(text).context("what `--phases` wrote is no JSON")?;
    let Some(phases) = file["phases"].as_object().filter(|phases| !phases.is_empty()) else {
        bail!("what `--phases` wrote has no `phases`");
    };
    if let Some((name, value)) = phases.iter().find(|(_, value)| !value.is_number()) {
        bail!("the phase `{name}` is `{value}`, which is no number of seconds");
    }
    let epochs = file["epochs"].as_u64().filter(|&epochs| epochs > 0).unwrap_or(epochs as u64);
    Ok(json!({ "phases": phases, "epochs": epochs }))
}

/// The phases' names, in the order in which the file has them.
fn names(told: &Value, file: &str) -> Vec<String> {
    told["phases"].as_object().map(|phases| in_order(phases, file)).unwrap_or_default()
}

fn per_epoch(told: &Value, name: &str) -> Option<f64> {
    Some(told["phases"][name].as_f64()? / told["epochs"].as_f64()?)
}

/// What of the command's time no epoch took: start, data, test, files, pictures.
fn beside(sample: &Sample) -> f64 {
    let seconds = sample.told["histories"][0]["history"]["seconds"].as_array();
    let epochs: f64 = seconds.map_or(f64::NAN, |seconds| seconds.iter().filter_map(Value::as_f64).sum());
    sample.run.wall - epochs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_read_by_their_own_names_and_shared_among_the_epochs() {
        let told = read(r#"{"phases": {"gather": 0.3, "waiting": 0.1}, "epochs": 10}"#, 30).unwrap();
        assert_eq!(names(&told, r#"{"phases": {"waiting": 0.1, "gather": 0.3}}"#), ["waiting", "gather"]);
        assert!((per_epoch(&told, "gather").unwrap() - 0.03).abs() < 1e-12);
        let told = read(r#"{"phases": {"gather": 0.3}}"#, 30).unwrap();
        assert!((per_epoch(&told, "gather").unwrap() - 0.01).abs() < 1e-12);
        for text in ["", "{}", r#"{"phases": {}}"#, r#"{"phases": {"gather": "long"}}"#] {
            assert!(read(text, 30).is_err(), "{text}");
        }
    }

    #[test]
    fn what_no_epoch_took_is_the_rest_of_the_command() {
        let mut sample =
            Sample { told: json!({ "histories": [{ "history": { "seconds": [0.5, 0.25] } }] }), ..Sample::default() };
        sample.run.wall = 1.0;
        assert!((beside(&sample) - 0.25).abs() < 1e-12);
    }
}
