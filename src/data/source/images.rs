//! The user's own images: PNG and JPEG files.

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::images::image_set::{ImageRows, ImageSet};
pub use crate::data::images::settings::Images;
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;

impl DataSource for Images {
    const NAME: &'static str = "images";

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        ImageSet::open(self).map(|images| images.info())
    }

    fn load(&self, _: &Split, cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let images = ImageSet::open(self).map_err(load_error::<Self>)?;
        let mut is_announced = false;
        let loaded = images.rows(cache, &mut |bytes, of| {
            if bytes < of && !is_announced {
                watch.doing("reading images"); // a few images are read in no time
                is_announced = true;
            }
            if is_announced {
                watch.progress(bytes, Some(of));
            }
        });
        let ImageRows { rows: [rows, validation, test], sha256 } = loaded.map_err(load_error::<Self>)?;
        let info = images.info();
        let rows = rows.expect("there are training images");
        let form = images.format.form();
        Ok(Loaded { validation, test, largest: 255.0, ..Loaded::new(sha256, info.target, info.classes, rows, form) })
    }

    fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        Images::paths_mut(self)
    }

    fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        ImageSet::open(self)?.checksum(&Cache::for_user()).map(Some)
    }
}
