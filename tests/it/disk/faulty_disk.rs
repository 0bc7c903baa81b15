//! A test directory whose disk can fail, runs in it, and checks of the files they leave.
//!
//! The faults are real errors of system calls. They come from a preloaded library (`faulty_disk.c`), from a limit on
//! file sizes, and from a disk of 64 KiB if one can be mounted. A test that changes something during a run holds the
//! run at a system call, so that no test depends on the speed of the machine.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as StdCommand, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{TestDir, assert_says, curves};

/// Error numbers that the system calls return.
pub const EINTR: &str = "4";
pub const EIO: &str = "5";
pub const ENOMEM: &str = "12";
pub const EEXIST: &str = "17";
pub const EINVAL: &str = "22";
pub const ENOSPC: &str = "28";
pub const EROFS: &str = "30";
pub const ENOLCK: &str = "37";
pub const ENOTSUP: &str = "95";
pub const ESTALE: &str = "116";

/// Matches a run's histories and weights, but not its plots and checkpoints.
pub const TRIAL_FILES: &str = "base-seed";

/// The library that makes system calls fail.
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("faulty-disk-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let file = folder.path().join("faulty_disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/disk/faulty_disk.c");
        let mut compiler = StdCommand::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&file).arg(source).arg("-ldl");
        assert!(compiler.status().unwrap().success(), "{compiler:?}");
        // every test runs in its own process: all rename the same file to this name
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faulty_disk.so");
        std::fs::rename(&file, &shared).unwrap();
        shared
    })
}

/// A test directory on a disk that can fail.
pub struct Disk {
    pub dir: TestDir,
}

impl Disk {
    pub fn new() -> Self {
        Disk { dir: TestDir::with_idea() }
    }

    /// The program with its cache in this directory. Faults are `("MATCH", "…")`, see `faulty_disk.c`. By default they
    /// apply to files under `runs`.
    pub fn command(&self, arguments: &[&str], faults: &[(&str, &str)]) -> StdCommand {
        let mut command = self.dir.command(arguments);
        command.env("XDG_CACHE_HOME", self.cache()).env("TMPDIR", self.temporary());
        if !faults.is_empty() {
            command.env("LD_PRELOAD", library()).env("FAULT_LOG", self.log());
            command.env("FAULT_UNDER", self.dir.path("runs"));
        }
        command.envs(faults.iter().map(|(name, value)| (format!("FAULT_{name}"), value)));
        command
    }

    pub fn cache(&self) -> PathBuf {
        self.dir.data_path("cache")
    }

    pub fn temporary(&self) -> PathBuf {
        let folder = self.dir.data_path("tmp");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub fn log(&self) -> PathBuf {
        self.dir.data_path("faults")
    }

    /// The system calls that failed or were held, one per line.
    pub fn faults(&self) -> Vec<String> {
        std::fs::read_to_string(self.log()).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Runs `idea.toml` with these faults.
    pub fn exp(&self, arguments: &[&str], faults: &[(&str, &str)]) -> Outcome {
        let all = [&["exp", "idea.toml", "--device", "cpu"], arguments].concat();
        Outcome::new(self.command(&all, faults).output().unwrap())
    }

    /// Starts `idea.toml` and waits until it is held at a system call. [`HeldRun::release`] lets it continue.
    pub fn start_and_hold(&self, arguments: &[&str], faults: &[(&str, &str)]) -> HeldRun {
        let gate_file = self.dir.data_path("gate");
        let all = [&["exp", "idea.toml", "--device", "cpu"], arguments].concat();
        let mut command = self.command(&all, faults);
        command.env("FAULT_HOLD", &gate_file).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        wait_for(|| gate_file.with_extension("reached").exists());
        HeldRun { child, gate_file }
    }

    /// Directory of the only run.
    #[track_caller]
    pub fn run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// Directories of all runs of `idea.toml`.
    pub fn runs(&self) -> Vec<PathBuf> {
        folders(&self.dir.path("runs/idea"))
    }

    /// The only fallback directory in a cache directory.
    #[track_caller]
    pub fn fallback_directory(&self, cache: &Path) -> PathBuf {
        let directories = folders(&cache.join("rescued"));
        assert_eq!(directories.len(), 1, "{directories:?}");
        directories[0].clone()
    }

    /// Asserts that a directory contains the same histories and weights as a run without faults.
    #[track_caller]
    pub fn assert_trials_saved(&self, folder: &Path, arguments: &[&str]) {
        assert_files_complete(folder);
        let undisturbed = self.dir.histories(&[&["idea.toml", "--out", "undisturbed"], arguments].concat());
        for history in undisturbed {
            let stem = format!("base-seed{}", history["seed"]);
            let kept = json(&folder.join(format!("{stem}.json")));
            assert_eq!(curves(&kept), curves(&history));
            assert_eq!(kept["test"], history["test"]);
            assert!(folder.join(format!("{stem}.safetensors")).is_file());
        }
    }
}

/// A run that is held at a system call.
pub struct HeldRun {
    pub child: Child,
    pub gate_file: PathBuf,
}

impl HeldRun {
    pub fn release(self) -> Outcome {
        std::fs::write(&self.gate_file, "").unwrap();
        Outcome::new(self.child.wait_with_output().unwrap())
    }
}

/// Exit code and output of the program.
pub struct Outcome {
    pub code: Option<i32>,
    pub stderr: String,
    pub stdout: String,
}

impl Outcome {
    pub fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code(), stderr: text(output.stderr), stdout: text(output.stdout) }
    }

    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn assert_says(self, words: &[&str]) -> Self {
        assert_says(&self.stderr, words);
        self
    }
}

/// Waits at most three minutes until a condition is true.
#[track_caller]
pub fn wait_for(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(180), "the condition is still false after three minutes");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Subdirectories of a directory, without links.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let mut folders: Vec<PathBuf> =
        entries.filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| entry.path()).collect();
    folders.sort();
    folders
}

pub fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[track_caller]
pub fn json(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Asserts that every file is complete and that no temporary files or locks are left.
#[track_caller]
pub fn assert_files_complete(folder: &Path) {
    for name in names(folder) {
        assert!(!name.starts_with('.'), "`{name}` was not removed from {}", folder.display());
        let file = folder.join(&name);
        let bytes = std::fs::read(&file).unwrap();
        match file.extension().and_then(OsStr::to_str) {
            Some("json") => drop(serde_json::from_slice::<Value>(&bytes).unwrap()),
            Some("safetensors" | "checkpoint") => drop(SafeTensors::deserialize(&bytes).unwrap()),
            Some("toml") => drop(toml_edit::de::from_slice::<Value>(&bytes).unwrap()),
            Some("svg") => assert!(bytes.ends_with(b"</svg>\n") || bytes.ends_with(b"</svg>"), "{name}"),
            // removed when the run is finished; its last line may be incomplete
            _ if name == "live.jsonl" => {}
            _ => panic!("unexpected file `{name}`"),
        }
    }
}

/// Hold the run before it creates the weights file, or after it wrote part of that file.
pub const BEFORE_WEIGHTS: [(&str, &str); 2] = [("CALL", "open"), ("MATCH", "base-seed0.safetensors")];
pub const DURING_WEIGHTS: [(&str, &str); 2] = [("CALL", "fsync"), ("MATCH", "base-seed0.safetensors")];
