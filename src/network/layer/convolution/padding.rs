//! Padding of a convolution: a number of zeros, or `"same"`.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::check::Invalid;
use crate::network::layer::window::Window;

/// Padding of a convolution; `P` is the number of zeros for each dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Padding<P> {
    /// Number of zeros on each side.
    Zeros(P),
    /// As many zeros as keep the size.
    Named(Named),
}

/// Padding by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// As many zeros as keep the size, as in PyTorch; the stride must be 1 and the kernel odd.
    Same,
}

impl<P: Copy> Padding<P> {
    /// Returns the number of zeros on each side of each dimension.
    pub(super) fn zeros<const D: usize>(self, kernel: [i64; D], sides: impl Fn(P) -> [i64; D]) -> [i64; D] {
        match self {
            Padding::Zeros(zeros) => sides(zeros),
            Padding::Named(Named::Same) => kernel.map(|side| side.saturating_sub(1) / 2),
        }
    }

    /// Checks that the padding fits the kernel and the stride of the window.
    ///
    /// # Errors
    /// When `"same"` is used with a stride, or an even kernel.
    pub(super) fn check<const D: usize>(self, window: &Window<D>) -> Result<(), Invalid> {
        let Padding::Named(Named::Same) = self else { return Ok(()) };
        if window.stride.iter().any(|&stride| stride != 1) {
            let zeros: Vec<i64> = window.padding.to_vec();
            let written = if zeros.windows(2).all(|pair| pair[0] == pair[1]) {
                zeros[0].to_string()
            } else {
                format!("{zeros:?}")
            };
            let hint = format!("write `padding = {written}`");
            return Err(Invalid::new("padding", "`same` requires `stride = 1`, as in PyTorch").hint(hint));
        }
        if window.kernel.iter().any(|&side| side % 2 == 0) {
            let hint = "write a number, such as `padding = 1`, or use an odd kernel";
            return Err(Invalid::new("padding", "`same` requires an odd kernel").hint(hint));
        }
        Ok(())
    }
}

impl<P: Default> Default for Padding<P> {
    fn default() -> Self {
        Padding::Zeros(P::default())
    }
}

impl<'de, P: Deserialize<'de> + Default> Deserialize<'de> for Padding<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PaddingVisitor(PhantomData))
    }
}

struct PaddingVisitor<P>(PhantomData<P>);

impl<'de, P: Deserialize<'de> + Default> Visitor<'de> for PaddingVisitor<P> {
    type Value = Padding<P>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a whole number of at least 0, one for each dimension, or `\"same\"`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        match name {
            "same" => Ok(Padding::Named(Named::Same)),
            "valid" => Ok(Padding::default()),
            _ => Err(E::invalid_value(Unexpected::Str(name), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        P::deserialize(IntoDeserializer::<E>::into_deserializer(number)).map(Padding::Zeros)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        P::deserialize(IntoDeserializer::<E>::into_deserializer(number)).map(Padding::Zeros)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        P::deserialize(SeqAccessDeserializer::new(list)).map(Padding::Zeros)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::shorthand::NamedList;
    use crate::network::layer::Layer;
    use crate::tensor::shape::Shape;

    fn layer(text: &str) -> Layer {
        serde_json::from_str::<NamedList<Layer>>(&format!("[{text}]")).unwrap().0.remove(0)
    }

    #[test]
    fn same_keeps_the_size_and_is_written_back_as_it_was_read() {
        let output = |text: &str, input: &[i64]| layer(text).output(&Shape::from(input)).unwrap();
        let image = r#"{"conv2d": {"channels": 4, "kernel": [3, 5], "padding": "same"}}"#;
        assert_eq!(output(image, &[1, 8, 9]), Shape::from([4, 8, 9]));
        let signal = r#"{"conv1d": {"channels": 4, "kernel": 5, "padding": "same"}}"#;
        assert_eq!(output(signal, &[2, 9]), Shape::from([4, 9]));
        assert_eq!(output(&signal.replace("same", "valid"), &[2, 9]), Shape::from([4, 5]));
        let written = serde_json::to_string(&layer(image)).unwrap();
        assert_eq!(layer(&written), layer(image));
        assert!(written.contains(r#""padding":"same""#), "{written}");
        let numbers = r#"{"conv2d": {"channels": 4, "kernel": 3, "padding": [1, 2]}}"#;
        assert_eq!(output(numbers, &[1, 8, 8]), Shape::from([4, 8, 10]));
    }

    #[test]
    fn same_is_refused_where_pytorch_refuses_it_or_pads_unevenly() {
        let refused = |settings: &str| {
            let text = format!(r#"{{"conv2d": {{"channels": 4, "padding": "same", {settings}}}}}"#);
            layer(&text).check().unwrap_err()
        };
        let strided = refused(r#""kernel": 3, "stride": 2"#);
        assert_eq!(strided.key, "conv2d.padding");
        assert!(strided.hint.unwrap().starts_with("write `padding = 1`"));
        assert!(refused(r#""kernel": 4"#).message.contains("odd kernel"));
        let unknown = r#"[{"conv1d": {"channels": 4, "kernel": 3, "padding": "reflect"}}]"#;
        let unknown = serde_json::from_str::<NamedList<Layer>>(unknown).map(|list| list.0.len()).unwrap_err();
        assert!(unknown.to_string().contains("or `\"same\"`"), "{unknown}");
    }
}
