//! `cargo xtask bench`: programs that do the same, ours and those of PyTorch, Keras and scikit-learn, run in turn and laid
//! beside each other in `docs/BENCHMARKS.md`.
//!
//! - [`rounds`] runs contenders in turn, [`measure`] each of them, [`peers`] and [`ours`] know how they are called;
//! - [`mnist`], [`stack`], [`digits`], [`pairs`], [`start`] and [`phases`] are what is measured;
//! - [`agree`] sees to it that all do the same work;
//! - [`figures`], [`table`], [`section`], [`machine`] and [`page`] write it down.

mod agree;
mod cores;
mod digits;
mod figures;
mod machine;
mod measure;
mod mnist;
mod ours;
mod page;
mod pairs;
mod peers;
mod phases;
mod rounds;
mod section;
mod stack;
mod start;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::cargo::{build_benches, build_runner};
use crate::say;
use crate::scratch::Scratch;
use crate::setup::Source;
use crate::workspace::Workspace;

use cores::Cores;
use ours::Ours;
use page::About;
use peers::Peers;
use section::Section;

/// What is to be measured, and how thoroughly.
#[derive(Debug, Default, PartialEq)]
pub struct Asked {
    /// How often each program is run; by default 5, and 1 where it is quick.
    pub rounds: Option<usize>,
    /// Numbers of threads; the first section is measured with each, the others with the largest. All by default.
    pub threads: Vec<usize>,
    /// One round of few epochs, to see whether everything runs.
    pub quick: bool,
    /// Our own phases and start-up, without peers.
    pub ours: bool,
    /// Parts, by their names; all where none is named.
    pub only: Vec<String>,
}

/// The page, from the root of the checkout; a trial's is put into the target folder.
const PAGE: &str = "docs/BENCHMARKS.md";
const TRIAL: &str = "target/bench/BENCHMARKS.md";
/// What `benches/gpu.sh` wrote on another machine.
const GPU: &str = "benches/gpu.md";

/// The parts, in the page's order.
pub const PARTS: [&str; 7] = ["mnist", "stack", "digits", "csv", "tree", "start", "phases"];

/// What a part needs to know.
#[derive(Debug)]
struct Bench<'a> {
    ours: Ours,
    peers: Peers,
    /// The benchmarks of ours in `benches/`, by their names.
    benches: Vec<(String, PathBuf)>,
    scratch: &'a Path,
    rounds: usize,
    epochs: usize,
    stack_epochs: usize,
    threads: usize,
    /// No peers are wanted, so that none is missing.
    is_ours_alone: bool,
}

/// Measures, prints, and writes the page; exit code 1 when programs did not do the same, or ours could not be measured.
pub fn run(workspace: &Workspace, source: &Source, asked: &Asked) -> Result<ExitCode> {
    let started = Instant::now();
    let threads = threads(asked, cores::given())?;
    let most = threads.iter().copied().max().unwrap_or(1);
    let parts: Vec<&str> = PARTS.into_iter().filter(|part| is_wanted(asked, part)).collect();

    let program = build_runner(workspace, source)?;
    let ours = Ours { program, root: workspace.root().to_path_buf(), threads: None };
    let there = pairs::there(workspace.root());
    let needed: Vec<&str> = there.into_iter().filter(|name| parts.contains(&part_of(name))).collect();
    let benches = build_benches(workspace, source, &needed)?;
    let peers = match asked.ours {
        true => Peers::none("`--ours` was asked for"),
        false => Peers::find(workspace, most),
    };
    let scratch = Scratch::create()?;
    let rounds = asked.rounds.unwrap_or(if asked.quick { 1 } else { 5 });
    let (epochs, stack_epochs) = if asked.quick { (4, 3) } else { (30, 6) };
    let mut bench = Bench {
        ours,
        peers,
        benches,
        scratch: scratch.folder(),
        rounds,
        epochs,
        stack_epochs,
        threads: most,
        is_ours_alone: asked.ours,
    };

    let cores = Cores::find()?;
    let machine = machine::lines(&bench.ours.version()?, Some(&bench.peers).filter(|_| !asked.ours), cores::given());
    let mut sections = Vec::new();
    let mut broken = Vec::new();
    for part in &parts {
        let counts = if *part == "mnist" { &threads[..] } else { &[most] };
        for &count in counts {
            bench.limit(&cores, count)?;
            match bench.measure(part) {
                Ok(measured) => {
                    measured.iter().for_each(page::show);
                    sections.extend(measured);
                }
                Err(error) => {
                    let why = format!("{part} could not be measured: {error:#}");
                    say::note(&why);
                    let mut section = Section::new(format!("`{part}`"));
                    section.missing.push(why.clone());
                    sections.push(section);
                    broken.push(why);
                }
            }
        }
    }

    let is_complete = broken.is_empty() && sections.iter().all(|section| section.missing.is_empty());
    let is_whole = !asked.quick && !asked.ours && asked.only.is_empty() && is_complete;
    let about = About {
        command: command(asked),
        rounds,
        machine,
        gpu: fs::read_to_string(workspace.root().join(GPU)).ok().filter(|_| is_whole),
    };
    let name = if is_whole { PAGE } else { TRIAL };
    let file = workspace.root().join(name);
    fs::create_dir_all(file.parent().expect("it is in a folder"))
        .and_then(|()| fs::write(&file, page::page(&about, &sections)))
        .with_context(|| format!("failed to write `{}`", file.display()))?;
    say::note(&format!("wrote `{name}`, after {}", say::time(started.elapsed())));
    broken.extend(page::other_work(&sections));
    match broken.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => {
            say::relay(&format!("error: {}\nhint: `{name}` says more", broken.join("; ")));
            Ok(ExitCode::from(1))
        }
    }
}

impl Bench<'_> {
    fn measure(&self, part: &str) -> Result<Vec<Section>> {
        match part {
            "mnist" => mnist::sections(self),
            "stack" => stack::sections(self),
            "digits" => digits::sections(self),
            "csv" | "tree" => {
                let pair =
                    pairs::PAIRS.iter().find(|pair| part_of(pair.name) == part).context("a part has its pair")?;
                pairs::sections(self, pair)
            }
            "start" => start::sections(self),
            "phases" => phases::sections(self),
            other => bail!("there is no part `{other}`"),
        }
    }

    /// From here on all programs have so many processors, and are told so where the system cannot see to it.
    fn limit(&mut self, cores: &Cores, threads: usize) -> Result<()> {
        let is_confined = cores::confine(cores, threads)?;
        self.ours.threads = (!is_confined).then_some(threads);
        self.peers.limit(threads);
        self.threads = threads;
        Ok(())
    }

    fn threads_shown(&self) -> String {
        match self.threads {
            1 => "1 thread".to_owned(),
            threads => format!("{threads} threads"),
        }
    }
}

/// The command as it was typed.
fn command(asked: &Asked) -> String {
    let mut words = vec!["cargo xtask bench".to_owned()];
    words.extend(asked.rounds.map(|rounds| format!("--rounds {rounds}")));
    let threads: Vec<String> = asked.threads.iter().map(usize::to_string).collect();
    words.extend((!threads.is_empty()).then(|| format!("--threads {}", threads.join(","))));
    words.extend(asked.quick.then(|| "--quick".to_owned()));
    words.extend(asked.ours.then(|| "--ours".to_owned()));
    words.extend((!asked.only.is_empty()).then(|| format!("--only {}", asked.only.join(","))));
    words.join(" ")
}

fn is_wanted(asked: &Asked, part: &str) -> bool {
    match asked.only.is_empty() {
        true => !asked.ours || ["start", "phases"].contains(&part),
        false => asked.only.iter().any(|only| only == part),
    }
}

/// The part that a pair of benchmarks belongs to.
fn part_of(pair: &str) -> &'static str {
    if pair == "tree_fit" { "tree" } else { "csv" }
}

/// The numbers of threads, none above the processors that there are.
fn threads(asked: &Asked, given: usize) -> Result<Vec<usize>> {
    if let Some(threads) = asked.threads.iter().find(|&&threads| threads > given) {
        bail!("`--threads` is {threads}, but there are {given} processors\nhint: ask for at most as many");
    }
    Ok(if asked.threads.is_empty() { vec![given] } else { asked.threads.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_wish_all_processors_are_used_and_no_more_can_be() {
        assert_eq!(threads(&Asked::default(), 2).unwrap(), [2]);
        let asked = |threads: &[usize]| Asked { threads: threads.to_vec(), ..Asked::default() };
        assert_eq!(threads(&asked(&[1, 2]), 2).unwrap(), [1, 2]);
        assert!(threads(&asked(&[4]), 2).unwrap_err().to_string().contains("hint: "));
    }

    #[test]
    fn our_own_mode_has_no_peers_part_unless_one_is_named() {
        let ours = Asked { ours: true, ..Asked::default() };
        let wanted = |asked: &Asked| PARTS.into_iter().filter(|part| is_wanted(asked, part)).collect::<Vec<_>>();
        assert_eq!(wanted(&ours), ["start", "phases"]);
        assert_eq!(wanted(&Asked::default()), PARTS);
        assert_eq!(wanted(&Asked { only: vec!["tree".to_owned()], ..Asked::default() }), ["tree"]);
    }

    #[test]
    fn the_page_names_the_command_that_wrote_it() {
        let asked = Asked { rounds: Some(3), threads: vec![1, 2], only: vec!["mnist".to_owned()], ..Asked::default() };
        assert_eq!(command(&asked), "cargo xtask bench --rounds 3 --threads 1,2 --only mnist");
        assert_eq!(command(&Asked::default()), "cargo xtask bench");
    }

    #[test]
    fn every_pair_belongs_to_a_part() {
        for pair in pairs::PAIRS {
            assert!(PARTS.contains(&part_of(pair.name)), "{}", pair.name);
        }
    }
}
