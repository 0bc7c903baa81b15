//! The memory of a job limits the width of stacks.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::fake_slurm::FakeSlurm;
use crate::support::TestDir;
use crate::sweep::sweep_run::{json, only_sweep, run, with_short_beats};

/// A network whose training takes about 100 MiB of memory.
const WIDE: &str = r#"title = "A wide network"

[data.digits]

[network]
layers = [{ linear = 2048 }, "relu", { linear = 2048 }, "relu", { linear = 10 }]

[train]
epochs = 1
batch = 64
loss = "cross_entropy"
optimizer = { adam = { lr = 1e-3 } }
"#;

const SPACE: [&str; 8] = ["--space", "lr=log:1e-4..1e-1", "--trials", "16", "--seeds", "0", "--threads", "1"];

/// Widths of the stacks of a plan, of all that it prints as JSON or keeps in its record.
fn widths(stacks: &Value, replicas: impl Fn(&Value) -> u64) -> Vec<u64> {
    stacks.as_array().unwrap().iter().map(replicas).collect()
}

#[test]
fn the_memory_that_is_asked_of_slurm_limits_stacks() {
    let widest = |memory: &str| {
        let dir = TestDir::new();
        dir.write("idea.toml", WIDE);
        let slurm = FakeSlurm::new(&dir);
        let submit = ["sweep", "submit", "idea.toml", "--device", "cpu"];
        let arguments = [&submit, &SPACE[..], &["--workers", "2", "--", memory]].concat();
        let (code, _, stderr) = run(slurm.enter(with_short_beats(dir.command(&arguments))));
        assert_eq!(code, Some(0), "{stderr}");
        let record = json(&only_sweep(&dir).join("sweep.json"));
        let trials = |stack: &Value| stack["configurations"].as_array().unwrap().len() as u64;
        widths(&record["stacks"], trials).into_iter().max().unwrap()
    };
    let (little, more) = (widest("--mem=2G"), widest("--mem=64G"));
    assert!(little < more, "{little} and {more}");
    assert_eq!(widest("--mem=64M"), 1);
}

/// A control group with a limit of memory, into which a process can be put.
struct Group(PathBuf);

impl Group {
    /// Creates a group with a limit; `None` if this process may not, or its system has no groups for memory.
    fn with_limit(limit: &str) -> Option<Group> {
        let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let found = groups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (number, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
            let (root, file) = match (number, controllers) {
                (_, "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                ("0", "") => ("/sys/fs/cgroup", "memory.max"),
                _ => return None,
            };
            let folder = PathBuf::from(format!("{root}{group}")).join(format!("runner-test-{}", std::process::id()));
            std::fs::create_dir(&folder).ok()?;
            let group = Group(folder);
            std::fs::write(group.0.join(file), limit).ok()?;
            Some(group)
        });
        if found.is_none() {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "skipped: no control group with a limit of memory can be created").unwrap();
        }
        found
    }

    /// Returns a command that runs another one in the group.
    fn enter(&self, command: &Command) -> Command {
        let mut inside = Command::new("sh");
        inside.args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""]).arg(&self.0);
        inside.arg(command.get_program()).args(command.get_args());
        command.get_current_dir().map(|folder| inside.current_dir(folder));
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0); // empty groups can be removed
    }
}

#[test]
fn the_memory_of_the_control_group_limits_stacks() {
    let Some(group) = Group::with_limit("536870912") else { return };
    let dir = TestDir::new();
    dir.write("idea.toml", WIDE);
    let plan = ["sweep", "idea.toml", "--device", "cpu", "--dry-run", "--json", "--quiet"];
    let command = with_short_beats(dir.command(&[&plan, &SPACE[..]].concat()));
    let widest = |command: Command| {
        let (code, stdout, stderr) = run(command);
        assert_eq!(code, Some(0), "{stderr}");
        let plan: Value = serde_json::from_str(&stdout).unwrap();
        widths(&plan["stacks"], |stack| stack["replicas"].as_u64().unwrap()).into_iter().max().unwrap()
    };
    let limited = widest(group.enter(&command));
    let free = widest(command);
    assert!(limited < free, "{limited} and {free}");
}
