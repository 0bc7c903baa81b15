//! Settings that all data sources share, read from and written into the table of the source: `[data.csv]` has `split`
//! and `scale` next to `path` and `target`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::data::prepare::scale::Scale;
use crate::data::source::data_source::DataSource;
use crate::data::split::Split;

/// Settings that all data sources share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(default)]
pub struct SharedSettings {
    /// Rows held out for validation and test.
    pub split: Option<Split>,
    /// Scaling of the features. `unit` divides pixels by their largest possible value: 16 for digits, 255 for MNIST and
    /// IDX images.
    pub scale: Scale,
}

/// Keys of [`SharedSettings`].
const SHARED_KEYS: [&str; 2] = ["split", "scale"];

/// One table `[data.NAME]`: the settings of a source `S`, and those that all sources share.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceTable<S> {
    /// Settings of the source.
    pub source: S,
    /// Settings that all sources share.
    pub shared: SharedSettings,
}

/// Returns the position of the shared settings among the keys of a source: before `flatten`, or at the end. Stored runs
/// have this order, and the checksum of their settings depends on it.
fn shared_position<'a>(mut keys: impl ExactSizeIterator<Item = &'a str>) -> usize {
    let count = keys.len();
    keys.position(|key| key == "flatten").unwrap_or(count)
}

/// Inserts the entries of `shared` into those of a source.
fn insert_shared(own: Map<String, Value>, shared: Map<String, Value>) -> Map<String, Value> {
    let position = shared_position(own.keys().map(String::as_str).collect::<Vec<_>>().into_iter());
    let mut entries: Vec<(String, Value)> = own.into_iter().collect();
    entries.splice(position..position, shared);
    entries.into_iter().collect()
}

impl<S: DataSource> Serialize for SourceTable<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        if !S::HAS_SHARED_SETTINGS {
            return self.source.serialize(serializer);
        }
        let (own, shared) = (to_map(&self.source)?, to_map(&self.shared)?);
        serializer.collect_map(insert_shared(own, shared).iter().map(|(key, value)| (key, NullAsNone(value))))
    }
}

/// Converts settings to a JSON object.
fn to_map<E: serde::ser::Error>(settings: &impl Serialize) -> Result<Map<String, Value>, E> {
    match serde_json::to_value(settings).map_err(E::custom)? {
        Value::Object(map) => Ok(map),
        other => Err(E::custom(format!("expected a table of settings, found {other}"))),
    }
}

/// JSON value whose nulls are serialized as `None`: TOML has no null and leaves `None` out.
struct NullAsNone<'a>(&'a Value);

impl Serialize for NullAsNone<'_> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        match self.0 {
            Value::Null => serializer.serialize_none(),
            Value::Array(items) => serializer.collect_seq(items.iter().map(NullAsNone)),
            Value::Object(map) => serializer.collect_map(map.iter().map(|(key, value)| (key, NullAsNone(value)))),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => self.0.serialize(serializer),
        }
    }
}

impl<'de, S: DataSource> Deserialize<'de> for SourceTable<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut shared = SharedSettings::default();
        let source = match S::HAS_SHARED_SETTINGS {
            true => S::deserialize(WithoutShared { deserializer, shared: &mut shared })?,
            false => S::deserialize(deserializer)?,
        };
        Ok(SourceTable { source, shared })
    }
}

/// Deserializer of the settings of a source that puts the shared settings of the same table into `shared`.
///
/// Nothing is buffered, so that errors keep their line and column.
struct WithoutShared<'a, D> {
    deserializer: D,
    shared: &'a mut SharedSettings,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for WithoutShared<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_struct("settings", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_struct(name, fields, TableVisitor { visitor, fields, shared: self.shared })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Visitor of a table with the settings of a source (`fields`) and the shared ones.
struct TableVisitor<'a, V> {
    visitor: V,
    fields: &'static [&'static str],
    shared: &'a mut SharedSettings,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for TableVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let TableVisitor { visitor, fields, shared } = self;
        visitor.visit_map(OwnEntries { map, fields, shared, found: Vec::new() })
    }
}

/// Entries of a table without the shared settings, which are read into `shared` on the way.
struct OwnEntries<'a, A> {
    map: A,
    fields: &'static [&'static str],
    shared: &'a mut SharedSettings,
    /// Shared keys that were read.
    found: Vec<&'static str>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OwnEntries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            let key = KeySeed { own: &mut seed, fields: self.fields, found: &self.found };
            let key = match self.map.next_key_seed(key)? {
                None => return Ok(None),
                Some(Key::Own(key)) => return Ok(Some(key)),
                Some(Key::Shared(key)) => key,
            };
            match key {
                "split" => self.shared.split = self.map.next_value()?,
                "scale" => self.shared.scale = self.map.next_value()?,
                other => unreachable!("`{other}` is no key of the shared settings"),
            }
            self.found.push(key);
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Key of a table: of the source, or of the shared settings.
enum Key<K> {
    Own(K),
    Shared(&'static str),
}

/// Reads the next key of a table. `own` reads a key of the source.
struct KeySeed<'a, K> {
    own: &'a mut Option<K>,
    fields: &'static [&'static str],
    found: &'a [&'static str],
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<'_, K> {
    type Value = Key<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if let Some(shared) = SHARED_KEYS.into_iter().find(|shared| *shared == key) {
            return match self.found.contains(&shared) {
                true => Err(D::Error::duplicate_field(shared)),
                false => Ok(Key::Shared(shared)),
            };
        }
        if !self.fields.contains(&key.as_str()) {
            return Err(unknown_key(&key, self.fields));
        }
        let own = self.own.take().expect("a key of the source ends the search");
        own.deserialize(key.into_deserializer()).map(Key::Own)
    }
}

/// Returns serde's error for an unknown key, with the shared keys among the known ones.
fn unknown_key<E: Error>(key: &str, fields: &[&str]) -> E {
    let mut known = fields.to_vec();
    let position = shared_position(fields.iter().copied());
    known.splice(position..position, SHARED_KEYS);
    let quoted: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    let expected = match &quoted[..] {
        [first, second] => format!("{first} or {second}"),
        all => format!("one of {}", all.join(", ")),
    };
    E::custom(format!("unknown field `{key}`, expected {expected}"))
}

impl<S: DataSource> JsonSchema for SourceTable<S> {
    fn schema_name() -> Cow<'static, str> {
        S::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("{}+shared", S::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = S::json_schema(generator);
        if S::HAS_SHARED_SETTINGS {
            let properties = |schema: &mut Schema| match schema.ensure_object().remove("properties") {
                Some(Value::Object(properties)) => properties,
                _ => Map::new(),
            };
            let shared = properties(&mut SharedSettings::json_schema(generator));
            let own = properties(&mut schema);
            schema.insert("properties".to_owned(), insert_shared(own, shared).into());
        }
        schema
    }
}
