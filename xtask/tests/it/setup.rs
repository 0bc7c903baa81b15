//! `cargo xtask setup`: success, refusal and interruption.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::stage::{Finished, Stage};

const CPU_DOWNLOADS: [&str; 3] =
    ["download torch==2.11.0", "download nvidia-cuda-runtime==13.0.96", "download nvidia-cuda-cupti==13.0.85"];

#[test]
fn libtorch_is_downloaded_unpacked_and_stamped_once() {
    let stage = Stage::new();
    let first = stage.run("setup --cpu", &[]);
    first.succeeds(&["libtorch 2.11.0 (cpu) is ready"]);
    assert_eq!(first.stdout, "");
    assert_eq!(stage.log(), CPU_DOWNLOADS);
    assert_eq!(fs::read_to_string(stage.home().join("READY")).unwrap(), "libtorch 2.11.0 cpu\n");
    assert!(stage.home().join("torch/lib/libtorch_cpu.so").exists());
    for left_out in ["wheels", "staging", "torch/lib/libtorch_cuda.so", "torch/lib/libtorch_python.so", "torch/nn"] {
        assert!(!stage.home().join(left_out).exists(), "{left_out}");
    }
    for words in ["setup", "setup --cpu"] {
        let again = stage.run(words, &[]);
        again.succeeds(&["is ready"]);
        assert_eq!(again.stderr.lines().count(), 1, "{again:?}");
    }
    assert_eq!(stage.log(), CPU_DOWNLOADS);
    stage.run("setup --cpu --force", &[]).succeeds(&[]);
    assert_eq!(stage.logged("download torch"), 2);
    stage.run("setup --cpu --cuda", &[]).ends_with(2, &["cannot be used with"]);
}

#[test]
fn cuda_replaces_cpu_and_serves_both() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[]).succeeds(&[]);
    stage.run("setup --cuda", &[]).succeeds(&["(cuda) is ready"]);
    assert_eq!(stage.logged("download "), 3 + 16);
    stage.run("setup --cpu", &[]).succeeds(&[]);
    stage.run("setup", &[]).succeeds(&[]);
    assert_eq!(stage.logged("download "), 3 + 16);
}

#[test]
fn a_driver_selects_cuda() {
    let stage = Stage::new();
    stage.tool("nvidia-smi", "#!/bin/sh\nexit 0\n");
    stage.run("setup", &[]).succeeds(&["NVIDIA driver found", "(cuda) is ready"]);
}

#[test]
fn python_with_pip_is_needed() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[("FAKE_PIP", "absent")]).refuses(&[
        "has no pip",
        "-m ensurepip --upgrade",
        "`python3-pip`",
    ]);
    stage.run("setup --cpu", &[("FAKE_PIP", "old")]).refuses(&["pip 19.0", "too old", "install --upgrade pip"]);
    fs::rename(stage.path("bin/python3"), stage.path("bin/python")).unwrap();
    stage.tool("python3", "#!/bin/sh\nexit 1\n");
    stage.run("setup --cpu", &[]).succeeds(&[]);
    let stage = Stage::new().without("python3");
    stage.run("setup --cpu", &[]).refuses(&["no `python3` on PATH", "python3-pip", "`LIBTORCH`"]);
}

#[test]
fn without_a_compiler_nothing_is_downloaded() {
    let stage = Stage::new().without("c++");
    stage.run("setup --cpu", &[]).refuses(&["no C++ compiler", "apt install g++"]);
    stage.tool("c++", "#!/bin/sh\necho 'probe.cpp:1:10: fatal error: optional: No such file' >&2\nexit 1\n");
    stage.run("setup --cpu", &[]).refuses(&["cannot compile", "fatal error: optional: No such file"]);
    stage.run("setup --cpu", &[("CXX", "icpx -O2")]).refuses(&["`CXX` is `icpx`"]);
    assert!(stage.log().is_empty());
}

#[test]
fn errors_of_pip_are_explained() {
    let stage = Stage::new();
    let offline = stage.run("setup --cpu", &[("FAKE_PIP", "offline-at-torch")]);
    offline.refuses(&[
        "failed to set up libtorch: failed to download `torch==2.11.0`",
        "cannot be reached: Name or service not known",
        "`HTTPS_PROXY`",
        "`LIBTORCH`",
    ]);
    assert!(!offline.stderr.contains("No matching distribution"), "{offline:?}");
    stage.run("setup --cpu", &[("FAKE_PIP", "full-at-torch")]).refuses(&["no space left", "free about 2 GB"]);
}

#[test]
fn the_next_set_up_continues_after_an_error() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[("FAKE_PIP", "offline-at-nvidia-cuda-runtime")]).refuses(&[]);
    assert!(!stage.home().join("READY").exists());
    stage.run("setup --cpu", &[("FAKE_PIP", "killed-at-nvidia-cuda-cupti")]).refuses(&["interrupted"]);
    let wheels = fs::read_dir(stage.home().join("wheels")).unwrap().count();
    assert_eq!(wheels, 2, "only complete wheels are kept");
    stage.run("setup --cpu", &[("FAKE_PIP", "broken-at-nvidia-cuda-cupti")]).refuses(&["incomplete", "was removed"]);
    stage.run("setup --cpu", &[]).succeeds(&["torch 2.11.0 (1 of 3) is already downloaded"]);
    let counts =
        ["torch", "nvidia-cuda-runtime", "nvidia-cuda-cupti"].map(|name| stage.logged(&format!("download {name}=")));
    assert_eq!(counts, [1, 2, 3]);
}

#[test]
fn two_set_ups_at_once_wait_for_each_other() {
    let stage = Stage::new();
    let start = || {
        let mut command = stage.xtask();
        command.args(["setup", "--cpu"]).env("FAKE_PIP", "waits-at-torch");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut first = start();
    while stage.log().is_empty() {
        assert!(first.try_wait().unwrap().is_none(), "the first set-up has ended");
        std::thread::yield_now();
    }
    let mut second = start();
    let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
    let waits = lines.next().unwrap().unwrap();
    assert!(waits.contains("another set-up is running"), "{waits}");
    fs::write(stage.path("log.go"), "").unwrap();
    Finished::from(first.wait_with_output().unwrap()).succeeds(&[]);
    let last = lines.last().unwrap().unwrap();
    assert!(second.wait().unwrap().success() && last.contains("is ready"), "{last}");
    assert_eq!(stage.log(), CPU_DOWNLOADS);
}

#[test]
fn complete_files_without_a_stamp_are_used_if_they_load() {
    let stage = Stage::new();
    stage.lay_out("checkout/.libtorch");
    stage.run("setup", &[]).succeeds(&["found a complete libtorch"]);
    assert_eq!(stage.logged("download "), 0);
    fs::remove_file(stage.home().join("READY")).unwrap();
    let broken = [("FAKE_LOADER", "file too short"), ("FAKE_LOADER_AT", ".libtorch/torch")];
    stage.run("setup --cpu", &broken).succeeds(&["does not load; downloading it again"]);
    fs::remove_file(stage.home().join("torch/lib/libc10.so")).unwrap();
    stage.run("setup --cpu", &[]).succeeds(&[]);
    assert_eq!(stage.logged("download "), 6, "incomplete files are downloaded in spite of the stamp");
}

#[test]
fn a_libtorch_that_does_not_load_is_not_stamped() {
    let stage = Stage::new();
    let finished = stage.run("setup --cpu", &[("FAKE_LOADER", "version `GLIBC_2.28' not found")]);
    finished.refuses(&["does not load", "`GLIBC_2.28' not found", "`ldd --version`"]);
    assert!(!stage.home().join("READY").exists() && !stage.home().join("torch").exists());
}

#[test]
fn the_users_own_libtorch_needs_the_right_version() {
    let stage = Stage::new();
    stage.lay_out("mine");
    let own = stage.path("mine/torch");
    let variables = [("LIBTORCH", own.to_str().unwrap())];
    stage.run("setup", &variables).succeeds(&["is used (`LIBTORCH`)"]);
    let header = own.join("include/torch/headeronly/version.h");
    fs::write(&header, fs::read_to_string(&header).unwrap().replace("MINOR 11", "MINOR 9")).unwrap();
    stage.run("setup", &variables).refuses(&["libtorch 2.9.0", "libtorch 2.11.0 is needed", variables[0].1]);
    stage.run("setup", &[("LIBTORCH", "/no/such/folder")]).refuses(&["`/no/such/folder`, which is not a folder"]);
    assert!(stage.log().is_empty(), "nothing is downloaded");
}

#[test]
fn the_torch_of_python_needs_the_right_version() {
    let stage = Stage::new();
    let with = [("LIBTORCH_USE_PYTORCH", "1")];
    for (version, code) in [("2.11.0+cu130", 0), ("2.8.1", 2)] {
        stage.file("modules/torch/__init__.py", "");
        stage.file("modules/torch/version.py", &format!("__version__ = '{version}'\n"));
        let finished = stage.run("setup", &with);
        assert_eq!(finished.code, Some(code), "{finished:?}");
        assert!(code == 0 || finished.stderr.contains("-m pip install torch==2.11.0"), "{finished:?}");
    }
}
