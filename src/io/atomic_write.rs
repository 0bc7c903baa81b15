//! Atomic file writes: neither a reader nor a crash ever sees a partly written file.
//!
//! The bytes go to a temporary file beside the final name, are flushed to disk (`fsync`), and the file is renamed; then
//! the folder is flushed, so that the new name survives a power failure. If any step fails before the rename, the old
//! file is unchanged.
//!
//! A file whose `fsync` failed is never retried in place: after the failure, Linux marks the lost pages as written, and
//! the next `fsync` reports success. A retry writes a new file.

use std::fs::{DirEntry, File};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

/// Writes a file atomically. A target that is not a regular file, such as `/dev/null`, is written to directly.
///
/// # Errors
/// When the folder is not writable; an existing file of that name is unchanged.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = match is_stream(path) {
        true => File::options().write(true).open(path).and_then(|mut stream| stream.write_all(bytes)),
        false => put(path, bytes),
    };
    written.with_context(|| format!("failed to write `{}`", path.display()))
}

/// Creates or replaces a file with these bytes, atomically.
///
/// # Errors
/// Those of the system. If only flushing the folder failed, the new file is already in place.
pub fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    put_with(path, &|file| file.write_all(bytes)) // `write_all` retries after an interruption
}

/// Function that writes the content of a file. It is called again on a retry.
pub type Content<'a> = &'a dyn Fn(&mut File) -> Result<()>;

/// Creates or replaces a file with this content, atomically.
///
/// # Errors
/// As for [`put`].
pub fn put_with(path: &Path, content: Content) -> Result<()> {
    put_unsynced(path, &|file| content(file).and_then(|()| sync(file))).and_then(|()| sync_folder(folder_of(path)))
}

/// Creates or replaces a file like [`put_with`], but without flushing it to disk: a power failure may lose or shorten it.
///
/// # Errors
/// Those of the system.
pub fn put_unsynced(path: &Path, content: Content) -> Result<()> {
    let (part, mut file) = make_beside(path, |part| File::options().write(true).create_new(true).open(part))?;
    let written = content(&mut file);
    drop(file); // some systems cannot rename an open file
    let named = written.and_then(|()| uninterrupted(|| std::fs::rename(&part, path)));
    if named.is_err() {
        let _ = std::fs::remove_file(&part); // report the first error
    }
    named
}

/// Flushes all files of a folder to disk, several at once: a disk shares the work of simultaneous flushes. Subfolders and
/// hidden files are left out.
///
/// # Errors
/// Those of the system.
pub fn sync_all(folder: &Path) -> Result<()> {
    const THREADS: usize = 16; // they only wait for the disk
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && !entry.file_name().to_string_lossy().starts_with('.') {
            files.push(entry.path());
        }
    }
    let sync_each = |chunk: &[PathBuf]| chunk.iter().try_for_each(|path| sync(&File::open(path)?));
    std::thread::scope(|threads| {
        let chunks = files.chunks(files.len().div_ceil(THREADS).max(1));
        let syncing: Vec<_> = chunks.map(|chunk| threads.spawn(move || sync_each(chunk))).collect();
        let outcomes: Vec<Result<()>> = syncing
            .into_iter()
            .map(|syncing| syncing.join().unwrap_or_else(|_| Err(Error::other("a thread failed"))))
            .collect();
        outcomes.into_iter().collect::<Result<()>>()
    })?;
    sync_folder(folder)
}

/// Returns the name of the temporary file beside `path`.
pub fn beside(path: &Path) -> PathBuf {
    numbered_beside(path, 1)
}

/// Creates something under an unused name beside `path`. The name contains the process ID. Processes in two containers,
/// or on two machines that share the folder, can have the same ID, so the name may be taken.
///
/// # Errors
/// When it cannot be created. `make` must fail with `AlreadyExists` if the name is taken.
pub fn make_beside<T>(path: &Path, make: impl Fn(&Path) -> Result<T>) -> Result<(PathBuf, T)> {
    const MOST: u32 = 10_000; // prevents an endless loop on a broken file system
    let mut number = 1;
    loop {
        let name = numbered_beside(path, number);
        match uninterrupted(|| make(&name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < MOST => number += 1,
            made => return made.map(|made| (name, made)),
        }
    }
}

fn numbered_beside(path: &Path, number: u32) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = if number == 1 { String::new() } else { format!("-{number}") };
    path.with_file_name(format!(".{name}.{}{number}.part", std::process::id()))
}

/// Returns whether a name has the form that [`beside`] returns.
fn is_part(name: &str) -> bool {
    let inner = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
    let process = inner.and_then(|inner| inner.rsplit_once('.')).map(|(_, process)| process);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    process.is_some_and(|process| match process.split_once('-') {
        Some((process, number)) => is_number(process) && is_number(number),
        None => is_number(process),
    })
}

/// Removes temporary files of interrupted writes from a folder, if they have not been modified for this long.
pub fn sweep(folder: &Path, time: Duration) {
    for entry in untouched(folder, time) {
        if is_part(&entry.file_name().to_string_lossy()) {
            let _ = std::fs::remove_file(entry.path()); // a leftover file does no harm
        }
    }
}

/// Returns the entries of a folder that have not been modified for this long. A modification time in the future, from another
/// machine's clock, counts as age 0.
pub fn untouched(folder: &Path, time: Duration) -> impl Iterator<Item = DirEntry> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().filter(move |entry| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        modified.is_ok_and(|modified| modified.elapsed().unwrap_or_default() >= time)
    })
}

/// Checks that a file can be created in the folder, or in its nearest existing parent.
///
/// # Errors
/// When it cannot, or when a file exists where a folder should be.
pub fn can_write(folder: &Path) -> Result<()> {
    let there = folder.ancestors().find(|folder| folder.exists() || folder.as_os_str().is_empty()).unwrap_or(folder);
    let make = |probe: &Path| File::options().write(true).create_new(true).open(probe);
    let (probe, _) = make_beside(&there.join("runner-probe"), make)?;
    std::fs::remove_file(&probe)
}

/// Flushes a file to disk. A file system that does not support this is not an error: some FUSE and network file systems
/// return `EINVAL`, `ENOSYS` or `ENOTSUP`.
///
/// # Errors
/// Those of the system.
pub fn sync(file: &File) -> Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Flushes a folder to disk, and with it the names of its files.
///
/// Besides the errors that `sync` ignores, it ignores two others: a folder that is writable but not readable cannot be
/// opened (`EACCES`, `EPERM`), and some file systems cannot flush what is open for reading only (`EBADF`), as folders
/// always are. The files themselves are on disk by then. Disk failures (`EIO`, `ENOSPC`, `EDQUOT`) are errors.
///
/// # Errors
/// When the disk fails, or the folder does not exist.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> Result<()> {
    match File::open(folder).and_then(|folder| sync(&folder)) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::EBADF) => Ok(()),
        synced => synced,
    }
}

/// Does nothing: other systems flush names on their own, and cannot open a folder as a file.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync_folder(_folder: &Path) -> Result<()> {
    Ok(())
}

/// Returns the folder that contains the file.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Retries the call while a signal interrupts it.
fn uninterrupted<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Returns whether the path is a device, a pipe or an open stream. Renaming a file over `/dev/null` would replace it
/// for all processes.
#[cfg(unix)]
fn is_stream(path: &Path) -> bool {
    let is_other = std::fs::metadata(path).is_ok_and(|what| !what.is_file() && !what.is_dir());
    is_other || std::fs::read_link(path).is_ok_and(|target| target.starts_with("/proc")) // `/dev/stdout`
}

#[cfg(not(unix))]
fn is_stream(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        put(&path, b"first").unwrap();
        put(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there_and_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("a.json");
        std::fs::create_dir_all(in_the_way.join("inner")).unwrap(); // no file can be renamed over a folder
        let error = write_whole(&in_the_way, b"new").unwrap_err();
        assert!(error.to_string().contains("a.json"), "{error}");
        assert_eq!(names(folder.path()), ["a.json"]);
        assert_eq!(put(&folder.path().join("none/a.json"), b"new").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_name_that_is_taken_is_another_ones_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(beside(&path), b"of another").unwrap();
        put(&path, b"ours").unwrap();
        assert_eq!(std::fs::read(beside(&path)).unwrap(), b"of another");
        assert_eq!(std::fs::read(&path).unwrap(), b"ours");
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, outside) = (folder.path().join("a.json"), folder.path().join("outside"));
        std::fs::write(&outside, b"safe").unwrap();
        for link in [&path, &beside(&path)] {
            std::os::unix::fs::symlink(&outside, link).unwrap();
        }
        put(&path, b"ours").unwrap();
        assert_eq!(std::fs::read(&outside).unwrap(), b"safe");
        assert!(path.symlink_metadata().unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_into_and_stays_one() {
        use std::os::unix::fs::FileTypeExt;
        let null = Path::new("/dev/null");
        write_whole(null, b"gone").unwrap();
        assert!(null.metadata().unwrap().file_type().is_char_device());
        assert!(is_stream(Path::new("/dev/stdout")) && !is_stream(Path::new("/dev")));
        let full = write_whole(Path::new("/dev/full"), b"too much").unwrap_err();
        assert_eq!(full.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::StorageFull));
    }

    #[test]
    fn many_threads_that_write_one_name_leave_one_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::thread::scope(|threads| {
            for letter in b'a'..=b'h' {
                let path = &path;
                threads.spawn(move || (0..20).for_each(|_| put(path, &[letter; 5000]).unwrap()));
            }
        });
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() == 5000 && bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn only_parts_that_are_old_enough_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let kept = [".a.part", ".hidden", "a.12.part", ".a.x-1.part", ".lock", "a.json"];
        for name in kept.into_iter().chain([".a.json.12.part", ".a.json.12-2.part"]) {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        std::fs::create_dir(folder.path().join(".folder.1.part")).unwrap();
        sweep(folder.path(), Duration::from_secs(3600));
        assert_eq!(names(folder.path()).len(), kept.len() + 3);
        sweep(folder.path(), Duration::ZERO);
        assert_eq!(
            names(folder.path()),
            [".a.part", ".a.x-1.part", ".folder.1.part", ".hidden", ".lock", "a.12.part", "a.json"]
        );
    }

    #[test]
    fn a_folder_is_tried_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        can_write(&folder.path().join("to/come")).unwrap();
        assert!(names(folder.path()).is_empty());
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        assert!(can_write(&file).is_err());
    }
}
