//! Sources of data: one file for each data set.

pub mod arrays;
pub mod breast_cancer;
pub mod creditcard;
pub mod csv;
pub mod data_source;
pub mod diabetes;
pub mod digits;
pub mod idx_files;
pub mod images;
pub mod logic;
pub mod mnist;
pub mod penguins;
pub mod shared_settings;
pub mod table_files;
pub mod text;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::source::data_source::DataSource;
use crate::data::source::shared_settings::{SharedSettings, SourceTable};
use crate::data::split::{OwnRows, Split};
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::manifest::Manifest;
use crate::data::table::csv_table::Table;
use crate::device::small_pages::with_small_pages;

/// Declares [`Source`] with its dispatch to the [`DataSource`] of each variant, and [`DataTable`], its form in files.
macro_rules! data_sources {
    ($($(#[$doc:meta])* $variant:ident($settings:ty),)*) => {
        /// Source of the rows of a data set, with its own settings.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Source {
            $($(#[$doc])* $variant($settings),)*
        }

        /// [`DataSpec`] as it is written in files: `split` and `scale` are keys of the table of the source.
        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(rename = "DataSpec", rename_all = "snake_case")]
        enum DataTable {
            $($(#[$doc])* $variant(SourceTable<$settings>),)*
        }

        impl From<DataTable> for DataSpec {
            fn from(table: DataTable) -> Self {
                let (shared, source) = match table {
                    $(DataTable::$variant(table) => (table.shared, Source::$variant(table.source)),)*
                };
                DataSpec { split: shared.split, scale: shared.scale, source }
            }
        }

        impl From<DataSpec> for DataTable {
            fn from(DataSpec { split, scale, source }: DataSpec) -> Self {
                let shared = SharedSettings { split, scale };
                match source {
                    $(Source::$variant(source) => DataTable::$variant(SourceTable { source, shared }),)*
                }
            }
        }

        impl Source {
            fn name(&self) -> &'static str {
                match self { $(Source::$variant(_) => <$settings>::NAME,)* }
            }

            fn manifest(&self) -> Option<&'static str> {
                match self { $(Source::$variant(_) => <$settings>::MANIFEST,)* }
            }

            fn has_columns(&self) -> bool {
                match self { $(Source::$variant(_) => <$settings>::HAS_COLUMNS,)* }
            }

            fn is_table(&self) -> bool {
                match self { $(Source::$variant(_) => <$settings>::IS_TABLE,)* }
            }

            fn info(&self, split: &Split) -> Result<DatasetInfo, Invalid> {
                match self { $(Source::$variant(source) => source.info(split),)* }
            }

            fn load(&self, split: &Split, cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
                match self { $(Source::$variant(source) => source.load(split, cache, watch),)* }
            }

            fn check(&self) -> Result<(), Invalid> {
                match self { $(Source::$variant(source) => source.check(),)* }
            }

            fn check_scale(&self, scale: Scale) -> Result<(), Invalid> {
                match self { $(Source::$variant(source) => source.check_scale(scale),)* }
            }

            fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
                match self { $(Source::$variant(source) => source.checksum_of_files(),)* }
            }

            fn label_count(&self, classes: usize) -> usize {
                match self { $(Source::$variant(source) => source.label_count(classes),)* }
            }

            fn targets(&self, classes: &Tensor) -> Tensor {
                match self { $(Source::$variant(source) => source.targets(classes),)* }
            }
        }

        impl DataSpec {
            /// Returns the table of a named data set with the checksum of its files; `None` if the data set is no table.
            ///
            /// # Errors
            /// When the table cannot be downloaded.
            pub fn table(
                &self,
                cache: &Cache,
                watch: &mut dyn DownloadProgress,
            ) -> anyhow::Result<Option<(Table, String)>> {
                match self.source { $(Source::$variant(_) => <$settings>::table(cache, watch),)* }
            }

            /// Returns the column that a named table predicts by default.
            pub fn target_column(&self) -> Option<&'static str> {
                match self.source { $(Source::$variant(_) => <$settings>::TARGET_COLUMN,)* }
            }

            /// Returns the paths of the user's own files, each with the key of its setting.
            pub fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
                match &mut self.source { $(Source::$variant(source) => source.paths_mut(),)* }
            }

            /// Returns the name of the column of sample weights.
            pub fn weights(&self) -> Option<&str> {
                match &self.source { $(Source::$variant(source) => source.weights(),)* }
            }
        }
    };
}

data_sources! {
    /// The four points of a logic gate.
    Logic(logic::Logic),
    /// 1,797 images of handwritten digits, 8×8.
    Digits(digits::Digits),
    /// 30 measures of 569 tumors, malignant or benign.
    BreastCancer(breast_cancer::BreastCancer),
    /// 10 measurements of 442 patients, and a number to predict.
    Diabetes(diabetes::Diabetes),
    /// 344 penguins of three species, with text columns and missing values.
    Penguins(penguins::Penguins),
    /// 284,807 card transactions, 492 of them frauds.
    Creditcard(creditcard::Creditcard),
    /// 70,000 images of handwritten digits, 28×28.
    Mnist(mnist::Mnist),
    /// The user's own table.
    Csv(csv::Csv),
    /// The user's own images, in the format of MNIST.
    Idx(idx_files::IdxFiles),
    /// The user's own arrays: `.npz`, `.npy` or `.safetensors`.
    Arrays(arrays::Arrays),
    /// The user's own images: PNG and JPEG files in a directory for each class.
    Images(images::Images),
    /// The user's own texts: a column of a CSV table or of JSON lines.
    Text(text::Text),
}

/// Returns the data sets that are known by name, in the order in which `runner data` lists them, with default settings.
fn named_sources() -> Vec<Source> {
    vec![
        Source::Logic(logic::Logic { gate: logic::Gate::Xor }),
        Source::Digits(digits::Digits { flatten: true, labels: None }),
        Source::BreastCancer(breast_cancer::BreastCancer::default()),
        Source::Diabetes(diabetes::Diabetes::default()),
        Source::Penguins(penguins::Penguins::default()),
        Source::Mnist(mnist::Mnist { flatten: true }),
        Source::Creditcard(creditcard::Creditcard::default()),
    ]
}

/// The `[data.NAME]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "DataTable", into = "DataTable")]
pub struct DataSpec {
    /// Rows held out for validation and test.
    pub split: Option<Split>,
    /// Scaling of the features.
    pub scale: Scale,
    /// Source of the rows.
    pub source: Source,
}

impl Source {
    /// Runs `read`, which reads the rows; those of a table with [small pages](with_small_pages).
    fn read<T>(&self, read: impl FnOnce() -> T) -> T {
        if self.is_table() { with_small_pages(read) } else { read() }
    }
}

impl DataSpec {
    /// Returns the name in the file.
    pub fn name(&self) -> &'static str {
        self.source.name()
    }

    /// Returns the data set `name` with default settings.
    pub fn by_name(name: &str) -> Option<DataSpec> {
        let source = named_sources().into_iter().find(|source| source.name() == name)?;
        Some(DataSpec { split: None, scale: Scale::None, source })
    }

    /// Returns the SHA-256 over the user's own files, as in [`Loaded::sha256`]; `None` for named data sets.
    ///
    /// # Errors
    /// When a file cannot be read; the key is relative to the experiment.
    pub fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        self.source.checksum_of_files().map_err(|fault| fault.under(format!("data.{}", self.name())))
    }

    /// Returns what is known before training. Reads the user's own files.
    ///
    /// # Errors
    /// When a file cannot be used, or a setting names a column that does not exist; the key is relative to `data`.
    pub fn info(&self) -> Result<DatasetInfo, Invalid> {
        let split = self.split();
        let fits = if self.source.has_columns() { Ok(()) } else { split.check_no_columns() };
        fits.and_then(|()| self.source.read(|| self.source.info(&split))).map_err(|fault| fault.under(self.name()))
    }

    /// Returns the split; by default no rows are held out.
    pub fn split(&self) -> Split {
        self.split.clone().unwrap_or_default()
    }

    /// Returns the scaling of the features.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Converts the class numbers of images, `[rows]` int64, to targets, as in [`crate::data::Rows`]. `classes` is the
    /// number of classes of the target.
    ///
    /// # Errors
    /// The first class number that is too large.
    pub fn targets_of_classes(&self, numbers: &Tensor, classes: usize) -> Result<Tensor, i64> {
        let known = self.source.label_count(classes) as i64;
        match Vec::<i64>::try_from(numbers).expect("classes are int64").into_iter().find(|class| *class >= known) {
            Some(unknown) => Err(unknown),
            None => Ok(self.source.targets(numbers)),
        }
    }

    /// Checks the settings against the data set.
    ///
    /// # Errors
    /// When a setting is out of its range; the key is relative to `data`.
    pub fn check(&self, info: &DatasetInfo) -> Result<(), Invalid> {
        self.source.check().map_err(|fault| fault.under(self.name()))?;
        self.source.check_scale(self.scale).map_err(|fault| fault.under(self.name()))?;
        let own = OwnRows { validation: info.validation_rows, test: info.test_rows };
        self.split().check(info.rows, own, info.target).map_err(|fault| fault.under(format!("{}.split", self.name())))
    }

    /// Loads the rows, and downloads files that the cache lacks.
    ///
    /// # Errors
    /// When a file cannot be read or downloaded, has another checksum, or has changed since it was checked.
    pub fn load(&self, cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        self.source.read(|| self.source.load(&self.split(), cache, watch))
    }
}

impl Manifest {
    /// Returns the manifest of the data set `name`.
    pub fn named(name: &str) -> Option<Manifest> {
        let source = named_sources().into_iter().find(|source| source.name() == name)?;
        Some(Manifest::parse(name, source.manifest()?))
    }

    /// Returns the names of all data sets with a manifest.
    pub fn names() -> impl Iterator<Item = &'static str> {
        named_sources().into_iter().map(|source| source.name())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::shorthand::named;

    /// An experiment file with nothing but a data set.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(deserialize_with = "named")]
        data: DataSpec,
    }

    fn read(toml: &str) -> Result<DataSpec, String> {
        toml_edit::de::from_str::<File>(toml).map(|file| file.data).map_err(|error| error.to_string())
    }

    #[test]
    fn every_named_data_set_has_a_manifest() {
        let schema = schemars::schema_for!(DataSpec);
        let named: Vec<&str> = Manifest::names().collect();
        for variant in schema.get("oneOf").unwrap().as_array().unwrap() {
            let name = variant["required"][0].as_str().unwrap();
            assert!(named.contains(&name) || ["csv", "idx", "arrays", "images", "text"].contains(&name), "{name}");
        }
        for name in named {
            let manifest = Manifest::named(name).unwrap();
            assert_eq!(DataSpec::by_name(name).unwrap().name(), name);
            assert_eq!(manifest.files.is_empty(), manifest.sources.is_empty());
            assert!(manifest.files.iter().all(|file| file.sha256.len() == 64));
        }
    }

    #[test]
    fn descriptions_of_built_in_data_sets_match_their_rows() {
        for source in named_sources() {
            if !Manifest::named(source.name()).unwrap().is_embedded() {
                continue;
            }
            let (name, info) = (source.name(), source.info(&Split::default()).unwrap());
            let loaded =
                source.load(&Split::default(), &Cache::at("unused: the data set is built in"), &mut ()).unwrap();
            assert_eq!(
                (loaded.rows.len(), loaded.target, &loaded.classes),
                (info.rows, info.target, &info.classes),
                "{name}"
            );
            let features = match loaded.form.encoding() {
                Some(encoding) => vec![encoding.width() as i64],
                None => loaded.rows.features.size()[1..].to_vec(),
            };
            assert_eq!(features, info.sample.dimensions(), "{name}");
        }
    }

    /// The checksum of the settings of stored runs depends on the order of keys.
    #[test]
    fn shared_settings_keep_their_place_in_files() {
        for (toml, json) in [
            ("data = \"digits\"", json!({"digits": {"split": null, "scale": "none", "flatten": true, "labels": null}})),
            ("data.mnist.scale = \"unit\"", json!({"mnist": {"split": null, "scale": "unit", "flatten": true}})),
            ("data.breast_cancer = {}", json!({"breast_cancer": {"split": null, "scale": "none"}})),
            ("data.logic.gate = \"or\"", json!({"logic": {"gate": "or"}})),
            (
                "data.idx = { scale = \"unit\", images = \"i\", labels = \"l\" }",
                json!({"idx": {"images": "i", "labels": "l", "test_images": null, "test_labels": null, "split": null, "scale": "unit", "flatten": true}}),
            ),
            (
                "data.csv = { path = \"a\", split = { validation = 0.1 }, target = \"y\" }",
                json!({"csv": {"path": "a", "target": "y", "task": null, "classes": null, "features": null, "drop": [], "categories": [], "encode": "error", "missing": "error", "weights": null, "separator": ",", "split": {"test": null, "validation": 0.1, "random_state": 0, "train_rows": null, "folds": null, "stratify": false}, "scale": "none"}}),
            ),
        ] {
            let spec = read(toml).unwrap();
            assert_eq!(serde_json::to_string(&spec).unwrap(), json.to_string());
            assert_eq!(serde_json::from_value::<DataSpec>(json).unwrap(), spec);
            let written = toml_edit::ser::to_string(&File { data: spec.clone() }).unwrap();
            assert_eq!(read(&written).unwrap(), spec);
        }
        let digits = read("[data.digits]\nscale = \"unit\"\nsplit = { validation = 0.2 }").unwrap();
        let wanted = "data = { digits = { split = { validation = 0.2, random_state = 0, stratify = false }, \
                      scale = \"unit\", flatten = true } }\n";
        assert_eq!(toml_edit::ser::to_string(&File { data: digits }).unwrap(), wanted);
    }

    #[test]
    fn errors_name_the_line_and_all_known_keys() {
        for (toml, place, message) in [
            ("[data.logic]\ngate = \"or\"\nsplit = {}", "line 3, column 1", "unknown field `split`, expected `gate`"),
            (
                "[data.breast_cancer]\nscal = \"unit\"",
                "line 2, column 1",
                "unknown field `scal`, expected `split` or `scale`",
            ),
            (
                "[data.digits]\nfoo = 1",
                "line 2, column 1",
                "unknown field `foo`, expected one of `split`, `scale`, `flatten`, `labels`",
            ),
            (
                "[data.idx]\nfoo = 1",
                "line 2, column 1",
                "unknown field `foo`, expected one of `images`, `labels`, `test_images`, `test_labels`, `split`, `scale`, \
                 `flatten`",
            ),
            ("[data.csv]\ntarget = \"y\"", "line 1, column 1", "missing field `path`"),
            ("[data.digits]\nscale = \"foo\"", "line 2, column 9", "unknown variant `foo`"),
            ("[data.digits]\nsplit = { foo = 1 }", "line 2, column 11", "unknown field `foo`, expected one of `test`"),
            ("[data]\ndigits = 3", "line 2, column 10", "invalid type: integer `3`, expected struct Digits"),
            ("data = \"logic\"", "line 1, column 8", "`logic` needs settings: missing field `gate`"),
            ("[data.foo]", "line 1, column 7", "unknown variant `foo`, expected one of `logic`, `digits`"),
        ] {
            let error = read(toml).unwrap_err();
            assert!(error.contains(place) && error.contains(message), "{toml}\n{error}");
        }
        let twice = serde_json::from_str::<DataSpec>(r#"{"digits":{"scale":"unit","scale":"none"}}"#).unwrap_err();
        assert!(twice.to_string().starts_with("duplicate field `scale`"), "{twice}");
    }

    #[test]
    fn shared_settings_are_in_the_schema_of_each_table() {
        let schema = serde_json::to_value(schemars::schema_for!(DataSpec)).unwrap();
        let keys = |name: &str| -> Vec<String> {
            let properties = schema["$defs"][name]["properties"].as_object().unwrap();
            properties.keys().cloned().collect()
        };
        assert_eq!(keys("Digits"), ["split", "scale", "flatten", "labels"]);
        assert_eq!(keys("Logic"), ["gate"]);
        assert_eq!(keys("BreastCancer"), ["split", "scale"]);
        assert_eq!(schema["$defs"]["Digits"]["additionalProperties"], false);
        assert_eq!(schema["$defs"]["Digits"]["properties"]["scale"]["default"], "none");
    }
}
