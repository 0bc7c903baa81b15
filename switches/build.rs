//! Compiles the C++ of this crate against the headers of the libtorch that torch-sys found.

use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/switches.cpp");
    println!("cargo:rerun-if-changed=src/torchscript.cpp");
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");
    let lib = PathBuf::from(
        std::env::var("DEP_TCH_LIBTORCH_LIB")
            .map_err(|_| anyhow::anyhow!("torch-sys named no libtorch folder: it must stay a direct dependency"))?,
    );
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display()); // for its own tests
    let abi = std::env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned()); // as torch-sys has it
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(false) // libtorch's headers have some
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .include(lib.join("../include"))
        .include(lib.join("../include/torch/csrc/api/include"))
        .file("src/switches.cpp")
        .file("src/torchscript.cpp")
        .try_compile("switches")?;
    Ok(())
}
