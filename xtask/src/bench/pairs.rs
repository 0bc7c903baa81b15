//! The table part: benchmarks of ours beside Python scripts that do the same with the same file.
//!
//! A pair is `benches/NAME.rs` and `benches/NAME.py`. Each takes a CSV, and prints a line of JSON: `seconds`, those of each
//! stage, and `peak_mb`. With `--check` each prints a second line, of what came out, which has to be the same.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::bench::Bench;
use crate::bench::agree::Check;
use crate::bench::figures::{Spread, Wanted};
use crate::bench::measure;
use crate::bench::peers::{Python, free_threads};
use crate::bench::rounds::{self, Contender, Sample, Series, ratio};
use crate::bench::section::Section;
use crate::bench::table::Table;

/// A pair of programs, and what is wanted of it.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    pub name: &'static str,
    title: &'static str,
    text: &'static str,
    /// The stages that are held against `wanted`.
    stages: &'static [&'static str],
    wanted: Wanted,
    /// Whether the whole process is held against it as well.
    whole: bool,
    /// How far numbers of what came out may be apart, as a share.
    apart: f64,
}

pub const PAIRS: [Pair; 2] = [
    Pair {
        name: "csv_to_tensors",
        title: "From a CSV to resampled training tensors",
        text: "`creditcard.csv`, 284,807 rows: read, hold out a stratified fifth, even the classes out with SMOTE, make f32 tensors; \
               beside pandas, scikit-learn and imbalanced-learn. Stages begin after the imports.",
        stages: &["all"],
        wanted: Wanted::AtLeast(2.0),
        whole: true,
        // Sums in f64, taken in another order.
        apart: 1e-9,
    },
    Pair {
        name: "tree_fit",
        title: "Fitting a decision tree",
        text: "The training rows of `creditcard.csv`, 227,845 as they are (`plain`) and 454,902 evened out with SMOTE (`smote`), 30 \
               columns, a tree grown until its leaves are pure; beside scikit-learn.",
        stages: &["plain", "smote"],
        wanted: Wanted::AtLeast(2.5),
        whole: false,
        // Of splits that are equally good, each takes another, so that leaves differ; see `LEAVES_APART`.
        apart: 1e-6,
    },
];

pub fn sections(bench: &Bench, pair: &Pair) -> Result<Vec<Section>> {
    let name = pair.name;
    let program = bench.benches.iter().find(|(known, _)| known == name).map(|(_, program)| program);
    let program = program.ok_or_else(|| anyhow!("there is no `benches/{name}.rs`"))?;
    let csv = bench.ours.data("creditcard")?.join("creditcard.csv");
    let script = format!("{name}.py");
    let ours = |check: bool| -> Result<Sample> {
        let mut command = Command::new(program);
        command.current_dir(&bench.ours.root);
        free_threads(&mut command);
        told(command.arg(&csv).args(check.then_some("--check")))
    };
    let theirs = |python: &Python, check: bool| told(python.script(&script).arg(&csv).args(check.then_some("--check")));
    let contenders = [
        Contender::new("ours", || ours(false)),
        Contender::needing("theirs", &bench.peers.torch, |python| theirs(python, false)),
    ];
    let all = rounds::run(name, &contenders, bench.rounds);
    rounds::ours(&all)?;
    let mut section = section(pair, &all, &bench.threads_shown());
    section.paragraph(bench.peers.built_for_cuda());
    if let Ok(python) = &bench.peers.torch {
        section.checks.push(match (ours(true), theirs(python, true)) {
            (Ok(ours), Ok(theirs)) => check(&ours.told, &theirs.told, pair.apart),
            (Err(error), _) | (_, Err(error)) => Check::new(format!("`--check` failed: {error:#}"), false),
        });
    }
    Ok(vec![section])
}

/// The names of the pairs of which our side is there.
pub fn there(root: &std::path::Path) -> Vec<&'static str> {
    let is_there = |name: &&str| root.join(PathBuf::from(format!("benches/{name}.rs"))).is_file();
    PAIRS.iter().map(|pair| pair.name).filter(is_there).collect()
}

/// A run, and its lines of JSON as a list.
fn told(command: &mut Command) -> Result<Sample> {
    let run = measure::run(command)?;
    let lines: Result<Vec<Value>, _> = run.stdout.lines().map(serde_json::from_str).collect();
    let told = Value::Array(lines.context("a benchmark printed what is no JSON")?);
    Ok(Sample { run, told })
}

fn section(pair: &Pair, all: &[Series], threads: &str) -> Section {
    let mut section = Section::new(format!("{}, {threads}", pair.title));
    section.paragraph(pair.text);
    let ours = &all[0];
    let mut table = Table::new(["", "ours", "theirs", "× ours", "wanted"]);
    let mut line = |section: &mut Section, what: &str, figure: &dyn Fn(&Series) -> Option<Spread>, decimals, wanted| {
        let (own, theirs) = (figure(ours), all.get(1).and_then(figure));
        let [times, wanted] = section.claim(format!("{}: {what}", pair.name), ratio(own, theirs), wanted);
        let shown = |spread: Option<Spread>| spread.map_or_else(String::new, |spread| spread.shown(decimals));
        table.row([what.to_owned(), shown(own), shown(theirs), times, wanted]);
    };
    line(&mut section, "whole process, wall, s", &Series::wall, 2, Some(pair.wanted).filter(|_| pair.whole));
    line(&mut section, "whole process, processors, s", &Series::cpu, 2, None);
    line(&mut section, "peak memory, MB", &Series::peak_mb, 0, Some(Wanted::AtLeast(1.0)));
    for stage in stages(ours) {
        let seconds = |series: &Series| {
            let spread = series.spread(|sample| sample.told[0]["seconds"][&stage].as_f64().unwrap_or(f64::NAN));
            spread.filter(|spread| spread.median.is_finite())
        };
        let wanted = pair.stages.contains(&stage.as_str()).then_some(pair.wanted);
        line(&mut section, &format!("{stage}, s"), &seconds, 3, wanted);
    }
    section.table(&table);
    section.note_missing(all);
    section
}

/// The names of the stages that ours tells, in its order.
fn stages(ours: &Series) -> Vec<String> {
    let Some(sample) = ours.samples.last() else { return Vec::new() };
    sample.told[0]["seconds"].as_object().map(|seconds| in_order(seconds, &sample.run.stdout)).unwrap_or_default()
}

/// An object's keys in the order in which they stand in its text.
pub fn in_order(object: &serde_json::Map<String, Value>, text: &str) -> Vec<String> {
    let mut keys: Vec<String> = object.keys().cloned().collect();
    keys.sort_by_key(|key| text.find(&format!("\"{key}\"")));
    keys
}

/// Both second lines tell the same, numbers within `apart`.
fn check(ours: &Value, theirs: &Value, apart: f64) -> Check {
    match (&ours[1], &theirs[1]) {
        (Value::Object(ours), Value::Object(theirs)) if !ours.is_empty() => {
            let keys = || ours.keys().filter(|key| theirs.contains_key(*key));
            let other: Vec<&str> =
                keys().filter(|key| !is_same(&ours[*key], &theirs[*key], apart)).map(String::as_str).collect();
            let all: Vec<&str> = keys().map(String::as_str).collect();
            let good = other.is_empty() && !all.is_empty();
            let what = match good {
                true => format!("what came out is the same within {apart:e}: {}", all.join(", ")),
                false => format!("what came out differs in {}", other.join(", ")),
            };
            Check::new(what, good)
        }
        _ => Check::new("`--check` printed nothing to compare", false),
    }
}

/// How far the numbers of leaves may be apart, as a share.
const LEAVES_APART: f64 = 0.05;

fn is_same(ours: &Value, theirs: &Value, apart: f64) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let same = |(key, value): (&String, &Value)| {
                let apart = if key == "leaves" { LEAVES_APART } else { apart };
                theirs.get(key).is_some_and(|theirs| is_same(value, theirs, apart))
            };
            ours.len() == theirs.len() && ours.iter().all(same)
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs, apart))
        }
        _ => match (ours.as_f64(), theirs.as_f64()) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= apart * ours.abs().max(theirs.abs()).max(1.0),
            _ => ours == theirs,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::measure::Run;

    fn series(name: &str, wall: f64, fit: f64) -> Series {
        let sample = Sample {
            run: Run { wall, cpu: wall, peak_mb: 100.0, ..Run::default() },
            told: json!([{ "seconds": { "plain": 0.5, "smote": fit } }]),
        };
        Series { name: name.to_owned(), samples: vec![sample], missing: None }
    }

    #[test]
    fn each_stage_stands_beside_theirs_and_the_named_one_is_held() {
        let section = section(&PAIRS[1], &[series("ours", 1.0, 2.0), series("theirs", 4.0, 4.0)], "2 threads");
        let line = section.text.lines().find(|line| line.contains("| smote, s")).unwrap();
        assert!(line.contains(" 2.000 |") && line.contains("2.00×") && line.contains("≥ 2.5 **no**"), "{line}");
        assert!(section.text.contains("| plain, s"), "{}", section.text);
        let missed = section.claims.iter().filter(|claim| !claim.wanted.is_met(claim.figure));
        assert_eq!(
            missed.map(|claim| claim.what.as_str()).collect::<Vec<_>>(),
            ["tree_fit: plain, s", "tree_fit: smote, s"]
        );
    }

    #[test]
    fn other_rows_are_found_out() {
        let ours = json!([{}, { "sums": [1.0, 1e6], "classes": [3, 3] }]);
        assert!(check(&ours, &json!([{}, { "sums": [1.0, 1e6 + 1e-4], "classes": [3, 3] }]), 1e-9).good);
        let other = check(&ours, &json!([{}, { "sums": [1.0, 1e6 + 1.0], "classes": [3, 3] }]), 1e-9);
        assert!(!other.good && other.what.ends_with("in sums"), "{other:?}");
        for nothing in [json!([{}]), json!([{}, {}]), json!([{}, { "sums": [1.0] }])] {
            assert!(!check(&ours, &nothing, 1e-9).good, "{nothing}");
        }
        let tree = |leaves: u64, acc: f64| json!([{}, { "smote": { "leaves": leaves, "train_acc": acc } }]);
        assert!(check(&tree(100, 1.0), &tree(104, 1.0), 1e-6).good);
        assert!(!check(&tree(100, 1.0), &tree(90, 1.0), 1e-6).good);
        assert!(!check(&tree(100, 1.0), &tree(100, 0.998), 1e-6).good, "a tree that knows one class alone");
    }

    #[test]
    fn every_pair_that_is_there_has_its_peer() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let there = there(root);
        assert!(there.contains(&"csv_to_tensors"), "{there:?}");
        for name in there {
            assert!(root.join(format!("benches/{name}.py")).is_file(), "{name}");
        }
    }
}
