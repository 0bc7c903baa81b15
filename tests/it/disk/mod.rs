//! Disks that fail, and runners that meet in one folder: what was trained is kept, whole, and it is said where.
//!
//! The faults are real errors of the system's calls, from a library that is preloaded into the program
//! (`faulty_disk.c`), from a limit of file sizes, and from a disk of 64 KiB where one may be mounted. What has to happen
//! while a run goes on waits for the run at a call, so that no test hangs on how fast the machine is.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as StdCommand, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{IDEA, Place, RUNNER, assert_says, curves, send};

/// What the system's calls fail with.
const EINTR: &str = "4";
const EIO: &str = "5";
const ENOMEM: &str = "12";
const EINVAL: &str = "22";
const ENOSPC: &str = "28";
const EROFS: &str = "30";
const ENOLCK: &str = "37";
const ENOTSUP: &str = "95";

/// A run's history and weights, and not its pictures or checkpoints.
const OF_TRIALS: &str = "base-seed";

/// The library that makes calls fail.
fn library() -> &'static Path {
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
struct Disk {
    place: Place,
}

impl Disk {
    fn new() -> Self {
        Disk { place: Place::with_idea() }
    }

    /// The program, whose cache folder is here; faults are `("MATCH", "…")` as `faulty_disk.c` has them, below `runs`
    /// unless they say otherwise.
    fn command(&self, arguments: &[&str], faults: &[(&str, &str)]) -> StdCommand {
        let mut command = self.place.command(arguments);
        command.env("XDG_CACHE_HOME", self.cache()).env("TMPDIR", self.temporary());
        if !faults.is_empty() {
            command.env("LD_PRELOAD", library()).env("FAULT_LOG", self.log());
            command.env("FAULT_UNDER", self.place.path("runs"));
        }
        command.envs(faults.iter().map(|(name, value)| (format!("FAULT_{name}"), value)));
        command
    }

    fn cache(&self) -> PathBuf {
        self.place.data_path("cache")
    }

    fn temporary(&self) -> PathBuf {
        let folder = self.place.data_path("tmp");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn log(&self) -> PathBuf {
        self.place.data_path("faults")
    }

    /// Which calls were made to fail or wait, a line each.
    fn faults(&self) -> Vec<String> {
        std::fs::read_to_string(self.log()).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Runs the idea with these faults.
    fn exp(&self, arguments: &[&str], faults: &[(&str, &str)]) -> Ended {
        let all = [&["exp", "idea.toml", "--device", "cpu"], arguments].concat();
        Ended::of(self.command(&all, faults).output().unwrap())
    }

    /// Starts the idea, and waits until it waits at a call. What it was waiting for is let happen by [`Waiting::go_on`].
    fn exp_that_waits(&self, arguments: &[&str], faults: &[(&str, &str)]) -> Waiting {
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
    fn run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// The folders of all runs of the idea.
    fn runs(&self) -> Vec<PathBuf> {
        folders(&self.place.path("runs/idea"))
    }

    /// The fall-back place in a folder of caches.
    #[track_caller]
    fn rescued(&self, cache: &Path) -> PathBuf {
        let places = folders(&cache.join("rescued"));
        assert_eq!(places.len(), 1, "{places:?}");
        places[0].clone()
    }

    /// A folder holds the histories and weights of a run without faults.
    #[track_caller]
    fn assert_kept(&self, folder: &Path, arguments: &[&str]) {
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
struct Waiting {
    child: Child,
    gate: PathBuf,
}

impl Waiting {
    fn go_on(self) -> Ended {
        std::fs::write(&self.gate, "").unwrap();
        Ended::of(self.child.wait_with_output().unwrap())
    }
}

/// How the program has ended.
struct Ended {
    code: Option<i32>,
    said: String,
    printed: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), said: text(output.stderr), printed: text(output.stdout) }
    }

    #[track_caller]
    fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.printed, self.said);
        self
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        assert_says(&self.said, words);
        self
    }
}

/// Waits until something holds, a minute at most.
#[track_caller]
fn wait_for(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The folders in a folder, without links.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let mut folders: Vec<PathBuf> =
        entries.filter(|entry| entry.file_type().unwrap().is_dir()).map(|entry| entry.path()).collect();
    folders.sort();
    folders
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[track_caller]
fn json(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Every file is whole, and nothing is left of a write or of a writer.
#[track_caller]
fn assert_whole(folder: &Path) {
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

// For a while

#[test]
fn a_disk_that_is_full_for_a_while_is_waited_for() {
    let disk = Disk::new();
    let ended = disk.exp(&[], &[("CALL", "write"), ("MATCH", OF_TRIALS), ("ERRNO", ENOSPC), ("TIMES", "3")]);
    assert_eq!(ended.code(0).said.matches("No space").count(), 0);
    assert_eq!(disk.faults().len(), 3);
    disk.assert_kept(&disk.run(), &[]);
    assert!(!disk.cache().exists(), "nothing had to be rescued");
}

#[test]
fn what_could_not_be_brought_onto_the_disk_is_written_again() {
    for call in ["fsync", "syncdir", "rename"] {
        let disk = Disk::new();
        let matched = if call == "syncdir" { "runs/idea/2" } else { OF_TRIALS };
        let after = if call == "syncdir" { "2" } else { "0" }; // what is written before training is not tried again
        let faults = [("CALL", call), ("MATCH", matched), ("ERRNO", EIO), ("AFTER", after), ("TIMES", "2")];
        disk.exp(&[], &faults).code(0);
        assert_eq!(disk.faults().len(), 2, "{call}");
        disk.assert_kept(&disk.run(), &[]);
    }
}

#[test]
fn a_disk_that_is_slow_to_sync_is_waited_for() {
    let disk = Disk::new();
    disk.exp(&["--checkpoint", "1"], &[("CALL", "fsync"), ("MATCH", "seed0.json"), ("DELAY", "1500")]).code(0);
    assert!(!disk.faults().is_empty());
    disk.assert_kept(&disk.run(), &[]);
}

#[test]
fn calls_that_a_signal_interrupts_are_done_again_at_once() {
    let disk = Disk::new();
    let faults = [("CALL", "open write fsync syncdir rename"), ("ERRNO", EINTR), ("AFTER", "9"), ("TIMES", "40")];
    disk.exp(&[], &faults).code(0);
    assert_eq!(disk.faults().len(), 40);
    disk.assert_kept(&disk.run(), &[]);
}

// What a file system does not have

#[test]
fn a_file_system_without_locks_or_syncs_is_no_hindrance() {
    for (calls, error) in [("flock", ENOLCK), ("flock fsync syncdir", ENOTSUP), ("fsync syncdir", EINVAL)] {
        let disk = Disk::new();
        let ended = disk.exp(&[], &[("CALL", calls), ("ERRNO", error)]).code(0);
        assert!(!ended.said.contains("warning"), "{}", ended.said);
        for call in calls.split(' ') {
            assert!(disk.faults().iter().any(|line| line.starts_with(call)), "{call}");
        }
        disk.assert_kept(&disk.run(), &[]);
    }
}

// For good

#[test]
fn what_a_full_disk_does_not_take_is_kept_in_the_cache_folder_and_said_so() {
    let disk = Disk::new();
    let ended = disk.exp(&[], &[("CALL", "write"), ("MATCH", OF_TRIALS), ("ERRNO", ENOSPC)]).code(2);
    assert!(disk.faults().len() >= 5, "it was tried again: {:?}", disk.faults());
    let (run, place) = (disk.run(), disk.rescued(&disk.cache().join("runner")));
    assert!(!names(&run).iter().any(|name| name.starts_with(OF_TRIALS)), "{:?}", names(&run));
    assert_whole(&run);
    disk.assert_kept(&place, &[]);
    let title = format!("idea-{}", run.file_name().unwrap().to_string_lossy());
    assert_eq!(place.file_name().unwrap().to_string_lossy(), title);
    let shown = place.display().to_string();
    let ended = ended.says(&["No space left on device", "base-seed0.json", "base-seed0.safetensors", &shown, "hint: "]);
    assert!(ended.printed.contains("underfitting"), "the summary is there all the same: {}", ended.printed);
    // it reads as the run that it is, and the hint makes it whole
    disk.place.run(&["eval", &shown, "--data", "train"]).code(0);
    let copy = ended.said.split('`').find(|words| words.starts_with("cp ")).unwrap();
    assert!(StdCommand::new("sh").args(["-c", copy]).current_dir(disk.place.path("")).status().unwrap().success());
    disk.assert_kept(&run, &[]);
}

#[test]
fn a_disk_that_can_only_be_read_is_not_waited_for_long() {
    let disk = Disk::new();
    let ended = disk.exp(&["--seeds", "0..1"], &[("CALL", "open"), ("MATCH", OF_TRIALS), ("ERRNO", EROFS)]).code(2);
    let of_first = disk.faults().iter().filter(|line| line.contains("seed0.safetensors")).count();
    assert!((1..=3).contains(&of_first), "{:?}", disk.faults());
    ended.says(&["Read-only file system", "base-seed1.safetensors"]);
    disk.assert_kept(&disk.rescued(&disk.cache().join("runner")), &["--seeds", "0..1"]);
}

#[test]
fn a_fall_back_place_that_fails_too_has_others_behind_it() {
    for (blocked, kept) in [("cache", "rescued"), ("cache and data", "tmp")] {
        let disk = Disk::new();
        std::fs::write(disk.cache(), "no folder").unwrap();
        if blocked == "cache and data" {
            std::fs::write(disk.place.data_path("rescued"), "no folder").unwrap();
        }
        let ended = disk.exp(&[], &[("CALL", "open"), ("MATCH", OF_TRIALS), ("ERRNO", EROFS)]).code(2);
        let base = match kept {
            "tmp" => folders(&disk.temporary()).remove(0),
            _ => disk.place.data_path("rescued"),
        };
        let places = folders(&base);
        assert_eq!(places.len(), 1);
        disk.assert_kept(&places[0], &[]);
        ended.says(&[&places[0].display().to_string()]);
    }
}

#[test]
fn where_no_disk_takes_anything_the_run_still_ends_in_words_and_prints_what_it_found() {
    let disk = Disk::new();
    let faults = [("CALL", "open"), ("MATCH", OF_TRIALS), ("ERRNO", EROFS), ("UNDER", "/")];
    let ended = disk.exp(&["--json"], &faults).code(2);
    let printed: Value = serde_json::from_str(&ended.printed).unwrap();
    let without = disk.place.history(&["idea.toml", "--out", "undisturbed"]);
    assert_eq!(curves(&printed["histories"][0]), curves(&without));
    let (cache, tmp) = (disk.cache().display().to_string(), disk.temporary().display().to_string());
    ended.says(&["Read-only file system", "base-seed0.json", &cache, &tmp, "hint: "]);
    assert_whole(&disk.run());
    assert!(folders(&disk.cache().join("runner/rescued")).is_empty() && folders(&disk.temporary()).is_empty());
}

#[test]
fn a_full_disk_is_found_before_anything_is_trained() {
    for (call, matched) in
        [("write", "experiment.toml"), ("mkdir", "idea/2"), ("open", "runner-probe"), ("write", "run.json")]
    {
        let disk = Disk::new();
        let here = disk.place.path("").display().to_string();
        let faults = [("CALL", call), ("MATCH", matched), ("ERRNO", ENOSPC), ("UNDER", &here)];
        let ended = disk.exp(&[], &faults).code(2);
        assert_eq!(disk.faults().len(), 1, "{matched}: {:?}", disk.faults());
        ended.says(&["error: ", "No space left on device", "--out DIR"]);
        assert!(disk.runs().is_empty(), "{matched}: {:?}", disk.place.files());
        assert!(disk.place.path("runs/idea/latest").symlink_metadata().is_err());
    }
}

#[test]
fn checkpoints_that_cannot_be_written_stop_nothing() {
    let disk = Disk::new();
    let faults = [("CALL", "write"), ("MATCH", "checkpoint"), ("ERRNO", ENOSPC)];
    let ended = disk.exp(&["--epochs", "4", "--checkpoint", "1"], &faults).code(0);
    assert!(disk.faults().len() >= 3, "{:?}", disk.faults());
    assert_eq!(ended.said.matches("no checkpoint of epoch").count(), 1, "{}", ended.said);
    disk.assert_kept(&disk.run(), &["--epochs", "4"]);
}

#[test]
fn pictures_that_cannot_be_written_are_a_warning() {
    let disk = Disk::new();
    let ended = disk.exp(&[], &[("CALL", "fsync"), ("MATCH", ".svg"), ("ERRNO", EIO)]).code(0);
    assert!(!disk.faults().is_empty());
    ended.says(&["warning: ", ".svg"]);
    disk.assert_kept(&disk.run(), &[]);
}

#[test]
fn a_stop_says_where_the_run_resumes_without_reading_its_checkpoint() {
    let disk = Disk::new();
    // reading the checkpoint fails, as it does where the file is larger than the free memory
    let faults = [("CALL", "read"), ("MATCH", "checkpoint.safetensors"), ("ERRNO", ENOMEM)];
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--epochs", "100000", "--checkpoint", "never"];
    let mut child = disk.command(&arguments, &faults).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(talk.any(|line| line.starts_with("epoch      3/")));
    send(&child, libc::SIGTERM);
    let last = talk.last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(last.starts_with("interrupted after epoch ") && last.ends_with("` goes on"), "{last}");
    assert!(disk.run().join("checkpoint.safetensors").is_file());
    assert!(disk.faults().is_empty(), "{:?}", disk.faults());
}

// How often a file is read

#[test]
fn a_command_reads_each_history_once() {
    let disk = Disk::new();
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\n";
    disk.place.write("idea.toml", format!("{IDEA}\n{variants}"));
    disk.exp(&[], &[]).code(0);
    let name = "a-seed0.json";
    // the library logs each call that it delays
    let faults = [("CALL", "read"), ("MATCH", name), ("DELAY", "1")];
    for arguments in [
        &["eval", "idea", "--data", "train"][..],
        &["predict", "idea", "--index", "0", "--rows", "train"],
        &["plot", "idea", "--output", "curves.svg"],
        &["report", "idea", "--output", "report.html"],
        &["runs"],
        &["compare", "idea"],
        &["compare", "idea/a", "idea/b"],
    ] {
        let _ = std::fs::remove_file(disk.log());
        Ended::of(disk.command(arguments, &faults).output().unwrap()).code(0);
        // the run is read once for each argument that names it
        let wanted = if arguments.contains(&"idea/b") { 2 } else { 1 };
        assert_eq!(disk.faults().len(), wanted, "{arguments:?}: {:?}", disk.faults());
    }
}

// Real limits

/// Weights of 90 KB, the rest being small.
const WIDE: [&str; 2] = ["--set", "network.layers=[{ linear = 300 }, \"relu\", { linear = 10 }]"];

/// Runs the wide idea from a shell's script, which finds the program's command in `"$@"` and the folder of runs in `$1`.
fn exp_in_script(disk: &Disk, shell: &[&str], script: &str) -> Ended {
    let command = disk.command(&[], &[]);
    let environment = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut outer = StdCommand::new(shell[0]);
    outer.envs(environment).current_dir(disk.place.path(""));
    outer.args(&shell[1..]).args(["-c", script, "sh", RUNNER, "exp", "idea.toml", "--device", "cpu"]).args(WIDE);
    Ended::of(outer.output().unwrap())
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_not_the_end_of_the_program() {
    let disk = Disk::new();
    // in blocks of 512 bytes or of 1024, as the shell has it: less than the weights, more than all the rest
    let ended = exp_in_script(&disk, &["sh"], "ulimit -f 80; exec \"$@\"").code(2);
    ended.says(&["File too large", "base-seed0.safetensors"]);
    assert_whole(&disk.run());
    assert!(disk.run().join("base-seed0.json").is_file());
    assert!(!disk.run().join("base-seed0.safetensors").exists());
}

/// A shell that may mount, in a world of its own; none where the system does not let it.
fn shell_that_mounts() -> Option<&'static [&'static str]> {
    let shell: &[&str] = &["unshare", "--user", "--map-root-user", "--mount", "sh"];
    let tried = StdCommand::new(shell[0]).args(&shell[1..]).args(["-c", "mount -t tmpfs none /mnt"]).output();
    tried.is_ok_and(|tried| tried.status.success()).then_some(shell)
}

#[test]
fn a_disk_that_is_too_small_keeps_what_it_holds_and_the_rest_is_rescued() {
    let Some(shell) = shell_that_mounts() else {
        let skipped = "skipped: no disk may be mounted here; what fails with ENOSPC above stands in for it";
        return writeln!(std::io::stderr(), "{skipped}").unwrap();
    };
    let disk = Disk::new();
    disk.place.write("runs/.keep", "");
    disk.place.write("after/.keep", "");
    // 64 KiB, on which the weights do not fit; what it holds in the end is copied out, for it ends with the shell
    let script = "mount -t tmpfs -o size=64k none runs && \"$@\"; code=$?; cp -a runs/. after; df runs >&2; exit $code";
    let ended = exp_in_script(&disk, shell, script).code(2);
    ended.says(&["No space left on device", "base-seed0.safetensors"]);
    let runs = folders(&disk.place.path("after/idea"));
    assert_eq!(runs.len(), 1);
    assert_whole(&runs[0]);
    let place = disk.rescued(&disk.cache().join("runner"));
    assert_whole(&place);
    assert!(place.join("base-seed0.safetensors").metadata().unwrap().len() > 64 * 1024);
    assert!(runs[0].join("base-seed0.json").exists() || place.join("base-seed0.json").exists());
}

// Folders that are taken away

/// The run stands still before the weights have a file, and again once half of a file is written.
const BEFORE_THE_WEIGHTS: [(&str, &str); 2] = [("CALL", "open"), ("MATCH", "base-seed0.safetensors")];
const AMID_THE_WEIGHTS: [(&str, &str); 2] = [("CALL", "fsync"), ("MATCH", "base-seed0.safetensors")];

#[test]
fn a_folder_that_is_removed_while_the_run_goes_on_is_made_anew() {
    for (faults, removed) in [(BEFORE_THE_WEIGHTS, "runs"), (AMID_THE_WEIGHTS, "runs/idea/latest/.")] {
        let disk = Disk::new();
        let waiting = disk.exp_that_waits(&[], &faults);
        std::fs::remove_dir_all(disk.place.path(removed).canonicalize().unwrap()).unwrap();
        let ended = waiting.go_on().code(0);
        ended.says(&["warning: ", "was removed"]);
        disk.assert_kept(&disk.run(), &[]);
        for name in ["experiment.toml", "run.json"] {
            assert!(disk.run().join(name).is_file(), "{name}");
        }
        disk.place.run(&["eval", "idea", "--data", "train"]).code(0);
    }
}

#[test]
fn what_a_removed_folder_took_with_it_is_named_and_histories_are_written_again() {
    let disk = Disk::new();
    let faults = [("CALL", "open"), ("MATCH", "base-seed1.safetensors")];
    let waiting = disk.exp_that_waits(&["--seeds", "0..1"], &faults);
    std::fs::remove_dir_all(disk.run()).unwrap();
    let ended = waiting.go_on().code(2);
    ended.says(&["base-seed0.safetensors", "was removed"]);
    let run = disk.run();
    assert_whole(&run);
    let kept: Vec<bool> =
        ["base-seed0.json", "base-seed1.json", "base-seed1.safetensors"].map(|name| run.join(name).is_file()).into();
    assert_eq!(kept, [true; 3], "{:?}", names(&run));
}

#[test]
fn a_folder_that_is_replaced_by_a_file_is_left_alone_and_what_was_trained_is_rescued() {
    let disk = Disk::new();
    let waiting = disk.exp_that_waits(&[], &BEFORE_THE_WEIGHTS);
    let run = disk.run();
    std::fs::remove_dir_all(&run).unwrap();
    std::fs::write(&run, "the user's own").unwrap();
    let ended = waiting.go_on().code(2);
    let place = disk.rescued(&disk.cache().join("runner"));
    ended.says(&["Not a directory", &place.display().to_string()]);
    disk.assert_kept(&place, &[]);
    assert_eq!(std::fs::read_to_string(&run).unwrap(), "the user's own");
}

#[test]
fn what_a_killed_run_has_half_written_is_removed_when_it_goes_on() {
    let disk = Disk::new();
    let mut waiting = disk.exp_that_waits(&[], &AMID_THE_WEIGHTS);
    waiting.child.kill().unwrap();
    waiting.child.wait().unwrap();
    let run = disk.run();
    assert!(names(&run).iter().any(|name| name.ends_with(".part")), "{:?}", names(&run));
    let listed = Ended::of(disk.command(&["runs"], &[]).output().unwrap());
    assert!(listed.code == Some(0) && !listed.said.contains("error"), "{}", listed.said);
    let resumed = disk.command(&["resume", run.to_str().unwrap()], &[]).output().unwrap();
    Ended::of(resumed).code(0);
    disk.assert_kept(&run, &[]);
}

// Many runners

#[test]
fn a_run_has_one_writer_at_a_time_and_the_second_is_told() {
    let disk = Disk::new();
    let mut waiting = disk.exp_that_waits(&[], &BEFORE_THE_WEIGHTS);
    let run = disk.run();
    let resume = |faults| Ended::of(disk.command(&["resume", run.to_str().unwrap()], faults).output().unwrap());
    let process = format!("process {}", waiting.child.id());
    resume(&[]).code(2).says(&["is being written by another runner", &process, "hint: "]);
    assert!(names(&run).contains(".lock"));
    waiting.child.kill().unwrap();
    waiting.child.wait().unwrap();

    // the lock of the dead is no lock, and of two that go on one does
    std::fs::remove_file(waiting.gate.with_extension("reached")).unwrap();
    let gate = waiting.gate.to_str().unwrap();
    let mut resumes = disk.command(&["resume", run.to_str().unwrap()], &BEFORE_THE_WEIGHTS);
    resumes.env("FAULT_HOLD", gate).stdout(Stdio::piped()).stderr(Stdio::piped());
    let first = resumes.spawn().unwrap();
    wait_for(|| waiting.gate.with_extension("reached").exists());
    resume(&[]).code(2).says(&["is being written by another runner"]);
    Waiting { child: first, gate: waiting.gate.clone() }.go_on().code(0);
    disk.assert_kept(&run, &[]);
}

#[test]
fn fifty_that_start_in_the_same_second_leave_fifty_whole_runs() {
    const RUNNERS: usize = 50;
    let disk = Disk::new();
    let gate = disk.place.data_path("gate");
    let arguments = ["exp", "perceptron_and", "--epochs", "2", "--device", "cpu", "--threads", "1", "--json"];
    // all of them wait at the first file that they make, and then see the clock
    let runners: Vec<Child> = (0..RUNNERS)
        .map(|_| {
            let mut command = disk.command(&arguments, &[("CALL", "open"), ("MATCH", "runner-probe")]);
            command.env("FAULT_UNDER", disk.place.path("")).env("FAULT_HOLD", &gate);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let reached = gate.with_extension("reached");
    wait_for(|| std::fs::read(&reached).is_ok_and(|lines| lines.len() == RUNNERS * "reached\n".len()));
    std::fs::write(&gate, "").unwrap();
    let printed: Vec<Value> = runners
        .into_iter()
        .map(|runner| Ended::of(runner.wait_with_output().unwrap()).code(0))
        .map(|ended| serde_json::from_str(&ended.printed).unwrap())
        .collect();

    let experiment = disk.place.path("runs/perceptron_and");
    let named: BTreeSet<PathBuf> =
        printed.iter().map(|printed| disk.place.path(printed["run"].as_str().unwrap())).collect();
    assert_eq!(named.len(), RUNNERS);
    assert_eq!(folders(&experiment).into_iter().collect::<BTreeSet<_>>(), named);
    let seconds: BTreeSet<String> =
        named.iter().map(|run| run.file_name().unwrap().to_string_lossy()[..18].to_owned()).collect();
    assert!(seconds.len() < RUNNERS / 5, "they met: {seconds:?}");
    for printed in &printed {
        let run = disk.place.path(printed["run"].as_str().unwrap());
        assert_whole(&run);
        // how long it took is no two runs' own
        assert_eq!(json(&run.join("base-seed0.json")), printed["histories"][0]);
        for name in ["experiment.toml", "base-seed0.safetensors", "curves.svg"] {
            assert!(run.join(name).is_file(), "{name}");
        }
    }
    let mut left = names(&experiment);
    assert!(left.remove("latest"));
    assert_eq!(left.len(), RUNNERS, "{left:?}");
    let latest = std::fs::read_link(experiment.join("latest")).unwrap();
    assert!(named.contains(&experiment.join(latest)));
}
