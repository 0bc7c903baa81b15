//! Credit-card transactions, 492 of 284,807 of them frauds (Dal Pozzolo et al. 2015): as imbalanced as classes get.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::hint::told;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::fetch::Watch;
use crate::data::store::manifest::Manifest;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::csv_table::Table;
use crate::data::table::reading::Reading;
use crate::data::table::target_kind::Task;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// `[data.creditcard]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Creditcard {
    /// Which rows are held out.
    pub split: Option<Split>,
    /// How the numbers are scaled.
    pub scale: Scale,
}

/// The column to predict: 1 is fraud.
pub(super) const TARGET: &str = "Class";

/// The classes: 1 is a fraud.
const CLASSES: [&str; 2] = ["0", "1"];

/// The table, which is fetched where it is not there yet, and its checksum.
///
/// # Errors
/// When it cannot be had, or is damaged.
pub fn table(cache: &Cache, watch: &mut dyn Watch) -> anyhow::Result<(Table, String)> {
    let manifest = Manifest::named("creditcard").expect("creditcard has a manifest");
    let file = &manifest.files[0];
    match Table::of_plain_file(&cache.path(&manifest, file), &Reading::new(',')) {
        Some((table, sum)) if sum == file.sha256 => return Ok((table, manifest.sha256())),
        _ => {} // not there yet, or damaged
    }
    let file = cache.load(&manifest, watch)?.remove(0);
    Ok((Table::from_csv(&file, ',')?, manifest.sha256()))
}

impl Creditcard {
    pub(super) fn card(&self) -> DatasetInfo {
        DatasetInfo {
            sample: Shape::from([30]),
            target: Target::Classes(2),
            rows: 284_807,
            test_rows: 0,
            classes: CLASSES.map(str::to_owned).to_vec(),
            notes: Vec::new(),
        }
    }

    pub(super) fn load(&self, cache: &Cache, watch: &mut dyn Watch) -> anyhow::Result<Loaded> {
        let (table, sum) = table(cache, watch)?;
        let (target, classes) = ([TARGET.to_owned()], CLASSES.map(str::to_owned));
        let recipe = ColumnRoles { task: Some(Task::Classes), classes: Some(&classes), ..ColumnRoles::of(&target) };
        let selected = recipe.select(&table).map_err(|fault| told(fault.under("data.creditcard")))?;
        Ok(selected.load(sum, Reading::new(',')))
    }
}
