//! `unpack.py` on a real wheel, with the real Python: what is kept, what is left, what is broken.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SCRIPT: &str = include_str!("../../src/unpack.py");

const MAKE_WHEEL: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as wheel:
    for name in sys.argv[2:]:
        wheel.writestr(name, name * 1000)
";

/// The real Python; a machine without one has a libtorch of its own and nothing to unpack.
fn python(script: &str, args: &[&str]) -> Option<Output> {
    Command::new("python3").arg("-c").arg(script).args(args).output().ok()
}

fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    files.sort();
    files
}

#[test]
fn only_what_is_asked_for_is_unpacked_and_a_broken_wheel_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (wheel, target) = (folder.path().join("a.whl"), folder.path().join("target"));
    let (wheel_name, target_name) = (wheel.to_str().unwrap(), target.to_str().unwrap());
    let members = [
        "torch/lib/libc10.so",
        "torch/lib/libtorch_cuda.so",
        "torch/include/ATen/a.h",
        "torch/nn/module.py",
        "a-1.dist-info/RECORD",
    ];
    let made = python(MAKE_WHEEL, &[&[wheel_name][..], &members].concat());
    let Some(made) = made else { return };
    assert!(made.status.success(), "{made:?}");

    let args = [target_name, "2", "torch/lib/*", "torch/include/*", "1", "torch/lib/libtorch_cuda*", wheel_name];
    let unpacked = python(SCRIPT, &args).unwrap();
    assert!(unpacked.status.success(), "{unpacked:?}");
    assert_eq!(files_below(&target), ["torch/include/ATen/a.h", "torch/lib/libc10.so"]);
    let text = fs::read_to_string(target.join("torch/lib/libc10.so")).unwrap();
    assert_eq!(text, "torch/lib/libc10.so".repeat(1000));

    // Cut off, and with a byte changed in the middle of the first member.
    let whole = fs::read(&wheel).unwrap();
    let mut changed = whole.clone();
    changed[60] ^= 0xff;
    for bad in [&whole[..whole.len() / 2], &changed[..]] {
        fs::write(&wheel, bad).unwrap();
        let refused = python(SCRIPT, &args).unwrap();
        assert_eq!(refused.status.code(), Some(3), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stdout).starts_with(wheel_name), "{refused:?}");
    }
}
