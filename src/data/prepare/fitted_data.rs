//! What is known of a trial's data without its rows: enough to read new rows, and to prepare them as the training rows
//! were prepared.

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::prepared::Prepared;
use crate::data::prepare::preprocessing::{Preprocessing, PreprocessingRecord};
use crate::data::table::form::{Form, ImageSize};
use crate::data::target::Target;

/// The form of a trial's data, with everything that was fitted to its training rows.
#[derive(Debug)]
pub struct FittedData {
    /// The name of the data set.
    pub name: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// Shapes and counts.
    pub card: DatasetInfo,
    /// The names of the classes, labels or values.
    pub classes: Vec<String>,
    /// What rows are made of.
    pub form: Form,
    /// The largest value that a feature can have.
    pub largest: f64,
    /// The mean of the outermost pixels of all images; `None` of other data.
    pub background: Option<f64>,
    /// The encoder and the scale.
    pub preprocessing: Preprocessing,
}

/// The same as a file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedDataRecord {
    /// The name of the data set.
    pub data: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// Shapes and counts.
    pub card: DatasetInfo,
    /// The names of the classes, labels or values.
    pub classes: Vec<String>,
    /// What rows are made of.
    pub form: Form,
    /// The largest value that a feature can have.
    pub largest: f64,
    /// The mean of the outermost pixels of all images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<f64>,
    /// The encoder and the scale.
    pub preprocessing: PreprocessingRecord,
}

impl FittedData {
    /// The form of a data set's rows, and what was fitted to its training rows.
    pub fn new(name: &str, card: &DatasetInfo, loaded: &Loaded, prepared: &Prepared) -> FittedData {
        let background = match &loaded.form {
            Form::Image(size) => Some(size.mean_of_border(&loaded.rows.features)),
            Form::Table(_) | Form::Points => None,
        };
        FittedData {
            name: name.to_owned(),
            sha256: loaded.sha256.clone(),
            card: card.clone(),
            classes: loaded.classes.clone(),
            form: loaded.form.clone(),
            largest: loaded.largest,
            background,
            preprocessing: prepared.preprocessing.shallow_clone(),
        }
    }

    /// Whether images are light on a dark background.
    pub fn is_light_on_dark(&self) -> bool {
        self.background.is_some_and(|background| background < self.largest / 2.0)
    }

    /// The same as a file holds it.
    pub fn record(&self) -> FittedDataRecord {
        FittedDataRecord {
            data: self.name.clone(),
            sha256: self.sha256.clone(),
            card: DatasetInfo { classes: Vec::new(), ..self.card.clone() }, // named by `classes`
            classes: self.classes.clone(),
            form: self.form.clone(),
            largest: self.largest,
            background: self.background,
            preprocessing: self.preprocessing.record(),
        }
    }

    /// What a file holds.
    ///
    /// # Errors
    /// When its parts contradict each other.
    pub fn of_record(record: FittedDataRecord) -> anyhow::Result<FittedData> {
        const MOST: i64 = 1 << 31;
        let FittedDataRecord { data, sha256, card, classes, form, largest, background, preprocessing } = record;
        let dimensions = card.sample.dimensions();
        let elements = dimensions.iter().try_fold(1_i64, |product, &length| product.checked_mul(length));
        let is_shape = !dimensions.is_empty() && dimensions.iter().all(|&length| length >= 1);
        ensure!(is_shape && elements.is_some_and(|count| count <= MOST), "its rows have the shape {}", card.sample);
        ensure!(largest.is_finite() && largest > 0.0, "the largest value of its features is {largest}");
        let (outputs, named) = (card.target.outputs(), classes.len());
        ensure!(outputs == named && named > 0, "it names {named} classes or values, and {outputs} are predicted");
        match &form {
            Form::Points => {}
            Form::Image(ImageSize { height, width }) => {
                let pixels = height.checked_mul(*width);
                ensure!(pixels == Some(card.sample.elements()), "its images have {height}×{width} pixels");
                ensure!(background.is_some(), "it does not state the background of its images");
            }
            Form::Table(table) => {
                ensure!(card.sample.flat().is_some(), "the rows of its table have the shape {}", card.sample);
                let separator = table.reading.separator;
                ensure!(separator.is_ascii(), "its fields are separated by {separator:?}");
                let columns = table.target.names.len();
                let is_right = match card.target {
                    Target::Classes(classes) => columns == 1 && table.target.classes.len() == classes,
                    Target::Labels(count) | Target::Values(count) => columns == count,
                };
                ensure!(is_right, "its target has {columns} columns");
            }
        }
        let preprocessing = Preprocessing::of_record(preprocessing, &form, &card.sample)?;
        let card = DatasetInfo { classes: classes.clone(), ..card };
        Ok(FittedData { name: data, sha256, card, classes, form, largest, background, preprocessing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::prepare::scale::Scale;
    use crate::data::split::Parts;
    use crate::data::table::column_roles::ColumnRoles;
    use crate::data::table::csv_table::Table;
    use crate::data::table::encode::{Encode, Missing};
    use crate::data::table::reading::Reading;

    const PEOPLE: &str = "age,city,y\n30.1,Rome,a\n40.7,Oslo,b\n,Rome,a\n51.3,,b\n60.2,Bonn,a\n";

    fn fitted(encode: Encode, missing: Missing, scale: Scale) -> (FittedData, Loaded) {
        let y = ["y".to_owned()];
        let recipe = ColumnRoles { encode, missing, ..ColumnRoles::of(&y) };
        let table = Table::from_csv(PEOPLE.as_bytes(), ',').unwrap();
        let selected = recipe.select(&table).unwrap();
        let (card, loaded) = (selected.card(), selected.load("sum".to_owned(), Reading::new(',')));
        let parts = Parts { training: (0..loaded.rows.len().min(4)).collect(), validation: None, test: None };
        let prepared = Prepared::from_parts(&loaded, &parts, scale).unwrap();
        (FittedData::new("csv", &card, &loaded, &prepared), loaded)
    }

    #[test]
    fn what_is_read_from_a_file_prepares_rows_to_the_same_bits() {
        for (encode, missing) in
            [(Encode::OneHot, Missing::Mean), (Encode::OneHot, Missing::Drop), (Encode::Label, Missing::MostFrequent)]
        {
            for scale in [Scale::None, Scale::Standard, Scale::MinMax] {
                let (fitted, loaded) = fitted(encode, missing, scale);
                let text = serde_json::to_string(&fitted.record()).unwrap();
                let read: FittedDataRecord = serde_json::from_str(&text).unwrap();
                let read = FittedData::of_record(read).unwrap();
                // what is filled in where rows are dropped is NaN, which is not equal to itself
                assert_eq!(format!("{:?}", read.record()), format!("{:?}", fitted.record()));
                let rows = || loaded.rows.features.narrow(0, 0, 2);
                let prepared = |data: &FittedData| {
                    let features = data.preprocessing.features(rows(), "new").unwrap();
                    Vec::<f32>::try_from(features.flatten(0, -1)).unwrap()
                };
                assert_eq!(prepared(&read), prepared(&fitted), "{encode:?} {missing:?} {scale:?}");
            }
        }
    }

    #[test]
    fn parts_that_contradict_each_other_are_refused() {
        let record = || fitted(Encode::OneHot, Missing::Mean, Scale::Standard).0.record();
        let refused = |record: FittedDataRecord| FittedData::of_record(record).unwrap_err().to_string();
        assert!(refused(FittedDataRecord { classes: vec!["a".to_owned()], ..record() }).contains("names 1 classes"));
        assert!(refused(FittedDataRecord { largest: 0.0, ..record() }).contains("largest value"));
        assert!(refused(FittedDataRecord { form: Form::Points, ..record() }).contains("no table"));
        let without = PreprocessingRecord { encoder: None, ..record().preprocessing };
        assert!(refused(FittedDataRecord { preprocessing: without, ..record() }).contains("no encoder"));
        let mut text = serde_json::to_value(record()).unwrap();
        text["preprocessing"]["scaler"]["standardize"]["divisor"][0] = 0.0.into();
        assert!(refused(serde_json::from_value(text).unwrap()).contains("divides by zero"));
        let mut text = serde_json::to_value(record()).unwrap();
        text["preprocessing"]["encoder"]["columns"][1]["seen"] = serde_json::json!([true]);
        assert!(refused(serde_json::from_value(text).unwrap()).contains("has 1 categories"));
        let mut text = serde_json::to_value(record()).unwrap();
        text["card"]["sample"] = serde_json::json!([i64::MAX, 4]);
        assert!(refused(serde_json::from_value(text).unwrap()).contains("shape"));
    }
}
