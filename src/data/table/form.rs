//! What a source's rows are made of, before anything is fitted: what another file must hold to be of the same form.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::table::encode::Encoding;
use crate::data::table::reading::Reading;
use crate::data::table::target_kind::TargetColumns;

/// What rows are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Numbers without names.
    Points,
    /// The pixels of an image, row after row.
    Image(ImageSize),
    /// Columns of a table.
    Table(Box<TableForm>),
}

/// How many pixels an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSize {
    /// How many rows of pixels.
    pub height: usize,
    /// How many pixels in a row.
    pub width: usize,
}

/// The columns of a table that are used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableForm {
    /// The columns to predict from, and what becomes of each; the features are raw.
    pub encoding: Encoding,
    /// The columns to predict.
    pub target: TargetColumns,
    /// How the fields of the file are read.
    pub reading: Reading,
}

impl Form {
    /// What is made of a table's columns once it is fitted to training rows; `None` where the features are as a network
    /// takes them.
    pub fn encoding(&self) -> Option<&Encoding> {
        match self {
            Form::Table(table) => Some(&table.encoding),
            Form::Points | Form::Image(_) => None,
        }
    }
}

impl ImageSize {
    /// The mean of the outermost pixels of all images: what their background is.
    ///
    /// # Shapes
    /// `images` `[images, …]`, as many values in each as there are pixels.
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
