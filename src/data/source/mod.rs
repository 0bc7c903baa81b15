//! Where rows come from: one file for each data set.

pub mod breast_cancer;
pub mod creditcard;
pub mod csv;
pub mod diabetes;
pub mod digits;
mod embedded_table;
pub mod idx;
pub mod idx_files;
pub mod logic;
pub mod mnist;
pub mod mnist_csv;
pub mod penguins;
pub mod user_file;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::hint::told;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::fetch::Watch;
use crate::data::table::csv_table::Table;

/// The `[data.NAME]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataSpec {
    /// The four points of a logic gate.
    Logic(logic::Logic),
    /// 1,797 images of 8×8 digits.
    Digits(digits::Digits),
    /// 30 measures of 569 tumours, malignant or benign.
    BreastCancer(breast_cancer::BreastCancer),
    /// 10 measurements of 442 patients, and a number to predict.
    Diabetes(diabetes::Diabetes),
    /// 344 penguins of three species, with text columns and missing values.
    Penguins(penguins::Penguins),
    /// 284,807 card transactions, 492 of them frauds.
    Creditcard(creditcard::Creditcard),
    /// 70,000 images of 28×28 digits.
    Mnist(mnist::Mnist),
    /// A table of the user's own.
    Csv(csv::Csv),
    /// Images of the user's own, in the format of MNIST.
    Idx(idx_files::IdxFiles),
}

impl DataSpec {
    /// The name in the file.
    pub fn name(&self) -> &'static str {
        match self {
            DataSpec::Logic(_) => "logic",
            DataSpec::Digits(_) => "digits",
            DataSpec::BreastCancer(_) => "breast_cancer",
            DataSpec::Diabetes(_) => "diabetes",
            DataSpec::Penguins(_) => "penguins",
            DataSpec::Creditcard(_) => "creditcard",
            DataSpec::Mnist(_) => "mnist",
            DataSpec::Csv(_) => "csv",
            DataSpec::Idx(_) => "idx",
        }
    }

    /// The data set of this name with its settings at their defaults, for commands about the data alone.
    pub fn by_name(name: &str) -> Option<DataSpec> {
        match name {
            "logic" => Some(DataSpec::Logic(logic::Logic { gate: logic::Gate::Xor })),
            "digits" => Some(DataSpec::Digits(digits::Digits::default())),
            "breast_cancer" => Some(DataSpec::BreastCancer(breast_cancer::BreastCancer::default())),
            "diabetes" => Some(DataSpec::Diabetes(diabetes::Diabetes::default())),
            "penguins" => Some(DataSpec::Penguins(penguins::Penguins::default())),
            "creditcard" => Some(DataSpec::Creditcard(creditcard::Creditcard::default())),
            "mnist" => Some(DataSpec::Mnist(mnist::Mnist::default())),
            _ => None,
        }
    }

    /// The whole table that a named data set is, with the checksum of its files, where it is one.
    ///
    /// # Errors
    /// When it has to be fetched, and cannot be.
    pub fn table(&self, cache: &Cache, watch: &mut dyn Watch) -> anyhow::Result<Option<(Table, String)>> {
        let table = match self {
            DataSpec::BreastCancer(_) => breast_cancer::table(),
            DataSpec::Diabetes(_) => diabetes::table(),
            DataSpec::Penguins(_) => penguins::table(),
            DataSpec::Creditcard(_) => return creditcard::table(cache, watch).map(Some),
            DataSpec::Logic(_) | DataSpec::Digits(_) | DataSpec::Mnist(_) | DataSpec::Csv(_) | DataSpec::Idx(_) => {
                return Ok(None);
            }
        };
        Ok(Some((table, self.load(cache, watch)?.sha256)))
    }

    /// The column that a named table is there to predict.
    pub fn target_column(&self) -> Option<&'static str> {
        match self {
            DataSpec::BreastCancer(_) => Some(breast_cancer::EMBEDDED.target),
            DataSpec::Diabetes(_) => Some(diabetes::EMBEDDED.target),
            DataSpec::Penguins(_) => Some(penguins::TARGET),
            DataSpec::Creditcard(_) => Some(creditcard::TARGET),
            DataSpec::Logic(_) | DataSpec::Digits(_) | DataSpec::Mnist(_) | DataSpec::Csv(_) | DataSpec::Idx(_) => None,
        }
    }

    /// The paths of the user's own files, each with the key of its setting.
    pub fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        match self {
            DataSpec::Csv(csv) => vec![("path", &mut csv.path)],
            DataSpec::Idx(files) => {
                let test = [("test_images", &mut files.test_images), ("test_labels", &mut files.test_labels)];
                let test = test.into_iter().filter_map(|(key, path)| Some((key, path.as_mut()?)));
                [("images", &mut files.images), ("labels", &mut files.labels)].into_iter().chain(test).collect()
            }
            DataSpec::Logic(_)
            | DataSpec::Digits(_)
            | DataSpec::BreastCancer(_)
            | DataSpec::Diabetes(_)
            | DataSpec::Penguins(_)
            | DataSpec::Creditcard(_)
            | DataSpec::Mnist(_) => Vec::new(),
        }
    }

    /// SHA-256 over the user's own files, as [`Loaded::sha256`]; `None` of data that cannot change.
    ///
    /// # Errors
    /// When a file cannot be read; the key is relative to the experiment.
    pub fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        match self {
            DataSpec::Csv(csv) => csv.checksum().map(Some),
            DataSpec::Idx(files) => files.checksum().map(Some),
            DataSpec::Logic(_)
            | DataSpec::Digits(_)
            | DataSpec::BreastCancer(_)
            | DataSpec::Diabetes(_)
            | DataSpec::Penguins(_)
            | DataSpec::Creditcard(_)
            | DataSpec::Mnist(_) => Ok(None),
        }
        .map_err(|fault| fault.under(format!("data.{}", self.name())))
    }

    /// The column that says what each row counts, where there is one.
    pub fn weights(&self) -> Option<&str> {
        match self {
            DataSpec::Csv(csv) => csv.weights.as_deref(),
            _ => None,
        }
    }

    /// What is known before training. Files of the user's own are read for it.
    ///
    /// # Errors
    /// When such a file cannot be used, or a setting names what it does not hold; the key is relative to `data`.
    pub fn card(&self) -> Result<DatasetInfo, Invalid> {
        match self {
            DataSpec::Logic(_) => Ok(logic::card()),
            DataSpec::Digits(digits) => Ok(digits.card()),
            DataSpec::BreastCancer(_) => Ok(breast_cancer::EMBEDDED.card()),
            DataSpec::Diabetes(_) => Ok(diabetes::EMBEDDED.card()),
            DataSpec::Penguins(penguins) => penguins.card(),
            DataSpec::Mnist(mnist) => Ok(mnist.card()),
            DataSpec::Creditcard(creditcard) => Ok(creditcard.card()),
            DataSpec::Csv(csv) => csv.card(),
            DataSpec::Idx(files) => files.card(),
        }
        .map_err(|fault| fault.under(self.name()))
    }

    /// How the rows are split; a data set without the setting is not split.
    pub fn split(&self) -> Split {
        match self {
            DataSpec::Logic(_) => None,
            DataSpec::Digits(digits) => digits.split.clone(),
            DataSpec::BreastCancer(cancer) => cancer.split.clone(),
            DataSpec::Diabetes(diabetes) => diabetes.split.clone(),
            DataSpec::Penguins(penguins) => penguins.split.clone(),
            DataSpec::Mnist(mnist) => mnist.split.clone(),
            DataSpec::Creditcard(creditcard) => creditcard.split.clone(),
            DataSpec::Csv(csv) => csv.split.clone(),
            DataSpec::Idx(files) => files.split.clone(),
        }
        .unwrap_or_default()
    }

    /// How the features are scaled.
    pub fn scale(&self) -> Scale {
        match self {
            DataSpec::Logic(_) => Scale::None,
            DataSpec::Digits(digits) => digits.scale,
            DataSpec::BreastCancer(cancer) => cancer.scale,
            DataSpec::Diabetes(diabetes) => diabetes.scale,
            DataSpec::Penguins(penguins) => penguins.scale,
            DataSpec::Mnist(mnist) => mnist.scale,
            DataSpec::Creditcard(creditcard) => creditcard.scale,
            DataSpec::Csv(csv) => csv.scale,
            DataSpec::Idx(files) => files.scale,
        }
    }

    /// What is to be predicted of images of these classes, `[rows]` int64: shapes as in [`crate::data::Rows`].
    ///
    /// # Errors
    /// When a class is none of the data set's, with the first such class.
    pub fn targets_of_classes(&self, classes: &Tensor, known: usize) -> Result<Tensor, i64> {
        let known = if matches!(self, DataSpec::Digits(_)) { 10 } else { known as i64 };
        match Vec::<i64>::try_from(classes).expect("classes are int64").into_iter().find(|class| *class >= known) {
            Some(unknown) => Err(unknown),
            None => Ok(match self {
                DataSpec::Digits(digits) => digits.targets(classes).0,
                _ => classes.shallow_clone(),
            }),
        }
    }

    /// Whether the features are a table's columns, with no largest value that all could have.
    fn is_table(&self) -> bool {
        match self {
            DataSpec::BreastCancer(_)
            | DataSpec::Diabetes(_)
            | DataSpec::Penguins(_)
            | DataSpec::Creditcard(_)
            | DataSpec::Csv(_) => true,
            DataSpec::Logic(_) | DataSpec::Digits(_) | DataSpec::Mnist(_) | DataSpec::Idx(_) => false,
        }
    }

    /// Checks the settings against the data set's card.
    ///
    /// # Errors
    /// When one is out of its range; the key is relative to `data`.
    pub fn check(&self, card: &DatasetInfo) -> Result<(), Invalid> {
        if let DataSpec::Digits(digits) = self {
            digits.check().map_err(|fault| fault.under("digits"))?;
        }
        if self.is_table() && self.scale() == Scale::Unit {
            let message = "is `unit`, which divides by the largest value that a pixel can have; these are no pixels";
            let hint = "`min_max` scales each column to 0–1, `standard` to mean 0 and deviation 1";
            return Err(Invalid::new(format!("{}.scale", self.name()), message).hint(hint));
        }
        self.split()
            .check(card.rows, card.test_rows, card.target)
            .map_err(|fault| fault.under(format!("{}.split", self.name())))
    }

    /// Loads the rows, fetching files that the cache lacks.
    ///
    /// # Errors
    /// When a file cannot be had, is not what its checksum says, or has changed since it was checked.
    pub fn load(&self, cache: &Cache, watch: &mut dyn Watch) -> anyhow::Result<Loaded> {
        match self {
            DataSpec::Logic(logic) => return Ok(logic.load()),
            DataSpec::Digits(digits) => return digits.load(),
            DataSpec::Mnist(mnist) => return mnist.load(cache, watch),
            DataSpec::Creditcard(creditcard) => return creditcard.load(cache, watch),
            DataSpec::BreastCancer(_) => breast_cancer::EMBEDDED.load(),
            DataSpec::Diabetes(_) => diabetes::EMBEDDED.load(),
            DataSpec::Penguins(penguins) => penguins.load(),
            DataSpec::Csv(csv) => csv.load(),
            DataSpec::Idx(files) => files.load(),
        }
        .map_err(|fault| told(fault.under(format!("data.{}", self.name()))))
    }
}
