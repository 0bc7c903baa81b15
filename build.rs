//! Tells the linker where libtorch lies at run time, and the program what it was built from; embeds the experiments.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program is made of.
const SOURCES: [&str; 6] = ["src", "switches", "experiments", "build.rs", "Cargo.toml", "Cargo.lock"];

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let lib = PathBuf::from(
        std::env::var("DEP_TCH_LIBTORCH_LIB")
            .map_err(|_| anyhow::anyhow!("torch-sys named no libtorch folder: it must stay a direct dependency"))?,
    );
    // The binary finds libtorch by this path from any folder, without LD_LIBRARY_PATH.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    println!("cargo:rustc-env=RUNNER_LIBTORCH_LIB={}", lib.display());
    println!("cargo:rustc-env=RUNNER_LIBTORCH_VERSION={}", libtorch_version(&lib));
    println!("cargo:rustc-env=RUNNER_COMMIT={}", commit());
    embed_experiments()?;
    leave_libtorch_out_of_the_front()?;
    println!("cargo:rustc-env=RUNNER_BUILD={:016x}", build_identity(&lib)?);
    let git_folder = git(&["rev-parse", "--git-dir"]).map(PathBuf::from);
    let watched = SOURCES.map(PathBuf::from).into_iter();
    for path in watched.chain(git_folder.iter().flat_map(|git| [git.join("HEAD"), git.join("index")])) {
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    Ok(())
}

/// Links `runner`, the front, without torch-sys and the switches, and so without libtorch, which `runner-engine` alone needs.
///
/// It is not enough that the front's functions reach no tensor: their C++ objects are read for what is thrown away
/// later, and their static initializers hold on to libtorch. So the linker is told to read nothing in their place;
/// a function that could be reached, and refers to it, is then an undefined symbol. LLD can do that, the default linker of
/// x86-64 Linux. With another one, `runner` is the engine itself.
fn leave_libtorch_out_of_the_front() -> anyhow::Result<()> {
    let nothing_for = |library: &str| format!("-Wl,--remap-inputs=*/{library}-*.rlib=/dev/null");
    let left_out = ["libtorch_sys", "libswitches"].map(nothing_for);
    println!("cargo:rustc-check-cfg=cfg(whole_front)");
    match linker_takes(&left_out[0])? {
        true => left_out.iter().for_each(|argument| println!("cargo:rustc-link-arg-bin=runner={argument}")),
        false => println!("cargo:rustc-cfg=whole_front"),
    }
    Ok(())
}

/// Whether a program can be linked with this argument, by the linker that cargo uses.
fn linker_takes(argument: &str) -> anyhow::Result<bool> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let (source, program) = (out.join("linked.rs"), out.join("linked"));
    std::fs::write(&source, "fn main() {}")?;
    let mut rustc = Command::new(std::env::var("RUSTC")?);
    rustc.arg(source).arg("-o").arg(program).args(["--target", &std::env::var("TARGET")?]);
    rustc.args(variable("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}")));
    rustc.args(variable("CARGO_ENCODED_RUSTFLAGS").iter().flat_map(|flags| flags.split('\u{1f}')));
    Ok(rustc.arg(format!("-Clink-arg={argument}")).output()?.status.success())
}

/// A number that two builds share when they are made of the same source, at the same commit, for the same libtorch.
fn build_identity(lib: &Path) -> anyhow::Result<u64> {
    let mut hasher = DefaultHasher::new();
    (commit(), lib, std::env::var("CARGO_PKG_VERSION")?).hash(&mut hasher);
    let mut left: Vec<PathBuf> = SOURCES.map(PathBuf::from).to_vec();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let mut inside =
                std::fs::read_dir(&path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
            inside.sort();
            left.extend(inside);
        } else {
            std::fs::read(&path)?.hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
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

/// Embeds the shipped experiments: an array of (name, text, files), sorted by name. `files` are the modules (`.pt`) in the
/// directory of that name, with their paths in `experiments/`.
fn embed_experiments() -> anyhow::Result<()> {
    let folder = std::env::current_dir()?.join("experiments");
    let files_in = |folder: &Path, extension: &str| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|found| found == extension));
        files.sort();
        files
    };
    let mut code = String::from("[\n");
    for file in files_in(&folder, "toml") {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        code.push_str(&format!("    ({name:?}, include_str!({:?}), &[", file.display().to_string()));
        for module in files_in(&folder.join(&*name), "pt") {
            let path = module.strip_prefix(&folder)?.display().to_string();
            code.push_str(&format!("({path:?}, include_bytes!({:?})), ", module.display().to_string()));
        }
        code.push_str("]),\n");
    }
    code.push_str("]\n");
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("experiments.rs"), code)?;
    Ok(())
}
