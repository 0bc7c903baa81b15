//! A run on a small table, and changes to its directory.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

use crate::support::TestDir;

pub const TABLE: &str = "\
width,color,spare,y
1.25,red,3,small
2.5,green,,small
3.75,red,1,small
4.5,blue,2,large
5.25,green,2,large
6.75,blue,,large
1.5,red,1,small
5.5,blue,3,large
2.25,green,2,small
6.25,red,1,large
";

pub const NEW_ROWS: &str = "y,color,width,spare\nlarge,blue,6.5,\nsmall,red,1.0,2\n,green,2.0,1\n";

/// An experiment on `table.csv` in the same directory.
pub fn table_experiment(model: &str) -> String {
    let data = "title = \"Table\"\n[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\nencode = \"one_hot\"\n\
                missing = \"mean\"\nscale = \"standard\"\nsplit = { test = 0.3, random_state = 1 }\n";
    format!("{data}{model}")
}

pub const NETWORK: &str = "[network]\nlayers = [{ linear = 4 }, \"relu\", { linear = 2 }]\n[train]\nepochs = 3\nbatch = 4\n\
                       loss = \"cross_entropy\"\noptimizer = \"adam\"\n";

/// Runs the program in another directory.
pub fn run_in(dir: &TestDir, folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = dir.command(arguments);
    command.current_dir(folder);
    Command::from_std(command).assert()
}

/// Copies a directory recursively and follows links.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

pub fn json(file: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

pub fn edit_json(file: &Path, edit: impl FnOnce(&mut Value)) {
    let mut value = json(file);
    edit(&mut value);
    std::fs::write(file, value.to_string()).unwrap();
}

/// Directory of the run, from the output of `exp --json`.
pub fn folder(dir: &TestDir, printed: &Value) -> PathBuf {
    dir.path(printed["run"].as_str().unwrap())
}
