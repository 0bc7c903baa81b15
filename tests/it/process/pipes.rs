//! A reader that is gone takes only what it would have read with it: messages, files and the exit code are as without
//! a pipe.

use std::io::Read;
use std::process::{Child, Command as StdCommand, Output, Stdio};

use crate::support::{IDEA, Place, assert_says, idea_with, stderr, stdout};

/// [`IDEA`] with an expectation that is never met.
fn hopeless() -> Place {
    let place = Place::new();
    place.write("idea.toml", format!("{IDEA}\n[[expect]]\nvalue = \"last.acc\"\nat_least = 2.0\n"));
    place
}

/// Runs the program with a stdout whose reader is gone already.
fn unread(place: &Place, arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    place.command(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap()
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

#[test]
fn a_missed_expectation_is_reported_when_nobody_reads_the_summary() {
    let place = hopeless();
    for more in [&[][..], &["--json"], &["--json", "--quiet"]] {
        let output = unread(&place, &[&["exp", "idea.toml", "--strict", "--device", "cpu"], more].concat());
        assert_says(&said(&output, 1), &["missed: base-seed0: last.acc"]);
    }
    assert_eq!(said(&unread(&place, &["exp", "idea.toml", "--device", "cpu", "--quiet"]), 0), "");
}

#[test]
fn a_failed_trial_is_reported_when_nobody_reads_the_summary() {
    let place = Place::new();
    let variants =
        "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.optimizer.adam.lr\" = 0.5 }\n";
    place.write("idea.toml", format!("{IDEA}\n{variants}"));
    place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    std::fs::write(place.path("runs/idea/latest/b-seed0.json"), "{").unwrap();
    for command in ["eval", "runs"] {
        let read = place.run(&[command, "idea"]);
        let code = read.get_output().status.code().unwrap();
        assert_ne!(code, 0, "{command}");
        assert_eq!(said(&unread(&place, &[command, "idea"]), code), stderr(&read), "{command}");
    }
}

#[test]
fn eval_and_reproduce_end_as_they_do_when_they_are_read() {
    let place = Place::with_idea();
    place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    said(&unread(&place, &["eval", "idea", "--data", "train"]), 0);
    let file = place.path("runs/idea/latest/base-seed0.json");
    let mut history: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    history["history"]["loss"][1] = serde_json::json!(123.0);
    std::fs::write(&file, history.to_string()).unwrap();
    place.run(&["reproduce", "idea"]).code(1);
    said(&unread(&place, &["reproduce", "idea"]), 1);
}

#[test]
fn what_cannot_be_written_for_another_reason_is_a_failure_that_ends_no_run() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let place = hopeless();
    let mut command = place.command(&["exp", "idea.toml", "--strict", "--device", "cpu"]);
    let output = command.stdout(full()).stderr(Stdio::piped()).output().unwrap();
    assert_says(
        &said(&output, 2),
        &["error: failed to write to stdout", "No space left", "missed: base-seed0: last.acc"],
    );
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}

/// Starts a script in a process group of its own, and waits until the run in it shows its third epoch in `err`.
#[cfg(unix)]
fn in_a_group(place: &Place, script: &str) -> Child {
    use std::os::unix::process::CommandExt;
    let of_run = place.command(&[]);
    let mut shell = StdCommand::new("bash");
    shell.envs(of_run.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(place.path(""));
    shell.args(["-c", script, "bash", crate::support::RUNNER]).process_group(0);
    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while !std::fs::read_to_string(place.path("err")).is_ok_and(|err| err.contains("epoch      3/")) {
        if child.try_wait().unwrap().is_some() {
            let mut left = String::new();
            child.stderr.take().unwrap().read_to_string(&mut left).unwrap();
            panic!("it has ended: {left}{:?}", std::fs::read_to_string(place.path("err")));
        }
        assert!(begun.elapsed().as_secs() < 120, "no third epoch");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child
}

/// Ctrl-C reaches all processes of a pipe, and ends those at once that catch no signal.
#[cfg(unix)]
#[test]
#[expect(unsafe_code, reason = "the standard library sends no signals")]
fn ctrl_c_in_front_of_a_pipe_says_how_to_resume() {
    for (more, reader) in [("", "cat > log"), ("--json", "cat > log"), ("--json", "grep nothing")] {
        let place = Place::new();
        place.write("idea.toml", idea_with("epochs = 2", "epochs = 100000"));
        let script = format!(
            "trap '' INT; (trap - INT; exec \"$1\" exp idea.toml --device cpu --checkpoint never {more} 2> err) | \
             (trap - INT; exec {reader}); echo ${{PIPESTATUS[0]}}"
        );
        let child = in_a_group(&place, &script);
        // SAFETY: it touches no memory; the child has not been waited for, so its number is still that of its group.
        assert_eq!(unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGINT) }, 0);
        let output = child.wait_with_output().unwrap();
        let err = std::fs::read_to_string(place.path("err")).unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "130", "{more} {reader}: {err}");
        assert_says(err.lines().last().unwrap(), &["interrupted after epoch ", "`runner resume runs/idea/"]);
        let run = place.path("runs/idea/latest");
        for name in ["checkpoint.safetensors", "base-seed0.json", "curves.svg"] {
            assert!(run.join(name).is_file(), "{name}");
        }
    }
}

#[test]
fn quiet_prints_nothing_when_nothing_is_left_to_do() {
    let place = Place::with_idea();
    let exp = ["exp", "idea.toml", "--device", "cpu", "--quiet"];
    for arguments in [&exp[..], &[&exp[..], &["--resume"]].concat(), &["resume", "idea", "--quiet"]] {
        let ended = place.run(arguments).code(0);
        assert_eq!((stdout(&ended), stderr(&ended)), (String::new(), String::new()), "{arguments:?}");
    }
    let loud = place.run(&["resume", "idea"]).code(0);
    assert_says(&stderr(&loud), &["is already complete"]);
}

/// Runs the program with readers that have gone already.
#[track_caller]
fn exit_code_without_readers(place: &Place, arguments: &[&str], of_stdout: bool, of_stderr: bool) -> Option<i32> {
    let gone = || Stdio::from(std::io::pipe().unwrap().1);
    let mut command = place.command(arguments);
    command.stdout(if of_stdout { gone() } else { Stdio::null() });
    command.stderr(if of_stderr { gone() } else { Stdio::piped() });
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked") && !said.contains("fault in runner"), "{said}");
    output.status.code()
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_listing_quietly() {
    let place = Place::with_idea();
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
        assert_eq!(exit_code_without_readers(&place, arguments, true, false), Some(0), "{arguments:?}");
    }
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn a_run_goes_on_when_nobody_reads_its_talk() {
    let place = Place::with_idea();
    assert_eq!(exit_code_without_readers(&place, &["exp", "idea.toml", "--device", "cpu"], false, true), Some(0));
    assert!(place.path("runs/idea/latest/base-seed0.json").is_file());
}

#[test]
fn a_refusal_that_nobody_reads_is_still_a_refusal() {
    assert_eq!(exit_code_without_readers(&Place::new(), &["exp", "zzzz"], false, true), Some(2));
}
