//! `cargo xtask lessons`: runs the experiments of the lessons, and writes what came into `docs/RESULTS.md`.
//!
//! Each seed is a run of its own, as a reader would repeat it. What `runner exp --json` prints is kept in
//! `target/lessons/`, so that one experiment can be run again without the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::cargo::build_runner;
use crate::results::{self, Experiment};
use crate::scratch::Scratch;
use crate::setup::Source;
use crate::workspace::Workspace;
use crate::{say, tool};

/// What is to be run.
#[derive(Debug, PartialEq)]
pub struct Asked {
    /// The experiments; all of the lessons where none is named.
    pub names: Vec<String>,
    /// The seeds, a run for each.
    pub seeds: Vec<i64>,
}

/// The page, from the root of the checkout.
const PAGE: &str = "docs/RESULTS.md";

/// Runs what is asked for, and writes the page; exit code 1 when an expectation is missed.
pub fn run(workspace: &Workspace, source: &Source, asked: &Asked) -> Result<ExitCode> {
    let runner = Runner { program: build_runner(workspace, source)?, root: workspace.root().to_path_buf() };
    let lessons = runner.lessons()?;
    if let Some(unknown) = asked.names.iter().find(|name| !lessons.iter().any(|lesson| lesson.name == **name)) {
        bail!("no lesson has an experiment `{unknown}`\nhint: `cargo xtask run list` shows what the lessons have");
    }

    let kept = Kept { folder: workspace.root().join("target/lessons") };
    fs::create_dir_all(&kept.folder).with_context(|| format!("failed to create `{}`", kept.folder.display()))?;
    let mut runs: Vec<(&str, i64)> = Vec::new();
    for Lesson { name, own_seed } in &lessons {
        let wanted = asked.names.is_empty() || asked.names.contains(name);
        let missing = |seed: &i64| wanted || !kept.file(name, *seed).is_file();
        let seeds = seeds(&asked.seeds, *own_seed);
        runs.extend(seeds.into_iter().filter(missing).map(|seed| (name.as_str(), seed)));
    }
    let started = Instant::now();
    let out = Scratch::create()?;
    for (number, &(name, seed)) in runs.iter().enumerate() {
        let began = Instant::now();
        let printed = runner.exp(name, seed, out.folder())?;
        fs::write(kept.file(name, seed), &printed).context("failed to keep what was printed")?;
        let tally = results::tally(&parsed(&printed, name)?);
        let place = format!("[{} of {}]", number + 1, runs.len());
        say::note(&format!("{place} {name}, seed {seed}: {tally}, {}", say::time(began.elapsed())));
    }

    let read = |lesson: &Lesson| kept.read(&lesson.name, &seeds(&asked.seeds, lesson.own_seed));
    let experiments = lessons.iter().map(read).collect::<Result<Vec<_>>>()?;
    let page = workspace.root().join(PAGE);
    fs::create_dir_all(page.parent().expect("it is in a folder"))
        .and_then(|()| fs::write(&page, results::page(&experiments)))
        .with_context(|| format!("failed to write `{}`", page.display()))?;
    say::note(&format!("wrote `{PAGE}`, after {} runs in {}", runs.len(), say::time(started.elapsed())));
    match results::missed(&experiments) {
        missed if missed.is_empty() => Ok(ExitCode::SUCCESS),
        missed => {
            say::relay(&format!("error: {} missed\nhint: `{PAGE}` marks them with ✗", missed.join("; ")));
            Ok(ExitCode::from(1))
        }
    }
}

/// The seeds of an experiment's runs: those that are asked for, but that its own takes the place of seed 0.
fn seeds(asked: &[i64], own: i64) -> Vec<i64> {
    asked.iter().map(|&seed| if seed == 0 { own } else { seed }).collect()
}

/// An experiment that belongs to a lesson.
#[derive(Debug, PartialEq)]
struct Lesson {
    name: String,
    /// The first of the seeds that its file states.
    own_seed: i64,
}

/// The program, run in the root of the checkout, where its experiments are.
struct Runner {
    program: PathBuf,
    root: PathBuf,
}

impl Runner {
    /// The experiments that belong to a lesson, lesson by lesson.
    fn lessons(&self) -> Result<Vec<Lesson>> {
        let answer = tool::ask(Command::new(&self.program).args(["list", "--json"]).current_dir(&self.root))?;
        if !answer.status.success() {
            bail!("failed to list the experiments: {}\nhint: `cargo xtask run list`", answer.stderr.trim());
        }
        lessons(&answer.stdout)
    }

    /// What one run of an experiment prints.
    fn exp(&self, name: &str, seed: i64, out: &Path) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(["exp", name, "--seed", &seed.to_string(), "--json", "--quiet", "--out"]).arg(out);
        let answer = tool::ask(command.current_dir(&self.root))?;
        if !answer.status.success() {
            bail!(
                "failed to run `{name}` with seed {seed} ({}): {}\nhint: `cargo xtask run exp {name} --seed {seed}`",
                answer.status,
                answer.stderr.trim()
            );
        }
        Ok(answer.stdout)
    }
}

fn lessons(json: &str) -> Result<Vec<Lesson>> {
    let list: Vec<Value> = serde_json::from_str(json).context("`runner list --json` printed no JSON array")?;
    let of_lessons = list.iter().filter(|entry| entry["lesson"].is_string());
    let lesson = |entry: &Value| {
        Some(Lesson { name: entry["name"].as_str()?.to_owned(), own_seed: entry["seeds"][0].as_i64().unwrap_or(0) })
    };
    let lessons: Option<Vec<Lesson>> = of_lessons.map(lesson).collect();
    match lessons {
        Some(lessons) if !lessons.is_empty() => Ok(lessons),
        Some(_) => bail!("no experiment belongs to a lesson\nhint: `lesson = \"A. Perceptrons\"` in its file"),
        None => bail!("`runner list --json` printed an entry without a name"),
    }
}

/// What the runs printed.
struct Kept {
    folder: PathBuf,
}

impl Kept {
    fn file(&self, name: &str, seed: i64) -> PathBuf {
        self.folder.join(format!("{name}-seed{seed}.json"))
    }

    fn read(&self, name: &str, seeds: &[i64]) -> Result<Experiment> {
        let run = |&seed: &i64| {
            let file = self.file(name, seed);
            let text = fs::read_to_string(&file).with_context(|| format!("failed to read `{}`", file.display()))?;
            Ok((seed, parsed(&text, name)?))
        };
        Ok(Experiment { name: name.to_owned(), runs: seeds.iter().map(run).collect::<Result<_>>()? })
    }
}

/// The histories among what a run printed.
fn parsed(printed: &str, name: &str) -> Result<Vec<Value>> {
    let json: Value =
        serde_json::from_str(printed).with_context(|| format!("`runner exp {name} --json` printed no JSON"))?;
    match json["histories"].as_array() {
        Some(histories) if !histories.is_empty() => Ok(histories.clone()),
        _ => Err(anyhow!("`runner exp {name} --json` printed no history")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_experiments_of_lessons_are_run() {
        let json = r#"[{"name": "xor", "lesson": "A. Perceptrons", "seeds": [42]}, {"name": "mine", "lesson": null}]"#;
        assert_eq!(lessons(json).unwrap(), [Lesson { name: "xor".to_owned(), own_seed: 42 }]);
        assert_eq!((seeds(&[0, 1], 42), seeds(&[0, 1], 0), seeds(&[5], 42)), (vec![42, 1], vec![0, 1], vec![5]));
        assert!(lessons(r#"[{"name": "mine", "lesson": null}]"#).unwrap_err().to_string().contains("hint: "));
        assert!(lessons(r#"[{"lesson": "A"}]"#).is_err());
    }

    #[test]
    fn a_run_without_histories_is_an_error() {
        assert_eq!(parsed(r#"{"histories": [{"seed": 0}]}"#, "xor").unwrap().len(), 1);
        for printed in ["", "{}", r#"{"histories": []}"#] {
            assert!(parsed(printed, "xor").unwrap_err().to_string().contains("`runner exp xor --json`"));
        }
    }
}
