//! The user's own arrays: NumPy's `.npz` and `.npy`, and `.safetensors`.

use crate::config::check::Invalid;
use crate::data::arrays::open_arrays::{OpenArrays, checksum};
pub use crate::data::arrays::settings::Arrays;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;

impl DataSource for Arrays {
    const NAME: &'static str = "arrays";
    const HAS_COLUMNS: bool = true;

    fn info(&self, split: &Split) -> Result<DatasetInfo, Invalid> {
        let mut opened = OpenArrays::open(self)?;
        opened.groups(split)?;
        let (_, targets) = opened.targets(self)?;
        Ok(opened.info(&targets))
    }

    fn load(&self, split: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let load = || {
            let mut opened = OpenArrays::open(self)?;
            let paths = opened.paths();
            std::thread::scope(|scope| {
                let sum = scope.spawn(|| checksum(&paths)); // hashing takes as long as reading
                let groups = opened.groups(split)?;
                let (arrays, targets) = opened.targets(self)?;
                let info = opened.info(&targets);
                let [rows, validation, test] = opened.rows(&arrays, &targets)?;
                let rows = rows.expect("there are training rows");
                let sha256 = sum.join().expect("a checksum is taken of any bytes")?;
                opened.check_unchanged()?;
                let largest = match opened.element.largest_byte() {
                    Some(largest) => f64::from(largest),
                    None => rows.features.max().double_value(&[]).max(1.0), // values up to 1 are from 0 to 1
                };
                let form = opened.layout.form.clone();
                let loaded = Loaded::new(sha256, info.target, info.classes, rows, form);
                Ok(Loaded { groups, validation, test, largest, ..loaded })
            })
        };
        load().map_err(load_error::<Self>)
    }

    fn check_unit(&self) -> Result<(), Invalid> {
        let element = OpenArrays::open(self)?.element;
        if element.largest_byte().is_some() {
            return Ok(());
        }
        let message = format!("is `unit`, which divides bytes by 255, but `x` has the type {}", element.name());
        let hint = "use `min_max` to scale each feature to 0–1, or `standard` for mean 0 and standard deviation 1";
        Err(Invalid::new("scale", message).hint(hint))
    }

    fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        Arrays::paths_mut(self)
    }

    fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        checksum(&OpenArrays::open(self)?.paths()).map(Some)
    }
}
