//! Tells the linker where libtorch lies at run time, and the program what it was built from; embeds the experiments.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let lib = PathBuf::from(
        std::env::var("DEP_TCH_LIBTORCH_LIB")
            .map_err(|_| anyhow::anyhow!("torch-sys named no libtorch folder: it must stay a direct dependency"))?,
    );
    // The binary finds libtorch by this path from any folder, without LD_LIBRARY_PATH.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    println!("cargo:rustc-link-arg-bin=runner=-Wl,--remap-inputs=*/libtorch_sys-*.rlib=/dev/null");
    println!("cargo:rustc-env=RUNNER_LIBTORCH_LIB={}", lib.display());
    println!("cargo:rustc-env=RUNNER_LIBTORCH_VERSION={}", libtorch_version(&lib));
    println!("cargo:rustc-env=RUNNER_COMMIT={}", commit());
    embed_experiments()?;
    let git_folder = git(&["rev-parse", "--git-dir"]).map(PathBuf::from);
    let watched = ["src", "Cargo.toml", "Cargo.lock"].map(PathBuf::from).into_iter();
    for path in watched.chain(git_folder.iter().flat_map(|git| [git.join("HEAD"), git.join("index")])) {
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    Ok(())
}

/// The version that libtorch's own headers state, such as `2.11.0`.
fn libtorch_version(lib: &Path) -> String {
    let header = lib.join("../include/torch/headeronly/version.h");
    println!("cargo:rerun-if-changed={}", header.display());
    let text = std::fs::read_to_string(header).unwrap_or_default();
    let number = |part: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(&format!("#define TORCH_VERSION_{part} ")))
            .map(str::trim)
            .map(str::to_owned)
    };
    match (number("MAJOR"), number("MINOR"), number("PATCH")) {
        (Some(major), Some(minor), Some(patch)) => format!("{major}.{minor}.{patch}"),
        _ => "unknown".to_owned(),
    }
}

/// What git answers, when there is a git and a clone.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The commit of this source, with `+` where tracked files differ from it; `unknown` outside a clone.
fn commit() -> String {
    match git(&["rev-parse", "--short=10", "HEAD"]) {
        Some(commit) => {
            let dirty = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|s| !s.is_empty());
            if dirty { format!("{commit}+") } else { commit }
        }
        None => "unknown".to_owned(),
    }
}

/// Embeds the shipped experiments: an array of (name, text), sorted by name.
fn embed_experiments() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=experiments");
    let folder = std::env::current_dir()?.join("experiments");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut code = String::from("[\n");
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        code.push_str(&format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()));
    }
    code.push_str("]\n");
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("experiments.rs"), code)?;
    Ok(())
}
