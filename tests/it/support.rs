//! A folder to run the program in, cut off from the network and the user's caches, and how its output is looked at.

use std::path::{Path, PathBuf};
use std::process::Command as StdCommand;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;

/// The program.
pub const RUNNER: &str = env!("CARGO_BIN_EXE_runner");

/// A small experiment on the digits: two epochs, some milliseconds.
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

/// [`IDEA`] with one thing written differently.
#[track_caller]
pub fn idea_with(written: &str, instead: &str) -> String {
    assert!(IDEA.contains(written), "the idea holds no `{written}`");
    IDEA.replacen(written, instead, 1)
}

/// A current folder and a data cache, both empty and gone afterwards.
pub struct Place {
    here: TempDir,
    data: TempDir,
    users_data: bool,
}

impl Place {
    pub fn new() -> Self {
        Place { here: TempDir::new().unwrap(), data: TempDir::new().unwrap(), users_data: false }
    }

    /// With the data cache of the user, and the network to fetch what it lacks.
    pub fn with_users_data() -> Self {
        Place { users_data: true, ..Place::new() }
    }

    /// With [`IDEA`] as `idea.toml`.
    pub fn with_idea() -> Self {
        let place = Place::new();
        place.write("idea.toml", IDEA);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.here.path().join(name)
    }

    /// A file of the data cache.
    pub fn data_path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    /// Writes a file, and the folders that it stands in.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a file, and gives back its name.
    pub fn file(&self, name: &str, text: &str) -> String {
        self.write(name, text);
        name.to_owned()
    }

    /// The program with these arguments, on the CPU, with no way to the network unless the user's data were asked for.
    pub fn command(&self, arguments: &[&str]) -> StdCommand {
        self.command_of(RUNNER, arguments)
    }

    /// The same of a program of ours at another place, or by another name.
    pub fn command_of(&self, program: impl AsRef<Path>, arguments: &[&str]) -> StdCommand {
        let nowhere = "http://127.0.0.1:9";
        let mut command = StdCommand::new(program.as_ref());
        command.args(arguments).current_dir(self.here.path());
        command.env("CUDA_VISIBLE_DEVICES", "").env("OMP_NUM_THREADS", "1"); // tests run side by side
        if self.users_data {
            return command;
        }
        command.env("RUNNER_DATA_DIR", self.data.path());
        for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(proxy, nowhere);
        }
        command
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_INDEX_URL", format!("{nowhere}/simple"))
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

    /// Runs an experiment on the CPU, and gives back what `--json` prints.
    #[track_caller]
    pub fn exp(&self, arguments: &[&str]) -> Value {
        let all = [&["exp", "--json", "--device", "cpu"], arguments].concat();
        serde_json::from_str(&stdout(&self.run(&all).code(0))).unwrap()
    }

    /// The history of each trial of an experiment.
    #[track_caller]
    pub fn histories(&self, arguments: &[&str]) -> Vec<Value> {
        self.exp(arguments)["histories"].as_array().unwrap().clone()
    }

    /// The history of an experiment with one seed.
    #[track_caller]
    pub fn history(&self, arguments: &[&str]) -> Value {
        let mut printed = self.exp(arguments);
        assert_eq!(printed["histories"].as_array().unwrap().len(), 1);
        printed["histories"][0].take()
    }

    /// What the program says when it refuses this: exit code 2, nothing on standard output, no trace of the program's
    /// insides, and no file written. The names of the folders are taken out.
    #[track_caller]
    pub fn refusal(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let refused = self.run(arguments).code(2);
        let said = self.redacted(&stderr(&refused));
        assert_eq!(stdout(&refused), "", "standard output; standard error holds:\n{said}");
        for trace in ["panicked", "a fault in runner itself", "libtorch_cpu.so", "frame #", "epoch 1/"] {
            assert!(!said.contains(trace), "`{trace}` in:\n{said}");
        }
        assert!(said.starts_with("error: ") || said.contains("\nerror: "), "{said}");
        assert_eq!(self.files(), before, "files were left behind");
        said
    }

    /// Standard error with the names of the folders taken out.
    pub fn redacted(&self, text: &str) -> String {
        let named =
            |text: String, folder: &TempDir, name: &str| text.replace(&folder.path().display().to_string(), name);
        named(named(text.trim_end().to_owned(), &self.here, "[here]"), &self.data, "[data]")
    }

    /// Every file and folder, sorted; the data cache is elsewhere.
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
        walk(self.here.path(), &mut found);
        found.sort();
        found
    }
}

/// What `exp idea.toml` says when it refuses [`IDEA`] with one thing written differently.
#[track_caller]
pub fn refusal_with(written: &str, instead: &str) -> String {
    let place = Place::new();
    place.write("idea.toml", idea_with(written, instead));
    place.refusal(&["exp", "idea.toml"])
}

/// What `exp idea.toml` says when it refuses these arguments behind it.
#[track_caller]
pub fn refusal_of_arguments(arguments: &[&str]) -> String {
    Place::with_idea().refusal(&[&["exp", "idea.toml"], arguments].concat())
}

/// What `exp idea.toml` says when it refuses [`IDEA`] with this expectation at its end.
#[track_caller]
pub fn refusal_of_expectation(expectation: &str) -> String {
    let place = Place::new();
    place.write("idea.toml", format!("{IDEA}\n[[expect]]\n{expectation}\n"));
    place.refusal(&["exp", "idea.toml"])
}

pub fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

pub fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

/// All of these words are in the text.
#[track_caller]
pub fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
}

/// A history's curves without the one that is never the same twice.
pub fn curves(history: &Value) -> Value {
    let mut curves = history["history"].clone();
    curves.as_object_mut().unwrap().remove("seconds").unwrap();
    curves
}

/// One metric by epoch.
pub fn metric(history: &Value, name: &str) -> Vec<f64> {
    history["history"][name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// Whether the operating system has an NVIDIA driver, so that `--device cuda` may be good.
pub fn has_nvidia_driver() -> bool {
    ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"].iter().any(|path| Path::new(path).exists())
}

/// Sends a signal to a child that has not been waited for.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library sends no signals")]
pub fn send(child: &std::process::Child, signal: libc::c_int) {
    // SAFETY: it touches no memory; the child has not been waited for, so its number is still its own.
    assert_eq!(unsafe { libc::kill(child.id() as libc::pid_t, signal) }, 0);
}
