//! The images of a directory with a subdirectory for each class.

use std::path::{Path, PathBuf};

use crate::config::suggest;
use crate::data::file_error::FileError;
use crate::data::store::user_file;

/// Extensions of image files that can be read.
const READABLE: [&str; 3] = ["png", "jpg", "jpeg"];

/// Extensions of image files that cannot be read.
const OTHER_IMAGES: [&str; 8] = ["webp", "gif", "bmp", "tif", "tiff", "ppm", "avif", "heic"];

/// Names of the directories of training, validation and test images.
const PARTS: [&[&str]; 3] = [&["train"], &["val", "valid", "validation"], &["test"]];

const CONVERT: &str = "convert images to PNG or JPEG, for example with ImageMagick: `mogrify -format png *.webp`";

/// An image of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to the directory, with `/`.
    pub path: String,
    /// Index of its class in [`Listing::classes`].
    pub class: usize,
}

/// Images with their classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Directory of the images.
    pub folder: PathBuf,
    /// Names of the classes, ascending.
    pub classes: Vec<String>,
    /// Images: class by class, in each class by path, as torchvision's `ImageFolder` has them; those of a CSV file in its
    /// order.
    pub entries: Vec<Entry>,
    /// Number of other files, with the path of the first one.
    pub other_files: (usize, Option<String>),
}

impl Listing {
    /// Returns the path of an image.
    pub fn path_of(&self, entry: &Entry) -> PathBuf {
        self.folder.join(&entry.path)
    }

    /// Lists the images below a directory. Names that begin with a dot are skipped.
    ///
    /// # Errors
    /// When the directory cannot be read, has no class directories, or a class has no image; the message follows the path.
    pub fn of_folder(folder: &Path) -> Result<Listing, FileError> {
        let Content { folders: classes, files } = content(folder)?;
        if classes.is_empty() {
            return Err(match files.iter().any(|file| is_image(file)) {
                true => FileError::new("has images, but no directory for each class").hint(
                    "move the images of each class into a directory with its name, or write a CSV file with the columns \
                     `path` and `label`",
                ),
                false => no_images("has no images", &files),
            });
        }
        let mut listing = Listing { folder: folder.to_owned(), classes, entries: Vec::new(), other_files: (0, None) };
        for file in files {
            listing.count_other(file);
        }
        for (class, name) in listing.classes.clone().into_iter().enumerate() {
            let mut found = Vec::new();
            walk(folder, &name, &mut Vec::new(), &mut found)?;
            found.sort_unstable();
            let paths = found.into_iter().map(|(folder, file)| format!("{folder}/{file}"));
            let (images, others): (Vec<_>, Vec<_>) = paths.partition(|path| is_image(path));
            if images.is_empty() {
                return Err(no_images(
                    &format!("is read as a directory of images, but its subdirectory `{name}` has no images"),
                    &others,
                ));
            }
            listing.entries.extend(images.into_iter().map(|path| Entry { path, class }));
            others.into_iter().for_each(|path| listing.count_other(path));
        }
        Ok(listing)
    }

    fn count_other(&mut self, path: String) {
        if path.rsplit('/').next() != Some("Thumbs.db") {
            self.other_files.0 += 1;
            self.other_files.1.get_or_insert(path);
        }
    }
}

/// Returns whether a path has the name of a readable image file.
pub fn is_image(path: &str) -> bool {
    extension(path).is_some_and(|extension| READABLE.contains(&&*extension))
}

/// Returns the paths of the images in a directory, without those in its subdirectories, in ascending order.
///
/// # Errors
/// When the directory cannot be read or has no image; the message follows the path.
pub fn images_in(folder: &Path) -> Result<Vec<String>, FileError> {
    let Content { folders, files } = content(folder)?;
    let (images, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_image(file));
    match folders.first() {
        _ if !images.is_empty() => Ok(images),
        Some(_) => {
            let with_images = folders
                .iter()
                .map(|name| folder.join(name))
                .find(|inner| content(inner).is_ok_and(|content| content.files.iter().any(|file| is_image(file))));
            let example = with_images.map_or(String::new(), |inner| format!(", such as `{}`", inner.display()));
            let hint = format!("name a directory that contains image files{example}");
            Err(FileError::new("has no images directly in it: images in subdirectories are not read").hint(hint))
        }
        None => Err(no_images("has no images", &others)),
    }
}

/// Returns the directories of the training, validation and test images below a directory that has these instead of classes;
/// `None` for other directories.
pub fn parts_of(folder: &Path) -> Option<[Option<PathBuf>; 3]> {
    let names = content(folder).ok()?.folders;
    let is_part = |name: &String| PARTS.iter().any(|names| names.contains(&name.as_str()));
    let has_classes = |name: &str| content(&folder.join(name)).is_ok_and(|content| !content.folders.is_empty());
    if names.len() < 2 || !names.iter().all(is_part) || !has_classes("train") {
        return None;
    }
    let part = |part: &[&str]| names.iter().find(|name| part.contains(&name.as_str())).map(|name| folder.join(name));
    Some(PARTS.map(part))
}

/// Names in a directory, ascending, without those that begin with a dot.
struct Content {
    folders: Vec<String>,
    files: Vec<String>,
}

fn content(folder: &Path) -> Result<Content, FileError> {
    let fault = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FileError::new("does not exist").hint(user_file::where_images_may_be(folder)),
        _ => user_file::read_error(folder, &error),
    };
    let mut content = Content { folders: Vec::new(), files: Vec::new() };
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name().into_string().map_err(|name| {
            let name = name.to_string_lossy().into_owned();
            FileError::new(format!("has a name that is not UTF-8: `{name}`")).hint("rename it")
        })?;
        if name.starts_with('.') {
            continue;
        }
        // a link is what it points to
        let kind = entry.file_type().map_err(fault)?;
        let is_folder = if kind.is_symlink() { folder.join(&name).is_dir() } else { kind.is_dir() };
        if is_folder { &mut content.folders } else { &mut content.files }.push(name);
    }
    content.folders.sort_unstable();
    content.files.sort_unstable();
    Ok(content)
}

/// Adds the directory and name of each file below `folder`, a path relative to `root`. `above` has the directories above it.
fn walk(
    root: &Path,
    folder: &str,
    above: &mut Vec<PathBuf>,
    found: &mut Vec<(String, String)>,
) -> Result<(), FileError> {
    let path = root.join(folder);
    let real = path.canonicalize().map_err(|error| FileError::new(format!("cannot be read: {error}")))?;
    if above.contains(&real) {
        return Err(FileError::new(format!("has a link to a directory above it: `{folder}`")).hint("remove the link"));
    }
    above.push(real);
    let Content { folders, files } = content(&path).map_err(|fault| FileError {
        message: format!("cannot be used: `{folder}` {}", fault.message),
        hint: fault.hint,
    })?;
    found.extend(files.into_iter().map(|file| (folder.to_owned(), file)));
    folders.iter().try_for_each(|inner| walk(root, &format!("{folder}/{inner}"), above, found))?;
    above.pop();
    Ok(())
}

fn extension(path: &str) -> Option<String> {
    Some(Path::new(path).extension()?.to_str()?.to_lowercase())
}

/// Returns the fault of a directory without images that can be read.
fn no_images(message: &str, others: &[String]) -> FileError {
    let mut kinds: Vec<String> = others.iter().filter_map(|path| extension(path)).collect();
    let has_other_images = kinds.iter().any(|kind| OTHER_IMAGES.contains(&kind.as_str()));
    kinds.sort_unstable();
    kinds.dedup();
    let kinds: Vec<String> = kinds.iter().take(5).map(|kind| format!(".{kind}")).collect();
    let found = match kinds.is_empty() {
        true => String::new(),
        false => format!("; it has {}", suggest::list(&kinds.iter().map(String::as_str).collect::<Vec<_>>())),
    };
    let fault = FileError::new(format!("{message}{found}"));
    match has_other_images {
        true => fault.hint(CONVERT),
        false => fault.hint("images are files that end in `.png`, `.jpg` or `.jpeg`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn images_are_listed_in_the_order_of_torchvision() {
        let made = folder(&["b/2.png", "a/x/y/1.jpg", "a/x-b/1.PNG", "a/z.jpeg", "a/10.png", "a/9.png", "b/notes.txt"]);
        std::fs::create_dir(made.path().join(".cache")).unwrap();
        let listing = Listing::of_folder(made.path()).unwrap();
        let paths: Vec<&str> = listing.entries.iter().map(|entry| entry.path.as_str()).collect();
        // sorted(os.walk("a")), and sorted names in each directory
        assert_eq!(paths, ["a/10.png", "a/9.png", "a/z.jpeg", "a/x-b/1.PNG", "a/x/y/1.jpg", "b/2.png"]);
        assert_eq!(
            (listing.classes, listing.other_files),
            (vec!["a".into(), "b".into()], (1, Some("b/notes.txt".into())))
        );
    }

    #[test]
    fn directories_without_usable_images_are_refused() {
        let refused = |files: &[&str]| {
            let fault = Listing::of_folder(folder(files).path()).unwrap_err();
            format!("{} | {}", fault.message, fault.hint.unwrap())
        };
        assert!(refused(&[]).starts_with("has no images | images are files"));
        assert!(refused(&["1.png"]).starts_with("has images, but no directory for each class | move the images"));
        assert!(refused(&["a/1.png", "b/1.webp"]).starts_with(
            "is read as a directory of images, but its subdirectory `b` has no images; it has `.webp` | convert"
        ));
    }

    #[test]
    fn images_in_subdirectories_are_not_read() {
        let read = |files: &[&str]| images_in(folder(files).path()).map_err(|fault| fault.message);
        assert_eq!(read(&["2.png", "1.jpg", "a/3.png"]), Ok(vec!["1.jpg".to_owned(), "2.png".to_owned()]));
        assert_eq!(
            read(&["a/3.png", "notes.txt"]).unwrap_err(),
            "has no images directly in it: images in subdirectories are not read"
        );
        let made = folder(&["pets/1.png", "pet.toml"]);
        let missing = Listing::of_folder(&made.path().join("pet")).unwrap_err().hint.unwrap();
        assert!(missing.ends_with("pets`?"), "an experiment file has no images: {missing}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_directory_above_is_refused() {
        let linked = folder(&["a/1.png", "b/1.png"]);
        std::os::unix::fs::symlink(linked.path().join("b"), linked.path().join("b/again")).unwrap();
        let fault = Listing::of_folder(linked.path()).unwrap_err();
        assert_eq!(fault.message, "has a link to a directory above it: `b/again`");
    }

    #[test]
    fn directories_of_parts_are_recognized() {
        let parts = |files: &[&str]| {
            let made = folder(files);
            let parts = parts_of(made.path())?;
            Some(parts.map(|part| part.map(|part| part.file_name().unwrap().to_string_lossy().into_owned())))
        };
        let found = parts(&["train/a/1.png", "val/a/1.png"]).unwrap();
        assert_eq!(found, [Some("train".into()), Some("val".into()), None]);
        assert_eq!(parts(&["train/1.png", "test/1.png"]), None); // classes with these names
        assert_eq!(parts(&["train/a/1.png", "bus/a/1.png"]), None);
    }
}
