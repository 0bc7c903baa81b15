//! Writing files so that neither a reader nor a crash ever sees half of one.
//!
//! The bytes are written beside the final name, brought onto the disk (`fsync`), and renamed; then the folder is brought
//! onto the disk, so that the new name holds after a power failure too. Whatever fails on the way, what was there under
//! the name stays as it was.
//!
//! A file that could not be brought onto the disk is never tried again in place: once `fsync` has failed, Linux takes
//! the lost pages for written, and the next `fsync` says that all is well. Another try writes a new file.

use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

/// Writes a file for the user: whole or not at all. Into what is no file, such as `/dev/null`, it is written as it comes.
///
/// # Errors
/// When the folder cannot be written to; a file of that name stays as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = match is_stream(path) {
        true => File::options().write(true).open(path).and_then(|mut stream| stream.write_all(bytes)),
        false => put(path, bytes),
    };
    written.with_context(|| format!("failed to write `{}`", path.display()))
}

/// Gives a file of these bytes its name, whole or not at all.
///
/// # Errors
/// What the system says. Where only the folder could not be brought onto the disk, the new file is there already.
pub fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    put_with(path, &|file| file.write_all(bytes)) // `write_all` goes on after an interruption
}

/// Writes the content of a file; called again where it is tried again.
pub type Content<'a> = &'a dyn Fn(&mut File) -> Result<()>;

/// Gives a file with this content its name, whole or not at all.
///
/// # Errors
/// As for [`put`].
pub fn put_with(path: &Path, content: Content) -> Result<()> {
    let (part, mut file) = make_beside(path, |part| File::options().write(true).create_new(true).open(part))?;
    let written = content(&mut file).and_then(|()| sync(&file));
    drop(file); // some systems rename no open file
    let named = written.and_then(|()| uninterrupted(|| std::fs::rename(&part, path)));
    if named.is_err() {
        let _ = std::fs::remove_file(&part); // the first error is the one to tell
    }
    named.and_then(|()| sync_folder(folder_of(path)))
}

/// The name beside `path` that it is written under at first.
pub fn beside(path: &Path) -> PathBuf {
    numbered_beside(path, 1)
}

/// Makes something under a name beside `path` that nothing else has. The process is in the name; two processes have the
/// same number when they run in two containers, or on two machines that share the folder, so the name may be taken.
///
/// # Errors
/// When it cannot be made. `make` is to fail where the name is taken.
pub fn make_beside<T>(path: &Path, make: impl Fn(&Path) -> Result<T>) -> Result<(PathBuf, T)> {
    const MOST: u32 = 10_000; // what says "taken" ever again is no file system
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

/// Whether a name is one that [`beside`] gives.
fn is_part(name: &str) -> bool {
    let inner = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
    let process = inner.and_then(|inner| inner.rsplit_once('.')).map(|(_, process)| process);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    process.is_some_and(|process| match process.split_once('-') {
        Some((process, number)) => is_number(process) && is_number(number),
        None => is_number(process),
    })
}

/// Removes what writes that were cut off have left in a folder, and nobody has touched for so long.
pub fn sweep(folder: &Path, untouched: Duration) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        // a time that lies ahead, by another machine's clock, is no age
        let age =
            entry.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed().unwrap_or_default());
        if is_part(&entry.file_name().to_string_lossy()) && age.is_ok_and(|age| age >= untouched) {
            let _ = std::fs::remove_file(entry.path()); // what cannot be removed is in nobody's way
        }
    }
}

/// Tries whether a file can be written in the folder, or in the nearest one above it that is there.
///
/// # Errors
/// When it cannot be, or a file stands where a folder should be.
pub fn can_write(folder: &Path) -> Result<()> {
    let there = folder.ancestors().find(|folder| folder.exists() || folder.as_os_str().is_empty()).unwrap_or(folder);
    let make = |probe: &Path| File::options().write(true).create_new(true).open(probe);
    let (probe, _) = make_beside(&there.join("runner-probe"), make)?;
    std::fs::remove_file(&probe)
}

/// Brings a file onto the disk. A file system that has nothing to bring, or does not know how, is no failure: some of
/// FUSE and of network say `EINVAL`, `ENOSYS` or `ENOTSUP`, and have done what they can.
fn sync(file: &File) -> Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Brings a folder onto the disk: the names in it.
///
/// Besides what `sync` passes over: a folder that may be written to and not be read cannot be opened (`EACCES`,
/// `EPERM`), and some file systems sync nothing that is open for reading alone (`EBADF`), as folders always are. The
/// files themselves are on the disk by then. What a disk says that fails (`EIO`, `ENOSPC`, `EDQUOT`) is an error.
///
/// # Errors
/// When the disk fails, or there is no such folder.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> Result<()> {
    let is_passed_over = |error: &Error| error.kind() == ErrorKind::PermissionDenied || is_bad_descriptor(error);
    match File::open(folder).and_then(|folder| sync(&folder)) {
        Err(error) if is_passed_over(&error) => Ok(()),
        synced => synced,
    }
}

#[cfg(unix)]
fn is_bad_descriptor(error: &Error) -> bool {
    error.raw_os_error() == Some(libc::EBADF)
}

/// Other systems bring names onto the disk by themselves, and open no folder as a file.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync_folder(_folder: &Path) -> Result<()> {
    Ok(())
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Does it again while a signal interrupts it.
fn uninterrupted<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// From now on a write beyond the limit of file sizes (`ulimit -f`) fails and is told as any other, in place of the signal
/// that ends the program.
#[cfg_attr(unix, expect(unsafe_code, reason = "the standard library ignores no signal but SIGPIPE"))]
pub fn outlive_size_limit() {
    // SAFETY: ignoring a signal installs no handler, and `SIGXFSZ` is one that may be ignored.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Whether a name stands for a device, a pipe or an open stream: renaming a file over `/dev/null` would replace it for
/// everyone.
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
