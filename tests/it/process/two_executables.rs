//! `runner` executes commands without tensors itself, without libtorch, and starts `runner-engine` for the others.

use assert_cmd::Command;
use assert_cmd::assert::Assert;

use crate::support::{RUNNER, TestDir, assert_says, stderr, stdout};

const ENGINE: &str = env!("CARGO_BIN_EXE_runner-engine");

fn run(dir: &TestDir, program: &str, arguments: &[&str]) -> Assert {
    Command::from_std(dir.command_with(program, arguments)).assert()
}

fn run_with(variable: (&str, &str), program: &str, arguments: &[&str]) -> Assert {
    let dir = TestDir::new();
    let mut command = dir.command_with(program, arguments);
    command.env(variable.0, variable.1);
    Command::from_std(command).assert()
}

/// The libraries that the loader loads for a program, as the loader prints them.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(whole_front)))]
fn libraries(program: &str) -> String {
    stdout(&run_with(("LD_TRACE_LOADED_OBJECTS", "1"), program, &[]))
}

/// Rust's default linker on this system can leave libtorch out; see `build.rs`.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(whole_front)))]
#[test]
fn only_the_engine_loads_libtorch() {
    let (runner_libraries, engine_libraries) = (libraries(RUNNER), libraries(ENGINE));
    assert_says(&runner_libraries, &["libc.so"]);
    assert_says(&engine_libraries, &["libc.so", "libtorch_cpu.so", "libc10.so"]);
    for library in ["libtorch", "libc10", "libstdc++", "libcudart"] {
        assert!(!runner_libraries.contains(library), "`{library}` in:\n{runner_libraries}");
    }
}

#[cfg(not(whole_front))]
#[test]
fn commands_without_tensors_work_without_the_engine() {
    let dir = TestDir::with_idea();
    dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    dir.run(&["exp", "idea.toml", "--device", "cpu", "--set", "train.batch=32"]).code(0);
    let alone = dir.path("alone/runner");
    std::fs::create_dir(dir.path("alone")).unwrap();
    std::fs::copy(RUNNER, &alone).unwrap();
    let alone = alone.to_str().unwrap();
    for line in [
        "--help",
        "--version",
        "exp --help",
        "list",
        "show idea.toml",
        "show creditcard_tree --json",
        "runs",
        "compare runs/idea/*",
        "plot idea",
        "plot idea -o a.png",
        "report idea",
        "export idea --csv",
        "data list",
        "data verify",
        "schema",
        "completions bash",
    ] {
        run(&dir, alone, &line.split(' ').collect::<Vec<_>>()).code(0);
    }
    for line in ["exp", "exp xor --epoch 3", "show nonsense", "plot nonsense"] {
        let message = stderr(&run(&dir, alone, &line.split(' ').collect::<Vec<_>>()).code(2));
        assert!(!message.contains("runner-engine"), "{line}: {message}");
    }
    for line in [
        "exp idea.toml",
        "eval idea",
        "predict idea --index 0",
        "data describe digits",
        "plot samples digits",
        "doctor",
    ] {
        let message = stderr(&run(&dir, alone, &line.split(' ').collect::<Vec<_>>()).code(2));
        assert_says(&message, &["failed to start `", "alone/runner-engine`", "hint: ", "`cargo build --release`"]);
    }
}

#[test]
fn an_engine_of_another_build_is_rejected() {
    let refused = run_with(("RUNNER_FRONT", "0123456789abcdef"), ENGINE, &["list"]).code(2);
    assert_eq!(stdout(&refused), "");
    assert_says(&stderr(&refused), &["are from different builds", "hint: build both: `cargo build --release`"]);
}

#[test]
fn the_engine_alone_is_the_complete_program() {
    let dir = TestDir::new();
    for line in ["--help", "--version", "exp --help", "plot --help", "list --quick"] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(stdout(&run(&dir, ENGINE, &words).code(0)), stdout(&run(&dir, RUNNER, &words).code(0)));
    }
    let refusals = [ENGINE, RUNNER].map(|program| stderr(&run(&dir, program, &["exp"]).code(2)));
    assert_eq!(refusals[0], refusals[1]);
    assert_says(&refusals[0], &["`runner exp` needs `NAME|FILE`"]);
}
