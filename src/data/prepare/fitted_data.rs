//! Description of a trial's data without its rows: enough to read new rows and to preprocess them like the training
//! rows.

use anyhow::ensure;
use serde::{Deserialize, Serialize};
use tch::Kind;

use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::prepared::Prepared;
use crate::data::prepare::preprocessing::{Preprocessing, PreprocessingRecord};
use crate::data::table::form::{Form, ImageSize};
use crate::data::target::Target;

/// Description of a trial's data, with the preprocessing that was fitted to its training rows. `P` is the preprocessing, or its
/// record in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedData<P = Preprocessing> {
    /// Name of the data set.
    #[serde(rename = "data")]
    pub name: String,
    /// SHA-256 over the files of the data set.
    pub sha256: String,
    /// Shapes and counts.
    #[serde(rename = "card")]
    pub info: DatasetInfo,
    /// Names of the classes, labels or values.
    pub classes: Vec<String>,
    /// Form of a row.
    pub form: Form,
    /// Largest possible value of a feature.
    pub largest: f64,
    /// Smallest value of images with values below 0, whose gray levels have no known range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest: Option<f64>,
    /// Whether the features are bytes; `None` for tables, texts and older runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_bytes: Option<bool>,
    /// Mean of the outermost pixels of all images; `None` if the rows are no images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<f64>,
    /// Encoder and scaler.
    pub preprocessing: P,
}

/// [`FittedData`] as it is stored in a file.
pub type FittedDataRecord = FittedData<PreprocessingRecord>;

impl FittedData {
    /// Describes a data set with the preprocessing that was fitted to its training rows.
    pub fn new(name: &str, info: &DatasetInfo, loaded: &Loaded, prepared: &Prepared) -> FittedData {
        let features = &loaded.rows.features;
        let is_bytes = features.kind() == Kind::Uint8;
        let (background, smallest) = match &loaded.form {
            Form::Image(size) => {
                let smallest = if is_bytes { 0.0 } else { features.min().double_value(&[]) };
                (Some(size.mean_of_border(features)), Some(smallest).filter(|smallest| *smallest < 0.0))
            }
            Form::Table(_) | Form::Text(_) | Form::Points => (None, None),
        };
        let has_bytes = matches!(loaded.form, Form::Image(_) | Form::Points).then_some(is_bytes);
        let (form, preprocessing) = prepared.preprocessing.for_new_rows(&loaded.form);
        FittedData {
            name: name.to_owned(),
            sha256: loaded.sha256.clone(),
            info: info.clone(),
            classes: loaded.classes.clone(),
            form,
            largest: loaded.largest,
            smallest,
            has_bytes,
            background,
            preprocessing,
        }
    }

    /// Returns the size of the images if rows are images of red, green and blue bytes.
    pub fn color_image_size(&self) -> Option<ImageSize> {
        match *self.info.sample.dimensions() {
            [3, height, width]
                if self.form == Form::Points && self.largest == 255.0 && self.has_bytes != Some(false) =>
            {
                Some(ImageSize { height: height as usize, width: width as usize })
            }
            _ => None,
        }
    }

    /// Returns whether the images are light on a dark background.
    pub fn is_light_on_dark(&self) -> bool {
        self.background.is_some_and(|background| background < self.largest / 2.0)
    }

    /// Converts to the form that is stored in a file.
    pub fn record(&self) -> FittedDataRecord {
        FittedDataRecord {
            name: self.name.clone(),
            sha256: self.sha256.clone(),
            info: DatasetInfo { classes: Vec::new(), ..self.info.clone() }, // stored in `classes`
            classes: self.classes.clone(),
            form: self.form.clone(),
            largest: self.largest,
            smallest: self.smallest,
            has_bytes: self.has_bytes,
            background: self.background,
            preprocessing: self.preprocessing.record(),
        }
    }

    /// Converts from the form that is stored in a file.
    ///
    /// # Errors
    /// When the parts of the record contradict each other.
    pub fn from_record(record: FittedDataRecord) -> anyhow::Result<FittedData> {
        const MOST: i64 = 1 << 31;
        let FittedDataRecord { ref info, ref classes, ref form, largest, background, .. } = record;
        let dimensions = info.sample.dimensions();
        let elements = dimensions.iter().try_fold(1_i64, |product, &length| product.checked_mul(length));
        let is_shape = !dimensions.is_empty() && dimensions.iter().all(|&length| length >= 1);
        ensure!(is_shape && elements.is_some_and(|count| count <= MOST), "its rows have the shape {}", info.sample);
        ensure!(largest.is_finite() && largest > 0.0, "the largest value of its features is {largest}");
        let (outputs, named) = (info.target.outputs(), classes.len());
        ensure!(outputs == named && named > 0, "it names {named} classes or values, but {outputs} are predicted");
        match form {
            Form::Points => {}
            Form::Text(text) => {
                let length = text.tokenizer.length;
                ensure!(
                    info.sample.flat() == Some(length),
                    "its texts have {length} tokens, and its rows {}",
                    info.sample
                );
                let ids = info.token_ids.unwrap_or_default();
                ensure!(text.id_count() <= ids, "its vocabulary has {} ids, expected at most {ids}", text.id_count());
                ensure!(text.table.encoding.columns.is_empty(), "its texts have other columns");
            }
            Form::Image(ImageSize { height, width }) => {
                let pixels = height.checked_mul(*width);
                ensure!(pixels == Some(info.sample.elements()), "its images have {height}×{width} pixels");
                ensure!(background.is_some(), "the background of its images is missing");
            }
            Form::Table(table) => {
                ensure!(info.sample.flat().is_some(), "the rows of its table have the shape {}", info.sample);
                let separator = table.reading.separator;
                ensure!(separator.is_ascii(), "its fields are separated by {separator:?}");
                let columns = table.target.names.len();
                let is_right = match info.target {
                    Target::Classes(classes) => columns == 1 && table.target.classes.len() == classes,
                    Target::Labels(count) | Target::Values(count) => columns == count,
                };
                ensure!(is_right, "its target has {columns} columns");
            }
        }
        let preprocessing = Preprocessing::from_record(record.preprocessing, form, &info.sample)?;
        Ok(FittedData {
            name: record.name,
            sha256: record.sha256,
            info: DatasetInfo { classes: record.classes.clone(), ..record.info },
            classes: record.classes,
            form: record.form,
            largest: record.largest,
            smallest: record.smallest,
            has_bytes: record.has_bytes,
            background: record.background,
            preprocessing,
        })
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
    use crate::data::table::field_format::FieldFormat;

    const PEOPLE: &str = "age,city,y\n30.1,Rome,a\n40.7,Oslo,b\n,Rome,a\n51.3,,b\n60.2,Bonn,a\n";

    fn fitted(encode: Encode, missing: Missing, scale: Scale) -> (FittedData, Loaded) {
        let y = ["y".to_owned()];
        let roles = ColumnRoles { encode, missing, ..ColumnRoles::new(&y) };
        let table = Table::from_csv(PEOPLE.as_bytes(), ',').unwrap();
        let selected = roles.select(&table).unwrap();
        let (info, loaded) = (selected.info(), selected.load("sum".to_owned(), FieldFormat::new(',')));
        let parts = Parts { training: (0..loaded.rows.len().min(4)).collect(), validation: None, test: None };
        let prepared = Prepared::from_parts(&loaded, &parts, scale).unwrap();
        (FittedData::new("csv", &info, &loaded, &prepared), loaded)
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
                let read = FittedData::from_record(read).unwrap();
                // fill values are NaN where rows are dropped, and NaN is not equal to itself
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
        let refused = |record: FittedDataRecord| FittedData::from_record(record).unwrap_err().to_string();
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
