//! The files of a libtorch: version, completeness, variant, and the stamp `READY`.
//!
//! `tch` 0.24.0 works with libtorch 2.11.0 only, so the version is read from the files, wherever they come from.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

/// The libtorch that `tch` 0.24.0 needs.
pub const VERSION: &str = "2.11.0";

const STAMP: &str = "READY";

/// The devices that a libtorch supports; `Cuda` includes the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Cpu,
    Cuda,
}

impl Variant {
    /// Whether this variant can be used if `wanted` is asked for.
    pub fn serves(self, wanted: Variant) -> bool {
        self == Variant::Cuda || wanted == Variant::Cpu
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variant::Cpu => "cpu",
            Variant::Cuda => "cuda",
        })
    }
}

/// File name of a library on this system: `libtorch_cpu.so`, `libtorch_cpu.dylib`.
pub fn library(stem: &str) -> String {
    format!("{DLL_PREFIX}{stem}{DLL_SUFFIX}")
}

/// Returns the version of the libtorch in `folder`, such as `2.11.0`, from the first file that has it.
pub fn version_of(folder: &Path) -> Option<String> {
    let headers = [
        "include/torch/headeronly/version.h",
        "include/torch/csrc/api/include/torch/version.h",
        "include/torch/version.h",
    ];
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    headers
        .iter()
        .find_map(|header| version_in_header(&read(header)?))
        .or_else(|| read("build-version").and_then(|text| public_version(&text)))
}

fn version_in_header(text: &str) -> Option<String> {
    let number = |part: &str| {
        let name = format!("TORCH_VERSION_{part}");
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let defines = words.next() == Some("#define") && words.next() == Some(&name);
            defines.then(|| words.next()?.parse::<u32>().ok())?
        })
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}

/// Returns `2.11.0` for `2.11.0+cu130`.
pub fn public_version(text: &str) -> Option<String> {
    let version = text.trim().split('+').next()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

/// Returns the variant of the libtorch in `home` (`torch/` and `nvidia/`), or what is missing.
pub fn inspect(home: &Path) -> Result<Variant, String> {
    let torch = home.join("torch");
    match version_of(&torch) {
        None => return Err(format!("no libtorch in `{}`", torch.display())),
        Some(version) if version != VERSION => return Err(format!("libtorch {version} in `{}`", torch.display())),
        Some(_) => {}
    }
    let mut needed = vec!["torch/include/torch/csrc/api/include/torch/torch.h".to_owned()];
    needed.extend(["c10", "torch_cpu", "torch"].map(|stem| format!("torch/lib/{}", library(stem))));
    if cfg!(target_os = "linux") {
        needed.extend(["cudart", "cupti"].map(|stem| format!("nvidia/cu13/lib/lib{stem}.so.13")));
    }
    let has_content = |file: &str| home.join(file).metadata().is_ok_and(|file| file.is_file() && file.len() > 0);
    if let Some(missing) = needed.iter().find(|file| !has_content(file)) {
        return Err(format!("no `{missing}` in `{}`", home.display()));
    }
    let cuda = ["torch/lib/libtorch_cuda.so", "nvidia/cu13/lib/libcublas.so.13", "nvidia/cudnn/lib/libcudnn.so.9"];
    Ok(if cuda.into_iter().all(has_content) { Variant::Cuda } else { Variant::Cpu })
}

/// Returns the variant that is ready in `home`: `READY` has our version, and the files are there.
pub fn ready(home: &Path) -> Option<Variant> {
    let stamp = fs::read_to_string(home.join(STAMP)).ok()?;
    let stamped = [Variant::Cpu, Variant::Cuda].into_iter().find(|variant| stamp == stamp_of(*variant))?;
    inspect(home).ok().filter(|found| found.serves(stamped)).map(|_| stamped)
}

fn stamp_of(variant: Variant) -> String {
    format!("libtorch {VERSION} {variant}\n")
}

/// Writes `READY` in one step.
pub fn write_stamp(home: &Path, variant: Variant) -> Result<()> {
    let unfinished = home.join("READY.new");
    fs::write(&unfinished, stamp_of(variant))
        .and_then(|()| fs::rename(&unfinished, home.join(STAMP)))
        .with_context(|| format!("failed to write `{}`", home.join(STAMP).display()))
}

/// Removes `READY`, if it exists.
pub fn remove_stamp(home: &Path) -> Result<()> {
    match fs::remove_file(home.join(STAMP)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", home.join(STAMP).display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n";

    fn write(folder: &Path, name: &str, text: &str) {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn the_version_is_in_one_of_several_files() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "include/torch/version.h", "#include <torch/headeronly/version.h>\n");
        assert_eq!(version_of(folder.path()), None);
        write(folder.path(), "build-version", "2.10.1+cpu\n");
        assert_eq!(version_of(folder.path()).as_deref(), Some("2.10.1"));
        write(folder.path(), "include/torch/headeronly/version.h", HEADER);
        assert_eq!(version_of(folder.path()).as_deref(), Some("2.11.0"));
        assert_eq!(public_version("Traceback"), None);
    }

    #[test]
    fn a_home_without_a_file_or_with_an_empty_one_is_incomplete() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        write_stamp(home, Variant::Cpu).unwrap();
        assert!(inspect(home).unwrap_err().contains("no libtorch"));
        write(home, "torch/include/torch/headeronly/version.h", &HEADER.replace("11", "10"));
        assert!(inspect(home).unwrap_err().contains("libtorch 2.10.0"));
        write(home, "torch/include/torch/headeronly/version.h", HEADER);
        write(home, "torch/include/torch/csrc/api/include/torch/torch.h", "x");
        for stem in ["c10", "torch"] {
            write(home, &format!("torch/lib/{}", library(stem)), "x");
        }
        for stem in ["cudart", "cupti"] {
            write(home, &format!("nvidia/cu13/lib/lib{stem}.so.13"), "x");
        }
        let torch_cpu = format!("torch/lib/{}", library("torch_cpu"));
        write(home, &torch_cpu, "");
        assert!(inspect(home).unwrap_err().contains(&torch_cpu));
        assert_eq!(ready(home), None);
        write(home, &torch_cpu, "x");
        assert_eq!((inspect(home), ready(home)), (Ok(Variant::Cpu), Some(Variant::Cpu)));
        write(home, STAMP, "libtorch 2.10.0 cpu\n");
        assert_eq!(ready(home), None);
    }
}
