//! Shorthand notation in experiment files: `"adam"` for `{ adam = {} }`, `{ linear = 64 }` for `{ linear = { units = 64 } }`.
//!
//! Both are expanded during deserialization: the rest of the program sees full settings. The errors are serde's.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqAccessDeserializer};
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use crate::config::class_names::ClassNames;
use crate::config::no_lists::NoLists;

/// Deserializes an item given as a name or as a table with one key.
pub fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(NamedVisitor(PhantomData))
}

/// Deserializes an item as [`named`] does, or a table that has this key, in any position, from which `of_table` makes the
/// item.
pub fn named_or_table<'de, D, T, U>(deserializer: D, key: &'static str, of_table: fn(U) -> T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    U: DeserializeOwned,
{
    deserializer.deserialize_any(TableVisitor { key, of_table, item: PhantomData })
}

struct TableVisitor<T, U> {
    key: &'static str,
    of_table: fn(U) -> T,
    item: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, U: DeserializeOwned> Visitor<'de> for TableVisitor<T, U> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        NamedVisitor::<T>(PhantomData).expecting(f)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        NamedVisitor(PhantomData).visit_str(name)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let table = serde_json::Map::deserialize(MapAccessDeserializer::new(map))?;
        match table.contains_key(self.key) {
            true => U::deserialize(serde_json::Value::Object(table)).map(self.of_table).map_err(A::Error::custom),
            false => NamedVisitor(PhantomData)
                .visit_map(MapDeserializer::new(table.into_iter()))
                .map_err(|error: serde_json::Error| A::Error::custom(error)),
        }
    }
}

/// Like [`named`], for an optional item; `"none"` means that it is absent.
pub fn named_or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(OrNone(NamedVisitor(PhantomData)))
}

/// Deserializes an optional item; `"none"` means that it is absent.
pub fn any_or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(OrNone(AnyVisitor(PhantomData)))
}

/// An item deserialized with [`named`].
struct Named<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer).map(Named)
    }
}

/// Deserializes a list of items, each as in [`named`].
pub fn named_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::<Named<T>>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|named| named.0).collect())
}

/// A list of items, each as in [`named`].
pub struct NamedList<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NamedList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named_list(deserializer).map(NamedList)
    }
}

/// Deserializes an item given as a list, whose items are as in [`named`], or as a table.
pub fn list_or_table<'de, D, L, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    L: Deserialize<'de>,
    T: From<Vec<L>> + Deserialize<'de>,
{
    deserializer.deserialize_any(ListVisitor(PhantomData))
}

struct ListVisitor<L, T>(PhantomData<(L, T)>);

impl<'de, L: Deserialize<'de>, T: From<Vec<L>> + Deserialize<'de>> Visitor<'de> for ListVisitor<L, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of layers or a table of settings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        named_list(SeqAccessDeserializer::new(list)).map(T::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// An item that can be written as a single number.
pub trait FromNumber: Sized {
    /// What may be written, for messages.
    const EXPECTED: &str = "a number or a table of settings";

    /// Returns the item with this number, or an error message.
    fn from_number(number: f64) -> Result<Self, String>;
}

/// Deserializes an item given as one number or as a table.
pub fn number_or_table<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromNumber + Deserialize<'de>,
{
    deserializer.deserialize_any(NumberVisitor(PhantomData))
}

/// Like [`number_or_table`], for an optional item; `"none"` means that it is absent.
pub fn number_or_table_or_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromNumber + Deserialize<'de>,
{
    deserializer.deserialize_any(OrNone(NumberVisitor(PhantomData)))
}

/// Converts a number to a size; the error message names it `what`. The range is checked later, with the other settings.
pub fn size(number: f64, what: &str) -> Result<usize, String> {
    if number.fract() == 0.0 && number >= 0.0 {
        Ok(number as usize) // a number that is too large becomes `usize::MAX`
    } else {
        Err(format!("{what} must be a whole number of at least 1, found {number}"))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name, or a table with one name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        let as_name = match T::deserialize(ClassNames(IntoDeserializer::<E>::into_deserializer(name))) {
            Ok(part) => return Ok(part),
            Err(error) => error,
        };
        if as_name.to_string().starts_with("unknown variant") {
            return Err(as_name);
        }
        // The item has settings: use their defaults.
        let no_settings = std::iter::once((name, NoSettings(PhantomData)));
        T::deserialize(ClassNames(MapAccessDeserializer::new(MapDeserializer::new(no_settings))))
            .map_err(|error: E| E::custom(format!("`{name}` needs settings: {error}")))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        whole_table(map)
    }
}

/// Deserializes an item from a table. A name in it that the item does not read is an error.
fn whole_table<'de, A: MapAccess<'de>, T: Deserialize<'de>>(mut map: A) -> Result<T, A::Error> {
    let part = T::deserialize(ClassNames(MapAccessDeserializer::new(Borrowed(&mut map))))?;
    match map.next_key::<String>()? {
        None => Ok(part),
        Some(second) => Err(A::Error::custom(format!(
            "only one name is allowed, but there is a second one, `{second}`; settings belong in their own table"
        ))),
    }
}

/// A map that another deserializer reads, and that can still be accessed afterwards.
struct Borrowed<'a, A>(&'a mut A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Borrowed<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

struct NumberVisitor<T>(PhantomData<T>);

impl<'de, T: FromNumber + Deserialize<'de>> Visitor<'de> for NumberVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::from_number(number).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Visits an item as its own deserializer does.
struct AnyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a table of settings")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::deserialize(IntoDeserializer::<E>::into_deserializer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::deserialize(IntoDeserializer::<E>::into_deserializer(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::deserialize(IntoDeserializer::<E>::into_deserializer(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::deserialize(IntoDeserializer::<E>::into_deserializer(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        whole_table(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::deserialize(NoLists(SeqAccessDeserializer::new(items)))
    }
}

/// Visits what another visitor visits, or nothing, or the word `none`.
struct OrNone<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for OrNone<V> {
    type Value = Option<V::Value>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.expecting(f)?;
        f.write_str(", or `\"none\"`")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.0.visit_i64(number).map(Some)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.0.visit_u64(number).map(Some)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        self.0.visit_f64(number).map(Some)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text == "none" { Ok(None) } else { self.0.visit_str(text).map(Some) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.visit_map(map).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        self.0.visit_seq(items).map(Some)
    }
}

/// A deserializer of an empty table.
struct NoSettings<E>(PhantomData<E>);

impl<'de, E: Error> Deserializer<'de> for NoSettings<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_map(MapDeserializer::<std::iter::Empty<(&str, &str)>, E>::new(std::iter::empty()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, E: Error> IntoDeserializer<'de, E> for NoSettings<E> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
