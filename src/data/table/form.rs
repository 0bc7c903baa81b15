//! Form of the rows of a source, before anything is fitted. Another file must have the same form to be read for a
//! trained network.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::table::encode::Encoding;
use crate::data::table::field_format::FieldFormat;
use crate::data::table::target_kind::TargetColumns;
use crate::data::text::tokenizer::Tokenizer;
use crate::data::text::vocabulary_limits::VocabularyLimits;
use crate::tensor::shape::Shape;

/// Form of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Numbers without names.
    Points,
    /// Pixels of an image, row by row.
    Image(ImageSize),
    /// Columns of a table.
    Table(Box<TableForm>),
    /// Token ids of a text.
    Text(Box<TextForm>),
}

/// Size of an image in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSize {
    /// Number of rows of pixels.
    pub height: usize,
    /// Number of pixels in a row.
    pub width: usize,
}

/// Columns of a table that are used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableForm {
    /// Feature columns with their encoding, not fitted.
    pub encoding: Encoding,
    /// Target columns.
    pub target: TargetColumns,
    /// Format of the fields of the file.
    pub reading: FieldFormat,
}

/// A column of texts, which become token ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextForm {
    /// Name of the column.
    pub text: String,
    /// Tokens of a row.
    pub tokenizer: Tokenizer,
    /// Tokens with the ids 2, 3, …; empty for bytes. Of a trained model, these are the vocabulary.
    pub tokens: Vec<String>,
    /// Limits of the vocabulary, before it is fitted.
    pub limits: VocabularyLimits,
    /// Target columns and the format of the file; there are no feature columns.
    pub table: TableForm,
}

impl Form {
    /// Returns the encoding of the columns of a table; `None` if the features need no encoding.
    pub fn encoding(&self) -> Option<&Encoding> {
        match self {
            Form::Table(table) => Some(&table.encoding),
            Form::Points | Form::Image(_) | Form::Text(_) => None,
        }
    }
}

impl ImageSize {
    /// Returns the shape of a gray image: height · width features if it is flattened, else 1×height×width.
    pub fn sample(self, flatten: bool) -> Shape {
        let (height, width) = (self.height as i64, self.width as i64);
        if flatten { Shape::from([height * width]) } else { Shape::from([1, height, width]) }
    }

    /// Returns the mean of the outermost pixels of all images, the gray level of their background.
    ///
    /// # Shapes
    /// `images` `[images, …]`, with `height · width` values in each image.
    pub fn mean_of_border(self, images: &Tensor) -> f64 {
        let (height, width) = (self.height as i64, self.width as i64);
        let images = images.view([-1, height, width]);
        let edges =
            [images.select(1, 0), images.select(1, height - 1), images.select(2, 0), images.select(2, width - 1)];
        let edges: Vec<Tensor> = edges.iter().map(|edge| edge.flatten(0, -1)).collect();
        Tensor::cat(&edges, 0).mean(Kind::Double).double_value(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_of_an_image_is_its_outermost_pixels() {
        let size = ImageSize { height: 3, width: 4 };
        let inside = Tensor::from_slice(&[0_u8, 0, 0, 0, 0, 200, 200, 0, 0, 0, 0, 0]).view([1, 12]);
        assert_eq!(size.mean_of_border(&inside), 0.0);
        let dark = Tensor::from_slice(&[9_u8, 9, 9, 9, 9, 0, 0, 9, 9, 9, 9, 9]).view([1, 1, 3, 4]);
        assert_eq!(size.mean_of_border(&dark), 9.0);
    }
}
