//! What is fetched: which packages, built for which system, and what of them is kept.
//!
//! The Python registry carries libtorch inside the `torch` wheel, and can be reached from nearly
//! everywhere. Nothing of Python itself is used: the wheel for CPython 3.11 serves whatever Python
//! runs pip, and everything but libraries and headers is left in the wheel.
//!
//! The pins are what pip itself resolves for `torch==2.11.0`. They were taken from
//!
//! ```sh
//! pip install --dry-run --report - --target x --only-binary=:all: torch==2.11.0
//! ```
//!
//! Left out of it are the Python packages (triton, sympy, …), which no library of libtorch needs.

use std::env::consts::{ARCH, OS};

use anyhow::{Result, bail};

use crate::libtorch::{VERSION, Variant};

/// A package of exactly one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
}

impl Package {
    const fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version }
    }

    /// As pip takes it: `torch==2.11.0`.
    pub fn requirement(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }

    /// Is a wheel of this file name this package? `nvidia_cuda_runtime-13.0.96-py3-none-….whl`.
    pub fn is_in(&self, file_name: &str) -> bool {
        let prefix = format!("{}-{}-", self.name.replace('-', "_"), self.version);
        file_name.starts_with(&prefix) && file_name.ends_with(".whl")
    }
}

const TORCH: Package = Package::new("torch", VERSION);

/// `libtorch_cpu.so` is linked against these two even where there is no GPU.
const LINUX_CPU: [Package; 2] =
    [Package::new("nvidia-cuda-runtime", "13.0.96"), Package::new("nvidia-cuda-cupti", "13.0.85")];

const LINUX_CUDA: [Package; 13] = [
    Package::new("nvidia-cublas", "13.1.0.3"),
    Package::new("nvidia-cuda-nvrtc", "13.0.88"),
    Package::new("nvidia-cudnn-cu13", "9.19.0.56"),
    Package::new("nvidia-cufft", "12.0.0.61"),
    Package::new("nvidia-cufile", "1.15.1.6"),
    Package::new("nvidia-curand", "10.4.0.35"),
    Package::new("nvidia-cusolver", "12.0.4.66"),
    Package::new("nvidia-cusparse", "12.6.3.3"),
    Package::new("nvidia-cusparselt-cu13", "0.8.0"),
    Package::new("nvidia-nccl-cu13", "2.28.9"),
    Package::new("nvidia-nvjitlink", "13.0.88"),
    Package::new("nvidia-nvshmem-cu13", "3.4.5"),
    Package::new("nvidia-nvtx", "13.0.85"),
];

/// What to fetch for one system and variant.
#[derive(Debug)]
pub struct Selection {
    pub packages: Vec<Package>,
    /// Pip's `--platform` tags, newest first.
    pub platforms: Vec<String>,
    /// Patterns of the files that are unpacked, and of exceptions from them.
    pub keep: Vec<&'static str>,
    pub leave: Vec<&'static str>,
}

/// The selection for this machine.
pub fn select(variant: Variant) -> Result<Selection> {
    // A musl system runs no manylinux wheel.
    let os = if cfg!(target_env = "musl") { "linux with musl" } else { OS };
    select_for(os, ARCH, variant)
}

fn select_for(os: &str, arch: &str, variant: Variant) -> Result<Selection> {
    let mut packages = vec![TORCH];
    let platforms = match (os, arch) {
        ("linux", "x86_64" | "aarch64") => {
            packages.extend(LINUX_CPU);
            if variant == Variant::Cuda {
                packages.extend(LINUX_CUDA);
            }
            manylinux(arch)
        }
        ("macos", "aarch64") if variant == Variant::Cuda => {
            bail!("there is no CUDA on macOS\nhint: `cargo xtask setup --cpu`")
        }
        ("macos", "aarch64") => vec!["macosx_11_0_arm64".to_owned()],
        _ => bail!(
            "there is no libtorch {VERSION} package for {os} on {arch}\n\
             hint: build libtorch {VERSION} from source and set `LIBTORCH` to its folder"
        ),
    };

    let mut keep = vec!["torch/lib/*", "torch/include/*", "torch/share/*", "torch/version.py"];
    let mut leave = vec!["torch/lib/*torch_python*", "torch/lib/libshm*"];
    match variant {
        Variant::Cuda => keep.push("nvidia/*/lib/*.so*"),
        Variant::Cpu => {
            keep.extend(["nvidia/*/lib/libcudart.so*", "nvidia/*/lib/libcupti.so*"]);
            leave.extend([
                "torch/lib/libtorch_cuda*",
                "torch/lib/libc10_cuda*",
                "torch/lib/libcaffe2_nvrtc*",
                "torch/lib/libtorch_nvshmem*",
            ]);
        }
    }
    Ok(Selection { packages, platforms, keep, leave })
}

/// Every glibc tag that torch's own 2.28 covers: pip, told a platform, takes it by the letter.
fn manylinux(arch: &str) -> Vec<String> {
    let mut tags: Vec<String> = (5..=28).rev().map(|minor| format!("manylinux_2_{minor}_{arch}")).collect();
    tags.extend(["manylinux2014", "manylinux2010", "manylinux1"].map(|name| format!("{name}_{arch}")));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuda_is_the_cpu_selection_and_more() {
        let cpu = select_for("linux", "x86_64", Variant::Cpu).unwrap();
        let cuda = select_for("linux", "x86_64", Variant::Cuda).unwrap();
        assert_eq!(cpu.packages.len(), 3);
        assert_eq!(cuda.packages.len(), 16);
        assert!(cuda.packages.starts_with(&cpu.packages));
        assert!(cpu.leave.contains(&"torch/lib/libtorch_cuda*"));
        assert!(!cuda.leave.contains(&"torch/lib/libtorch_cuda*"));
    }

    #[test]
    fn macos_takes_torch_alone_and_has_no_cuda() {
        let mac = select_for("macos", "aarch64", Variant::Cpu).unwrap();
        assert_eq!(mac.packages, [TORCH]);
        assert_eq!(mac.platforms, ["macosx_11_0_arm64"]);
        assert!(select_for("macos", "aarch64", Variant::Cuda).is_err());
    }

    #[test]
    fn a_system_without_packages_is_told_about_libtorch() {
        for (os, arch) in [("linux with musl", "x86_64"), ("windows", "x86_64"), ("macos", "x86_64")] {
            let error = select_for(os, arch, Variant::Cpu).unwrap_err().to_string();
            assert!(error.contains(os) && error.contains("`LIBTORCH`"), "{error}");
        }
    }

    #[test]
    fn the_platform_tags_cover_the_old_spellings_too() {
        let tags = manylinux("x86_64");
        assert_eq!(tags[0], "manylinux_2_28_x86_64");
        for tag in ["manylinux_2_25_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"] {
            assert!(tags.iter().any(|known| known == tag), "{tag}");
        }
    }

    #[test]
    fn a_wheel_is_known_by_its_file_name() {
        let runtime = LINUX_CPU[0];
        assert!(runtime.is_in("nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.whl"));
        assert!(!runtime.is_in("nvidia_cuda_runtime-13.0.9-py3-none-manylinux2014_x86_64.whl"));
        assert!(!runtime.is_in("nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.whl.part"));
        assert!(!TORCH.is_in("torch-2.11.0.post1-cp311-cp311-manylinux_2_28_x86_64.whl"));
    }
}
