//! `cargo xtask lessons`: runs the experiments of the lessons, and writes the results into `docs/RESULTS.md`.
//!
//! For the page each seed is a run of its own, as a reader would repeat it; for the pass rates (`--seeds`) many seeds are one
//! run where that gives the same results. What `runner exp --json` prints is kept in `target/lessons/`, so that one experiment
//! can be run again without the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::cargo::build_runner;
use crate::results::pass_rates::{PassRate, Section};
use crate::results::{self, Experiment, Run};
use crate::scratch::Scratch;
use crate::setup::Source;
use crate::workspace::Workspace;
use crate::{say, tool};

/// What is to be run.
#[derive(Debug, Default, PartialEq)]
pub struct Asked {
    /// The experiments; all of the lessons where none is named.
    pub names: Vec<String>,
    /// Only quick experiments.
    pub quick: bool,
    /// The seeds to take pass rates of; without them the page is written.
    pub seeds: Option<Vec<i64>>,
}

/// The page, from the root of the checkout.
const PAGE: &str = "docs/RESULTS.md";

/// Runs what is asked for, and writes the page or its pass rates; exit code 1 when an expectation is missed.
pub fn run(workspace: &Workspace, source: &Source, asked: &Asked) -> Result<ExitCode> {
    let runner = Runner { program: build_runner(workspace, source)?, root: workspace.root().to_path_buf() };
    let lessons = runner.lessons()?;
    if let Some(unknown) = asked.names.iter().find(|name| !lessons.iter().any(|lesson| lesson.name == **name)) {
        bail!("no lesson has an experiment `{unknown}`\nhint: `cargo xtask run list` shows what the lessons have");
    }
    let kept = Kept { folder: workspace.root().join("target/lessons") };
    fs::create_dir_all(&kept.folder).with_context(|| format!("failed to create `{}`", kept.folder.display()))?;
    let page = workspace.root().join(PAGE);
    match &asked.seeds {
        None => write_page(&runner, &lessons, asked, &kept, &page),
        Some(seeds) => write_pass_rates(&runner, &lessons, asked, seeds, &kept, &page),
    }
}

/// Runs the experiments that are asked for, and those that have not been run, and writes the whole page.
fn write_page(runner: &Runner, lessons: &[Lesson], asked: &Asked, kept: &Kept, page: &Path) -> Result<ExitCode> {
    let mut runs: Vec<(&Lesson, Vec<i64>)> = Vec::new();
    for lesson in lessons {
        let missing = |seeds: &Vec<i64>| asked.wants(lesson) || !kept.file(&lesson.name, seeds).is_file();
        runs.extend(lesson.page_runs().into_iter().filter(missing).map(|seeds| (lesson, seeds)));
    }
    let started = Instant::now();
    let out = Scratch::create()?;
    for (number, (lesson, seeds)) in runs.iter().enumerate() {
        let (began, name) = (Instant::now(), &lesson.name);
        let run = runner.exp(lesson, seeds, kept, out.folder())?;
        let (tally, label) = (results::tally(&run.histories), run.label());
        let place = format!("[{} of {}]", number + 1, runs.len());
        say::note(&format!("{place} {name}, {label}: {tally}, {}", say::time(began.elapsed())));
    }

    let read = |lesson: &Lesson| kept.read(&lesson.name, lesson.page_runs());
    let experiments = lessons.iter().map(read).collect::<Result<Vec<_>>>()?;
    let pass_rates = Section::of(&fs::read_to_string(page).unwrap_or_default());
    fs::create_dir_all(page.parent().expect("it is in a folder"))
        .and_then(|()| fs::write(page, pass_rates.put_into(&results::page(&experiments), &names(lessons))))
        .with_context(|| format!("failed to write `{}`", page.display()))?;
    say::note(&format!("wrote `{PAGE}`, after {} runs in {}", runs.len(), say::time(started.elapsed())));
    Ok(ended(&results::missed(&experiments)))
}

/// Runs the experiments that are asked for with these seeds, and writes their pass rates into the page, one by one.
fn write_pass_rates(
    runner: &Runner,
    lessons: &[Lesson],
    asked: &Asked,
    seeds: &[i64],
    kept: &Kept,
    page: &Path,
) -> Result<ExitCode> {
    let wanted: Vec<&Lesson> = lessons.iter().filter(|lesson| asked.wants(lesson)).collect();
    let grouped = |lesson: &&&Lesson| !seeds.len().is_multiple_of(lesson.seeds.len());
    if let Some(lesson) = wanted.iter().find(grouped) {
        let (name, group, found) = (&lesson.name, lesson.seeds.len(), seeds.len());
        bail!(
            "`{name}` makes claims over {group} seeds, and {found} seeds are no groups of {group}\n\
             hint: give a multiple of {group}: `--seeds 100..{}`",
            99 + group * found.div_ceil(group)
        );
    }
    let mut text = fs::read_to_string(page).map_err(|error| {
        anyhow!("failed to read `{}`: {error}\nhint: write it with `cargo xtask lessons`", page.display())
    })?;
    let out = Scratch::create()?;
    let mut missed = Vec::new();
    for (number, lesson) in wanted.iter().enumerate() {
        let began = Instant::now();
        let mut experiment = Experiment { name: lesson.name.clone(), runs: Vec::new() };
        for seeds in lesson.pass_rate_runs(seeds) {
            experiment.runs.push(runner.exp(lesson, &seeds, kept, out.folder())?);
        }
        let rate = PassRate::of(&experiment, lesson.seeds.len());
        let place = format!("[{} of {}]", number + 1, wanted.len());
        say::note(&format!("{place} {}: {}, {}", lesson.name, rate.in_words(), say::time(began.elapsed())));
        missed.extend(rate.misses().map(|miss| format!("{}: {miss}", lesson.name)));
        let mut section = Section::of(&text);
        section.set(&rate);
        text = section.put_into(&text, &names(lessons));
        fs::write(page, &text).with_context(|| format!("failed to write `{}`", page.display()))?;
    }
    say::note(&format!("wrote the pass rates into `{PAGE}`"));
    Ok(ended(&missed))
}

fn names(lessons: &[Lesson]) -> Vec<&str> {
    lessons.iter().map(|lesson| lesson.name.as_str()).collect()
}

/// Exit code 1, and what was missed, where anything was.
fn ended(missed: &[String]) -> ExitCode {
    if missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    say::relay(&format!("error: {} missed\nhint: `{PAGE}` marks them with ✗", missed.join("; ")));
    ExitCode::from(1)
}

impl Asked {
    fn wants(&self, lesson: &Lesson) -> bool {
        (self.names.is_empty() || self.names.contains(&lesson.name)) && (lesson.quick || !self.quick)
    }
}

/// An experiment that belongs to a lesson.
#[derive(Debug, PartialEq)]
struct Lesson {
    name: String,
    /// The seeds that its file states; several where it makes claims over several.
    seeds: Vec<i64>,
    quick: bool,
    /// Whether a claim is about a statistic of several trials: the folds, where there is one seed.
    has_statistics: bool,
    /// Whether training draws random numbers, which the seeds of a stack would share.
    draws: bool,
}

impl Lesson {
    /// The seeds of each run of the page: 0 and 1, with the file's own seed in place of 0; or its own seeds, then as many
    /// others.
    fn page_runs(&self) -> Vec<Vec<i64>> {
        match self.seeds[..] {
            [own] => vec![vec![own], vec![1]],
            _ => {
                let next = self.seeds.iter().max().expect("there are several") + 1;
                vec![self.seeds.clone(), (next..next + self.seeds.len() as i64).collect()]
            }
        }
    }

    /// The seeds of each run for the pass rates: all at once where claims are about single trials.
    fn pass_rate_runs(&self, seeds: &[i64]) -> Vec<Vec<i64>> {
        let together = if self.has_statistics || self.seeds.len() > 1 { self.seeds.len() } else { seeds.len() };
        seeds.chunks(together).map(<[i64]>::to_vec).collect()
    }

    /// Reads what the list does not say from the experiment's file.
    fn read(mut self, root: &Path) -> Lesson {
        let text = fs::read_to_string(root.join(format!("experiments/{}.toml", self.name))).unwrap_or_default();
        self.has_statistics =
            text.lines().any(|line| line.strip_prefix("over").is_some_and(|rest| rest.trim_start().starts_with('=')));
        self.draws = ["dropout", "augment"].iter().any(|word| text.contains(word));
        self
    }
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
        Ok(lessons(&answer.stdout)?.into_iter().map(|lesson| lesson.read(&self.root)).collect())
    }

    /// Runs an experiment with these seeds, and keeps what it prints.
    fn exp(&self, lesson: &Lesson, seeds: &[i64], kept: &Kept, out: &Path) -> Result<Run> {
        let name = &lesson.name;
        let written = seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let mut asked = vec!["exp", name, if seeds.len() == 1 { "--seed" } else { "--seeds" }, &written];
        if lesson.draws && seeds.len() > 1 {
            asked.extend(["--stack", "1"]);
        }
        let mut command = Command::new(&self.program);
        command.args(&asked).args(["--json", "--quiet", "--out"]).arg(out);
        let answer = tool::ask(command.current_dir(&self.root))?;
        let label = Run { seeds: seeds.to_vec(), histories: Vec::new() }.label();
        if !answer.status.success() {
            bail!(
                "failed to run `{name}` with {label} ({}): {}\nhint: `cargo xtask run {}`",
                answer.status,
                answer.stderr.trim(),
                asked.join(" ")
            );
        }
        let histories = parsed(&answer.stdout, name)?;
        fs::write(kept.file(name, seeds), &answer.stdout).context("failed to keep what was printed")?;
        Ok(Run { seeds: seeds.to_vec(), histories })
    }
}

fn lessons(json: &str) -> Result<Vec<Lesson>> {
    let list: Vec<Value> = serde_json::from_str(json).context("`runner list --json` printed no JSON array")?;
    let of_lessons = list.iter().filter(|entry| entry["lesson"].is_string());
    let lesson = |entry: &Value| {
        let seeds: Vec<i64> = entry["seeds"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
        Some(Lesson {
            name: entry["name"].as_str()?.to_owned(),
            seeds: if seeds.is_empty() { vec![0] } else { seeds },
            quick: entry["quick"] == true,
            has_statistics: false,
            draws: false,
        })
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
    fn file(&self, name: &str, seeds: &[i64]) -> PathBuf {
        let written = match seeds {
            [seed] => format!("seed{seed}"),
            _ => format!("seeds{}", results::seeds(seeds).replace(' ', "_")),
        };
        self.folder.join(format!("{name}-{written}.json"))
    }

    fn read(&self, name: &str, runs: Vec<Vec<i64>>) -> Result<Experiment> {
        let run = |seeds: Vec<i64>| {
            let file = self.file(name, &seeds);
            let text = fs::read_to_string(&file).with_context(|| format!("failed to read `{}`", file.display()))?;
            Ok(Run { seeds, histories: parsed(&text, name)? })
        };
        Ok(Experiment { name: name.to_owned(), runs: runs.into_iter().map(run).collect::<Result<_>>()? })
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

    fn lesson(seeds: &[i64], has_statistics: bool) -> Lesson {
        Lesson { name: "xor".to_owned(), seeds: seeds.to_vec(), quick: true, has_statistics, draws: false }
    }

    #[test]
    fn only_experiments_of_lessons_are_run() {
        let json = r#"[{"name": "xor", "lesson": "A. Perceptrons", "seeds": [42], "quick": true}, {"name": "mine", "lesson": null}]"#;
        assert_eq!(lessons(json).unwrap(), [lesson(&[42], false)]);
        assert!(lessons(r#"[{"name": "mine", "lesson": null}]"#).unwrap_err().to_string().contains("hint: "));
        assert!(lessons(r#"[{"lesson": "A"}]"#).is_err());
    }

    #[test]
    fn claims_over_seeds_are_run_with_as_many_seeds_as_the_file_states() {
        assert_eq!(lesson(&[42], false).page_runs(), [[42], [1]]);
        assert_eq!(lesson(&[0, 1, 2], true).page_runs(), [[0, 1, 2], [3, 4, 5]]);
        let seeds = [7, 8, 9, 10, 11, 12];
        assert_eq!(lesson(&[0], false).pass_rate_runs(&seeds), [seeds]);
        assert_eq!(lesson(&[0, 1, 2], true).pass_rate_runs(&seeds), [[7, 8, 9], [10, 11, 12]]);
        assert_eq!(lesson(&[0], true).pass_rate_runs(&[7, 8]), [[7], [8]], "a statistic of the folds of one seed");
    }

    #[test]
    fn the_experiments_file_says_which_seeds_can_share_a_run() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("experiments")).unwrap();
        let read = |text: &str| {
            fs::write(root.path().join("experiments/xor.toml"), text).unwrap();
            let lesson = lesson(&[0], false).read(root.path());
            (lesson.has_statistics, lesson.draws)
        };
        assert_eq!(read("over     = \"mean\""), (true, false));
        assert_eq!(read("set = { resample = { over = {} } }\noverlap = 1"), (false, false));
        assert_eq!(read("layers = [{ dropout = 0.2 }]"), (false, true));
    }

    #[test]
    fn a_run_without_histories_is_an_error() {
        assert_eq!(parsed(r#"{"histories": [{"seed": 0}]}"#, "xor").unwrap().len(), 1);
        for printed in ["", "{}", r#"{"histories": []}"#] {
            assert!(parsed(printed, "xor").unwrap_err().to_string().contains("`runner exp xor --json`"));
        }
    }
}
