//! Networks, losses and metrics written in PyTorch and exported as TorchScript. The files are in `tests/golden/torchscript`.

mod losses;
mod networks;

use std::path::Path;

use crate::support::TestDir;

/// Copies a file of `tests/golden/torchscript` into the directory.
fn copy(dir: &TestDir, file: &str, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torchscript").join(file);
    dir.write(name, std::fs::read(path).unwrap());
}
