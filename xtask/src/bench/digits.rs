//! `digits_mlp` beside a PyTorch script: a small task, where the start is most of the time.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::bench::Bench;
use crate::bench::agree::{Check, numbers};
use crate::bench::figures::Wanted;
use crate::bench::measure;
use crate::bench::mnist::told;
use crate::bench::peers::Python;
use crate::bench::rounds::{self, Contender, Sample, Series, ratio};
use crate::bench::section::Section;
use crate::bench::table::Table;

/// How far losses may be apart in any of the 100 epochs: both draw the same numbers.
const APART: f64 = 1e-5;

pub fn sections(bench: &Bench) -> Result<Vec<Section>> {
    let out = bench.scratch.join("digits");
    let peer = |python: &Python| -> Result<Sample> {
        let run = measure::run(python.peer("peers/digits_torch.py").arg("--out").arg(out.join("torch")))?;
        let told = serde_json::from_str(&run.stdout).context("`peers/digits_torch.py` printed no JSON")?;
        Ok(Sample { run, told })
    };
    let contenders = [
        Contender::new("ours", || bench.ours.exp("digits_mlp", &[], &out)),
        Contender::needing("PyTorch script", &bench.peers.torch, peer),
    ];
    let all = rounds::run("digits_mlp", &contenders, bench.rounds);
    let ours = rounds::ours(&all)?;

    let mut section = Section::new(format!("`digits_mlp`, the whole command, {}", bench.threads_shown()));
    section.paragraph(&format!(
        "64 → 32 → 16 → 10, Adam, 1,797 rows as one batch, 100 epochs; the script writes its losses and weights, as the walkthrough \
         computes them. {}",
        bench.peers.built_for_cuda()
    ));
    let mut table =
        Table::new(["", "wall, s", "× ours", "wanted", "imports, s", "processors, s", "memory, MB", "× ours"]);
    for series in &all {
        let (Some(wall), Some(cpu)) = (series.wall(), series.cpu()) else { continue };
        let of_ours = ratio(ours.wall(), Some(wall)).filter(|_| series.name != ours.name);
        let what = format!("{}: digits_mlp, whole command", series.name);
        let [times, wanted] = section.claim(what, of_ours, Some(Wanted::AtLeast(5.0)));
        let imports = series.spread(told("imports")).filter(|imports| imports.median.is_finite());
        let imports = imports.map_or_else(String::new, |imports| format!("{:.2}", imports.median));
        let [memory, of_memory] = section.memory("digits_mlp", ours, series);
        table.row([series.name.clone(), wall.shown(2), times, wanted, imports, cpu.shown(2), memory, of_memory]);
    }
    section.table(&table);
    section.note_missing(&all);
    section.checks.extend(check(&all));
    Ok(vec![section])
}

fn check(all: &[Series]) -> Option<Check> {
    let (ours, theirs) = (all[0].told()?, all.get(1)?.told()?);
    let losses = |list: &Value| numbers(list).unwrap_or_default();
    let (ours, theirs) = (losses(&ours[0]["history"]["loss"]), losses(&theirs["losses"]));
    let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let good = !ours.is_empty() && ours.len() == theirs.len() && apart <= APART;
    let what = format!(
        "the losses of {} epochs, of theirs {}, differ by {apart:.1e} at most (allowed {APART:e})",
        ours.len(),
        theirs.len()
    );
    Some(Check::new(what, good))
}
