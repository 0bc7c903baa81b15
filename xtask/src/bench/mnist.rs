//! `overfit_mnist` beside the peers: a steady epoch, and the whole command from its start to its files on disk.
//!
//! Both come from the same runs: each program trains all epochs as a command of its own.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::bench::agree::{self, Check, Curves};
use crate::bench::figures::{Wanted, steady};
use crate::bench::measure;
use crate::bench::ours;
use crate::bench::peers::Python;
use crate::bench::rounds::{self, Contender, Sample, Series, ratio};
use crate::bench::section::Section;
use crate::bench::table::Table;

const OURS: &str = "ours";
const INDEXED: &str = "PyTorch, indexed";
const FUSED: &str = "PyTorch, indexed, fused Adam";
const LOADER: &str = "PyTorch DataLoader";
const KERAS: &str = "Keras `fit`";
const LIMIT: &str = "products and gathers alone";

pub fn sections(bench: &Bench) -> Result<Vec<Section>> {
    let epochs = bench.epochs;
    let idx = bench.ours.data("mnist")?;
    let out = |name: &str| bench.scratch.join(format!("mnist-{}", name.replace([' ', '`', ','], "")));
    let peer = |name: &'static str, script: &'static str, fused: bool| {
        let (idx, out) = (idx.clone(), out(name));
        let need = if name == KERAS { &bench.peers.keras } else { &bench.peers.torch };
        Contender::needing(name, need, move |python: &Python| run_peer(python, script, fused, epochs, &idx, &out))
    };
    let contenders = [
        Contender::new(OURS, || run_ours(bench, "0..0", epochs, &out(OURS))),
        peer(INDEXED, "peers/torch_indexed.py", false),
        peer(FUSED, "peers/torch_indexed.py", true),
        peer(LOADER, "peers/torch_dataloader.py", false),
        peer(KERAS, "peers/keras_fit.py", false),
        Contender::needing(LIMIT, &bench.peers.torch, run_limit),
    ];
    let all = rounds::run(&format!("overfit_mnist, {}", bench.threads_shown()), &contenders, bench.rounds);
    rounds::ours(&all)?;
    let (limit, programs) = all.split_last().context("there are contenders")?;
    let mut epoch = epoch(bench, programs, limit);
    epoch.checks = checks(programs);
    Ok(vec![epoch, whole(bench, programs)])
}

/// One run of ours with these seeds, as one `runner exp`.
pub fn run_ours(bench: &Bench, seeds: &str, epochs: usize, out: &Path) -> Result<Sample> {
    let mut sample = bench.ours.exp("overfit_mnist", &["--seeds", seeds, "--epochs", &epochs.to_string()], out)?;
    let epoch = ours::epoch_per_seed(&sample.told).ok_or_else(|| anyhow!("a history tells no seconds"))?;
    sample.told = json!({ "epoch": epoch, "histories": sample.told });
    Ok(sample)
}

fn run_peer(python: &Python, script: &str, fused: bool, epochs: usize, idx: &Path, out: &Path) -> Result<Sample> {
    let mut command = python.peer(script);
    command.args(["--epochs", &epochs.to_string(), "--idx-dir"]).arg(idx).arg("--out").arg(out);
    command.args(fused.then_some("--fused"));
    let run = measure::run(&mut command)?;
    let lines: Vec<Value> = run.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let seconds: Vec<f64> = lines.iter().filter_map(|line| line["seconds"].as_f64()).collect();
    let epoch = steady(&seconds).with_context(|| format!("`{script}` printed no seconds"))?;
    let imports = lines.last().map_or(Value::Null, |end| end["imports"].clone());
    Ok(Sample { run, told: json!({ "epoch": epoch, "imports": imports }) })
}

fn run_limit(python: &Python) -> Result<Sample> {
    let run = measure::run(&mut python.peer("peers/limit.py"))?;
    let told: Value = serde_json::from_str(&run.stdout).context("`peers/limit.py` printed no JSON")?;
    Ok(Sample { run, told: told["seconds"].clone() })
}

/// A number that a run told.
pub fn told(name: &'static str) -> impl Fn(&Sample) -> f64 {
    move |sample| sample.told[name].as_f64().unwrap_or(f64::NAN)
}

fn epoch(bench: &Bench, all: &[Series], limit: &Series) -> Section {
    let mut section = Section::new(format!("One epoch of `overfit_mnist`, {}", bench.threads_shown()));
    let counted = if bench.epochs > 2 { format!("epochs 3 to {}", bench.epochs) } else { "its epochs".to_owned() };
    section.paragraph(&format!(
        "784 → 64 → 32 → 10, Adam, 42,000 rows in batches of 128, and the validation of 18,000 rows. Of each run it is the \
         median of {counted}.{}",
        own_choice(&all[0])
    ));
    let mut table = Table::new(["", "seconds", "× ours", "wanted"]);
    let ours = all[0].spread(told("epoch"));
    for series in all {
        let Some(seconds) = series.spread(told("epoch")) else { continue };
        let of_ours = ratio(ours, Some(seconds)).filter(|_| series.name != OURS);
        let wanted = match series.name.as_str() {
            INDEXED => Some(Wanted::Aim(2.0, 3.0)),
            LOADER => Some(Wanted::Aim(3.0, 5.0)),
            KERAS => Some(Wanted::Aim(5.0, 8.0)),
            _ => None,
        };
        let what = format!("{}: epoch of overfit_mnist, {}", series.name, bench.threads_shown());
        let [times, wanted] = section.claim(what, of_ours, wanted);
        table.row([series.name.clone(), seconds.shown(3), times, wanted]);
    }
    section.table(&table);
    let parts = ["gathers", "products", "validation"].map(|part| limit.spread(told(part)).map(|spread| spread.median));
    if let ([Some(gathers), Some(products), Some(validation)], Some(ours)) = (parts, ours) {
        section.paragraph(&format!(
            "The limit at this batch size, an epoch's gathers ({gathers:.3} s) and matrix products ({products:.3} s) alone, \
             into memory allocated once, is {:.3} s; the products of the validation would be {validation:.3} s more. Our epoch \
             takes {:.2} times the limit.",
            gathers + products,
            ours.median / (gathers + products)
        ));
    }
    section.note_missing(all);
    if let Some(why) = &limit.missing {
        section.missing.push(format!("the limit: {why}"));
    }
    section
}

/// Ours is not told how many threads it is to take.
fn own_choice(ours: &Series) -> String {
    let threads = ours.told().and_then(|told| ours::shape(&told["histories"]));
    threads.map_or_else(String::new, |(threads, _)| {
        format!(" PyTorch and Keras are told to take {threads} threads; ours chooses how many of as many pay.")
    })
}

fn whole(bench: &Bench, all: &[Series]) -> Section {
    let title = format!("The whole command, {} epochs, {}", bench.epochs, bench.threads_shown());
    let mut section = Section::new(title);
    section.paragraph(&format!(
        "The same runs, from the command's start to its end, with history and weights on disk, tested on 10,000 rows. Ours also \
         writes the resolved experiment and draws its pictures. *Imports* are the part of a Python's start that a script cannot \
         avoid; memory is the most that was resident at once. {}",
        bench.peers.built_for_cuda()
    ));
    let mut table = Table::new([
        "",
        "wall, s",
        "× ours",
        "wanted",
        "imports, s",
        "processors, s",
        "× ours",
        "memory, MB",
        "× ours",
    ]);
    let ours = &all[0];
    for series in all {
        let (Some(wall), Some(cpu)) = (series.wall(), series.cpu()) else { continue };
        let is_ours = series.name == OURS;
        let wanted = (series.name == KERAS).then_some(Wanted::AtLeast(6.0));
        let what = format!(
            "{}: overfit_mnist, whole command, {} epochs, {}",
            series.name,
            bench.epochs,
            bench.threads_shown()
        );
        let [times, wanted] = section.claim(what, ratio(ours.wall(), Some(wall)).filter(|_| !is_ours), wanted);
        let imports = series.spread(told("imports")).filter(|imports| imports.median.is_finite());
        let [of_cpu, _] = section.claim("", ratio(ours.cpu(), Some(cpu)).filter(|_| !is_ours), None);
        let [memory, of_memory] = section.memory(&format!("overfit_mnist, {}", bench.threads_shown()), ours, series);
        let imports = imports.map_or_else(String::new, |imports| format!("{:.2}", imports.median));
        table.row([
            series.name.clone(),
            wall.shown(2),
            times,
            wanted,
            imports,
            cpu.shown(2),
            of_cpu,
            memory,
            of_memory,
        ]);
    }
    section.table(&table);
    section
}

/// Whether every program did our work.
fn checks(all: &[Series]) -> Vec<Check> {
    let history = all[0].told().map(|told| told["histories"][0].clone());
    let Some(ours) = history.as_ref().and_then(Curves::of_history) else {
        return vec![Check::new("our history has no curves", false)];
    };
    let of_peer = |series: &Series| {
        let sample = series.samples.last().filter(|_| series.missing.is_none())?;
        Some(match Curves::of_lines(&sample.run.stdout) {
            None => Check::new(format!("{} printed no curves", series.name), false),
            Some(theirs) if [INDEXED, FUSED].contains(&series.name.as_str()) => {
                agree::same(&series.name, &ours, &theirs)
            }
            Some(theirs) => agree::alike(&series.name, &ours, &theirs),
        })
    };
    all[1..].iter().filter_map(of_peer).collect()
}
