//! Reads a file and computes its SHA-256 at the same time: [`read`] uses a second thread, because hashing a large file
//! takes longer than reading it; [`HashingReader`] hashes what another reader reads.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;

use sha2::{Digest, Sha256};

use crate::data::store::checksum::hexadecimal;
use crate::device::memory;
use crate::io::bounded_file;

/// Number of bytes that are read before they are passed to the hashing thread.
const AT_A_TIME: usize = 4 << 20;

/// Returns the maximum number of bytes of a file that are read into memory: half of the free memory.
pub fn max_bytes() -> u64 {
    memory::free_main_memory() / 2
}

/// Reader that computes the SHA-256 of the bytes that are read.
#[derive(Debug)]
pub struct HashingReader<R> {
    source: R,
    hasher: Sha256,
}

impl<R: Read> HashingReader<R> {
    /// Wraps a reader.
    pub fn new(source: R) -> Self {
        HashingReader { source, hasher: Sha256::new() }
    }

    /// Returns the SHA-256 of all bytes read, in hexadecimal.
    pub fn sum(self) -> String {
        hexadecimal(&self.hasher.finalize())
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

/// Returns the SHA-256 of a file in hexadecimal, without keeping its bytes.
///
/// # Errors
/// When the file cannot be read.
pub fn sum(path: &Path) -> io::Result<String> {
    let mut reader = HashingReader::new(bounded_file::open(path)?);
    io::copy(&mut io::BufReader::with_capacity(1 << 20, &mut reader), &mut io::sink())?;
    Ok(reader.sum())
}

/// Returns the bytes of a file and their SHA-256 in hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> io::Result<(Vec<u8>, String)> {
    let limit = max_bytes();
    let mut file = bounded_file::open(path)?;
    // a pipe reports size 0
    let size = file.metadata()?.len();
    if size > limit {
        return Err(bounded_file::too_large(size, limit));
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    let (read, mut hasher) = std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel::<&[u8]>();
        let hasher = scope.spawn(move || {
            let mut hasher = Sha256::new();
            receiver.iter().for_each(|some| hasher.update(some));
            hasher
        });
        let mut read = 0;
        for part in bytes.chunks_mut(AT_A_TIME) {
            let (wanted, count) = (part.len(), fill(&mut file, part)?);
            read += count;
            sender.send(&part[..count]).expect("the receiver lives as long as the sender");
            if count < wanted {
                break; // the file has shrunk
            }
        }
        drop(sender);
        io::Result::Ok((read, hasher.join().expect("a checksum is taken of any bytes")))
    })?;
    bytes.truncate(read);
    // the rest of a pipe, or of a file that has grown
    let left = limit - read as u64;
    if file.take(left + 1).read_to_end(&mut bytes)? as u64 > left {
        return Err(bounded_file::too_large(bytes.len() as u64, limit));
    }
    hasher.update(&bytes[read..]);
    Ok((bytes, hexadecimal(&hasher.finalize())))
}

/// Reads until `part` is full or the file ends; returns the number of bytes.
fn fill(file: &mut File, part: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < part.len() {
        match file.read(&mut part[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::store::checksum::sha256;

    #[test]
    fn files_of_any_size_are_read_with_their_sum() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("file");
        for size in [0, 1, AT_A_TIME, AT_A_TIME + 1, 2 * AT_A_TIME + 7] {
            let bytes: Vec<u8> = (0..size).map(|place| (place % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let (read, sum) = read(&path).unwrap();
            assert!(read == bytes, "{size} bytes");
            assert_eq!((sum, self::sum(&path).unwrap()), (sha256(&bytes), sha256(&bytes)));
        }
        assert!(read(&folder.path().join("none")).is_err());
        assert!(read(folder.path()).is_err());
    }

    #[test]
    fn what_is_read_piece_by_piece_has_the_sum_of_the_whole() {
        let bytes: Vec<u8> = (0..1000).map(|place| (place % 251) as u8).collect();
        let mut hashed = HashingReader::new(&bytes[..]);
        let mut read = Vec::new();
        let mut piece = [0; 77];
        while let count @ 1.. = hashed.read(&mut piece).unwrap() {
            read.extend_from_slice(&piece[..count]);
        }
        assert_eq!((read, hashed.sum()), (bytes.clone(), sha256(&bytes)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_has_no_size_is_read_to_its_end() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"a,b\n").unwrap();
        drop(writer);
        let (bytes, sum) = read(Path::new(&format!("/dev/fd/{}", reader.as_raw_fd()))).unwrap();
        assert_eq!((&bytes[..], sum), (&b"a,b\n"[..], sha256(b"a,b\n")));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_larger_than_memory_or_never_ends_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 42).unwrap();
        assert!(read(&path).unwrap_err().to_string().starts_with("it has 4 TiB or more, but at most "));
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().to_string(), "it is a device, not a regular file");
    }
}
