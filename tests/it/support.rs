//! A directory to run the program in, without access to the network and the user's caches, and checks of its output.

use std::path::{Path, PathBuf};
use std::process::Command as StdCommand;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;

/// Path of the program.
pub const RUNNER: &str = env!("CARGO_BIN_EXE_runner");

/// A small experiment on the digits: two epochs, a few milliseconds.
pub const IDEA: &str = r#"title = "An idea"

[data.digits]

[network]
layers = [{ linear = 16 }, "relu", { linear = 10 }]

[train]
epochs = 2
batch = 64
loss = "cross_entropy"
optimizer = { adam = { lr = 1e-3 } }
"#;

/// [`IDEA`] with one text replaced by another.
#[track_caller]
pub fn idea_with(original: &str, replacement: &str) -> String {
    assert!(IDEA.contains(original), "`IDEA` does not contain `{original}`");
    IDEA.replacen(original, replacement, 1)
}

/// An empty current directory and an empty data cache. Both are deleted at the end.
pub struct TestDir {
    current_dir: TempDir,
    data_cache: TempDir,
    uses_user_data: bool,
}

impl TestDir {
    pub fn new() -> Self {
        TestDir { current_dir: TempDir::new().unwrap(), data_cache: TempDir::new().unwrap(), uses_user_data: false }
    }

    /// Uses the data cache of the user, and the network for missing files.
    pub fn with_user_data_cache() -> Self {
        TestDir { uses_user_data: true, ..TestDir::new() }
    }

    /// Contains [`IDEA`] as `idea.toml`.
    pub fn with_idea() -> Self {
        let dir = TestDir::new();
        dir.write("idea.toml", IDEA);
        dir
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.current_dir.path().join(name)
    }

    /// Path of a file in the data cache.
    pub fn data_path(&self, name: &str) -> PathBuf {
        self.data_cache.path().join(name)
    }

    /// Writes a file and creates its parent directories.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a file and returns its name.
    pub fn file(&self, name: &str, text: &str) -> String {
        self.write(name, text);
        name.to_owned()
    }

    /// The program with these arguments, on the CPU, without access to the network unless the user's data cache is
    /// used.
    pub fn command(&self, arguments: &[&str]) -> StdCommand {
        self.command_with(RUNNER, arguments)
    }

    /// The same command for an executable at another path.
    pub fn command_with(&self, program: impl AsRef<Path>, arguments: &[&str]) -> StdCommand {
        let unreachable = "http://127.0.0.1:9";
        let mut command = StdCommand::new(program.as_ref());
        command.args(arguments).current_dir(self.current_dir.path());
        command.env("CUDA_VISIBLE_DEVICES", "").env("OMP_NUM_THREADS", "1"); // tests run in parallel
        if self.uses_user_data {
            return command;
        }
        command.env("RUNNER_DATA_DIR", self.data_cache.path());
        command.env("XDG_CONFIG_HOME", self.data_cache.path()).env_remove("RUNNER_RUNS");
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(proxy, unreachable);
        }
        command
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_INDEX_URL", format!("{unreachable}/simple"))
            .env("PIP_NO_INDEX", "1")
            .env("PIP_RETRIES", "0")
            .env("PIP_FIND_LINKS", "");
        for inherited in ["NO_PROXY", "no_proxy", "RUNNER_BACKTRACE", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(inherited);
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Assert {
        Command::from_std(self.command(arguments)).assert()
    }

    /// Runs an experiment on the CPU and returns the output of `--json`.
    #[track_caller]
    pub fn exp(&self, arguments: &[&str]) -> Value {
        let all = [&["exp", "--json", "--device", "cpu"], arguments].concat();
        serde_json::from_str(&stdout(&self.run(&all).code(0))).unwrap()
    }

    /// Runs an experiment and returns the history of each trial.
    #[track_caller]
    pub fn histories(&self, arguments: &[&str]) -> Vec<Value> {
        self.exp(arguments)["histories"].as_array().unwrap().clone()
    }

    /// Runs an experiment with one seed and returns its history.
    #[track_caller]
    pub fn history(&self, arguments: &[&str]) -> Value {
        let mut printed = self.exp(arguments);
        assert_eq!(printed["histories"].as_array().unwrap().len(), 1);
        printed["histories"][0].take()
    }

    /// Runs the program, which must reject its input: exit code 2, empty stdout, no internal details, and no new files.
    /// Returns stderr without the paths of the temporary directories.
    #[track_caller]
    pub fn error_message(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let refused = self.run(arguments).code(2);
        let message = self.without_paths(&stderr(&refused));
        assert_eq!(stdout(&refused), "", "stdout is not empty; stderr:\n{message}");
        for trace in ["panicked", "a fault in runner itself", "libtorch_cpu.so", "frame #", "epoch 1/"] {
            assert!(!message.contains(trace), "`{trace}` in:\n{message}");
        }
        assert!(message.starts_with("error: ") || message.contains("\nerror: "), "{message}");
        assert_eq!(self.files(), before, "files were left behind");
        message
    }

    /// Replaces the paths of the temporary directories in stderr.
    pub fn without_paths(&self, text: &str) -> String {
        let named =
            |text: String, folder: &TempDir, name: &str| text.replace(&folder.path().display().to_string(), name);
        named(named(text.trim_end().to_owned(), &self.current_dir, "[here]"), &self.data_cache, "[data]")
    }

    /// All files and directories, sorted, without the data cache.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                found.push(entry.path());
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), found);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.current_dir.path(), &mut found);
        found.sort();
        found
    }
}

/// Error message of `exp idea.toml` for [`IDEA`] with one text replaced by another.
#[track_caller]
pub fn error_with(original: &str, replacement: &str) -> String {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with(original, replacement));
    dir.error_message(&["exp", "idea.toml"])
}

/// Error message of `exp idea.toml` with these further arguments.
#[track_caller]
pub fn error_of_arguments(arguments: &[&str]) -> String {
    TestDir::with_idea().error_message(&[&["exp", "idea.toml"], arguments].concat())
}

/// Error message of `exp idea.toml` for [`IDEA`] with this expectation added.
#[track_caller]
pub fn error_of_expectation(expectation: &str) -> String {
    let dir = TestDir::new();
    dir.write("idea.toml", format!("{IDEA}\n[[expect]]\n{expectation}\n"));
    dir.error_message(&["exp", "idea.toml"])
}

pub fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

pub fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// Asserts that the text contains all of these words.
#[track_caller]
pub fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
}

/// The curves of a history without `seconds`, which differs in every run.
pub fn curves(history: &Value) -> Value {
    let mut curves = history["history"].clone();
    curves.as_object_mut().unwrap().remove("seconds").unwrap();
    curves
}

/// Values of one metric, by epoch.
pub fn metric(history: &Value, name: &str) -> Vec<f64> {
    history["history"][name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[track_caller]
pub fn assert_same_training(found: &Value, expected: &Value, what: &str) {
    for name in ["loss", "val_loss", "acc", "val_acc", "lr"] {
        let pairs = metric(found, name).into_iter().zip(metric(expected, name));
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-5, "{what}, {name}: {worst}");
    }
    let tested = |history: &Value| history["test"]["loss"].as_f64().unwrap();
    assert!((tested(found) - tested(expected)).abs() < 1e-5, "{what}, test loss");
}

/// Whether the operating system has an NVIDIA driver, so that `--device cuda` may work.
pub fn has_nvidia_driver() -> bool {
    ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"].iter().any(|path| Path::new(path).exists())
}

/// Sends a signal to a child process that was not waited for yet.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library sends no signals")]
pub fn send(child: &std::process::Child, signal: libc::c_int) {
    // SAFETY: the call touches no memory; the child was not waited for yet, so its number is still its own.
    assert_eq!(unsafe { libc::kill(child.id() as libc::pid_t, signal) }, 0);
}
