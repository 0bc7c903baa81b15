//! Resized pixels in the data cache: a file for each directory of images and its settings. The pixels come first, then a
//! trailer with checksums, then the length of the trailer.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tch::Tensor;
use tempfile::NamedTempFile;

use crate::data::store::cache::Cache;
use crate::io::atomic_write;

/// Number of bytes that are read at once.
const AT_ONCE: usize = 8 << 20;

/// Maximum length of a trailer in bytes.
const MAX_TRAILER: u64 = 4096;

/// Time after which a file that no run has used is deleted.
const UNUSED: Duration = Duration::from_hours(30 * 24);

/// Place of the pixels of a data set in the cache.
#[derive(Debug)]
pub struct PixelCache {
    path: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Trailer {
    /// Checksum over the names, sizes and times of the images.
    fingerprint: String,
    /// Checksum over the contents of the images.
    sha256: String,
    /// Number of bytes of the pixels.
    bytes: u64,
    /// CRC-32C of the pixels.
    crc: u32,
}

/// Pixels in the cache.
#[derive(Debug)]
pub struct CachedPixels {
    file: File,
    trailer: Trailer,
    crc: u32,
    left: u64,
}

/// Pixels that are written into the cache.
#[derive(Debug)]
pub struct PixelWriter<'a> {
    cache: &'a PixelCache,
    file: BufWriter<NamedTempFile>,
    crc: u32,
    bytes: u64,
}

impl PixelCache {
    /// Returns the place of a data set; `key` is a checksum over its settings.
    pub fn new(cache: &Cache, key: &str) -> PixelCache {
        PixelCache { path: cache.folder().join("images").join(format!("{key}.pixels")) }
    }

    /// Returns the pixels, if they are of these images.
    pub fn find(&self, fingerprint: &str) -> Option<CachedPixels> {
        let mut file = File::open(&self.path).ok()?;
        let length = file.metadata().ok()?.len();
        let mut number = [0; 8];
        file.seek(SeekFrom::End(-8)).ok()?;
        file.read_exact(&mut number).ok()?;
        let trailer_length = u64::from_le_bytes(number);
        let bytes = length.checked_sub(8)?.checked_sub(trailer_length).filter(|_| trailer_length <= MAX_TRAILER)?;
        file.seek(SeekFrom::Start(bytes)).ok()?;
        let mut text = vec![0; trailer_length as usize];
        file.read_exact(&mut text).ok()?;
        let trailer: Trailer = serde_json::from_slice(&text).ok()?;
        if trailer.fingerprint != fingerprint || trailer.bytes != bytes {
            return None;
        }
        file.rewind().ok()?;
        Some(CachedPixels { file, trailer, crc: 0, left: bytes })
    }

    /// Returns a writer of new pixels; `None` if the cache is not writable. Deletes files that no run has used for 30 days.
    pub fn writer(&self) -> Option<PixelWriter<'_>> {
        let folder = self.path.parent()?;
        std::fs::create_dir_all(folder).ok()?;
        for unused in atomic_write::untouched(folder, UNUSED) {
            let _ = std::fs::remove_file(unused.path()); // another run may have deleted it
        }
        let file = NamedTempFile::new_in(folder).ok()?;
        Some(PixelWriter { cache: self, file: BufWriter::new(file), crc: 0, bytes: 0 })
    }

    /// Records that the pixels were used.
    pub fn touch(&self) {
        if let Ok(file) = File::options().append(true).open(&self.path) {
            let _ = file.set_modified(SystemTime::now()); // a cache that cannot be written to still can be read
        }
    }
}

impl CachedPixels {
    /// Returns the checksum over the contents of the images.
    pub fn sha256(&self) -> &str {
        &self.trailer.sha256
    }

    /// Fills a contiguous tensor of bytes with the next pixels. Returns `None` if there are too few.
    pub fn fill(&mut self, tensor: &Tensor) -> Option<()> {
        let (mut start, count) = (0, tensor.numel());
        let flat = tensor.view([-1]);
        let mut buffer = vec![0; AT_ONCE.min(count)];
        self.left = self.left.checked_sub(count as u64)?;
        while start < count {
            let part = &mut buffer[..AT_ONCE.min(count - start)];
            self.file.read_exact(part).ok()?;
            self.crc = crc32c::crc32c_append(self.crc, part);
            flat.narrow(0, start as i64, part.len() as i64).copy_(&Tensor::from_slice(part));
            start += part.len();
        }
        Some(())
    }

    /// Returns the checksum over the contents of the images, if all pixels were read and are intact.
    pub fn finish(self) -> Option<String> {
        (self.left == 0 && self.crc == self.trailer.crc).then_some(self.trailer.sha256)
    }
}

impl PixelWriter<'_> {
    /// Appends pixels. Returns `None` if the disk is full or fails.
    pub fn write(mut self, pixels: &[u8]) -> Option<Self> {
        self.file.write_all(pixels).ok()?;
        self.crc = crc32c::crc32c_append(self.crc, pixels);
        self.bytes += pixels.len() as u64;
        Some(self)
    }

    /// Replaces the pixels in the cache. Returns `None` if the disk is full or fails.
    pub fn finish(mut self, fingerprint: String, sha256: String) -> Option<()> {
        let trailer = Trailer { fingerprint, sha256, bytes: self.bytes, crc: self.crc };
        let text = serde_json::to_vec(&trailer).ok()?;
        self.file.write_all(&text).ok()?;
        self.file.write_all(&(text.len() as u64).to_le_bytes()).ok()?;
        self.file.into_inner().ok()?.persist(&self.cache.path).ok().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn pixels_are_found_for_the_same_images_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PixelCache::new(&Cache::at(folder.path()), "key");
        let written = || {
            let writer = cache.writer().unwrap().write(&[1, 2, 3]).unwrap().write(&[4]).unwrap();
            writer.finish("images".to_owned(), "sum".to_owned()).unwrap();
        };
        let read = || {
            let mut cached = cache.find("images")?;
            let tensor = Tensor::zeros([4], (Kind::Uint8, Device::Cpu));
            cached.fill(&tensor)?;
            Some((Vec::<u8>::try_from(tensor).unwrap(), cached.finish()?))
        };
        written();
        assert!(cache.find("other images").is_none());
        assert_eq!(read(), Some((vec![1, 2, 3, 4], "sum".to_owned())));
        let whole = std::fs::read(&cache.path).unwrap();
        for position in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[position] ^= 1;
            std::fs::write(&cache.path, &damaged).unwrap();
            assert!(read().is_none_or(|(_, sum)| sum != "sum"), "byte {position}");
            std::fs::write(&cache.path, &whole[..position]).unwrap();
            assert!(read().is_none(), "cut at {position}");
        }
        written();
        assert!(read().is_some());
        File::options().append(true).open(&cache.path).unwrap().set_modified(SystemTime::now() - 2 * UNUSED).unwrap();
        drop(cache.writer());
        assert!(cache.find("images").is_none());
    }
}
