//! What a libtorch on disk is: its version, whether it is whole, what it can do.
//!
//! `tch` 0.24.0 is written against libtorch 2.11.0 and no other, so the version is checked from the
//! files themselves, whoever put them there.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fmt;
use std::fs;
use std::path::Path;

/// The libtorch that `tch` 0.24.0 pairs with.
pub const VERSION: &str = "2.11.0";

/// What libtorch can compute on. `Cuda` serves the CPU as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Cpu,
    Cuda,
}

impl Variant {
    /// Does a libtorch of this variant do for someone who wants `wanted`?
    pub fn serves(self, wanted: Variant) -> bool {
        self == Variant::Cuda || wanted == Variant::Cpu
    }

    /// Disk space that a set-up passes through, pip's own cache included.
    pub fn disk_space(self) -> &'static str {
        match self {
            Variant::Cpu => "2 GB",
            Variant::Cuda => "12 GB",
        }
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

/// A library's file name on this system: `libtorch_cpu.so`, `libtorch_cpu.dylib`.
pub fn library(stem: &str) -> String {
    format!("{DLL_PREFIX}{stem}{DLL_SUFFIX}")
}

/// The version of the libtorch in `folder`, `2.11.0`, without a local part such as `+cu130`.
///
/// libtorch has kept its version in several places over the years; the first that tells is believed.
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

/// `2.11.0` of `2.11.0+cu130`.
pub fn public_version(text: &str) -> Option<String> {
    let version = text.trim().split('+').next()?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

/// Looks at a home of ours, `torch/` beside `nvidia/`: which variant it is, or what it lacks.
pub fn inspect(home: &Path) -> Result<Variant, String> {
    let torch = home.join("torch");
    match version_of(&torch) {
        None => return Err(format!("no libtorch in `{}`", torch.display())),
        Some(version) if version != VERSION => {
            return Err(format!("libtorch {version} in `{}`", torch.display()));
        }
        Some(_) => {}
    }
    let [c10, torch_cpu, stub] = ["c10", "torch_cpu", "torch"].map(|stem| format!("torch/lib/{}", library(stem)));
    let header = "torch/include/torch/csrc/api/include/torch/torch.h".to_owned();
    let mut needed = vec![header, c10, torch_cpu, stub];
    if cfg!(target_os = "linux") {
        needed.extend(["cudart", "cupti"].map(|stem| format!("nvidia/cu13/lib/lib{stem}.so.13")));
    }
    if let Some(missing) = needed.iter().find(|file| !has_content(&home.join(file))) {
        return Err(format!("no `{missing}` in `{}`", home.display()));
    }
    let cuda = ["torch/lib/libtorch_cuda.so", "nvidia/cu13/lib/libcublas.so.13", "nvidia/cudnn/lib/libcudnn.so.9"];
    let has_cuda = cuda.iter().all(|file| has_content(&home.join(file)));
    Ok(if has_cuda { Variant::Cuda } else { Variant::Cpu })
}

fn has_content(file: &Path) -> bool {
    file.metadata().is_ok_and(|file| file.is_file() && file.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "
#pragma once
/// Indicates the major version of LibTorch.
#define TORCH_VERSION_MAJOR 2
#define TORCH_VERSION_MINOR 11
#define TORCH_VERSION_PATCH 0
#define TORCH_VERSION \\
  \"2.11.0\"
";

    fn write(folder: &Path, name: &str, text: &str) {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn the_version_is_read_from_the_header() {
        assert_eq!(version_in_header(HEADER).as_deref(), Some("2.11.0"));
        assert_eq!(version_in_header("#include <torch/headeronly/version.h>\n"), None);
    }

    #[test]
    fn a_header_that_only_includes_another_does_not_hide_it() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "include/torch/version.h", "#include <torch/headeronly/version.h>\n");
        assert_eq!(version_of(folder.path()), None);
        write(folder.path(), "build-version", "2.10.1+cpu\n");
        assert_eq!(version_of(folder.path()).as_deref(), Some("2.10.1"));
        write(folder.path(), "include/torch/headeronly/version.h", HEADER);
        assert_eq!(version_of(folder.path()).as_deref(), Some("2.11.0"));
    }

    #[test]
    fn the_local_part_of_a_version_is_dropped() {
        assert_eq!(public_version("2.11.0+cu130\n").as_deref(), Some("2.11.0"));
        assert_eq!(public_version("2.11.0").as_deref(), Some("2.11.0"));
        assert_eq!(public_version("Traceback"), None);
    }

    #[test]
    fn cuda_serves_the_cpu_but_not_the_other_way_round() {
        assert!(Variant::Cuda.serves(Variant::Cpu));
        assert!(!Variant::Cpu.serves(Variant::Cuda));
    }

    #[test]
    fn a_home_that_lacks_a_file_or_has_an_empty_one_is_not_whole() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        assert!(inspect(home).unwrap_err().contains("no libtorch"));
        write(home, "torch/include/torch/headeronly/version.h", HEADER);
        write(home, "torch/include/torch/csrc/api/include/torch/torch.h", "x");
        for stem in ["c10", "torch"] {
            write(home, &format!("torch/lib/{}", library(stem)), "x");
        }
        for stem in ["cudart", "cupti"] {
            write(home, &format!("nvidia/cu13/lib/lib{stem}.so.13"), "x");
        }
        let torch_cpu = format!("torch/lib/{}", library("torch_cpu"));
        assert!(inspect(home).unwrap_err().contains(&torch_cpu));
        write(home, &torch_cpu, "");
        assert!(inspect(home).unwrap_err().contains(&torch_cpu));
        write(home, &torch_cpu, "x");
        assert_eq!(inspect(home), Ok(Variant::Cpu));
    }

    #[test]
    fn another_version_is_named() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "torch/include/torch/headeronly/version.h", &HEADER.replace("11", "10"));
        assert!(inspect(home.path()).unwrap_err().contains("libtorch 2.10.0"));
    }
}
