//! The C++ compiler for `torch-sys`.
//!
//! It is checked before the download with a small program that needs what `torch-sys` needs: headers of the standard
//! library, C++17, and on Linux the library of OpenMP.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

const PROBE: &str =
    "#include <optional>\n#include <string>\nint main() { return std::optional<std::string>{} ? 1 : 0; }\n";

/// A compiler: the value of `CXX`, possibly with a wrapper (`ccache g++`), or one on `PATH`.
#[derive(Debug, PartialEq, Eq)]
pub struct Compiler {
    words: Vec<String>,
}

impl Compiler {
    /// The value of `CXX` for this compiler.
    pub fn cxx(&self) -> OsString {
        self.words.join(" ").into()
    }
}

/// Finds the compiler that `torch-sys` will use.
pub fn find() -> Result<Compiler> {
    let chosen = env::var("CXX").ok().filter(|value| !value.trim().is_empty());
    if let Some(words) = chosen.map(|value| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()) {
        let known = Path::new(&words[0]).is_file() || process::find(&words[0]).is_some();
        if !known {
            bail!("`CXX` is `{}`, which is not on PATH\nhint: unset `CXX`, or set it to a C++ compiler", words[0]);
        }
        return Ok(Compiler { words });
    }
    match ["c++", "g++", "clang++"].into_iter().find(|name| process::find(name).is_some()) {
        Some(name) => Ok(Compiler { words: vec![name.to_owned()] }),
        None => bail!("no C++ compiler (`c++`, `g++` or `clang++`) on PATH\nhint: {}", remedy()),
    }
}

/// Compiles a small program in the folder `scratch`.
pub fn check(compiler: &Compiler, scratch: &Path) -> Result<()> {
    let (source, program) = (scratch.join("probe.cpp"), scratch.join("probe"));
    fs::write(&source, PROBE).with_context(|| format!("failed to write `{}`", source.display()))?;
    let mut command = Command::new(&compiler.words[0]);
    command.args(&compiler.words[1..]).arg("-std=c++17").arg(&source).arg("-o").arg(&program);
    if cfg!(target_os = "linux") {
        command.arg("-lgomp");
    }
    let output = process::output(&mut command)?;
    if output.status.success() {
        return Ok(());
    }
    let words = output.stderr + &output.stdout;
    let complaint =
        words.lines().find(|line| line.contains("error") || line.contains("cannot find")).or(words.lines().next());
    bail!(
        "the C++ compiler `{}` cannot compile a small program: {}\nhint: {}",
        compiler.words.join(" "),
        complaint.unwrap_or("no reason given").trim(),
        remedy()
    )
}

fn remedy() -> &'static str {
    if cfg!(target_os = "macos") {
        "`xcode-select --install`"
    } else {
        "`apt install g++` (Debian, Ubuntu), `dnf install gcc-c++` (Fedora, RHEL), `pacman -S gcc` (Arch), or set `CXX`"
    }
}
