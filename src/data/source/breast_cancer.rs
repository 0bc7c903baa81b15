//! Thirty measures of cell nuclei, malignant or benign (UCI, as scikit-learn's `load_breast_cancer` ships them), in the
//! binary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::prepare::scale::Scale;
use crate::data::source::embedded_table::EmbeddedTable;
use crate::data::split::Split;
use crate::data::table::csv_table::Table;
use crate::data::table::target_kind::Task;
use crate::data::target::Target;

const CSV: &[u8] = include_bytes!("../embedded/breast_cancer.csv");

/// Ten measures, each with its mean, its error and the worst of the nuclei.
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

const TARGET: &str = "diagnosis";

/// The table, and what is predicted of it.
pub(super) const EMBEDDED: EmbeddedTable = EmbeddedTable {
    table,
    files: &[CSV],
    target: TARGET,
    task: Task::Classes,
    size: (569, 30, Target::Classes(2)),
    classes: Some(&["malignant", "benign"]),
};

/// `[data.breast_cancer]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreastCancer {
    /// Which rows are held out.
    #[serde(default)]
    pub split: Option<Split>,
    /// How the measures are scaled: they differ by a factor of 10,000.
    #[serde(default)]
    pub scale: Scale,
}

/// The table, its columns named as scikit-learn names them; the class is 0 (malignant) or 1 (benign).
pub fn table() -> Table {
    let mut names: Vec<String> = MEASURES.iter().map(|measure| format!("mean {measure}")).collect();
    names.extend(MEASURES.iter().map(|measure| format!("{measure} error")));
    names.extend(MEASURES.iter().map(|measure| format!("worst {measure}")));
    let mut text = format!("{},{TARGET}\n", names.join(",")).into_bytes();
    text.extend(CSV.iter().skip_while(|byte| **byte != b'\n').skip(1)); // its own first line holds counts
    Table::from_csv(&text, ',').expect("the embedded table is read by a test")
}
