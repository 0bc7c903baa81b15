//! `cargo xtask setup`: every way it can be refused, and every way it can go on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::stage::{Said, Stage};

#[test]
fn libtorch_is_fetched_unpacked_and_stamped() {
    let stage = Stage::new();
    let said = stage.run("setup --cpu", &[]);
    said.succeeds();
    assert_eq!(
        stage.log(),
        [
            "download torch==2.11.0",
            "download nvidia-cuda-runtime==13.0.96",
            "download nvidia-cuda-cupti==13.0.85",
            "unpack",
            "load",
        ]
    );
    assert_eq!(fs::read_to_string(stage.home().join("READY")).unwrap(), "libtorch 2.11.0 cpu\n");
    assert!(stage.home().join("torch/lib/libtorch_cpu.so").exists());
    for leftover in ["wheels", "staging"] {
        assert!(!stage.home().join(leftover).exists(), "{leftover}");
    }
    assert!(said.stderr.contains("libtorch 2.11.0 (cpu) is ready"), "{said:?}");
    assert_eq!(said.stdout, "", "talk belongs to stderr, pip's too");
}

#[test]
fn a_second_set_up_does_nothing_and_says_so_in_one_line() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[]).succeeds();
    let before = stage.log();
    for words in ["setup", "setup --cpu"] {
        let said = stage.run(words, &[]);
        assert_eq!(said.succeeds().stderr.lines().count(), 1, "{said:?}");
        assert!(said.stderr.contains("is ready"));
    }
    assert_eq!(stage.log(), before);
}

#[test]
fn force_does_it_again() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[]).succeeds();
    stage.run("setup --cpu --force", &[]).succeeds();
    assert_eq!(stage.logged("download torch"), 2);
    assert!(!stage.home().join("staging").exists());
}

#[test]
fn cuda_replaces_cpu_and_then_serves_both() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[]).succeeds();
    let said = stage.run("setup --cuda", &[("FAKE_VARIANT", "cuda")]);
    assert!(said.succeeds().stderr.contains("(cuda) is ready"), "{said:?}");
    assert_eq!(stage.logged("download "), 3 + 16);
    stage.run("setup --cpu", &[]).succeeds();
    stage.run("setup", &[]).succeeds();
    assert_eq!(stage.logged("download "), 3 + 16);
}

#[test]
fn a_driver_decides_when_the_user_does_not() {
    let stage = Stage::new();
    stage.tool("nvidia-smi", "#!/bin/sh\nexit 0\n");
    let said = stage.run("setup", &[("FAKE_VARIANT", "cuda")]);
    assert!(said.succeeds().stderr.contains("an NVIDIA driver is here"), "{said:?}");
    assert_eq!(stage.logged("download "), 16);
}

#[test]
fn without_python_it_is_refused() {
    let stage = Stage::new().without("python3");
    stage.run("setup --cpu", &[]).refuses(&["no `python3` on PATH", "python3-pip", "`LIBTORCH`"]);
}

#[test]
fn without_pip_it_is_refused() {
    let stage = Stage::new();
    let said = stage.run("setup --cpu", &[("FAKE_PIP", "absent")]);
    said.refuses(&["has no pip", "-m ensurepip --upgrade", "`python3-pip`"]);
}

#[test]
fn a_python_with_pip_is_preferred_to_one_without() {
    let stage = Stage::new();
    fs::rename(stage.path("bin/python3"), stage.path("bin/python")).unwrap();
    stage.tool("python3", "#!/bin/sh\nexit 1\n");
    stage.run("setup --cpu", &[]).succeeds();
}

#[test]
fn a_pip_that_is_too_old_is_refused() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[("FAKE_PIP", "old")]).refuses(&["pip 19.0", "too old", "install --upgrade pip"]);
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
fn without_a_network_the_remedies_are_named() {
    let stage = Stage::new();
    let said = stage.run("setup --cpu", &[("FAKE_PIP", "offline-at-torch")]);
    said.refuses(&[
        "failed to set up libtorch: failed to download `torch==2.11.0`",
        "cannot be reached: Name or service not known",
        "`HTTPS_PROXY`",
        "`PIP_INDEX_URL`",
        "`LIBTORCH`",
    ]);
    assert!(!said.stderr.contains("No matching distribution"), "{said:?}");
}

#[test]
fn a_full_disk_is_named() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[("FAKE_PIP", "full-at-torch")]).refuses(&["no space left", "free about 2 GB"]);
}

#[test]
fn what_was_downloaded_before_a_failure_is_not_downloaded_again() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[("FAKE_PIP", "offline-at-nvidia-cuda-runtime")]).refuses(&[]);
    assert!(!stage.home().join("READY").exists());
    let said = stage.run("setup --cpu", &[]);
    assert!(said.succeeds().stderr.contains("torch 2.11.0 (1 of 3) is already downloaded"), "{said:?}");
    assert_eq!(stage.logged("download torch"), 1);
    assert_eq!(stage.logged("download nvidia-cuda-runtime"), 2);
}

#[test]
fn a_set_up_that_is_killed_is_continued_without_its_half_done_file() {
    let stage = Stage::new();
    let said = stage.run("setup --cpu", &[("FAKE_PIP", "killed-at-nvidia-cuda-cupti")]);
    assert_eq!(said.code, None, "{said:?}");
    let half = |folder: &str| fs::read_dir(stage.home().join(folder)).unwrap().count();
    assert_eq!(half("wheels"), 2, "the two that were whole");
    stage.run("setup --cpu", &[]).succeeds();
    assert_eq!(stage.logged("download torch"), 1);
    assert_eq!(stage.logged("download nvidia-cuda-runtime"), 1);
    assert_eq!(stage.logged("download nvidia-cuda-cupti"), 2);
}

#[test]
fn two_at_once_do_the_work_once() {
    let stage = Stage::new();
    let start = || {
        let mut command = stage.xtask();
        command.args(["setup", "--cpu"]).env("FAKE_PIP", "waits-at-torch");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let first = start();
    while stage.log().is_empty() {
        std::thread::yield_now();
    }
    let mut second = start();
    let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
    let waits = lines.next().unwrap().unwrap();
    assert!(waits.contains("another set-up is running"), "{waits}");
    fs::write(stage.path("log.go"), "").unwrap();
    Said::from(first.wait_with_output().unwrap()).succeeds();
    let last = lines.last().unwrap().unwrap();
    assert!(second.wait().unwrap().success() && last.contains("is ready"), "{last}");
    assert_eq!(stage.logged("download "), 3);
}

#[test]
fn whole_files_without_a_stamp_are_taken_as_they_are() {
    let stage = Stage::new();
    stage.lay_out(&stage.home());
    let said = stage.run("setup", &[]);
    assert!(said.succeeds().stderr.contains("taken as it is"), "{said:?}");
    assert_eq!(stage.log(), ["load"], "looked at, not fetched");
    assert_eq!(fs::read_to_string(stage.home().join("READY")).unwrap(), "libtorch 2.11.0 cpu\n");
}

#[test]
fn files_that_look_whole_but_do_not_load_are_fetched_again() {
    let stage = Stage::new();
    stage.lay_out(&stage.home());
    let broken = [("FAKE_LOADER", "file too short"), ("FAKE_LOADER_AT", ".libtorch/torch")];
    let said = stage.run("setup --cpu", &broken);
    assert!(said.succeeds().stderr.contains("does not load, fetching it again"), "{said:?}");
    assert_eq!(stage.logged("download "), 3);
}

#[test]
fn files_that_are_not_whole_are_fetched_though_there_is_a_stamp() {
    let stage = Stage::new();
    stage.run("setup --cpu", &[]).succeeds();
    fs::remove_file(stage.home().join("torch/lib/libc10.so")).unwrap();
    stage.run("setup --cpu", &[]).succeeds();
    assert_eq!(stage.logged("unpack"), 2);
    assert!(stage.home().join("torch/lib/libc10.so").exists());
}

#[test]
fn a_libtorch_that_does_not_load_is_not_stamped() {
    let stage = Stage::new();
    let said = stage.run("setup --cpu", &[("FAKE_LOADER", "version `GLIBC_2.28' not found")]);
    said.refuses(&["does not load", "`GLIBC_2.28' not found", "`ldd --version`"]);
    assert!(!stage.home().join("READY").exists() && !stage.home().join("torch").exists());
}

#[test]
fn a_libtorch_of_ones_own_is_used_if_its_version_is_right() {
    let stage = Stage::new();
    let own = stage.path("mine");
    stage.lay_out(&own);
    let variable = own.join("torch");
    let variables = [("LIBTORCH", variable.to_str().unwrap())];
    let said = stage.run("setup", &variables);
    assert!(said.succeeds().stderr.contains("as `LIBTORCH` says"), "{said:?}");

    let header = own.join("torch/include/torch/headeronly/version.h");
    fs::write(&header, fs::read_to_string(&header).unwrap().replace("MINOR 11", "MINOR 9")).unwrap();
    let said = stage.run("setup", &variables);
    said.refuses(&["libtorch 2.9.0", "libtorch 2.11.0 is needed", variables[0].1, "unset `LIBTORCH`"]);

    stage.run("setup", &[("LIBTORCH", "/no/such/folder")]).refuses(&["`/no/such/folder`, which is not a folder"]);
    assert!(stage.log().is_empty(), "nothing is downloaded for who has libtorch");
}

#[test]
fn pythons_own_torch_is_used_if_its_version_is_right() {
    let stage = Stage::new();
    let with = |torch| [("LIBTORCH_USE_PYTORCH", "1"), ("FAKE_TORCH", torch)];
    stage.run("setup", &with("2.11.0+cu130\\n/site/torch\\n")).succeeds();
    let said = stage.run("setup", &with("2.8.1\\n/site/torch\\n"));
    said.refuses(&["torch 2.8.1 in `/site/torch`", "2.11.0 is needed", "-m pip install torch==2.11.0"]);
    stage.run("setup", &with("")).refuses(&["has no torch"]);
}
