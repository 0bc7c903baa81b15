//! Seeds as they are written: `[0, 1, 2]` or one number in files, `0..4` (both included) or `1,5,7` as text.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// Seeds, in the given order.
pub type Seeds = Vec<i64>;

/// The forms of `seeds` in experiment files.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum Written {
    /// A list of seeds.
    List(Vec<i64>),
    /// One seed.
    One(i64),
    /// A range with both ends, or numbers separated by commas.
    Text(String),
}

/// Parses `0..4` (five seeds), `1,5,7` or `0..4,7`.
///
/// # Errors
/// If the text is neither, or a range is empty or has more than 10,000 seeds.
pub fn parse(text: &str) -> Result<Seeds, String> {
    Ok(text.split(',').map(parse_part).collect::<Result<Vec<_>, _>>()?.concat())
}

/// Parses one seed or one range.
fn parse_part(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| {
        let text = text.trim();
        text.parse::<i64>().map_err(|_| format!("expected whole numbers as in `0..4` or `1,5,7`, found `{text}`"))
    };
    if let Some((first, last)) = text.split_once("..") {
        let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
        return match last.checked_sub(first) {
            Some(0..10_000) => Ok((first..=last).collect()),
            Some(10_000..) => Err(format!("`{text}` has more than 10,000 seeds")),
            _ => Err(format!("`{text}` is an empty range: {first} is greater than {last}")),
        };
    }
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((first, last)) = text.split_once('-').filter(|(first, last)| is_whole(first) && is_whole(last)) {
        return Err(format!("`{text}` is not a range: write `{first}..{last}`"));
    }
    Ok(vec![number(text)?])
}

/// Returns seeds as text that [`parse`] parses.
pub fn format(seeds: &[i64]) -> String {
    match seeds {
        [first, .., last] if seeds.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1])) => {
            format!("{first}..{last}")
        }
        _ => seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}

/// Deserializes seeds in any of their forms.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Seeds, D::Error> {
    struct SeedsVisitor;
    impl<'de> Visitor<'de> for SeedsVisitor {
        type Value = Seeds;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a list such as `[0, 1, 2]`, a range such as `\"0..4\"`, or one whole number")
        }

        fn visit_i64<E: Error>(self, seed: i64) -> Result<Seeds, E> {
            Ok(vec![seed])
        }

        fn visit_u64<E: Error>(self, seed: u64) -> Result<Seeds, E> {
            let seed = i64::try_from(seed).map_err(|_| E::custom(format!("seed {seed} is too large")))?;
            Ok(vec![seed])
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Seeds, E> {
            parse(text).map_err(E::custom)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seeds: A) -> Result<Seeds, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seeds))
        }
    }
    deserializer.deserialize_any(SeedsVisitor)
}

/// Deserializes optional seeds.
pub fn deserialize_some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seeds>, D::Error> {
    deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_with_both_ends_or_a_list() {
        assert_eq!(parse("0..4"), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(parse("0..=1"), Ok(vec![0, 1]));
        assert_eq!(parse("1,5, 7"), Ok(vec![1, 5, 7]));
        assert_eq!(parse("3"), Ok(vec![3]));
        assert_eq!(parse("0..2,7"), Ok(vec![0, 1, 2, 7]));
        assert!(parse("4..0").is_err());
        assert!(parse("a..b").is_err());
        assert!(parse("0..999999999").is_err());
        assert!(parse("-9223372036854775808..9223372036854775807").is_err());
    }
}
