//! Files that exactly one of several processes creates.

use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::io::atomic_write;

/// Function that gives a file a second name, as `link(2)`.
type Link<'a> = &'a dyn Fn(&Path, &Path) -> Result<()>;

/// Creates a file with this content unless one of this name exists. Returns whether this process created it. The file is
/// complete as soon as it has its name, and survives a power failure.
///
/// # Errors
/// Those of the system. After an error the file may have been created by another process.
pub fn create_once(path: &Path, bytes: &[u8]) -> Result<bool> {
    create_with(path, bytes, &|part, path| std::fs::hard_link(part, path))
}

fn create_with(path: &Path, bytes: &[u8], link: Link) -> Result<bool> {
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let open = |part: &Path| retry_stale(|| File::options().write(true).create_new(true).open(part));
    let (part, mut file) = atomic_write::make_beside(path, open)?;
    let created = file.write_all(bytes).and_then(|()| atomic_write::sync(&file)).and_then(|()| {
        let outcome = link(&part, path);
        // A network file system may repeat a request whose answer was lost: the first one created the name, and the
        // second one reports that it exists. The number of names is the truth.
        match (names_of(&file, &part), outcome) {
            (Some(2..), _) => Ok(true),
            (_, Ok(())) => Ok(true),
            (_, Err(error)) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            (_, Err(error)) if has_no_links(&error) => create_directly(path, bytes),
            // the answer may have been lost although another process had created the name
            (_, Err(_)) if path.symlink_metadata().is_ok() => Ok(false),
            (_, Err(error)) => Err(error),
        }
    });
    drop(file);
    let _ = std::fs::remove_file(&part); // a leftover does no harm
    if matches!(created, Ok(true)) {
        path.parent().map_or(Ok(()), |folder| retry_stale(|| atomic_write::sync_folder(folder)))?;
    }
    created
}

/// Returns the number of names of a file; `None` if the system does not report it.
#[cfg(unix)]
fn names_of(file: &File, part: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    // by path: the attributes of an open file may be cached
    part.symlink_metadata().or_else(|_| file.metadata()).ok().map(|metadata| metadata.nlink())
}

#[cfg(not(unix))]
fn names_of(_file: &File, _part: &Path) -> Option<u64> {
    None
}

/// Whether an error means that the file system has no second names for files.
fn has_no_links(error: &Error) -> bool {
    let is_refused = error.kind() == ErrorKind::Unsupported;
    #[cfg(unix)]
    let is_refused = is_refused || matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS | libc::EMLINK));
    is_refused
}

/// Creates the file under its final name, where readers may see it before it is complete.
fn create_directly(path: &Path, bytes: &[u8]) -> Result<bool> {
    match File::options().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(bytes).and_then(|()| atomic_write::sync(&file))?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Repeats a call that fails because a network file system has replaced the file in the meantime (`ESTALE`).
///
/// # Errors
/// Those of the call.
pub fn retry_stale<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    const PAUSES: [u64; 4] = [1, 10, 50, 200]; // milliseconds
    for pause in PAUSES {
        match call() {
            Err(error) if matches!(error.kind(), ErrorKind::StaleNetworkFileHandle | ErrorKind::Interrupted) => {
                thread::sleep(Duration::from_millis(pause));
            }
            outcome => return outcome,
        }
    }
    call()
}

/// Whether a file exists; an error other than its absence is not taken for absence.
///
/// # Errors
/// Those of the system.
pub fn exists(path: &Path) -> Result<bool> {
    match retry_stale(|| path.symlink_metadata()) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn one_of_many_threads_creates_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("S000.1");
        let created = AtomicUsize::new(0);
        std::thread::scope(|threads| {
            for number in 0..50 {
                let (path, created) = (&path, &created);
                threads.spawn(move || {
                    let bytes = format!("{number}");
                    if create_once(path, bytes.as_bytes()).unwrap() {
                        assert_eq!(std::fs::read_to_string(path).unwrap(), bytes);
                        created.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(created.load(Ordering::SeqCst), 1);
        assert_eq!(names(folder.path()), ["S000.1"]);
    }

    #[test]
    fn a_link_whose_answer_was_lost_counts_and_one_that_failed_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let create = |name: &str, link: Link| create_with(&folder.path().join(name), b"x", link);
        let answered_twice = |part: &Path, path: &Path| {
            std::fs::hard_link(part, path)?;
            Err(ErrorKind::AlreadyExists.into()) // of the repeated request
        };
        assert!(create("a", &answered_twice).unwrap());
        let broken_after = |part: &Path, path: &Path| {
            std::fs::hard_link(part, path)?;
            Err(Error::from_raw_os_error(5))
        };
        assert!(create("b", &broken_after).unwrap());
        let late = |_: &Path, path: &Path| {
            std::fs::write(path, "of another")?;
            Err(ErrorKind::AlreadyExists.into())
        };
        assert!(!create("c", &late).unwrap());
        assert_eq!(std::fs::read_to_string(folder.path().join("c")).unwrap(), "of another");
        let lost = |_: &Path, path: &Path| {
            std::fs::write(path, "of another")?;
            Err(Error::from_raw_os_error(5)) // in place of `AlreadyExists`
        };
        assert!(!create("e", &lost).unwrap());
        assert!(create("d", &|_, _| Err(Error::from_raw_os_error(5))).is_err());
        assert!(!folder.path().join("d").exists());
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["a", "b", "c", "e"], "no temporary file");
    }

    #[cfg(unix)]
    #[test]
    fn without_links_the_name_itself_is_exclusive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let without: Link = &|_, _| Err(Error::from_raw_os_error(libc::EPERM));
        assert!(create_with(&path, b"x", without).unwrap());
        assert!(!create_with(&path, b"y", without).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn a_stale_file_is_tried_again() {
        let mut calls = 0;
        let outcome = retry_stale(|| {
            calls += 1;
            if calls < 3 { Err(Error::from(ErrorKind::StaleNetworkFileHandle)) } else { Ok(calls) }
        });
        assert_eq!(outcome.unwrap(), 3);
        assert!(retry_stale(|| Err::<(), _>(ErrorKind::StaleNetworkFileHandle.into())).is_err());
    }
}
