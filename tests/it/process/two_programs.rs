//! `runner` does what needs no tensor without loading libtorch, and becomes `runner-engine` for the rest.

use assert_cmd::Command;
use assert_cmd::assert::Assert;

use crate::support::{Place, RUNNER, assert_says, stderr, stdout};

const ENGINE: &str = env!("CARGO_BIN_EXE_runner-engine");

fn run(place: &Place, program: &str, arguments: &[&str]) -> Assert {
    Command::from_std(place.command_of(program, arguments)).assert()
}

fn run_with(variable: (&str, &str), program: &str, arguments: &[&str]) -> Assert {
    let place = Place::new();
    let mut command = place.command_of(program, arguments);
    command.env(variable.0, variable.1);
    Command::from_std(command).assert()
}

/// The libraries that a program is loaded with, in the loader's own words.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(whole_front)))]
fn libraries(program: &str) -> String {
    stdout(&run_with(("LD_TRACE_LOADED_OBJECTS", "1"), program, &[]))
}

/// The linker that Rust brings for this system can leave libtorch out; see `build.rs`.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(whole_front)))]
#[test]
fn the_program_is_loaded_without_libtorch_and_its_engine_with_it() {
    let (of_front, of_engine) = (libraries(RUNNER), libraries(ENGINE));
    assert_says(&of_front, &["libc.so"]);
    assert_says(&of_engine, &["libc.so", "libtorch_cpu.so", "libc10.so"]);
    for library in ["libtorch", "libc10", "libstdc++", "libcudart"] {
        assert!(!of_front.contains(library), "`{library}` in:\n{of_front}");
    }
}

#[cfg(not(whole_front))]
#[test]
fn all_that_needs_no_tensor_is_done_without_the_engine_and_the_rest_says_that_it_is_missing() {
    let place = Place::with_idea();
    place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    place.run(&["exp", "idea.toml", "--device", "cpu", "--set", "train.batch=32"]).code(0);
    let alone = place.path("alone/runner");
    std::fs::create_dir(place.path("alone")).unwrap();
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
        run(&place, alone, &line.split(' ').collect::<Vec<_>>()).code(0);
    }
    for line in ["exp", "exp xor --epoch 3", "show nonsense", "plot nonsense"] {
        let said = stderr(&run(&place, alone, &line.split(' ').collect::<Vec<_>>()).code(2));
        assert!(!said.contains("runner-engine"), "{line}: {said}");
    }
    for line in [
        "exp idea.toml",
        "eval idea",
        "predict idea --index 0",
        "data describe digits",
        "plot samples digits",
        "doctor",
    ] {
        let said = stderr(&run(&place, alone, &line.split(' ').collect::<Vec<_>>()).code(2));
        assert_says(&said, &["failed to start `", "alone/runner-engine`", "hint: ", "`cargo build --release`"]);
    }
}

#[test]
fn an_engine_of_another_build_is_refused() {
    let refused = run_with(("RUNNER_FRONT", "0123456789abcdef"), ENGINE, &["list"]).code(2);
    assert_eq!(stdout(&refused), "");
    assert_says(&stderr(&refused), &["are of different builds", "hint: build both: `cargo build --release`"]);
}

#[test]
fn the_engine_by_itself_is_the_whole_program_under_the_same_name() {
    let place = Place::new();
    for line in ["--help", "--version", "exp --help", "plot --help", "list --quick"] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(stdout(&run(&place, ENGINE, &words).code(0)), stdout(&run(&place, RUNNER, &words).code(0)));
    }
    let refusals = [ENGINE, RUNNER].map(|program| stderr(&run(&place, program, &["exp"]).code(2)));
    assert_eq!(refusals[0], refusals[1]);
    assert_says(&refusals[0], &["Usage: runner exp"]);
}
