//! Little memory: stopping a run needs no more memory than training, and out-of-memory errors have a message.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::{Command as StdCommand, Stdio};

use crate::support::{RUNNER, TestDir, send};

/// 3.1 million parameters and 64 rows: steps are fast, and a checkpoint has 50 MB.
const WIDE: &str = r#"title = "Wide"

[data.digits]
split = { train_rows = 64 }

[network]
layers = [{ linear = 1500 }, "relu", { linear = 2000 }, "relu", { linear = 10 }]

[train]
epochs = 100000
batch = 64
loss = "cross_entropy"
optimizer = "adam"
"#;

/// Peak memory of a process so far, in bytes.
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Waits for a process. Returns its exit code and its peak memory in bytes.
#[expect(unsafe_code, reason = "the standard library does not say how much memory a child has had")]
fn wait_for(process: u32) -> (i32, u64) {
    let mut status = 0;
    // SAFETY: the structure contains only numbers, and zero is valid for them.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child was not waited for yet; both pointers are to local variables of the correct types.
    let waited = unsafe { libc::wait4(process as libc::pid_t, &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, process as libc::pid_t);
    (libc::WEXITSTATUS(status), usage.ru_maxrss as u64 * 1024)
}

#[test]
#[expect(clippy::zombie_processes, reason = "`wait_for` waits for it, and reads its peak memory")]
fn stopping_writes_a_checkpoint_without_copying_the_tensors() {
    let dir = TestDir::new();
    dir.write("idea.toml", WIDE);
    let mut command = dir.command(&["exp", "idea.toml", "--device", "cpu", "--checkpoint", "never"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr_lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(stderr_lines.any(|line| line.starts_with("epoch      4/")));
    let before = peak_memory(child.id());
    send(&child, libc::SIGTERM);
    let last = stderr_lines.last().unwrap();
    let (code, after) = wait_for(child.id());
    assert_eq!(code, 143);
    assert!(last.contains("interrupted after epoch ") && !last.contains("no later checkpoint"), "{last}");
    let checkpoint = std::fs::metadata(dir.path("runs/idea/latest/checkpoint.safetensors")).unwrap().len();
    assert!(checkpoint > 40_000_000, "{checkpoint}");
    let more = after.saturating_sub(before);
    assert!(
        more < checkpoint / 2,
        "{more} bytes more than during training ({before}), with a checkpoint of {checkpoint} bytes"
    );
}

/// A numeric table with 60,000 rows, 20 columns and a class.
fn table() -> String {
    let mut text = (0..20).map(|column| format!("x{column},")).collect::<String>() + "y\n";
    let mut number = 1_u64;
    for row in 0..60_000 {
        for _ in 0..20 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            write!(text, "{},", (number >> 40) as f64 / 1024.0).unwrap();
        }
        writeln!(text, "{}", if row % 3 == 0 { "a" } else { "b" }).unwrap();
    }
    text
}

/// Runs the program with this limit on its address space. Returns exit code and stderr.
fn run_with_memory_limit(dir: &TestDir, mebibytes: usize, arguments: &[&str]) -> (Option<i32>, String) {
    let environment = dir.command(&[]);
    let mut shell = StdCommand::new("sh");
    shell.envs(environment.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(dir.path(""));
    shell.env("MALLOC_ARENA_MAX", "1"); // otherwise the threads that start decide how much memory is left
    let script = format!("ulimit -v {}; exec \"$@\"", mebibytes * 1024);
    let output = shell.args(["-c", &script, "sh", RUNNER]).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn tables_and_trees_too_large_for_memory_are_errors_with_a_hint() {
    let dir = TestDir::new();
    dir.write("table.csv", table());
    let tree = "title = \"A tree\"\n[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\nsplit = { test = 0.3 }\n\
                [tree]\nmax_depth = 3\n";
    dir.write("idea.toml", tree);
    let starts = |mebibytes: &usize| run_with_memory_limit(&dir, *mebibytes, &["doctor"]).0 == Some(0);
    let least = (200..4000).step_by(100).find(starts).expect("the program starts in 4 GB");
    let ended: Vec<(usize, Option<i32>, String)> = (1..=12)
        .map(|step| least + 15 * step)
        .chain([least + 2000])
        .map(|mebibytes| {
            // one thread: libgomp exits if it cannot create more threads
            let (code, message) =
                run_with_memory_limit(&dir, mebibytes, &["exp", "idea.toml", "--device", "cpu", "--threads", "1"]);
            (mebibytes, code, message)
        })
        .collect();
    for (mebibytes, code, message) in &ended {
        match code {
            Some(0) => {}
            Some(2) => assert!(
                message.contains("out of memory") && message.contains("hint: ") && !message.contains("batch"),
                "{mebibytes} MiB: {message}"
            ),
            other => panic!("{mebibytes} MiB: {other:?}\n{message}"),
        }
    }
    assert_eq!(ended.last().unwrap().1, Some(0), "{ended:?}");
    assert!(ended.iter().any(|(_, code, _)| *code == Some(2)), "{ended:?}");
}
