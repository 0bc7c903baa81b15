//! TensorBoard's event files: records of the TFRecord format, each an `Event` of TensorFlow's protocol buffers.
//!
//! A record is its length (u64, little endian), the masked CRC-32C of these eight bytes, the bytes themselves, and their
//! masked CRC-32C. Of the messages, the fields that are read or written here stand below; all others are passed over,
//! as protocol buffers allow. The numbers of the fields are those of `event.proto`, `summary.proto` and `tensor.proto`.

use std::collections::BTreeMap;
use std::io::Read;

use prost::Message;

/// What the first event of every file says.
pub const VERSION: &str = "brain.Event:2";

/// Whether a file is one by its name.
pub fn is_named_so(name: &str) -> bool {
    name.contains("tfevents")
}

/// Whether these bytes begin with a record.
pub fn begins_one(bytes: &[u8]) -> bool {
    matches!(bytes.get(..12), Some([length @ .., a, b, c, d]) if masked_crc(length) == u32::from_le_bytes([*a, *b, *c, *d]))
}

/// Appends an event as a record.
pub fn write(event: &Event, bytes: &mut Vec<u8>) {
    let data = event.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    bytes.extend(length);
    bytes.extend(masked_crc(&length).to_le_bytes());
    bytes.extend(&data);
    bytes.extend(masked_crc(&data).to_le_bytes());
}

/// Why no further event is read.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The file ends behind a record.
    Whole,
    /// It ends within a record: it is being written, or its writer was stopped.
    CutShort,
    /// A check sum is not that of its bytes, or they are no event.
    Damaged,
}

/// Reads events up to the end, or to the first that cannot be read.
///
/// # Errors
/// When the file itself cannot be read.
pub fn read(mut file: impl Read, mut each: impl FnMut(Event)) -> std::io::Result<End> {
    let mut data = Vec::new();
    loop {
        let mut head = Vec::with_capacity(12);
        match file.by_ref().take(12).read_to_end(&mut head)? {
            0 => return Ok(End::Whole),
            12 => {}
            _ => return Ok(End::CutShort),
        }
        if !begins_one(&head) {
            return Ok(End::Damaged);
        }
        let length = u64::from_le_bytes(std::array::from_fn(|place| head[place]));
        data.clear();
        let Some(whole) = length.checked_add(4) else { return Ok(End::Damaged) };
        if (file.by_ref().take(whole).read_to_end(&mut data)? as u64) < whole {
            return Ok(End::CutShort);
        }
        let (bytes, check) = data.split_at(data.len() - 4);
        match Event::decode(bytes) {
            Ok(event) if masked_crc(bytes).to_le_bytes() == check => each(event),
            _ => return Ok(End::Damaged),
        }
    }
}

/// CRC-32C, turned and moved so that the sum of data with sums in them does not suffer.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// `tensorflow.Event`.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// [`VERSION`], in the first event.
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    /// Values.
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
    /// A mark of the program that writes the file.
    #[prost(message, optional, tag = "7")]
    pub session_log: Option<SessionLog>,
}

/// `tensorflow.SessionLog`.
#[derive(Clone, PartialEq, Message)]
pub struct SessionLog {
    /// What the mark is of, as `SessionStatus` numbers it.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

impl SessionLog {
    /// `SessionLog.START`: training begins, or is resumed.
    pub const START: i32 = 1;
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// Values.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<SummaryValue>,
}

/// `tensorflow.Summary.Value`.
#[derive(Clone, PartialEq, Message)]
pub struct SummaryValue {
    /// The name of the series.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// A number, as PyTorch writes it.
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
    /// A tensor, as TensorFlow 2 writes all values.
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<TensorProto>,
    /// What the value is; written with the first of a series alone.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<SummaryMetadata>,
}

/// `tensorflow.SummaryMetadata`.
#[derive(Clone, PartialEq, Message)]
pub struct SummaryMetadata {
    /// Who shows it.
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
}

/// `tensorflow.SummaryMetadata.PluginData`.
#[derive(Clone, PartialEq, Message)]
pub struct PluginData {
    /// `scalars`, `hparams`, …
    #[prost(string, tag = "1")]
    pub plugin_name: String,
    /// A message of the plugin's own.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// `tensorflow.TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// The type of its values, as `DataType` numbers them.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// Its values as bytes, little endian.
    #[prost(bytes = "vec", tag = "4")]
    pub tensor_content: Vec<u8>,
    /// Its values as numbers.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
    /// Its values as numbers.
    #[prost(double, repeated, tag = "6")]
    pub double_val: Vec<f64>,
    /// Its values as numbers.
    #[prost(int32, repeated, tag = "7")]
    pub int_val: Vec<i32>,
    /// Its values as numbers.
    #[prost(int64, repeated, tag = "10")]
    pub int64_val: Vec<i64>,
}

impl TensorProto {
    /// The only value; `None` where there are several, none, or of a type that metrics do not have.
    pub fn scalar(&self) -> Option<f64> {
        let bytes = &self.tensor_content[..];
        match self.dtype {
            1 => one(&self.float_val).or_else(|| Some(f32::from_le_bytes(bytes.try_into().ok()?))).map(f64::from),
            2 => one(&self.double_val).or_else(|| Some(f64::from_le_bytes(bytes.try_into().ok()?))),
            3 => one(&self.int_val).or_else(|| Some(i32::from_le_bytes(bytes.try_into().ok()?))).map(f64::from),
            9 => one(&self.int64_val)
                .or_else(|| Some(i64::from_le_bytes(bytes.try_into().ok()?)))
                .map(|value| value as f64),
            _ => None,
        }
    }
}

/// The only one.
fn one<T: Copy>(values: &[T]) -> Option<T> {
    match values {
        [value] => Some(*value),
        _ => None,
    }
}

/// `tensorboard.hparams.HParamsPluginData`.
#[derive(Clone, PartialEq, Message)]
pub struct HParams {
    /// What a run begins with.
    #[prost(message, optional, tag = "3")]
    pub session_start_info: Option<SessionStart>,
    /// What it ends with.
    #[prost(message, optional, tag = "4")]
    pub session_end_info: Option<SessionEnd>,
}

/// `tensorboard.hparams.SessionStartInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct SessionStart {
    /// The settings.
    #[prost(btree_map = "string, message", tag = "1")]
    pub hparams: BTreeMap<String, Setting>,
    /// The group of runs with the same settings.
    #[prost(string, tag = "4")]
    pub group_name: String,
    /// Seconds since 1970.
    #[prost(double, tag = "5")]
    pub start_time_secs: f64,
}

/// `tensorboard.hparams.SessionEndInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct SessionEnd {
    /// How it ended, as `Status` numbers it: 1 success, 2 failure.
    #[prost(int32, tag = "1")]
    pub status: i32,
    /// Seconds since 1970.
    #[prost(double, tag = "2")]
    pub end_time_secs: f64,
}

/// `google.protobuf.Value`, as far as settings need it.
#[derive(Clone, PartialEq, Message)]
pub struct Setting {
    /// A number.
    #[prost(double, optional, tag = "2")]
    pub number: Option<f64>,
    /// A text.
    #[prost(string, optional, tag = "3")]
    pub text: Option<String>,
    /// Yes or no.
    #[prost(bool, optional, tag = "4")]
    pub truth: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_records() -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&Event { file_version: Some(VERSION.to_owned()), ..Event::default() }, &mut bytes);
        write(&Event { wall_time: 2.5, step: 7, ..Event::default() }, &mut bytes);
        bytes
    }

    fn read_back(bytes: &[u8]) -> (Vec<Event>, End) {
        let mut events = Vec::new();
        let end = read(bytes, |event| events.push(event)).unwrap();
        (events, end)
    }

    #[test]
    fn the_masked_check_sum_is_that_of_tensorflow() {
        // the head of every event file that PyTorch writes: a first record of 24 bytes
        assert_eq!(masked_crc(&24_u64.to_le_bytes()).to_le_bytes(), [0xa3, 0x7f, 0x4b, 0x22]);
    }

    #[test]
    fn a_file_that_is_cut_anywhere_gives_the_records_before_the_cut() {
        let bytes = two_records();
        let (events, end) = read_back(&bytes);
        assert_eq!((events.len(), end), (2, End::Whole));
        assert_eq!((events[1].step, events[1].wall_time), (7, 2.5));
        let first = bytes.len() - (16 + events[1].encoded_len());
        for cut in 1..bytes.len() {
            let (events, end) = read_back(&bytes[..cut]);
            assert_eq!(events.len(), usize::from(cut >= first), "cut at {cut}");
            assert_eq!(end, if cut == first { End::Whole } else { End::CutShort }, "cut at {cut}");
        }
    }

    #[test]
    fn a_wrong_byte_anywhere_is_noticed() {
        let bytes = two_records();
        for place in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[place] ^= 4;
            assert_eq!(read_back(&wrong).1, End::Damaged, "byte {place}");
        }
    }
}
