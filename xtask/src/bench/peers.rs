//! The Pythons of the peers: one with PyTorch and what the table part needs, one with Keras.
//!
//! Each is a virtual environment in the target folder with the packages that a file in `benches/` pins, or, where
//! `RUNNER_BENCH_TORCH` or `RUNNER_BENCH_KERAS` names one, a Python that has them. One that cannot be had is told as
//! missing, and the other programs are measured without it.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::python::Environment;
use crate::workspace::Workspace;
use crate::{say, tool};

/// A Python with packages of the peers.
#[derive(Debug)]
pub struct Python {
    environment: Environment,
    root: PathBuf,
    threads: usize,
    /// `torch 2.11.0+cu130`, …, Python's own first.
    pub versions: Vec<String>,
}

/// Both of them, or why there is none.
#[derive(Debug)]
pub struct Peers {
    pub torch: Result<Python, String>,
    pub keras: Result<Python, String>,
}

/// What one of them is made of.
struct Recipe {
    folder: &'static str,
    requirements: &'static str,
    variable: &'static str,
    packages: &'static [&'static str],
}

const TORCH: Recipe = Recipe {
    folder: "bench-torch",
    requirements: "benches/requirements-torch.txt",
    variable: "RUNNER_BENCH_TORCH",
    packages: &["torch", "scikit-learn", "imbalanced-learn", "pandas", "numpy"],
};
const KERAS: Recipe = Recipe {
    folder: "bench-keras",
    requirements: "benches/requirements-keras.txt",
    variable: "RUNNER_BENCH_KERAS",
    packages: &["keras", "tensorflow-cpu", "scikit-learn", "numpy"],
};

impl Peers {
    /// Finds or makes both.
    pub fn find(workspace: &Workspace, threads: usize) -> Self {
        let find = |recipe: &Recipe| {
            Python::find(workspace, recipe, threads).map_err(|error| {
                let why = format!("{error:#}");
                say::note(&format!("no Python with {}: {why}", recipe.packages.join(", ")));
                why.lines().next().unwrap_or_default().to_owned()
            })
        };
        Self { torch: find(&TORCH), keras: find(&KERAS) }
    }

    /// None of them, and why.
    pub fn none(why: &str) -> Self {
        Self { torch: Err(why.to_owned()), keras: Err(why.to_owned()) }
    }

    /// What is to be known of PyTorch's start, if it is so.
    pub fn built_for_cuda(&self) -> &'static str {
        let is_it = |version: &String| version.starts_with("torch ") && version.contains("+cu");
        match self.torch.as_ref().is_ok_and(|python| python.versions.iter().any(is_it)) {
            true => {
                "This PyTorch, as PyPI has it, is built for CUDA, also where there is no GPU: its imports and its memory are \
                 larger than those of a build for the CPU."
            }
            false => "",
        }
    }

    /// With so many threads from here on.
    pub fn limit(&mut self, threads: usize) {
        for python in [&mut self.torch, &mut self.keras].into_iter().flatten() {
            python.threads = threads;
        }
    }
}

impl Python {
    fn find(workspace: &Workspace, recipe: &Recipe, threads: usize) -> Result<Self> {
        let environment = match env::var_os(recipe.variable).filter(|own| !own.is_empty()) {
            Some(own) => {
                let Some(program) = tool::program(&own) else {
                    let variable = recipe.variable;
                    bail!(
                        "`{variable}` is `{}`, which is no program\nhint: give it the path of a Python",
                        own.display()
                    );
                };
                Environment::of(program)
            }
            None => Environment::with(workspace, recipe.folder, &[recipe.requirements])?,
        };
        let mut python = Self { environment, root: workspace.root().to_path_buf(), threads, versions: Vec::new() };
        python.versions = python.versions_of(recipe)?;
        Ok(python)
    }

    /// `python benches/SCRIPT`, in the root of the checkout, with no more threads than it may have.
    pub fn script(&self, script: &str) -> Command {
        let mut command = self.environment.python();
        command.arg(format!("benches/{script}")).current_dir(&self.root);
        limit_threads(&mut command, self.threads);
        // Keras's and TensorFlow's talk is not timed by how fast a pipe takes it.
        command.env("TF_CPP_MIN_LOG_LEVEL", "3").env("KERAS_BACKEND", "tensorflow");
        command
    }

    /// A peer with `--threads`.
    pub fn peer(&self, script: &str) -> Command {
        let mut command = self.script(script);
        command.args(["--threads", &self.threads.to_string()]);
        command
    }

    /// `python -c CODE`
    pub fn code(&self, code: &str) -> Command {
        let mut command = self.environment.python();
        command.args(["-c", code]).current_dir(&self.root);
        limit_threads(&mut command, self.threads);
        command.env("TF_CPP_MIN_LOG_LEVEL", "3");
        command
    }

    fn versions_of(&self, recipe: &Recipe) -> Result<Vec<String>> {
        // PyTorch's package does not tell what it was built for, but PyTorch does.
        let code = format!(
            "import importlib.metadata as m, json, platform\n\
             def version(name):\n    \
                 try: return __import__(name).__version__ if name == 'torch' else m.version(name)\n    \
                 except (m.PackageNotFoundError, ImportError): return None\n\
             print(json.dumps([platform.python_version()] + [version(name) for name in {:?}]))",
            recipe.packages
        );
        let answer = tool::ask(&mut self.code(&code))?;
        let versions: Vec<Value> = serde_json::from_str(&answer.stdout)
            .with_context(|| format!("failed to ask Python for its packages: {}", answer.stderr.trim()))?;
        let names = std::iter::once(&"Python").chain(recipe.packages);
        let mut shown = Vec::new();
        for (name, version) in names.zip(versions) {
            match version.as_str() {
                Some(version) => shown.push(format!("{name} {version}")),
                None => bail!(
                    "the Python that `{}` names has no {name}\nhint: install `{}` into it, or unset the variable",
                    recipe.variable,
                    recipe.requirements
                ),
            }
        }
        Ok(shown)
    }
}

/// The variables by which libraries of Python and of Rust are told how many threads to take.
const THREADS: [&str; 6] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
];

fn limit_threads(command: &mut Command, threads: usize) {
    for name in THREADS {
        command.env(name, threads.to_string());
    }
}

/// Nothing that the user's shell says of threads: the program chooses by the cores that it is given.
pub fn free_threads(command: &mut Command) {
    for name in THREADS.iter().filter(|name| env::var_os(name).is_some()) {
        command.env_remove::<&OsStr>(name.as_ref());
    }
}
