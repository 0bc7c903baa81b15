//! What was typed, parsed into a [`Request`].
//!
//! By hand: eight commands and a dozen flags do not pay for a parser that would double this crate's
//! compile time, which every first-time user waits for.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};

use crate::libtorch::Variant;
use crate::setup::Wish;
use crate::{bench, lessons, notebooks};

pub const HELP: &str = "\
Gets libtorch ready, then hands over to cargo

Usage: cargo xtask <COMMAND>

Commands:
  setup [--cpu|--cuda] [--force]
          Prepare libtorch 2.11.0 in `.libtorch`, with pip: 0.5 GB for the CPU, about 3 GB with CUDA.
          Without a flag, CUDA if an NVIDIA driver is found. Does nothing when libtorch is ready;
          an interrupted set-up continues where it was
            --cpu    without CUDA, whatever this machine has
            --cuda   with CUDA, also where there is no driver (a cluster's login node)
            --force  prepare it again
  run [ARGS...]
          Build `runner` and run it with ARGS, in the current folder
          for example: cargo xtask run exp overfit_mnist
  test [-- NEXTEST_ARGS...]
          All checks: supply chain, formatting, clippy, documentation, tests, the quick experiments,
          the notebooks, the report in a browser
  lessons [NAME...] [--quick] [--seeds SEEDS]
          Run the experiments of the lessons and write `docs/RESULTS.md`: what the walkthroughs report,
          what came here, and which expectations are met. With names, only these are run, and the
          others taken as they last came
            --quick        only the quick experiments
            --seeds SEEDS  run these seeds, as `100..119` or `3,5`, and write only the section
                           \"Pass rates\": how many of them meet all expectations
  notebooks [NAME...] [--runs DIR]
          Execute the notebooks on the runs in DIR (or RUNNER_RUNS, or `runs`), and write what comes
  bench [--rounds N] [--threads N,…] [--quick] [--ours] [--only PART,…]
          Measure ours beside PyTorch, Keras and scikit-learn, in turn, and write `docs/BENCHMARKS.md`
            --rounds N   run each program so often; 5 without it
            --threads N  with so many threads, or with each of `1,2`; all without it
            --quick      one round of few epochs, to see whether everything runs
            --ours       our own phases and start-up, without the others
            --only PART  mnist, stack, digits, csv, tree, start or phases; what is not whole is
                         written to `target/bench/BENCHMARKS.md`
  install [--root DIR]
          Install `runner` and its `runner-engine` into cargo's bin folder, or into DIR/bin
  help
          Print this

All but `help` and `notebooks` begin with `setup` if libtorch is not ready.

Environment:
  LIBTORCH               A libtorch 2.11.0 of your own, used instead of the download
  LIBTORCH_USE_PYTORCH   `1`: use the torch 2.11.0 of the Python at hand
  PIP_INDEX_URL, HTTPS_PROXY, …   as pip understands them
  RUNNER_BENCH_TORCH     A Python that has `benches/requirements-torch.txt`, for `bench`;
  RUNNER_BENCH_KERAS     one that has `benches/requirements-keras.txt`. Without them they are
                         installed (PyTorch: 3 GB)
  CXX                    The C++ compiler

Exit codes: 0 done, 1 a check failed, 2 bad input or failure; `run` ends with runner's own";

/// One command, ready to act upon.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// `asked`: the user typed it, rather than nothing at all.
    Help {
        asked: bool,
    },
    Setup(Wish),
    /// Everything behind `run`, as it was typed.
    Run(Vec<OsString>),
    /// What goes to the test runner.
    Test(Vec<OsString>),
    Lessons(lessons::Asked),
    Notebooks(notebooks::Asked),
    Bench(bench::Asked),
    Install {
        root: Option<PathBuf>,
    },
}

/// Parses what follows `cargo xtask`.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request> {
    let mut args = args.into_iter();
    let Some(command) = args.next() else {
        return Ok(Request::Help { asked: false });
    };
    let rest: Vec<OsString> = args.collect();
    let name = command.to_string_lossy();
    match name.as_ref() {
        "help" | "--help" | "-h" => Ok(Request::Help { asked: true }),
        // `run --help` is runner's help, so `run` is asked before the others' `--help`.
        "run" => Ok(Request::Run(without_separator(rest))),
        "setup" | "install" | "lessons" | "notebooks" | "bench" | "test" if asks_for_help(&rest) => {
            Ok(Request::Help { asked: true })
        }
        "setup" => setup(&rest).map(Request::Setup),
        "install" => install(rest),
        "lessons" => lessons(&rest).map(Request::Lessons),
        "notebooks" => notebooks(&rest).map(Request::Notebooks),
        "bench" => bench(&rest).map(Request::Bench),
        "test" => test(rest),
        other => {
            bail!(
                "unknown command `{other}`\nhint: the commands are `setup`, `run`, `test`, `lessons`, `notebooks`, `bench`, `install` and `help`"
            )
        }
    }
}

fn setup(rest: &[OsString]) -> Result<Wish> {
    let mut wish = Wish::default();
    for arg in rest {
        let variant = match arg.to_string_lossy().as_ref() {
            "--cpu" => Variant::Cpu,
            "--cuda" => Variant::Cuda,
            "--force" => {
                wish.force = true;
                continue;
            }
            other => bail!("unknown argument `{other}` of `setup`\nhint: it takes `--cpu`, `--cuda` and `--force`"),
        };
        if wish.variant.is_some_and(|earlier| earlier != variant) {
            bail!("both `--cpu` and `--cuda`\nhint: choose one; `--cuda` serves the CPU as well");
        }
        wish.variant = Some(variant);
    }
    Ok(wish)
}

fn install(rest: Vec<OsString>) -> Result<Request> {
    let mut root = None;
    let mut rest = rest.into_iter();
    while let Some(arg) = rest.next() {
        let text = arg.to_string_lossy();
        if text == "--root" {
            let folder = rest.next().ok_or_else(|| anyhow!("`--root` without a folder\nhint: `--root DIR`"))?;
            root = Some(PathBuf::from(folder));
        } else if let Some(folder) = text.strip_prefix("--root=") {
            root = Some(PathBuf::from(folder));
        } else {
            bail!("unknown argument `{text}` of `install`\nhint: it takes `--root DIR`");
        }
    }
    Ok(Request::Install { root })
}

fn lessons(rest: &[OsString]) -> Result<lessons::Asked> {
    let mut asked = lessons::Asked::default();
    let mut rest = rest.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = rest.next() {
        if arg == "--seeds" {
            let text = rest.next().ok_or_else(|| anyhow!("`--seeds` without seeds\nhint: `--seeds 100..119`"))?;
            asked.seeds = Some(seeds(&text)?);
        } else if let Some(text) = arg.strip_prefix("--seeds=") {
            asked.seeds = Some(seeds(text)?);
        } else if arg == "--quick" {
            asked.quick = true;
        } else if arg.starts_with('-') {
            bail!(
                "unknown argument `{arg}` of `lessons`\nhint: it takes names of experiments, `--quick` and `--seeds 100..119`"
            );
        } else {
            asked.names.push(arg.into_owned());
        }
    }
    Ok(asked)
}

fn notebooks(rest: &[OsString]) -> Result<notebooks::Asked> {
    let mut asked = notebooks::Asked::default();
    let mut rest = rest.iter();
    while let Some(arg) = rest.next() {
        let text = arg.to_string_lossy();
        if text == "--runs" {
            let folder = rest.next().ok_or_else(|| anyhow!("`--runs` without a folder\nhint: `--runs DIR`"))?;
            asked.runs = Some(PathBuf::from(folder));
        } else if let Some(folder) = text.strip_prefix("--runs=") {
            asked.runs = Some(PathBuf::from(folder));
        } else if text.starts_with('-') {
            bail!("unknown argument `{text}` of `notebooks`\nhint: it takes names of notebooks, and `--runs DIR`");
        } else {
            // Typed with the shell's help it is a file.
            asked.names.push(text.rsplit('/').next().unwrap_or_default().trim_end_matches(".ipynb").to_owned());
        }
    }
    Ok(asked)
}

fn bench(rest: &[OsString]) -> Result<bench::Asked> {
    let mut asked = bench::Asked::default();
    let mut rest = rest.iter().map(|arg| arg.to_string_lossy().into_owned());
    while let Some(arg) = rest.next() {
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        let mut value = |example: &str| {
            let value = value.clone().or_else(|| rest.next());
            value.ok_or_else(|| anyhow!("`{flag}` without a value\nhint: `{flag} {example}`"))
        };
        match flag {
            "--quick" => asked.quick = true,
            "--ours" => asked.ours = true,
            "--rounds" => asked.rounds = counts(flag, &value("5")?, "5")?.first().copied(),
            "--threads" => asked.threads = counts(flag, &value("1,2")?, "1,2")?,
            "--only" => {
                asked.only = value("mnist,stack")?.split(',').map(|part| part.trim().to_owned()).collect();
                if let Some(other) = asked.only.iter().find(|part| !bench::PARTS.contains(&part.as_str())) {
                    bail!("`--only` names `{other}`\nhint: the parts are {}", bench::PARTS.join(", "));
                }
            }
            other => bail!(
                "unknown argument `{other}` of `bench`\nhint: it takes `--rounds`, `--threads`, `--quick`, `--ours` and `--only`"
            ),
        }
    }
    Ok(asked)
}

/// `1,2`: counts from 1.
fn counts(flag: &str, text: &str, example: &str) -> Result<Vec<usize>> {
    let count = |part: &str| part.trim().parse().ok().filter(|&count: &usize| count > 0);
    let counts: Option<Vec<usize>> = text.split(',').map(count).collect();
    counts.ok_or_else(|| anyhow!("`{flag}` is `{text}`\nhint: write it as `{flag} {example}`"))
}

/// `100..119`, both ends included, or `3,5`.
fn seeds(text: &str) -> Result<Vec<i64>> {
    let wrong = || anyhow!("`--seeds` is `{text}`\nhint: write it as `--seeds 100..119` or `--seeds 3,5`");
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| wrong());
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (number(first)?, number(last)?);
        return match last.checked_sub(first) {
            Some(0..1000) => Ok((first..=last).collect()),
            _ => Err(wrong()),
        };
    }
    let mut seeds: Vec<i64> = Vec::new();
    for seed in text.split(',') {
        let seed = number(seed)?;
        if seeds.contains(&seed) {
            bail!("`--seeds` is `{text}`, which holds {seed} twice\nhint: leave one out");
        }
        seeds.push(seed);
    }
    Ok(seeds)
}

fn test(mut rest: Vec<OsString>) -> Result<Request> {
    match rest.first() {
        None => Ok(Request::Test(rest)),
        Some(first) if first == "--" => Ok(Request::Test(rest.split_off(1))),
        Some(first) => bail!(
            "unknown argument `{0}` of `test`\nhint: arguments of the test runner go behind `--`: `cargo xtask test -- {0}`",
            first.to_string_lossy()
        ),
    }
}

/// Cargo's habit, `cargo xtask run -- exp …`, means the same as without the dashes.
fn without_separator(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.first().is_some_and(|first| first == "--") {
        args.remove(0);
    }
    args
}

fn asks_for_help(args: &[OsString]) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--help" || arg == "-h")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Request> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn setup_takes_its_three_flags() {
        let wish = Wish { variant: Some(Variant::Cuda), force: true };
        assert_eq!(typed("setup --cuda --force").unwrap(), Request::Setup(wish));
        assert_eq!(typed("setup").unwrap(), Request::Setup(Wish::default()));
    }

    #[test]
    fn cpu_and_cuda_together_are_refused() {
        assert!(typed("setup --cpu --cuda").unwrap_err().to_string().contains("choose one"));
    }

    #[test]
    fn everything_behind_run_is_runners_help_included() {
        let args = ["--help"].map(OsString::from).to_vec();
        assert_eq!(typed("run --help").unwrap(), Request::Run(args.clone()));
        assert_eq!(typed("run -- --help").unwrap(), Request::Run(args));
    }

    #[test]
    fn the_test_runners_arguments_stand_behind_dashes() {
        let args = ["--no-capture", "--help"].map(OsString::from).to_vec();
        assert_eq!(typed("test -- --no-capture --help").unwrap(), Request::Test(args));
        assert!(typed("test name").unwrap_err().to_string().contains("`cargo xtask test -- name`"));
    }

    #[test]
    fn lessons_take_names_and_seeds() {
        let asked = |line: &str| match typed(line).unwrap() {
            Request::Lessons(asked) => (asked.names, asked.seeds),
            other => panic!("{other:?}"),
        };
        assert_eq!(asked("lessons"), (vec![], None));
        assert_eq!(asked("lessons xor --seeds 3,-1 or"), (vec!["xor".to_owned(), "or".to_owned()], Some(vec![3, -1])));
        assert_eq!(asked("lessons --seeds=7"), (vec![], Some(vec![7])));
        assert_eq!(asked("lessons --quick --seeds 98..100"), (vec![], Some(vec![98, 99, 100])));
        for (line, words) in [
            ("lessons --seed 0", "`--seed`"),
            ("lessons --seeds", "without seeds"),
            ("lessons --seeds 4..0", "`4..0`"),
            ("lessons --seeds 0..x", "`0..x`"),
            ("lessons --seeds 1,1", "1 twice"),
        ] {
            let said = typed(line).unwrap_err().to_string();
            assert!(said.contains(words) && said.contains("hint: "), "{line}: {said}");
        }
        assert_eq!(typed("lessons --help").unwrap(), Request::Help { asked: true });
    }

    #[test]
    fn notebooks_take_names_and_a_folder_of_runs() {
        let asked = |names: &[&str], runs: Option<&str>| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Request::Notebooks(notebooks::Asked { names, runs: runs.map(PathBuf::from) })
        };
        assert_eq!(typed("notebooks").unwrap(), asked(&[], None));
        assert_eq!(
            typed("notebooks B_digits notebooks/F_regression.ipynb --runs r").unwrap(),
            asked(&["B_digits", "F_regression"], Some("r"))
        );
        assert_eq!(typed("notebooks --runs=r").unwrap(), asked(&[], Some("r")));
        for (line, words) in [("notebooks --out r", "`--out`"), ("notebooks --runs", "without a folder")] {
            let said = typed(line).unwrap_err().to_string();
            assert!(said.contains(words) && said.contains("hint: "), "{line}: {said}");
        }
    }

    #[test]
    fn bench_takes_rounds_threads_and_parts() {
        let asked = |line: &str| match typed(line).unwrap() {
            Request::Bench(asked) => asked,
            other => panic!("{other:?}"),
        };
        assert_eq!(asked("bench"), bench::Asked::default());
        let all = asked("bench --quick --ours --rounds=3 --threads 1,2 --only mnist,start");
        assert!(all.quick && all.ours);
        assert_eq!((all.rounds, all.threads), (Some(3), vec![1, 2]));
        assert_eq!(all.only, ["mnist", "start"]);
        for (line, words) in [
            ("bench --rounds 0", "`--rounds` is `0`"),
            ("bench --threads 1,x", "`1,x`"),
            ("bench --only mnst", "`mnst`"),
            ("bench --only", "without a value"),
            ("bench mnist", "`mnist`"),
        ] {
            let said = typed(line).unwrap_err().to_string();
            assert!(said.contains(words) && said.contains("hint: "), "{line}: {said}");
        }
    }

    #[test]
    fn install_takes_a_root_in_both_spellings() {
        let expected = Request::Install { root: Some("/opt/r".into()) };
        assert_eq!(typed("install --root /opt/r").unwrap(), expected);
        assert_eq!(typed("install --root=/opt/r").unwrap(), expected);
        assert!(typed("install --root").is_err());
    }

    #[test]
    fn unknown_words_name_what_is_known() {
        assert!(typed("stup").unwrap_err().to_string().contains("`setup`"));
        assert!(typed("setup --gpu").unwrap_err().to_string().contains("`--cuda`"));
        assert_eq!(typed("").unwrap(), Request::Help { asked: false });
        assert_eq!(typed("install --help").unwrap(), Request::Help { asked: true });
    }
}
