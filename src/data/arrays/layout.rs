//! Shape of the rows of an array: numbers, images or sequences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::data::table::form::{Form, ImageSize};
use crate::tensor::shape::Shape;

/// Maximum number of values of a row.
const MAX_ELEMENTS: i64 = 1 << 31;

/// Numbers of channels that images usually have.
const USUAL_CHANNELS: [i64; 3] = [1, 3, 4];

/// Position of the channels in an array of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// `[images, channels, height, width]`, as in PyTorch.
    First,
    /// `[images, height, width, channels]`, as in Keras.
    Last,
}

/// Shape of the rows of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Shape of a row; images have the channels first.
    pub sample: Shape,
    /// Form of a row.
    pub form: Form,
    is_channels_last: bool,
}

impl Layout {
    /// Returns the layout of an array of the shape `shape`. `is_bytes` is whether its values are bytes, as those of
    /// images.
    ///
    /// # Errors
    /// When it has no rows or values, or the position of the channels is unclear.
    pub fn new(shape: &[i64], channels: Option<Channels>, is_bytes: bool) -> Result<Layout, Invalid> {
        let invalid = |message: &str| Invalid::new("x", message);
        let Some((&rows, row)) = shape.split_first() else {
            return Err(invalid("is a single number").hint("use an array with a row for each example"));
        };
        if rows == 0 {
            return Err(invalid("has no rows"));
        }
        let elements = row.iter().try_fold(1_i64, |product, &length| product.checked_mul(length));
        if !elements.is_some_and(|count| (1..=MAX_ELEMENTS).contains(&count)) {
            return Err(invalid(&format!("has rows of the shape {row:?}")));
        }
        let sample = match (row, channels) {
            ([], None) => vec![1],
            (&[height, width], Some(_)) => vec![1, height, width],
            (&[height, width, channels], Some(Channels::Last)) => vec![channels, height, width],
            ([_, _, _], Some(Channels::First)) => row.to_vec(),
            (&[first, _, last], None) if USUAL_CHANNELS.contains(&last) && !USUAL_CHANNELS.contains(&first) => {
                let message = format!("has rows of {}, which look like images with the channels last", by(row));
                let hint = "write `channels = \"last\"`, or `channels = \"first\"` to keep the order";
                return Err(invalid(&message).hint(hint));
            }
            (_, None) => row.to_vec(),
            (_, Some(_)) => {
                let message = format!("is for images, but the rows of `x` have the shape {}", by(row));
                return Err(Invalid::new("channels", message).hint("remove `channels`"));
            }
        };
        let size = match sample[..] {
            [height, width] if is_bytes => Some((height, width)),
            [1, height, width] => Some((height, width)),
            _ => None,
        };
        let form = size.map_or(Form::Points, |(height, width)| {
            Form::Image(ImageSize { height: height as usize, width: width as usize })
        });
        let is_channels_last = channels == Some(Channels::Last) && row.len() == 3;
        Ok(Layout { sample: Shape::from(&sample[..]), form, is_channels_last })
    }

    /// Gives the rows of an array their shape: `[rows, …]` → `[rows, …sample]`.
    pub fn apply(&self, array: &Tensor) -> Tensor {
        let array =
            if self.is_channels_last { array.permute([0, 3, 1, 2]).contiguous() } else { array.shallow_clone() };
        array.view(&self.sample.of_rows(array.size()[0] as usize)[..])
    }
}

/// Returns a shape as text, such as `28×28`.
fn by(shape: &[i64]) -> String {
    shape.iter().map(i64::to_string).collect::<Vec<_>>().join("×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_their_channels_first() {
        let sample = |shape: &[i64], channels| Layout::new(shape, channels, true).unwrap().sample.dimensions().to_vec();
        assert_eq!(sample(&[5], None), [1]);
        assert_eq!(sample(&[5, 7], None), [7]);
        assert_eq!(sample(&[5, 4, 6], None), [4, 6]);
        assert_eq!(sample(&[5, 4, 6], Some(Channels::Last)), [1, 4, 6]);
        assert_eq!(sample(&[5, 3, 4, 6], None), [3, 4, 6]);
        assert_eq!(sample(&[5, 4, 6, 2], Some(Channels::Last)), [2, 4, 6]);
        let layout = Layout::new(&[1, 2, 2, 3], Some(Channels::Last), true).unwrap();
        let pixels = Tensor::from_slice(&(0..12_u8).collect::<Vec<_>>()).view([1, 2, 2, 3]);
        let red: Vec<u8> = Vec::try_from(layout.apply(&pixels).get(0).get(0).flatten(0, -1)).unwrap();
        assert_eq!(red, [0, 3, 6, 9]);
    }

    #[test]
    fn rows_that_can_be_understood_in_two_ways_are_refused() {
        let refused = |shape: &[i64], channels| Layout::new(shape, channels, true).unwrap_err().to_string();
        assert_eq!(
            refused(&[9, 8, 8, 3], None),
            "`x` has rows of 8×8×3, which look like images with the channels last"
        );
        assert_eq!(refused(&[0, 8], None), "`x` has no rows");
        assert_eq!(refused(&[3, 0], None), "`x` has rows of the shape [0]");
        assert_eq!(
            refused(&[3, 8], Some(Channels::First)),
            "`channels` is for images, but the rows of `x` have the shape 8"
        );
    }
}
