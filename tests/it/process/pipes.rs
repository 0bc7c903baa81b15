//! Closed pipes: only the output to the closed pipe is lost. Other messages, files and the exit code stay the same.

use std::io::Read;
use std::process::{Child, Command as StdCommand, Output, Stdio};

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// A directory with [`IDEA`] and an expectation that is never met.
fn dir_with_missed_expectation() -> TestDir {
    let dir = TestDir::new();
    dir.write("idea.toml", format!("{IDEA}\n[[expect]]\nvalue = \"last.acc\"\nat_least = 2.0\n"));
    dir
}

/// Runs the program with a stdout pipe whose reader is closed.
fn run_without_stdout_reader(dir: &TestDir, arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    dir.command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[track_caller]
fn stderr_with_code(output: &Output, code: i32) -> String {
    let message = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{message}");
    message
}

#[test]
fn missed_expectations_are_reported_if_stdout_is_closed() {
    let dir = dir_with_missed_expectation();
    for more in [&[][..], &["--json"], &["--json", "--quiet"]] {
        let output =
            run_without_stdout_reader(&dir, &[&["exp", "idea.toml", "--strict", "--device", "cpu"], more].concat());
        assert_says(&stderr_with_code(&output, 1), &["missed: base-seed0: last.acc"]);
    }
    assert_eq!(
        stderr_with_code(&run_without_stdout_reader(&dir, &["exp", "idea.toml", "--device", "cpu", "--quiet"]), 0),
        ""
    );
}

#[test]
fn failed_trials_are_reported_if_stdout_is_closed() {
    let dir = TestDir::new();
    let variants =
        "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.optimizer.adam.lr\" = 0.5 }\n";
    dir.write("idea.toml", format!("{IDEA}\n{variants}"));
    dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    std::fs::write(dir.path("runs/idea/latest/b-seed0.json"), "{").unwrap();
    for command in ["eval", "runs"] {
        let read = dir.run(&[command, "idea"]);
        let code = read.get_output().status.code().unwrap();
        assert_ne!(code, 0, "{command}");
        assert_eq!(
            stderr_with_code(&run_without_stdout_reader(&dir, &[command, "idea"]), code),
            stderr(&read),
            "{command}"
        );
    }
}

#[test]
fn eval_and_reproduce_exit_the_same_if_stdout_is_closed() {
    let dir = TestDir::with_idea();
    dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    stderr_with_code(&run_without_stdout_reader(&dir, &["eval", "idea", "--data", "train"]), 0);
    let file = dir.path("runs/idea/latest/base-seed0.json");
    let mut history: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    history["history"]["loss"][1] = serde_json::json!(123.0);
    std::fs::write(&file, history.to_string()).unwrap();
    dir.run(&["reproduce", "idea"]).code(1);
    stderr_with_code(&run_without_stdout_reader(&dir, &["reproduce", "idea"]), 1);
}

#[test]
fn other_write_errors_on_stdout_fail_without_stopping_the_run() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let dir = dir_with_missed_expectation();
    let mut command = dir.command(&["exp", "idea.toml", "--strict", "--device", "cpu"]);
    let output = command.stdout(full()).stderr(Stdio::piped()).output().unwrap();
    assert_says(
        &stderr_with_code(&output, 2),
        &["error: failed to write to stdout", "No space left", "missed: base-seed0: last.acc"],
    );
    assert!(dir.path("runs/idea/latest/base-seed0.json").is_file());
}

/// Starts a script in a new process group, and waits until the run in it prints its third epoch to `err`.
#[cfg(unix)]
fn start_in_process_group(dir: &TestDir, script: &str) -> Child {
    use std::os::unix::process::CommandExt;
    let environment = dir.command(&[]);
    let mut shell = StdCommand::new("bash");
    shell.envs(environment.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(dir.path(""));
    shell.args(["-c", script, "bash", crate::support::RUNNER]).process_group(0);
    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = std::time::Instant::now();
    while !std::fs::read_to_string(dir.path("err")).is_ok_and(|err| err.contains("epoch      3/")) {
        if child.try_wait().unwrap().is_some() {
            let mut rest = String::new();
            child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
            panic!("the program ended: {rest}{:?}", std::fs::read_to_string(dir.path("err")));
        }
        assert!(started.elapsed().as_secs() < 120, "no third epoch");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child
}

/// Ctrl-C reaches all processes of a pipeline and immediately ends those that do not handle the signal.
#[cfg(unix)]
#[test]
#[expect(unsafe_code, reason = "the standard library sends no signals")]
fn ctrl_c_in_a_pipeline_prints_how_to_resume() {
    for (more, reader) in [("", "cat > log"), ("--json", "cat > log"), ("--json", "grep nothing")] {
        let dir = TestDir::new();
        dir.write("idea.toml", idea_with("epochs = 2", "epochs = 100000"));
        let script = format!(
            "trap '' INT; (trap - INT; exec \"$1\" exp idea.toml --device cpu --checkpoint never {more} 2> err) | \
             (trap - INT; exec {reader}); echo ${{PIPESTATUS[0]}}"
        );
        let child = start_in_process_group(&dir, &script);
        // SAFETY: the call touches no memory; the child was not waited for yet, so its number is still that of its
        // group.
        assert_eq!(unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGINT) }, 0);
        let output = child.wait_with_output().unwrap();
        let err = std::fs::read_to_string(dir.path("err")).unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "130", "{more} {reader}: {err}");
        assert_says(err.lines().last().unwrap(), &["interrupted after epoch ", "`runner resume runs/idea/"]);
        let run = dir.path("runs/idea/latest");
        for name in ["checkpoint.safetensors", "base-seed0.json", "curves.svg"] {
            assert!(run.join(name).is_file(), "{name}");
        }
    }
}

#[test]
fn quiet_prints_nothing_when_nothing_is_left_to_do() {
    let dir = TestDir::with_idea();
    let exp = ["exp", "idea.toml", "--device", "cpu", "--quiet"];
    for arguments in [&exp[..], &[&exp[..], &["--resume"]].concat(), &["resume", "idea", "--quiet"]] {
        let output = dir.run(arguments).code(0);
        assert_eq!((stdout(&output), stderr(&output)), (String::new(), String::new()), "{arguments:?}");
    }
    let loud = dir.run(&["resume", "idea"]).code(0);
    assert_says(&stderr(&loud), &["is already complete"]);
}

/// Runs the program with closed pipes and returns its exit code.
#[track_caller]
fn exit_code_without_readers(dir: &TestDir, arguments: &[&str], close_stdout: bool, close_stderr: bool) -> Option<i32> {
    let closed_pipe = || Stdio::from(std::io::pipe().unwrap().1);
    let mut command = dir.command(arguments);
    command.stdout(if close_stdout { closed_pipe() } else { Stdio::null() });
    command.stderr(if close_stderr { closed_pipe() } else { Stdio::piped() });
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!message.contains("panicked") && !message.contains("fault in runner"), "{message}");
    output.status.code()
}

#[test]
fn listings_end_quietly_if_the_reader_closes_the_pipe() {
    let dir = TestDir::with_idea();
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["show", "digits_mlp"],
        &["data", "list"],
        &["data", "describe", "digits"],
        &["doctor"],
        &["schema"],
        &["completions", "bash"],
        &["exp", "idea.toml", "--device", "cpu"],
        &["exp", "idea.toml", "--json", "--device", "cpu"],
    ] {
        assert_eq!(exit_code_without_readers(&dir, arguments, true, false), Some(0), "{arguments:?}");
    }
    assert!(dir.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn runs_continue_if_stderr_is_closed() {
    let dir = TestDir::with_idea();
    assert_eq!(exit_code_without_readers(&dir, &["exp", "idea.toml", "--device", "cpu"], false, true), Some(0));
    assert!(dir.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn errors_keep_their_exit_code_if_nobody_reads_them() {
    assert_eq!(exit_code_without_readers(&TestDir::new(), &["exp", "zzzz"], false, true), Some(2));
}
