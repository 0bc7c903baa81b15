//! Seeds of a sweep: the same for all configurations, or more for those that are trained to the end.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::config::suggest;
use crate::experiment::spec::seeds::{self, Seeds};

/// Maximum number of seeds.
const MOST: usize = 10_000;

/// Seeds of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepSeeds {
    /// Each configuration is trained on these seeds.
    pub first: Seeds,
    /// Configurations that are trained to the end are trained on these seeds, too.
    pub further: Seeds,
}

/// A number of seeds that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrowingSeeds {
    /// Number of seeds of each configuration, from seed 0 on. Rungs are decided with them.
    pub first: usize,
    /// Number of seeds of the configurations that are trained to the end.
    pub then: usize,
}

/// The forms of `seeds` in `[sweep]`.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum Written {
    /// Seeds of all configurations.
    Same(seeds::Written),
    /// Few seeds for all configurations, and more for those that are trained to the end.
    Growing(GrowingSeeds),
}

impl SweepSeeds {
    /// Returns the same seeds for all configurations.
    pub fn same(seeds: Seeds) -> SweepSeeds {
        SweepSeeds { first: seeds, further: Vec::new() }
    }

    /// Returns all seeds.
    pub fn all(&self) -> Seeds {
        [&self.first[..], &self.further].concat()
    }
}

impl GrowingSeeds {
    /// Returns the seeds, which are 0, 1, 2, …
    ///
    /// # Errors
    /// If `first` is 0, or `then` is not greater.
    fn seeds(self) -> Result<SweepSeeds, String> {
        let GrowingSeeds { first, then } = self;
        if first == 0 {
            return Err("`first` must be at least 1, found 0".to_owned());
        }
        if then <= first {
            return Err(format!("`then` must be greater than `first` ({first}), found {then}"));
        }
        if then > MOST {
            return Err(format!("`then` must be at most 10,000, found {then}"));
        }
        let seeds = |from: usize, to: usize| (from as i64..to as i64).collect();
        Ok(SweepSeeds { first: seeds(0, first), further: seeds(first, then) })
    }
}

impl fmt::Display for SweepSeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.further.is_empty() {
            true => f.write_str(&seeds::format(&self.first)),
            false => write!(f, "first={},then={}", self.first.len(), self.first.len() + self.further.len()),
        }
    }
}

impl FromStr for SweepSeeds {
    type Err = String;

    fn from_str(text: &str) -> Result<SweepSeeds, String> {
        let expected =
            || "expected `first=1,then=3`: one seed, and three for the configurations that are trained to the end";
        // ranges may be written as `0..=2`
        if !text.replace("..=", "..").contains('=') && !text.contains("first") {
            return seeds::parse(text).map(SweepSeeds::same);
        }
        let (mut first, mut then) = (None, None);
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(expected)?;
            let (key, value) = (key.trim(), value.trim());
            let place = match key {
                "first" => &mut first,
                "then" => &mut then,
                other => {
                    let near = suggest::nearest(other, ["first", "then"]);
                    return Err(near.map_or_else(
                        || expected().to_owned(),
                        |near| {
                            format!("there is no setting `{other}`: did you mean `{near}`? Example: `first=1,then=3`")
                        },
                    ));
                }
            };
            let number = value.parse().map_err(|_| format!("`{key}` must be a whole number, found `{value}`"))?;
            if place.replace(number).is_some() {
                return Err(format!("`{key}` is there twice"));
            }
        }
        GrowingSeeds { first: first.ok_or_else(expected)?, then: then.ok_or_else(expected)? }.seeds()
    }
}

impl<'de> Deserialize<'de> for SweepSeeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SweepSeeds, D::Error> {
        struct SeedsVisitor;
        impl<'de> Visitor<'de> for SeedsVisitor {
            type Value = SweepSeeds;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a list such as `[0, 1, 2]`, a range such as `\"0..4\"`, one whole number, or `{ first = 1, then = 3 }`",
                )
            }

            fn visit_i64<E: Error>(self, seed: i64) -> Result<SweepSeeds, E> {
                seeds::deserialize(seed.into_deserializer()).map(SweepSeeds::same)
            }

            fn visit_u64<E: Error>(self, seed: u64) -> Result<SweepSeeds, E> {
                seeds::deserialize(seed.into_deserializer()).map(SweepSeeds::same)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<SweepSeeds, E> {
                seeds::deserialize(text.into_deserializer()).map(SweepSeeds::same)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seeds: A) -> Result<SweepSeeds, A::Error> {
                seeds::deserialize(SeqAccessDeserializer::new(seeds)).map(SweepSeeds::same)
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<SweepSeeds, A::Error> {
                GrowingSeeds::deserialize(MapAccessDeserializer::new(table))?.seeds().map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(SeedsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seeds_are_the_same_or_grow() {
        let growing = SweepSeeds { first: vec![0], further: vec![1, 2] };
        assert_eq!("first=1,then=3".parse(), Ok(growing.clone()));
        assert_eq!("then=3, first=1".parse(), Ok(growing.clone()));
        assert_eq!(growing.to_string(), "first=1,then=3");
        assert_eq!(growing.all(), [0, 1, 2]);
        for text in ["0..2", "0..=2", "1,5", "-3"] {
            let same = text.parse::<SweepSeeds>().unwrap();
            assert_eq!((Ok(same.first), same.further.len()), (seeds::parse(text), 0), "{text}");
        }
        let read = |value| serde_json::from_value::<SweepSeeds>(value).map_err(|error| error.to_string());
        assert_eq!(read(json!({ "first": 1, "then": 3 })), Ok(growing));
        for value in [json!([4, 7]), json!("4,7")] {
            assert_eq!(read(value), Ok(SweepSeeds::same(vec![4, 7])));
        }
        assert_eq!(read(json!(-3)), Ok(SweepSeeds::same(vec![-3])));
        assert!(
            read(json!({ "first": 3, "then": 3 })).unwrap_err().contains("`then` must be greater than `first` (3)")
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, words) in [
            ("first=1", "expected `first=1,then=3`"),
            ("first", "expected `first=1,then=3`"),
            ("frist=1,then=2", "there is no setting `frist`: did you mean `first`?"),
            ("first=1,thn=2", "there is no setting `thn`: did you mean `then`?"),
            ("first=0,then=2", "`first` must be at least 1, found 0"),
            ("first=2,then=2", "`then` must be greater than `first` (2), found 2"),
            ("first=1,then=10001", "`then` must be at most 10,000, found 10001"),
            ("first=1.5,then=3", "`first` must be a whole number, found `1.5`"),
            ("first=1,first=2", "`first` is there twice"),
            ("0..a", "expected whole numbers"),
        ] {
            let error = text.parse::<SweepSeeds>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
