//! Built-in table: 30 measures of cell nuclei, malignant or benign (UCI, as in scikit-learn's `load_breast_cancer`).

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

const CSV: &[u8] = include_bytes!("../embedded/breast_cancer.csv");

/// Measures of cell nuclei; each has a mean, an error and a worst value.
const MEASURES: [&str; 10] = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
];

const MANIFEST: &str = "
title    = 'Breast cancer: measures of cell nuclei, malignant or benign (Wisconsin, diagnostic)'
rows     = '569'
features = '30 numbers'
target   = '2 classes'
license  = 'CC BY 4.0'
citation = 'W. Wolberg, O. Mangasarian, N. Street, W. Street: Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, 1995'
";

const TARGET: &str = "diagnosis";

/// The built-in table and its target.
const EMBEDDED: EmbeddedTable = EmbeddedTable {
    table,
    files: &[CSV],
    target: TARGET,
    task: TargetKind::Classes,
    size: (569, 30, Target::Classes(2)),
    classes: Some(&["malignant", "benign"]),
};

/// Settings of `[data.breast_cancer]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreastCancer {}

impl DataSource for BreastCancer {
    const NAME: &'static str = "breast_cancer";
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

/// Returns the table with scikit-learn's column names; the class is 0 (malignant) or 1 (benign).
pub fn table() -> Table {
    let mut names: Vec<String> = MEASURES.iter().map(|measure| format!("mean {measure}")).collect();
    names.extend(MEASURES.iter().map(|measure| format!("{measure} error")));
    names.extend(MEASURES.iter().map(|measure| format!("worst {measure}")));
    let mut text = format!("{},{TARGET}\n", names.join(",")).into_bytes();
    text.extend(CSV.iter().skip_while(|byte| **byte != b'\n').skip(1)); // the first line of the file has counts, not names
    Table::from_csv(&text, ',').expect("the embedded table is read by a test")
}
