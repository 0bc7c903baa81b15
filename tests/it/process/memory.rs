//! Little memory: a stop needs no more than training did, and what does not fit ends in words.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::{Command as StdCommand, Stdio};

use crate::support::{Place, RUNNER, send};

/// 3.1 million parameters on 64 rows: a step takes little time, and a checkpoint 50 MB.
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

/// The most memory that a process has had so far, bytes.
fn peak_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Waits for a process: its exit code, and the most memory that it has had, bytes.
#[expect(unsafe_code, reason = "the standard library does not say how much memory a child has had")]
fn wait_for(process: u32) -> (i32, u64) {
    let mut status = 0;
    // SAFETY: numbers, for which zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child has not been waited for; both places are locals of the types that are written to them.
    let waited = unsafe { libc::wait4(process as libc::pid_t, &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, process as libc::pid_t);
    (libc::WEXITSTATUS(status), usage.ru_maxrss as u64 * 1024)
}

#[test]
#[expect(clippy::zombie_processes, reason = "`wait_for` waits for it, and reads its peak memory")]
fn a_stop_writes_its_checkpoint_from_where_the_tensors_are() {
    let place = Place::new();
    place.write("idea.toml", WIDE);
    let mut command = place.command(&["exp", "idea.toml", "--device", "cpu", "--checkpoint", "never"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(talk.any(|line| line.starts_with("epoch      4/")));
    let before = peak_of(child.id());
    send(&child, libc::SIGTERM);
    let last = talk.last().unwrap();
    let (code, after) = wait_for(child.id());
    assert_eq!(code, 143);
    assert!(last.contains("interrupted after epoch ") && !last.contains("no later checkpoint"), "{last}");
    let checkpoint = std::fs::metadata(place.path("runs/idea/latest/checkpoint.safetensors")).unwrap().len();
    assert!(checkpoint > 40_000_000, "{checkpoint}");
    let more = after.saturating_sub(before);
    assert!(more < checkpoint / 2, "{more} bytes more than the {before} of training, for a checkpoint of {checkpoint}");
}

/// A table of numbers: 60,000 rows of 20 columns, and a class.
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

/// Runs the program with an address space of so many MiB.
fn within(place: &Place, mebibytes: usize, arguments: &[&str]) -> (Option<i32>, String) {
    let of_run = place.command(&[]);
    let mut shell = StdCommand::new("sh");
    shell.envs(of_run.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(place.path(""));
    let script = format!("ulimit -v {}; exec \"$@\"", mebibytes * 1024);
    let output = shell.args(["-c", &script, "sh", RUNNER]).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_table_or_a_tree_that_does_not_fit_into_memory_is_an_error_with_a_hint() {
    let place = Place::new();
    place.write("table.csv", table());
    let tree = "title = \"A tree\"\n[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\nsplit = { test = 0.3 }\n\
                [tree]\nmax_depth = 3\n";
    place.write("idea.toml", tree);
    let starts = |mebibytes: &usize| within(&place, *mebibytes, &["doctor"]).0 == Some(0);
    let least = (200..4000).step_by(100).find(starts).expect("the program starts in 4 GB");
    let ended: Vec<(usize, Option<i32>, String)> = (1..=12)
        .map(|step| least + 15 * step)
        .chain([least + 2000])
        .map(|mebibytes| {
            // one thread: libgomp ends the program by itself where it gets no other
            let (code, said) = within(&place, mebibytes, &["exp", "idea.toml", "--device", "cpu", "--threads", "1"]);
            (mebibytes, code, said)
        })
        .collect();
    for (mebibytes, code, said) in &ended {
        match code {
            Some(0) => {}
            Some(2) => assert!(
                said.contains("not enough memory") && said.contains("hint: ") && !said.contains("batch"),
                "{mebibytes} MiB: {said}"
            ),
            other => panic!("{mebibytes} MiB: {other:?}\n{said}"),
        }
    }
    assert_eq!(ended.last().unwrap().1, Some(0), "{ended:?}");
    assert!(ended.iter().any(|(_, code, _)| *code == Some(2)), "{ended:?}");
}
