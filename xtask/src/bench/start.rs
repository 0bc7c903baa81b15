//! What a command costs before it does anything.

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::bench::Bench;
use crate::bench::figures::Wanted;
use crate::bench::measure;
use crate::bench::rounds::{self, Contender, Sample};
use crate::bench::section::{Claim, Section};
use crate::bench::table::Table;

/// Commands that need no tensor, and so are not to pay for loading libtorch.
const COMMANDS: [&[&str]; 4] = [&["--version"], &["--help"], &["list"], &["completions", "bash"]];
/// Seconds.
const WANTED: Wanted = Wanted::AtMost(0.030);
/// These are short: more of them are run.
const TURNS: usize = 4;

pub fn sections(bench: &Bench) -> Result<Vec<Section>> {
    let sample =
        |mut command: Command| -> Result<Sample> { Ok(Sample { run: measure::run(&mut command)?, told: Value::Null }) };
    let mut contenders: Vec<Contender> = Vec::new();
    for arguments in COMMANDS {
        let act = move || {
            let mut command = bench.ours.command();
            command.args(arguments);
            sample(command)
        };
        contenders.push(Contender::new(&format!("`runner {}`", arguments.join(" ")), act));
    }
    let runs = bench.scratch.join("mnist-ours");
    if runs.is_dir() {
        let act = move || {
            let mut command = bench.ours.command();
            command.arg("runs").arg("--out").arg(&runs);
            sample(command)
        };
        contenders.push(Contender::new("`runner runs`", act));
    }
    let peers = [(&bench.peers.torch, "import torch"), (&bench.peers.keras, "import keras")];
    for (peer, code) in peers.into_iter().filter(|_| !bench.is_ours_alone) {
        contenders
            .push(Contender::needing(&format!("`python -c '{code}'`"), peer, move |python| sample(python.code(code))));
    }
    let all = rounds::run("start", &contenders, bench.rounds * TURNS);
    rounds::ours(&all)?;

    let mut section = Section::new("Start-up");
    section.paragraph(&format!(
        "From a command's start to its end, medians of {} turns. {}",
        bench.rounds * TURNS,
        bench.peers.built_for_cuda()
    ));
    let mut table = Table::new(["", "seconds", "wanted", "memory, MB"]);
    for series in &all {
        let Some(wall) = series.wall() else { continue };
        let mut wanted = String::new();
        if series.name.starts_with("`runner") {
            let shown = format!("{:.3} s", wall.median);
            section.claims.push(Claim { what: series.name.clone(), figure: wall.median, shown, wanted: WANTED });
            wanted = WANTED.shown(wall.median);
        }
        let memory = series.peak_mb().map_or_else(String::new, |peak| format!("{:.0}", peak.median));
        table.row([series.name.clone(), wall.shown(3), wanted, memory]);
    }
    section.table(&table);
    section.note_missing(&all);
    Ok(vec![section])
}
