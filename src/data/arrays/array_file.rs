//! A file with arrays: `.npz`, `.npy` or `.safetensors`. The content decides which, not the name.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use safetensors::tensor::Metadata;
use tch::Tensor;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::config::suggest;
use crate::data::arrays::element::Element;
use crate::data::arrays::fill;
use crate::data::arrays::npy_header::{self, ArrayHeader, MAGIC};
use crate::data::arrays::targets::TargetArray;
use crate::data::file_error::FileError;
use crate::data::store::hashed_file;
use crate::data::store::user_file;
use crate::io::bounded_file;
use crate::io::byte_size::format_bytes;
use crate::io::file_format::FileFormat;

/// Bytes to which a byte of a deflated file unpacks at most.
const MAX_RATIO: u64 = 1032;

/// Maximum size of the header of a safetensors file in bytes.
const MAX_SAFETENSORS_HEADER: u64 = 16 << 20;

/// Maximum number of arrays that a message names.
const MOST_NAMED: usize = 12;

const HOW_TO_SAVE: &str = "save arrays in Python: `numpy.savez(\"data.npz\", x=x, y=y)`";

/// Returns whether the name of a file is that of arrays.
pub fn is_array_file(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("npz" | "npy" | "safetensors"))
}

/// An open file with arrays.
#[derive(Debug)]
pub struct ArrayFile {
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Npz(ZipArchive<BufReader<File>>),
    Npy(File),
    Safetensors { file: File, start: u64, tensors: Metadata },
}

impl ArrayFile {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened or has another format; the message follows the file name.
    pub fn open(path: &Path) -> Result<ArrayFile, FileError> {
        let unreadable = |error: std::io::Error| user_file::read_error(path, &error);
        let mut file = bounded_file::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(FileError::new("is not a regular file").hint("save it as a file first"));
        }
        let (size, modified) = (metadata.len(), metadata.modified().ok());
        let mut beginning = Vec::new();
        file.by_ref().take(4096).read_to_end(&mut beginning).map_err(unreadable)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let format = FileFormat::of(&beginning, &name);
        let is_zip = beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06");
        let content = match &beginning[..] {
            [] => return Err(FileError::new("is empty")),
            _ if is_zip && format != Some(FileFormat::TorchSave) => {
                let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
                    let hint = "copy or download it again";
                    FileError::new(format!("is truncated or damaged: {}", reason(&error))).hint(hint)
                })?;
                Content::Npz(archive)
            }
            bytes if bytes.starts_with(MAGIC) => Content::Npy(file),
            bytes if name.ends_with(".safetensors") || bytes.get(8) == Some(&b'{') => safetensors(file, size)?,
            _ => {
                let what = match format {
                    Some(FileFormat::NumpyArchive | FileFormat::Numpy) | None => {
                        "is neither an `.npz`, an `.npy` nor a `.safetensors` file".to_owned()
                    }
                    Some(format) => format!("is {format}, not an `.npz`, `.npy` or `.safetensors` file"),
                };
                return Err(FileError::new(what).hint(HOW_TO_SAVE));
            }
        };
        Ok(ArrayFile { path: path.to_path_buf(), size, modified, content })
    }

    /// Returns whether the file is one array without a name.
    pub fn is_single(&self) -> bool {
        matches!(self.content, Content::Npy(_))
    }

    /// Returns the names of the arrays; none for a single array.
    pub fn names(&self) -> Vec<String> {
        match &self.content {
            Content::Npz(archive) => {
                let names = archive.file_names().flatten();
                names.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect()
            }
            Content::Npy(_) => Vec::new(),
            Content::Safetensors { tensors, .. } => {
                let mut names = tensors.offset_keys();
                names.sort();
                names
            }
        }
    }

    /// Returns whether the file has this array; a single array has any name.
    pub fn has(&self, name: &str) -> bool {
        match &self.content {
            Content::Npz(archive) => archive.index_for_name(&member(name)).is_some(),
            Content::Npy(_) => true,
            Content::Safetensors { tensors, .. } => tensors.info(name).is_some(),
        }
    }

    /// Returns the description of an array. `name` is ignored for a single array.
    ///
    /// # Errors
    /// When there is no such array, or it cannot be read; the message follows the file name.
    pub fn header(&mut self, name: &str) -> Result<ArrayHeader, FileError> {
        self.with_reader(name, |_, header| Ok(header))
    }

    /// Returns the values of an array: u8 for bytes and yes-or-no values, else f32.
    ///
    /// # Errors
    /// As for [`ArrayFile::header`], and when its type is not one of numbers, it has fewer or more values than its header
    /// says, a value is not finite, or it does not fit into half of the free memory.
    pub fn tensor(&mut self, name: &str) -> Result<Tensor, FileError> {
        self.with_reader(name, |reader, header| {
            let element = numbers(&header)?;
            // a transposed copy is made of an array in Fortran order
            let bytes = if element.largest_byte().is_some() { 1 } else { 4 };
            check_memory(&header, if header.is_fortran { 2 * bytes } else { bytes })?;
            fill::tensor(reader, &header, element)
        })
    }

    /// Returns the values of targets.
    ///
    /// # Errors
    /// As for [`ArrayFile::tensor`].
    pub fn targets(&mut self, name: &str) -> Result<TargetArray, FileError> {
        self.with_reader(name, |reader, header| {
            let element = numbers(&header)?;
            check_memory(&header, 16)?;
            fill::targets(reader, &header, element)
        })
    }

    /// Calls `with` with the description of an array and a reader of its values, of which no more can follow than the
    /// description declares.
    fn with_reader<T>(
        &mut self,
        name: &str,
        with: impl FnOnce(&mut dyn Read, ArrayHeader) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        if !self.has(name) {
            return Err(missing(name, &self.names()));
        }
        let named = |fault: FileError| FileError { message: format!("array `{name}` {}", fault.message), ..fault };
        let size = self.size;
        let damaged = |error: ZipError| named(FileError::new(format!("is damaged: {}", reason(&error))));
        let save = "save it with `numpy.savez` or `numpy.savez_compressed`";
        match &mut self.content {
            Content::Npz(archive) => {
                let index = archive.index_for_name(&member(name)).expect("the archive has the array");
                let raw = archive.by_index_raw(index).map_err(damaged)?;
                if raw.encrypted() {
                    let hint = "save it without a password";
                    return Err(named(FileError::new("is encrypted").hint(hint)));
                }
                let (packed, unpacked, method) = (raw.compressed_size(), raw.size(), raw.compression());
                drop(raw);
                if packed > size || unpacked > packed.saturating_mul(MAX_RATIO) {
                    let (unpacked, packed) = (format_bytes(unpacked), format_bytes(packed.min(size)));
                    let message = format!("declares {unpacked}, but only {packed} are stored, which is impossible");
                    return Err(named(FileError::new(message)));
                }
                if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
                    let message = format!("is compressed with {method}, which cannot be read");
                    return Err(named(FileError::new(message).hint(save)));
                }
                let mut reader = archive.by_index(index).map_err(|error| damaged(error).hint(save))?;
                let header = npy_header::read(&mut reader).map_err(named)?;
                check_length(&header, unpacked.saturating_sub(header.start)).map_err(named)?;
                with(&mut reader, header).map_err(named)
            }
            Content::Npy(file) => {
                let from_start = file.seek(SeekFrom::Start(0));
                from_start.map_err(|error| FileError::new(format!("cannot be read: {error}")))?;
                let mut reader = BufReader::new(file);
                let header = npy_header::read(&mut reader)?;
                check_length(&header, size.saturating_sub(header.start))?;
                with(&mut reader, header)
            }
            Content::Safetensors { file, start, tensors } => {
                let info = tensors.info(name).expect("the file has the tensor");
                let (from, to) = info.data_offsets;
                let shape = info.shape.iter().map(|&length| i64::try_from(length));
                let shape = shape.collect::<Result<_, _>>();
                let shape = shape.map_err(|_| named(FileError::new(format!("has the shape {:?}", info.shape))))?;
                let header = ArrayHeader {
                    shape,
                    element: Element::from_safetensors(info.dtype),
                    is_fortran: false,
                    start: *start + from as u64,
                };
                check_length(&header, (to - from) as u64).map_err(named)?;
                let seek = file.seek(SeekFrom::Start(header.start));
                seek.map_err(|error| named(FileError::new(format!("cannot be read: {error}"))))?;
                with(&mut file.take((to - from) as u64), header).map_err(named)
            }
        }
    }

    /// Returns the SHA-256 of a file, in hexadecimal.
    ///
    /// # Errors
    /// When it cannot be read; the message follows the file name.
    pub fn sha256(path: &Path) -> Result<String, FileError> {
        hashed_file::sum(path).map_err(|error| FileError::new(format!("cannot be read: {error}")))
    }

    /// Checks that the file is the one that was opened.
    ///
    /// # Errors
    /// When its size or its time of modification is another one; the message follows the file name.
    pub fn check_unchanged(&self) -> Result<(), FileError> {
        let now = std::fs::metadata(&self.path).ok();
        match now.is_some_and(|now| now.len() == self.size && now.modified().ok() == self.modified) {
            true => Ok(()),
            false => Err(FileError::new("has changed while it was read").hint("run the command again")),
        }
    }
}

/// Returns the name of an array's file in an archive.
fn member(array: &str) -> String {
    format!("{array}.npy")
}

/// Returns the reason of a fault of a ZIP archive.
fn reason(error: &ZipError) -> String {
    match error {
        ZipError::Io(error) => error.to_string(),
        ZipError::InvalidArchive(why) if why.contains("EOCD") => "the end of its ZIP directory is missing".to_owned(),
        other => other.to_string(),
    }
}

/// Returns the fault of an array that does not exist.
fn missing(name: &str, names: &[String]) -> FileError {
    FileError::new(format!("has no array `{name}`")).hint(match names {
        [] => "it has no arrays: save them with `numpy.savez(\"data.npz\", x=x, y=y)`".to_owned(),
        names => format!("its arrays are {}", listed(names)),
    })
}

/// Returns the first names as a list.
pub fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().map(String::as_str).take(MOST_NAMED).collect();
    let list = suggest::list(&shown);
    if names.len() > shown.len() { format!("{list} and {} more", names.len() - shown.len()) } else { list }
}

/// Checks the number of bytes that a header declares against the `found` ones.
fn check_length(header: &ArrayHeader, found: u64) -> Result<(), FileError> {
    let Ok(element) = &header.element else { return Ok(()) }; // refused where its values are read
    let bytes = header.count().and_then(|count| u64::try_from(count).ok()?.checked_mul(element.bytes() as u64));
    let (shape, kind) = (header.shape_text(), element.name());
    match bytes {
        Some(bytes) if bytes == found => Ok(()),
        Some(bytes) if bytes > found => {
            let message = format!("is truncated: {shape} of {kind} needs {bytes} bytes, but {found} are there");
            Err(FileError::new(message).hint("save or copy it again"))
        }
        Some(bytes) => Err(FileError::new(format!("has {found} bytes, but {shape} of {kind} needs {bytes}"))),
        None => Err(FileError::new(format!("has the impossible shape {shape}"))),
    }
}

/// Returns the type of the values.
fn numbers(header: &ArrayHeader) -> Result<Element, FileError> {
    header.element.clone().map_err(|what| {
        let hint = "store numbers; to turn text into numbers in Python: `numpy.unique(y, return_inverse=True)[1]`";
        FileError::new(format!("contains {what}")).hint(hint)
    })
}

/// Checks that an array fits into half of the free memory; `of_value` is the number of bytes of a value.
fn check_memory(header: &ArrayHeader, of_value: u64) -> Result<(), FileError> {
    let bytes = header.count().map_or(u64::MAX, |count| (count as u64).saturating_mul(of_value));
    let limit = hashed_file::max_bytes();
    if bytes <= limit {
        return Ok(());
    }
    let (bytes, limit) = (format_bytes(bytes), format_bytes(limit));
    Err(FileError::new(format!("needs {bytes}, more than half of the free memory ({limit})")))
}

/// Reads the header of a safetensors file.
fn safetensors(mut file: File, size: u64) -> Result<Content, FileError> {
    let damaged =
        |why: String| FileError::new(format!("is not a safetensors file, or a damaged one: {why}")).hint(HOW_TO_SAVE);
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|error| damaged(error.to_string()))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_SAFETENSORS_HEADER.min(size.saturating_sub(8)) {
        return Err(damaged(format!("it declares a header of {length} bytes, but the file has {size}")));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(|error| damaged(error.to_string()))?;
    let tensors: Metadata = serde_json::from_slice(&header).map_err(|error| damaged(error.to_string()))?;
    let (start, declared) = (8 + length, tensors.data_len() as u64);
    if start.checked_add(declared) != Some(size) {
        let message = format!("is truncated: its tensors need {declared} bytes, but {} are there", size - start);
        return Err(FileError::new(message).hint("save or copy it again"));
    }
    Ok(Content::Safetensors { file, start, tensors })
}
