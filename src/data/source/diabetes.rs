//! Ten measurements of 442 patients, and how far their diabetes went in a year (Efron and others, 2004, as
//! scikit-learn's `load_diabetes(scaled=False)` ships them), in the binary.

use std::io::Read;

use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::prepare::scale::Scale;
use crate::data::source::embedded_table::EmbeddedTable;
use crate::data::split::Split;
use crate::data::table::csv_table::Table;
use crate::data::table::target_kind::Task;
use crate::data::target::Target;

const FEATURES_GZ: &[u8] = include_bytes!("../embedded/diabetes_data_raw.csv.gz");
const TARGET_GZ: &[u8] = include_bytes!("../embedded/diabetes_target.csv.gz");

const TARGET: &str = "progression";

/// The table, and what is predicted of it.
pub(super) const EMBEDDED: EmbeddedTable = EmbeddedTable {
    table,
    files: &[FEATURES_GZ, TARGET_GZ],
    target: TARGET,
    task: Task::Values,
    size: (442, 10, Target::Values(1)),
    classes: None,
};

/// `[data.diabetes]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diabetes {
    /// Which rows are held out.
    #[serde(default)]
    pub split: Option<Split>,
    /// How the measurements are scaled.
    #[serde(default)]
    pub scale: Scale,
}

/// The table, its columns named as scikit-learn names them.
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
