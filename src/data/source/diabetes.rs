//! Built-in table: ten measurements of 442 patients, and the progression of their diabetes after one year (Efron and
//! others, 2004, as in scikit-learn's `load_diabetes(scaled=False)`).

use std::io::Read;

use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::table::csv_table::Table;
use crate::data::table::embedded_table::EmbeddedTable;
use crate::data::table::target_kind::TargetKind;
use crate::data::target::Target;

const FEATURES_GZ: &[u8] = include_bytes!("../embedded/diabetes_data_raw.csv.gz");
const TARGET_GZ: &[u8] = include_bytes!("../embedded/diabetes_target.csv.gz");

const MANIFEST: &str = "
title    = 'Diabetes: progression of the disease one year after ten measurements'
rows     = '442'
features = '10 numbers'
target   = '1 number'
license  = 'not stated'
citation = 'B. Efron, T. Hastie, I. Johnstone, R. Tibshirani: Least Angle Regression, Annals of Statistics 32(2), 2004; as shipped with scikit-learn'
";

const TARGET: &str = "progression";

/// The built-in table and its target.
const EMBEDDED: EmbeddedTable = EmbeddedTable {
    table,
    files: &[FEATURES_GZ, TARGET_GZ],
    target: TARGET,
    task: TargetKind::Values,
    size: (442, 10, Target::Values(1)),
    classes: None,
};

/// Settings of `[data.diabetes]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diabetes {}

impl DataSource for Diabetes {
    const NAME: &'static str = "diabetes";
    const MANIFEST: Option<&'static str> = Some(MANIFEST);
    const IS_TABLE: bool = true;
    const TARGET_COLUMN: Option<&'static str> = Some(TARGET);

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        Ok(EMBEDDED.info())
    }

    fn load(&self, _: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        EMBEDDED.load().map_err(load_error::<Self>)
    }

    fn table(_: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Option<(Table, String)>> {
        Ok(Some((table(), EMBEDDED.checksum())))
    }
}

/// Returns the table with scikit-learn's column names.
pub fn table() -> Table {
    let mut text = format!("age,sex,bmi,bp,s1,s2,s3,s4,s5,s6,{TARGET}\n");
    for (features, target) in unpacked(FEATURES_GZ).lines().zip(unpacked(TARGET_GZ).lines()) {
        text.extend([&features.replace(' ', ","), ",", target, "\n"]);
    }
    Table::from_csv(text.as_bytes(), ',').expect("the embedded table is read by a test")
}

fn unpacked(gz: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(gz).read_to_string(&mut text).expect("the embedded table is read by a test");
    text
}
