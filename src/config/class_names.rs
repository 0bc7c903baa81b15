//! Names of classes in Python, such as `CrossEntropyLoss` or `Conv2D`, for the names of experiment files.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Names of classes that differ from the known name by more than capitals, underscores and an ending.
const OTHERS: [(&str, &str); 2] = [("l1", "mae"), ("reducelronplateau", "reduce_on_plateau")];

/// Returns the known name that a class has: `max_pool2d` for `MaxPool2d`, `cross_entropy` for `CrossEntropyLoss`, `step` for
/// `StepLR`.
pub fn known_name<'a>(class: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = class.to_lowercase().replace('_', "");
    let same = |lower: &str| known.iter().find(|name| name.replace('_', "") == lower).copied();
    let other = |lower: &str| same(&OTHERS.iter().find(|(class, _)| *class == lower)?.1.replace('_', ""));
    let without = |ending: &str, family: &str| lower.strip_suffix(ending).filter(|_| known.contains(&family));
    let short = without("loss", "mse").or_else(|| without("lr", "one_cycle"));
    same(&lower).or_else(|| other(&lower)).or_else(|| same(short?)).or_else(|| other(short?))
}

/// Returns the known name of a class, which is written with capitals.
fn of_class<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let is_class = written.contains(char::is_uppercase) && !known.contains(&written);
    is_class.then(|| known_name(written, known)).flatten()
}

/// Deserializes an enum whose variant may be written as the name of a class.
pub struct ClassNames<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ClassNames<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Names { inner: visitor, variants })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A visitor of an enum, its data or the seed of its variant, with the known names.
struct Names<T> {
    inner: T,
    variants: &'static [&'static str],
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Names<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Names { inner: data, variants: self.variants })
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Names<A> {
    type Error = A::Error;
    type Variant = A::Variant;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, A::Variant), A::Error> {
        self.inner.variant_seed(VariantSeed(Names { inner: seed, variants: self.variants }))
    }
}

/// The seed of a variant, which reads its name.
struct VariantSeed<S>(Names<S>);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for VariantSeed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for VariantSeed<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, written: &str) -> Result<S::Value, E> {
        let name = of_class(written, self.0.variants).unwrap_or(written);
        self.0.inner.deserialize(name.into_deserializer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::shorthand::NamedList;
    use crate::network::layer::Layer;
    use crate::train::TrainSpec;

    #[test]
    fn layers_losses_optimizers_and_schedules_have_the_names_of_their_classes() {
        let layers = |text: &str| serde_json::from_str::<NamedList<Layer>>(text).map(|list| list.0);
        let classes = r#"[{ "Linear": 8 }, "ReLU", { "Conv2D": { "filters": 2, "kernel_size": 3 } }, { "MaxPool2d": 2 },
            "BatchNorm1d", { "LeakyReLU": 0.1 }, "GELU", { "Residual": ["Tanh"] }]"#;
        let names = r#"[{ "linear": 8 }, "relu", { "conv2d": { "filters": 2, "kernel_size": 3 } }, { "max_pool2d": 2 },
            "batch_norm1d", { "leaky_relu": 0.1 }, "gelu", { "residual": ["tanh"] }]"#;
        assert_eq!(layers(classes).unwrap(), layers(names).unwrap());
        let train = |loss: &str, optimizer: &str, schedule: &str| {
            let text = format!("epochs = 9\nbatch = 9\nloss = {loss}\noptimizer = {optimizer}\nschedule = {schedule}");
            toml_edit::de::from_str::<TrainSpec>(&text).unwrap()
        };
        for (classes, names) in [
            (
                ["\"CrossEntropyLoss\"", "\"AdamW\"", "{ StepLR = 3 }"],
                ["\"cross_entropy\"", "\"adamw\"", "{ step = 3 }"],
            ),
            (
                ["\"L1Loss\"", "{ SGD = { lr = 1 } }", "\"CosineAnnealingLR\""],
                ["\"mae\"", "{ sgd = { lr = 1 } }", "\"cosine\""],
            ),
            (
                ["\"MSELoss\"", "\"RMSprop\"", "\"ReduceLROnPlateau\""],
                ["\"mse\"", "\"rmsprop\"", "\"reduce_on_plateau\""],
            ),
        ] {
            let [classes, names] = [classes, names].map(|[loss, optimizer, schedule]| train(loss, optimizer, schedule));
            assert_eq!(classes, names);
        }
        let unknown = layers(r#"["Swoosh"]"#).unwrap_err().to_string();
        assert!(unknown.starts_with("unknown variant `Swoosh`, expected one of `dense`, `linear`"), "{unknown}");
        assert_eq!(known_name("crossentropy", &["mse", "cross_entropy"]), Some("cross_entropy"));
        assert_eq!(known_name("Foo", &["mse", "cross_entropy"]), None);
    }
}
