//! Text of the `[data.images]` part of an experiment file, with a comment for each choice.

use crate::config::check::Invalid;
use crate::data::dataset::DatasetInfo;
use crate::data::images::image_set::{ImageFiles, ImageSet};
use crate::data::images::settings::{ColorMode, Images, Sides};
use crate::data::inspect::array_section::split_lines;
use crate::data::inspect::csv_section::{comment_lines, quoted};
use crate::data::inspect::problem::Problem;

/// Sizes that are proposed for images of different sizes, largest first.
const USUAL_SIZES: [u32; 3] = [64, 48, 32];

/// Largest side of images of equal size that keep it.
const LARGEST_KEPT: u32 = 96;

/// What is known of a directory of images without their pixels.
#[derive(Debug)]
pub struct ImageSummary {
    /// Shapes and counts.
    pub info: DatasetInfo,
    /// The classes, with the number of training images of each.
    pub problem: Problem,
    /// Proposed settings.
    pub settings: Images,
    /// Sizes and colors of the files.
    pub files: ImageFiles,
}

impl ImageSummary {
    /// Reads the sizes and colors of the images of a directory, and proposes settings.
    ///
    /// # Errors
    /// When it cannot be used, or an image is damaged.
    pub fn read(path: &str) -> Result<ImageSummary, Invalid> {
        let any_size = Images { size: Some(Sides::Square(1)), ..Images::of_path(path) };
        let files = ImageSet::open(&any_size)?.files()?;
        let settings = proposed_settings(&files, path);
        let images = ImageSet::open(&settings)?;
        let problem = Problem::Classes { names: images.classes.clone(), rows: images.counts(), stated: None };
        Ok(ImageSummary { info: images.info(), problem, files, settings: settings.clone() })
    }

    /// Returns the part `[data.images]`; `path` is the path of the directory as it is written.
    pub fn section(&self, path: &str) -> String {
        let ImageFiles { images, grayscale, .. } = self.files;
        let sides = sides(&self.files);
        let mut lines = vec!["[data.images]".to_owned(), format!("path = {}", quoted(path))];
        lines.extend(comment_lines(&match self.is_kept() {
            true => format!("height and width; all images have {sides}"),
            false => {
                format!("height and width; images have {sides}, and their center is kept; resize = \"stretch\" keeps the whole image instead")
            }
        }));
        let size = match self.settings.size {
            Some(Sides::HeightWidth([height, width])) => format!("[{height}, {width}]"),
            Some(Sides::Square(side)) => side.to_string(),
            None => unreachable!("a size is proposed"),
        };
        lines.push(format!("size = {size}"));
        if grayscale == images {
            lines.push("# the images have no colors\ncolor_mode = \"grayscale\"".to_owned());
        }
        lines.extend(["# bytes to 0–1".to_owned(), "scale = \"unit\"".to_owned()]);
        lines.extend(split_lines(&self.info, Some(&self.problem)));
        lines.join("\n") + "\n"
    }

    /// Returns whether the images keep their size.
    fn is_kept(&self) -> bool {
        let (width, height) = self.files.largest;
        self.info.sample.dimensions()[1..] == [i64::from(height), i64::from(width)]
    }
}

/// Returns the widths and heights as text, such as `28×28 pixels` or `32–640 × 20–480 pixels`.
pub fn sides(files: &ImageFiles) -> String {
    let ((width, height), (most_width, most_height)) = (files.smallest, files.largest);
    if files.smallest == files.largest {
        return format!("{width}×{height} pixels");
    }
    let range = |least: u32, most: u32| if least == most { least.to_string() } else { format!("{least}–{most}") };
    format!("{} × {} pixels", range(width, most_width), range(height, most_height))
}

/// Returns settings that fit the images.
fn proposed_settings(files: &ImageFiles, path: &str) -> Images {
    let (width, height) = files.smallest;
    let size = if files.smallest == files.largest && width.max(height) <= LARGEST_KEPT {
        match width == height {
            true => Sides::Square(width as usize),
            false => Sides::HeightWidth([height as usize, width as usize]),
        }
    } else {
        let [.., least] = USUAL_SIZES;
        let fitting = USUAL_SIZES.into_iter().find(|size| *size <= width.min(height));
        Sides::Square(fitting.unwrap_or(least) as usize)
    };
    let color_mode = if files.grayscale == files.images { ColorMode::Grayscale } else { ColorMode::Rgb };
    Images { size: Some(size), color_mode, ..Images::of_path(path) }
}
