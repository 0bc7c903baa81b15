//! A disk that can be made to fail, a run on it, and what has to be whole at the end.
//!
//! The faults are real errors of the system's calls, from a library that is preloaded into the program
//! (`faulty_disk.c`), from a limit of file sizes, and from a disk of 64 KiB where one may be mounted. What has to happen
//! while a run goes on waits for the run at a call, so that no test hangs on how fast the machine is.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as StdCommand, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{Place, assert_says, curves};

/// What the system's calls fail with.
pub const EINTR: &str = "4";
pub const EIO: &str = "5";
pub const ENOMEM: &str = "12";
pub const EINVAL: &str = "22";
pub const ENOSPC: &str = "28";
pub const EROFS: &str = "30";
pub const ENOLCK: &str = "37";
pub const ENOTSUP: &str = "95";

/// A run's history and weights, and not its pictures or checkpoints.
pub const OF_TRIALS: &str = "base-seed";

/// The library that makes calls fail.
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("faulty-disk-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let file = folder.path().join("faulty_disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/disk/faulty_disk.c");
        let mut compiler = StdCommand::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&file).arg(source).arg("-ldl");
        assert!(compiler.status().unwrap().success(), "{compiler:?}");
        // each test is a process of its own: the last name is one, and the same file
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faulty_disk.so");
        std::fs::rename(&file, &shared).unwrap();
        shared
    })
}

/// A place to run the program in, on a disk that can be made to fail.
pub struct Disk {
    pub place: Place,
}

impl Disk {
    pub fn new() -> Self {
        Disk { place: Place::with_idea() }
    }

    /// The program, whose cache folder is here; faults are `("MATCH", "…")` as `faulty_disk.c` has them, below `runs`
    /// unless they say otherwise.
    pub fn command(&self, arguments: &[&str], faults: &[(&str, &str)]) -> StdCommand {
        let mut command = self.place.command(arguments);
        command.env("XDG_CACHE_HOME", self.cache()).env("TMPDIR", self.temporary());
        if !faults.is_empty() {
            command.env("LD_PRELOAD", library()).env("FAULT_LOG", self.log());
            command.env("FAULT_UNDER", self.place.path("runs"));
        }
        command.envs(faults.iter().map(|(name, value)| (format!("FAULT_{name}"), value)));
        command
    }

    pub fn cache(&self) -> PathBuf {
        self.place.data_path("cache")
    }

    pub fn temporary(&self) -> PathBuf {
        let folder = self.place.data_path("tmp");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub fn log(&self) -> PathBuf {
        self.place.data_path("faults")
    }

    /// Which calls were made to fail or wait, a line each.
    pub fn faults(&self) -> Vec<String> {
        std::fs::read_to_string(self.log()).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Runs the idea with these faults.
    pub fn exp(&self, arguments: &[&str], faults: &[(&str, &str)]) -> Ended {
        let all = [&["exp", "idea.toml", "--device", "cpu"], arguments].concat();
        Ended::of(self.command(&all, faults).output().unwrap())
    }

    /// Starts the idea, and waits until it waits at a call. What it was waiting for is let happen by [`Waiting::go_on`].
    pub fn exp_that_waits(&self, arguments: &[&str], faults: &[(&str, &str)]) -> Waiting {
        let gate = self.place.data_path("gate");
        let all = [&["exp", "idea.toml", "--device", "cpu"], arguments].concat();
        let mut command = self.command(&all, faults);
        command.env("FAULT_HOLD", &gate).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        wait_for(|| gate.with_extension("reached").exists());
        Waiting { child, gate }
    }

    /// The folder of the one run there is.
    #[track_caller]
    pub fn run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// The folders of all runs of the idea.
    pub fn runs(&self) -> Vec<PathBuf> {
        folders(&self.place.path("runs/idea"))
    }

    /// The fall-back place in a folder of caches.
    #[track_caller]
    pub fn rescued(&self, cache: &Path) -> PathBuf {
        let places = folders(&cache.join("rescued"));
        assert_eq!(places.len(), 1, "{places:?}");
        places[0].clone()
    }

    /// A folder holds the histories and weights of a run without faults.
    #[track_caller]
    pub fn assert_kept(&self, folder: &Path, arguments: &[&str]) {
        assert_whole(folder);
        let without = self.place.histories(&[&["idea.toml", "--out", "undisturbed"], arguments].concat());
        for history in without {
            let stem = format!("base-seed{}", history["seed"]);
            let kept = json(&folder.join(format!("{stem}.json")));
            assert_eq!(curves(&kept), curves(&history));
            assert_eq!(kept["test"], history["test"]);
            assert!(folder.join(format!("{stem}.safetensors")).is_file());
        }
    }
}

/// A run that waits at a call.
pub struct Waiting {
    pub child: Child,
    pub gate: PathBuf,
}

impl Waiting {
    pub fn go_on(self) -> Ended {
        std::fs::write(&self.gate, "").unwrap();
        Ended::of(self.child.wait_with_output().unwrap())
    }
}

/// How the program has ended.
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
    pub printed: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), said: text(output.stderr), printed: text(output.stdout) }
    }

    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.printed, self.said);
        self
    }

    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        assert_says(&self.said, words);
        self
    }
}

/// Waits until something holds, a minute at most.
#[track_caller]
pub fn wait_for(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The folders in a folder, without links.
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

/// Every file is whole, and nothing is left of a write or of a writer.
#[track_caller]
pub fn assert_whole(folder: &Path) {
    for name in names(folder) {
        assert!(!name.starts_with('.'), "`{name}` is left in {}", folder.display());
        let file = folder.join(&name);
        let bytes = std::fs::read(&file).unwrap();
        match file.extension().and_then(OsStr::to_str) {
            Some("json") => drop(serde_json::from_slice::<Value>(&bytes).unwrap()),
            Some("safetensors") => drop(SafeTensors::deserialize(&bytes).unwrap()),
            Some("toml") => drop(toml_edit::de::from_slice::<Value>(&bytes).unwrap()),
            Some("svg") => assert!(bytes.ends_with(b"</svg>\n") || bytes.ends_with(b"</svg>"), "{name}"),
            _ => panic!("what is `{name}`?"),
        }
    }
}

/// The run stands still before the weights have a file, and again once half of a file is written.
pub const BEFORE_THE_WEIGHTS: [(&str, &str); 2] = [("CALL", "open"), ("MATCH", "base-seed0.safetensors")];
pub const AMID_THE_WEIGHTS: [(&str, &str); 2] = [("CALL", "fsync"), ("MATCH", "base-seed0.safetensors")];
