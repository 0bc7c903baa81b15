//! Built-in table: penguins of three species on three islands (Palmer Station, CC0), with text columns and missing
//! values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::checksum::sha256;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::table::column_roles::{ColumnNames, ColumnRoles, SelectedColumns};
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{Encode, Missing};
use crate::data::table::field_format::FieldFormat;
use crate::data::table::target_kind::TargetKind;

const MANIFEST: &str = "
title    = 'Palmer penguins: three species, with text columns and missing values'
rows     = '344'
features = '4 numbers, 2 texts'
target   = '3 classes'
license  = 'CC0'
citation = 'K. B. Gorman, T. D. Williams, W. R. Fraser: PLoS ONE 9(3), 2014; A. Horst, A. Hill, K. Gorman: palmerpenguins, 2020'
";

const CSV: &[u8] = include_bytes!("../embedded/penguins.csv");

/// Target column by default.
const TARGET: &str = "species";

/// Settings of `[data.penguins]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Penguins {
    /// Target column, or a list of them.
    pub target: ColumnNames,
    /// Kind of the target; by default, text is classes and numbers are values.
    pub task: Option<TargetKind>,
    /// Feature columns.
    pub features: Vec<String>,
    /// Encoding of island and sex.
    pub encode: Encode,
    /// Handling of missing values: 11 rows have some.
    pub missing: Missing,
}

impl Default for Penguins {
    fn default() -> Self {
        let all_but_the_year = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"];
        Penguins {
            target: ColumnNames::One(TARGET.to_owned()),
            task: None,
            features: all_but_the_year.map(str::to_owned).to_vec(),
            encode: Encode::OneHot,
            missing: Missing::Drop,
        }
    }
}

/// Returns the table.
pub fn table() -> Table {
    Table::from_csv(CSV, ',').expect("the embedded table is read by a test")
}

impl Penguins {
    fn select<'t>(&self, table: &'t Table) -> Result<SelectedColumns<'t>, Invalid> {
        let roles = ColumnRoles {
            task: self.task,
            features: Some(&self.features),
            encode: self.encode,
            missing: self.missing,
            ..ColumnRoles::new(self.target.list())
        };
        roles.select(table)
    }
}

impl DataSource for Penguins {
    const NAME: &'static str = "penguins";
    const MANIFEST: Option<&'static str> = Some(MANIFEST);
    const IS_TABLE: bool = true;
    const TARGET_COLUMN: Option<&'static str> = Some(TARGET);

    fn info(&self, _: &Split) -> Result<DatasetInfo, Invalid> {
        self.select(&table()).map(|selected| selected.info())
    }

    fn load(&self, _: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        Ok(self.select(&table()).map_err(load_error::<Self>)?.load(sha256(CSV), FieldFormat::new(',')))
    }

    fn table(_: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Option<(Table, String)>> {
        Ok(Some((table(), sha256(CSV))))
    }
}
