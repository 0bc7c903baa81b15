//! Is there a C++ compiler that can build `torch-sys`?
//!
//! Asked before half a gigabyte is downloaded, by compiling the smallest program that needs what
//! `torch-sys` needs: the standard library's headers, C++17, and on Linux OpenMP's library.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tool;

const PROBE: &str =
    "#include <optional>\n#include <string>\nint main() { return std::optional<std::string>{} ? 1 : 0; }\n";

/// How to call the compiler: `CXX` as the user set it, possibly with a wrapper (`ccache g++`), or one that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Compiler {
    words: Vec<String>,
}

impl Compiler {
    /// The value of `CXX` that makes `torch-sys` use this compiler.
    pub fn cxx(&self) -> OsString {
        self.words.join(" ").into()
    }
}

/// The compiler `torch-sys` will use.
pub fn find() -> Result<Compiler> {
    let chosen = env::var("CXX").ok().filter(|value| !value.trim().is_empty());
    if let Some(words) = chosen.map(|value| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()) {
        let known = Path::new(&words[0]).is_file() || tool::find(&words[0]).is_some();
        if !known {
            bail!("`CXX` is `{}`, which is not on PATH\nhint: unset `CXX`, or set it to a C++ compiler", words[0]);
        }
        return Ok(Compiler { words });
    }
    match ["c++", "g++", "clang++"].into_iter().find(|name| tool::find(name).is_some()) {
        Some(name) => Ok(Compiler { words: vec![name.to_owned()] }),
        None => bail!("no C++ compiler (`c++`, `g++` or `clang++`) on PATH\nhint: {}", remedy()),
    }
}

/// Compiles the probe in `scratch`, which exists.
pub fn check(compiler: &Compiler, scratch: &Path) -> Result<()> {
    let (source, program) = (scratch.join("probe.cpp"), scratch.join("probe"));
    fs::write(&source, PROBE).with_context(|| format!("failed to write `{}`", source.display()))?;
    let mut command = Command::new(&compiler.words[0]);
    command.args(&compiler.words[1..]).arg("-std=c++17").arg(&source).arg("-o").arg(&program);
    if cfg!(target_os = "linux") {
        command.arg("-lgomp");
    }
    let answer = tool::ask(&mut command)?;
    if answer.status.success() {
        return Ok(());
    }
    let words = answer.stderr + &answer.stdout;
    let complaint =
        words.lines().find(|line| line.contains("error") || line.contains("cannot find")).or(words.lines().next());
    bail!(
        "the C++ compiler `{}` cannot compile a small program: {}\nhint: {}",
        compiler.words.join(" "),
        complaint.unwrap_or("it says nothing").trim(),
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
