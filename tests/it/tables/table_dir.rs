//! A directory with a table and an experiment on it.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// A directory with a table in it.
pub struct TableDir(tempfile::TempDir);

impl TableDir {
    pub fn new(csv: impl AsRef<[u8]>) -> Self {
        let dir = TableDir(tempfile::tempdir().unwrap());
        dir.write("table.csv", csv);
        dir
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn runner(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.current_dir(self.path()).args(arguments).env("RUNNER_DATA_DIR", self.path().join("data"));
        command
    }

    /// Writes an experiment on this data.
    pub fn write_experiment(&self, data: &str, loss: &str, outputs: usize) {
        self.write(
            "idea.toml",
            format!(
                "title = \"A table\"\n{data}\n[network]\nlayers = [{{ linear = {outputs} }}]\n\
                 [train]\nepochs = 2\nbatch = \"full\"\nloss = \"{loss}\"\noptimizer = {{ sgd = {{ lr = 0.01 }} }}\n"
            ),
        );
    }

    /// Trains the experiment and returns the history.
    #[track_caller]
    pub fn history(&self, data: &str, loss: &str, outputs: usize) -> Value {
        self.write_experiment(data, loss, outputs);
        let run = self.runner(&["exp", "idea.toml", "--json", "--device", "cpu"]).assert().success();
        serde_json::from_slice::<Value>(&run.get_output().stdout).unwrap()["histories"][0].clone()
    }

    /// Asserts that `exp` fails with an error message that contains these words.
    #[track_caller]
    pub fn assert_rejected(&self, data: &str, words: &[&str]) {
        self.write_experiment(data, "cross_entropy", 2);
        let run = self.runner(&["exp", "idea.toml", "--device", "cpu"]).assert().code(2);
        let message = String::from_utf8(run.get_output().stderr.clone()).unwrap();
        for word in words {
            assert!(message.contains(word), "`{word}` is not in:\n{message}");
        }
    }
}

pub const CLASSES: &str = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\n";

pub fn classes_with(more: &str) -> String {
    format!("{CLASSES}{more}\n")
}

pub const FRAUDS: &str = "\"Time\",\"V1\",\"Amount\",\"Class\"\n0,-1.36,149.62,\"0\"\n0,1.19,2.69,\"0\"\n406,-2.31,0,\"1\"\n\
    472,-3.04,529,\"1\"\n1,-1.36,378.66,\"0\"\n2,-1.16,69.99,\"0\"\n";
