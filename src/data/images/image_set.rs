//! The images of a data set: their classes, their checksum, and their pixels, read in parallel.

use std::path::Path;
use std::time::UNIX_EPOCH;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::dataset::DatasetInfo;
use crate::data::file_error::FileError;
use crate::data::image_file;
use crate::data::images::convert;
use crate::data::images::listing::{Entry, Listing};
use crate::data::images::parts::{self, KEYS, Part};
use crate::data::images::pixel_cache::{PixelCache, PixelWriter};
use crate::data::images::settings::{Images, PixelFormat};
use crate::data::rows::Rows;
use crate::data::store::cache::Cache;
use crate::data::store::checksum::sha256;
use crate::data::store::hashed_file;
use crate::data::store::user_file::setting_error;
use crate::data::target::Target;
use crate::io::byte_size::format_bytes;
use crate::tensor::threads;

/// Number of bytes of pixels that are read before they are moved into a tensor.
const AT_ONCE: usize = 32 << 20;

/// Version of the cached pixels; it changes with the conversion.
const VERSION: u32 = 2;

/// Training, validation and test images.
#[derive(Debug)]
pub struct ImageSet<'a> {
    settings: &'a Images,
    /// Size and colors of all images.
    pub format: PixelFormat,
    parts: [Option<Part>; 3],
    /// Names of the classes.
    pub classes: Vec<String>,
}

/// Sizes and colors of the training images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ImageFiles {
    /// Number of images.
    pub images: usize,
    /// Number of images without colors.
    pub grayscale: usize,
    /// Smallest width and smallest height, which can be those of different images.
    pub smallest: (u32, u32),
    /// Largest width and largest height.
    pub largest: (u32, u32),
}

/// Rows of the images of each part, and the checksum over the image files.
#[derive(Debug)]
pub struct ImageRows {
    /// Training, validation and test rows.
    pub rows: [Option<Rows>; 3],
    /// SHA-256 over the classes, names and contents of the images.
    pub sha256: String,
}

impl<'a> ImageSet<'a> {
    /// Lists the images.
    ///
    /// # Errors
    /// When a directory or CSV file cannot be used, there are fewer than two classes, or the size is missing; the key is
    /// relative to the source, as for all functions here.
    pub fn open(settings: &'a Images) -> Result<ImageSet<'a>, Invalid> {
        let listings = parts::list(settings)?;
        let training = listings[0].as_ref().expect("`path` is always listed");
        let example = training.entries.first().map(|entry| training.path_of(entry));
        let format = settings.pixel_format(example.as_deref())?;
        let classes = parts::classes(settings, training)?;
        ImageSet::of_listings(settings, format, listings, classes)
    }

    /// Lists the images of a directory or CSV file for a trained model, whose classes are `classes`.
    ///
    /// # Errors
    /// When it cannot be used, or has another class.
    pub fn of_model(settings: &'a Images, classes: &[String]) -> Result<ImageSet<'a>, Invalid> {
        let listing = parts::list_path(settings, "path", Path::new(&settings.path))?;
        let format = settings.pixel_format(None)?;
        ImageSet::of_listings(settings, format, [Some(listing), None, None], classes.to_vec())
    }

    fn of_listings(
        settings: &'a Images,
        format: PixelFormat,
        listings: [Option<Listing>; 3],
        classes: Vec<String>,
    ) -> Result<ImageSet<'a>, Invalid> {
        let mut parts = [const { None }; 3];
        for ((part, listing), key) in parts.iter_mut().zip(listings).zip(KEYS) {
            let Some(listing) = listing else { continue };
            let class = |name: &String| {
                classes.iter().position(|class| class == name).ok_or_else(|| {
                    let message =
                        format!("has images of the class `{name}`, which is not a class of the training images");
                    let names: Vec<&str> = classes.iter().map(String::as_str).collect();
                    Invalid::new(key, message).hint(suggest::hint(name, names.iter().copied()))
                })
            };
            let places = listing.classes.iter().map(class).collect::<Result<Vec<_>, _>>()?;
            let of_images = listing.entries.iter().map(|entry| places[entry.class]).collect();
            *part = Some(Part { key, listing, classes: of_images });
        }
        Ok(ImageSet { settings, format, parts, classes })
    }

    /// Describes the data set.
    pub fn info(&self) -> DatasetInfo {
        let rows = |part: usize| self.parts[part].as_ref().map_or(0, |part| part.classes.len());
        let note = |part: &Part| {
            let (count, first) = &part.listing.other_files;
            let first = part.listing.folder.join(first.as_ref()?);
            let (folder, first) = (part.listing.folder.display(), first.display());
            Some(match count {
                1 => format!("1 file in `{folder}` is ignored because it is not a PNG or JPEG image: `{first}`"),
                _ => format!(
                    "{count} files in `{folder}` are ignored because they are not PNG or JPEG images, such as `{first}`"
                ),
            })
        };
        let target = Target::Classes(self.classes.len());
        DatasetInfo {
            validation_rows: rows(1),
            test_rows: rows(2),
            notes: self.parts.iter().flatten().filter_map(note).collect(),
            ..DatasetInfo::new(self.format.sample(), target, rows(0), self.classes.clone())
        }
    }

    /// Returns the number of training images of each class.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.parts[0].iter().flat_map(|part| &part.classes).for_each(|&class| counts[class] += 1);
        counts
    }

    /// Returns the pixels of all images, `[images, channels, height, width]` u8, from the cache if no image has changed.
    /// `progress` is called with the number of bytes so far and in total.
    ///
    /// # Errors
    /// When an image is damaged or has changed meanwhile, or the pixels do not fit into memory.
    pub fn rows(&self, cache: &Cache, progress: &mut dyn FnMut(u64, u64)) -> Result<ImageRows, Invalid> {
        self.check_memory()?;
        let fingerprint = self.fingerprint()?;
        let pixel_cache = self.pixel_cache(cache);
        if let Some(rows) = self.cached_rows(&pixel_cache, &fingerprint) {
            pixel_cache.touch();
            return Ok(rows);
        }
        let mut writer = if self.settings.cache { pixel_cache.writer() } else { None };
        let (mut lines, mut done) = (String::new(), 0);
        let mut rows = [const { None }; 3];
        for (rows, part) in rows.iter_mut().zip(&self.parts) {
            let Some(part) = part else { continue };
            *rows = Some(self.read(part, &mut lines, &mut writer, &mut |bytes| {
                done += bytes;
                progress(done, self.bytes());
            })?);
        }
        if self.fingerprint()? != fingerprint {
            return Err(Invalid::new("path", "has images that changed while they were read"));
        }
        let sha256 = sha256(lines.as_bytes());
        writer.and_then(|writer| writer.finish(fingerprint, sha256.clone())); // without a cache, the next run reads again
        Ok(ImageRows { rows, sha256 })
    }

    /// Returns the SHA-256 over the images, as in [`ImageRows::sha256`].
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn checksum(&self, cache: &Cache) -> Result<String, Invalid> {
        if let Some(cached) = self.pixel_cache(cache).find(&self.fingerprint()?).filter(|_| self.settings.cache) {
            return Ok(cached.sha256().to_owned());
        }
        let lines = self.lines(|path| convert::bytes(path).map(|bytes| sha256(&bytes)))?;
        Ok(sha256(lines.as_bytes()))
    }

    /// Returns the sizes and colors of the training images.
    ///
    /// # Errors
    /// When an image is damaged.
    pub fn files(&self) -> Result<ImageFiles, Invalid> {
        let part = self.parts[0].as_ref().expect("there are training images");
        let header = |entry: &Entry| {
            let path = part.listing.path_of(entry);
            convert::bytes(&path)
                .and_then(|bytes| image_file::header(&bytes))
                .map_err(|fault| setting_error(part.key, &path, fault))
        };
        let headers: Vec<_> = threads::pool().install(|| part.listing.entries.par_iter().map(header).collect());
        let (mut smallest, mut largest, mut grayscale) = ((u32::MAX, u32::MAX), (0, 0), 0);
        for header in headers {
            let (width, height, has_color) = header?;
            smallest = (smallest.0.min(width), smallest.1.min(height));
            largest = (largest.0.max(width), largest.1.max(height));
            grayscale += usize::from(!has_color);
        }
        Ok(ImageFiles { images: part.classes.len(), grayscale, smallest, largest })
    }

    /// Returns the number of bytes of all pixels.
    fn bytes(&self) -> u64 {
        let images: usize = self.parts.iter().flatten().map(|part| part.classes.len()).sum();
        images as u64 * self.format.values() as u64
    }

    fn check_memory(&self) -> Result<(), Invalid> {
        let (needed, limit) = (self.bytes(), hashed_file::max_bytes());
        if needed <= limit {
            return Ok(());
        }
        let images = needed / self.format.values() as u64;
        let message = format!(
            "needs {} for {images} images of {} bytes, but at most {} (half of the free memory) can be used",
            format_bytes(needed),
            self.format.sample(),
            format_bytes(limit)
        );
        Err(Invalid::new("size", message).hint("use a smaller `size`, or `color_mode = \"grayscale\"`"))
    }

    /// Returns a checksum over the names, sizes and times of all images.
    fn fingerprint(&self) -> Result<String, Invalid> {
        let lines = self.lines(|path| {
            let metadata = path.metadata().and_then(|metadata| Ok((metadata.len(), metadata.modified()?)));
            let (size, modified) = metadata.map_err(|error| FileError::new(format!("cannot be read: {error}")))?;
            let age = modified.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_nanos());
            Ok(format!("{size} {age}"))
        })?;
        Ok(sha256(format!("{VERSION}\n{lines}").as_bytes()))
    }

    /// Returns a line for each image, with what `of_file` returns for its path.
    fn lines(&self, of_file: impl Fn(&Path) -> Result<String, FileError> + Sync) -> Result<String, Invalid> {
        let mut lines = String::new();
        for part in self.parts.iter().flatten() {
            let text = |entry: &Entry| {
                let path = part.listing.path_of(entry);
                of_file(&path).map_err(|fault| setting_error(part.key, &path, fault))
            };
            let texts: Vec<_> = threads::pool().install(|| part.listing.entries.par_iter().map(text).collect());
            for (entry, text) in part.listing.entries.iter().zip(texts) {
                lines += &part.line(entry, &text?);
            }
        }
        Ok(lines)
    }

    fn pixel_cache(&self, cache: &Cache) -> PixelCache {
        let mut settings = Images { classes: Some(self.classes.clone()), ..self.settings.clone() };
        for (_, path) in settings.paths_mut() {
            if let Some(absolute) = std::path::absolute(&*path).ok().and_then(|path| path.to_str().map(str::to_owned)) {
                *path = absolute;
            }
        }
        PixelCache::new(cache, &sha256(serde_json::json!(settings).to_string().as_bytes()))
    }

    fn cached_rows(&self, pixel_cache: &PixelCache, fingerprint: &str) -> Option<ImageRows> {
        let mut cached = pixel_cache.find(fingerprint).filter(|_| self.settings.cache)?;
        let mut rows = [const { None }; 3];
        for (rows, part) in rows.iter_mut().zip(&self.parts) {
            let Some(part) = part else { continue };
            let pixels = self.empty(part);
            cached.fill(&pixels)?;
            *rows = Some(part.rows(pixels));
        }
        Some(ImageRows { rows, sha256: cached.finish()? })
    }

    /// Returns a tensor for the pixels of a part.
    fn empty(&self, part: &Part) -> Tensor {
        Tensor::empty(&self.format.sample().of_rows(part.classes.len())[..], (Kind::Uint8, Device::Cpu))
    }

    /// Reads the images of a part, and adds a line for each to `lines`. A writer that fails becomes `None`.
    fn read(
        &self,
        part: &Part,
        lines: &mut String,
        writer: &mut Option<PixelWriter>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Rows, Invalid> {
        let values = self.format.values();
        let pixels = self.empty(part);
        let pool = threads::pool();
        let at_once = (AT_ONCE / values).max(2 * pool.current_num_threads());
        let mut buffer = vec![0; at_once.min(part.classes.len()) * values];
        for (number, entries) in part.listing.entries.chunks(at_once).enumerate() {
            let buffer = &mut buffer[..entries.len() * values];
            let read = |(values, entry): (&mut [u8], &Entry)| {
                let path = part.listing.path_of(entry);
                let fault = |fault| setting_error(part.key, &path, fault);
                let bytes = convert::bytes(&path).map_err(fault)?;
                convert::convert(&bytes, &self.format, values).map_err(fault)?;
                Ok(sha256(&bytes))
            };
            let sums: Vec<Result<String, Invalid>> =
                pool.install(|| buffer.par_chunks_mut(values).zip(entries).map(read).collect());
            for (entry, sum) in entries.iter().zip(sums) {
                *lines += &part.line(entry, &sum?);
            }
            let place = pixels.narrow(0, (number * at_once) as i64, entries.len() as i64);
            place.view([-1]).copy_(&Tensor::from_slice(buffer));
            *writer = writer.take().and_then(|writer| writer.write(buffer));
            progress(buffer.len() as u64);
        }
        Ok(part.rows(pixels))
    }
}
