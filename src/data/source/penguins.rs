//! Penguins of three species on three islands (Palmer Station, CC0), with text columns and missing values, in the binary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::split::Split;
use crate::data::store::checksum::sha256;
use crate::data::table::column_roles::{ColumnRoles, Names, Selected};
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{Encode, Missing};
use crate::data::table::reading::Reading;
use crate::data::table::target_kind::Task;

const CSV: &[u8] = include_bytes!("../embedded/penguins.csv");

/// The column to predict where no other is named.
pub(super) const TARGET: &str = "species";

/// `[data.penguins]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Penguins {
    /// The column to predict, or a list of them.
    #[serde(default = "species")]
    pub target: Names,
    /// What the target is taken for; text for classes and numbers for values where it is not stated.
    #[serde(default)]
    pub task: Option<Task>,
    /// The columns to predict from.
    #[serde(default = "all_but_the_year")]
    pub features: Vec<String>,
    /// What becomes of island and sex.
    #[serde(default = "one_hot")]
    pub encode: Encode,
    /// What becomes of missing values: 11 rows have some.
    #[serde(default = "drop")]
    pub missing: Missing,
    /// Which rows are held out.
    #[serde(default)]
    pub split: Option<Split>,
    /// How the numbers are scaled.
    #[serde(default)]
    pub scale: Scale,
}

fn species() -> Names {
    Names::One(TARGET.to_owned())
}

fn all_but_the_year() -> Vec<String> {
    ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"].map(str::to_owned).to_vec()
}

fn one_hot() -> Encode {
    Encode::OneHot
}

fn drop() -> Missing {
    Missing::Drop
}

impl Default for Penguins {
    fn default() -> Self {
        Penguins {
            target: species(),
            task: None,
            features: all_but_the_year(),
            encode: one_hot(),
            missing: drop(),
            split: None,
            scale: Scale::None,
        }
    }
}

/// The table.
pub fn table() -> Table {
    Table::from_csv(CSV, ',').expect("the embedded table is read by a test")
}

impl Penguins {
    fn select<'t>(&self, table: &'t Table) -> Result<Selected<'t>, Invalid> {
        let recipe = ColumnRoles {
            task: self.task,
            features: Some(&self.features),
            encode: self.encode,
            missing: self.missing,
            ..ColumnRoles::of(self.target.list())
        };
        recipe.select(table)
    }

    pub(super) fn card(&self) -> Result<DatasetInfo, Invalid> {
        self.select(&table()).map(|selected| selected.card())
    }

    pub(super) fn load(&self) -> Result<Loaded, Invalid> {
        Ok(self.select(&table())?.load(sha256(CSV), Reading::new(',')))
    }
}
