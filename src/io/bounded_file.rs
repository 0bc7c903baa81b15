//! Reads files of unknown origin safely: only files that end, and at most a given number of bytes.
//!
//! A run folder may contain a link to an endless device, a pipe without a writer, or a file larger than memory. Regular
//! files are read, also through links, and so are the anonymous pipes of a shell (`<(zcat table.csv.gz)`). Named pipes,
//! devices and sockets are rejected. A file that is too large is rejected by its size, before memory is allocated.

use std::fs::{File, FileType};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::device::allocator::may_fail;
use crate::io::byte_size::format_bytes;

/// Maximum size of a JSON file of unknown origin. For histories and trees of this program, see
/// [`crate::device::memory::max_json_bytes`].
pub const JSON: u64 = 128 << 20;

/// Maximum size of an experiment file.
pub const EXPERIMENT: u64 = 4 << 20;

/// Opens a file that ends.
///
/// # Errors
/// When it does not exist, cannot be opened, or is a folder, a named pipe, a device or a socket.
pub fn open(path: &Path) -> io::Result<File> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    match endless(kind, path) {
        Some(what) => Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {what}, not a regular file"))),
        None => File::open(path),
    }
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// As for [`open`], and when it is larger or cannot be read.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    if size > most {
        return Err(too_large(size, most));
    }
    let mut bytes = Vec::new();
    may_fail(|| bytes.try_reserve_exact(size as usize + 1))?; // one more byte, to detect the end without growing
    // The size of a pipe is unknown, and a file may have grown.
    file.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(too_large(bytes.len() as u64, most)),
        false => Ok(bytes),
    }
}

/// Reads a text file of at most `most` bytes.
///
/// # Errors
/// As for [`read`], and [`ErrorKind::InvalidData`] when it is not UTF-8.
pub fn read_to_string(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

/// Reads the first bytes of a file, at most `most`.
///
/// # Errors
/// As for [`open`], and when it cannot be read.
pub fn beginning(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the error for a file that is too large.
pub fn too_large(size: u64, most: u64) -> io::Error {
    let message = format!(
        "it has {} or more, but at most {} are allowed for this kind of file",
        format_bytes(size),
        format_bytes(most)
    );
    io::Error::new(ErrorKind::FileTooLarge, message)
}

/// Returns the kind of a file that may be endless; `None` for other files.
#[cfg(unix)]
fn endless(kind: FileType, path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if kind.is_fifo() && !is_of_a_shell(path) => Some("a named pipe"),
        () if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        () if kind.is_socket() => Some("a socket"),
        () => None,
    }
}

#[cfg(not(unix))]
fn endless(_kind: FileType, _path: &Path) -> Option<&'static str> {
    None
}

/// Returns whether a pipe is anonymous: it is reachable only through a file descriptor, and has a writer.
#[cfg(unix)]
fn is_of_a_shell(pipe: &Path) -> bool {
    pipe.canonicalize().map_or(true, |path| path.starts_with("/dev/fd") || path.starts_with("/proc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_refused_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345678").unwrap();
        assert_eq!(read(&path, 8).unwrap(), b"12345678");
        let error = read(&path, 7).unwrap_err();
        assert_eq!(error.to_string(), "it has 8 bytes or more, but at most 7 bytes are allowed for this kind of file");
        std::fs::File::options().write(true).open(&path).unwrap().set_len(5 << 40).unwrap();
        let error = read(&path, JSON).unwrap_err();
        assert_eq!(error.to_string(), "it has 5 TiB or more, but at most 128 MiB are allowed for this kind of file");
        assert_eq!(read(folder.path(), 8).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(read(&folder.path().join("none"), 8).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_to_string(&path, 8).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_not_even_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(open(&pipe).unwrap_err().to_string(), "it is a named pipe, not a regular file");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert_eq!(open(&link).unwrap_err().to_string(), "it is a device, not a regular file");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_pipe_of_a_shell_is_read_to_its_end_or_its_limit() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let through = |bytes: &[u8], most| {
            let (reader, mut writer) = io::pipe().unwrap();
            writer.write_all(bytes).unwrap();
            drop(writer);
            read(Path::new(&format!("/dev/fd/{}", reader.as_raw_fd())), most)
        };
        assert_eq!(through(b"1234", 4).unwrap(), b"1234");
        assert!(through(b"12345", 4).is_err());
    }
}
