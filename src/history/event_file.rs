//! TensorBoard event files: TFRecord records, each with an `Event` of TensorFlow's protocol buffers.
//!
//! A record consists of its length (u64, little endian), the masked CRC-32C of these eight bytes, the data, and the masked
//! CRC-32C of the data. The messages below have only the fields that this program reads or writes; others are ignored. The
//! field numbers are those of `event.proto`, `summary.proto` and `tensor.proto`.

use std::collections::BTreeMap;
use std::io::Read;

use prost::Message;

/// The `file_version` of the first event of every file.
pub const VERSION: &str = "brain.Event:2";

/// Returns whether the name is that of an event file.
pub fn is_event_file(name: &str) -> bool {
    name.contains("tfevents")
}

/// Returns whether the bytes start with a record.
pub fn starts_with_record(bytes: &[u8]) -> bool {
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

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The file ends after a complete record.
    Complete,
    /// The file ends within a record: it is being written, or its writer was stopped.
    Incomplete,
    /// A checksum does not match, or the data is not an event.
    Damaged,
}

/// Reads events up to the end of the file or to the first invalid record.
///
/// # Errors
/// If the file cannot be read.
pub fn read(mut file: impl Read, mut each: impl FnMut(Event)) -> std::io::Result<End> {
    let mut data = Vec::new();
    loop {
        let mut head = Vec::with_capacity(12);
        match file.by_ref().take(12).read_to_end(&mut head)? {
            0 => return Ok(End::Complete),
            12 => {}
            _ => return Ok(End::Incomplete),
        }
        if !starts_with_record(&head) {
            return Ok(End::Damaged);
        }
        let length = u64::from_le_bytes(std::array::from_fn(|place| head[place]));
        data.clear();
        let Some(size) = length.checked_add(4) else { return Ok(End::Damaged) };
        if (file.by_ref().take(size).read_to_end(&mut data)? as u64) < size {
            return Ok(End::Incomplete);
        }
        let (bytes, check) = data.split_at(data.len() - 4);
        match Event::decode(bytes) {
            Ok(event) if masked_crc(bytes).to_le_bytes() == check => each(event),
            _ => return Ok(End::Damaged),
        }
    }
}

/// Returns the masked CRC-32C of the TFRecord format.
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
    /// A marker of the program that writes the file.
    #[prost(message, optional, tag = "7")]
    pub session_log: Option<SessionLog>,
}

/// `tensorflow.SessionLog`.
#[derive(Clone, PartialEq, Message)]
pub struct SessionLog {
    /// The `SessionStatus`.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

impl SessionLog {
    /// `SessionLog.START`: training starts or is resumed.
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
    /// A tensor, as TensorFlow 2 writes it.
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<TensorProto>,
    /// The plugin of the series; only with its first value.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<SummaryMetadata>,
}

/// `tensorflow.SummaryMetadata`.
#[derive(Clone, PartialEq, Message)]
pub struct SummaryMetadata {
    /// The plugin that displays the series.
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
}

/// `tensorflow.SummaryMetadata.PluginData`.
#[derive(Clone, PartialEq, Message)]
pub struct PluginData {
    /// `scalars`, `hparams`, …
    #[prost(string, tag = "1")]
    pub plugin_name: String,
    /// Data of the plugin.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// `tensorflow.TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// The `DataType` of the values.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// The values as bytes, little endian.
    #[prost(bytes = "vec", tag = "4")]
    pub tensor_content: Vec<u8>,
    /// The values as numbers.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
    /// The values as numbers.
    #[prost(double, repeated, tag = "6")]
    pub double_val: Vec<f64>,
    /// The values as numbers.
    #[prost(int32, repeated, tag = "7")]
    pub int_val: Vec<i32>,
    /// The values as numbers.
    #[prost(int64, repeated, tag = "10")]
    pub int64_val: Vec<i64>,
}

impl TensorProto {
    /// Returns the value of a tensor with one element, or `None` for other tensors and types.
    pub fn scalar(&self) -> Option<f64> {
        let bytes = &self.tensor_content[..];
        match self.dtype {
            1 => only(&self.float_val).or_else(|| Some(f32::from_le_bytes(bytes.try_into().ok()?))).map(f64::from),
            2 => only(&self.double_val).or_else(|| Some(f64::from_le_bytes(bytes.try_into().ok()?))),
            3 => only(&self.int_val).or_else(|| Some(i32::from_le_bytes(bytes.try_into().ok()?))).map(f64::from),
            9 => only(&self.int64_val)
                .or_else(|| Some(i64::from_le_bytes(bytes.try_into().ok()?)))
                .map(|value| value as f64),
            _ => None,
        }
    }
}

/// Returns the element of a slice of length 1.
fn only<T: Copy>(values: &[T]) -> Option<T> {
    match values {
        [value] => Some(*value),
        _ => None,
    }
}

/// `tensorboard.hparams.HParamsPluginData`.
#[derive(Clone, PartialEq, Message)]
pub struct HParams {
    /// Start of the run.
    #[prost(message, optional, tag = "3")]
    pub session_start_info: Option<SessionStart>,
    /// End of the run.
    #[prost(message, optional, tag = "4")]
    pub session_end_info: Option<SessionEnd>,
}

/// `tensorboard.hparams.SessionStartInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct SessionStart {
    /// The hyperparameters.
    #[prost(btree_map = "string, message", tag = "1")]
    pub hparams: BTreeMap<String, Setting>,
    /// The group of runs with the same hyperparameters.
    #[prost(string, tag = "4")]
    pub group_name: String,
    /// Seconds since 1970.
    #[prost(double, tag = "5")]
    pub start_time_secs: f64,
}

/// `tensorboard.hparams.SessionEndInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct SessionEnd {
    /// The `Status`: 1 success, 2 failure.
    #[prost(int32, tag = "1")]
    pub status: i32,
    /// Seconds since 1970.
    #[prost(double, tag = "2")]
    pub end_time_secs: f64,
}

/// `google.protobuf.Value`, with the types of hyperparameters.
#[derive(Clone, PartialEq, Message)]
pub struct Setting {
    /// A number.
    #[prost(double, optional, tag = "2")]
    pub number: Option<f64>,
    /// A string.
    #[prost(string, optional, tag = "3")]
    pub text: Option<String>,
    /// A boolean.
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
    fn the_masked_checksum_is_that_of_tensorflow() {
        // the head of every event file that PyTorch writes: a first record of 24 bytes
        assert_eq!(masked_crc(&24_u64.to_le_bytes()).to_le_bytes(), [0xa3, 0x7f, 0x4b, 0x22]);
    }

    #[test]
    fn an_incomplete_file_gives_the_complete_records() {
        let bytes = two_records();
        let (events, end) = read_back(&bytes);
        assert_eq!((events.len(), end), (2, End::Complete));
        assert_eq!((events[1].step, events[1].wall_time), (7, 2.5));
        let first = bytes.len() - (16 + events[1].encoded_len());
        for cut in 1..bytes.len() {
            let (events, end) = read_back(&bytes[..cut]);
            assert_eq!(events.len(), usize::from(cut >= first), "cut at {cut}");
            assert_eq!(end, if cut == first { End::Complete } else { End::Incomplete }, "cut at {cut}");
        }
    }

    #[test]
    fn any_wrong_byte_is_detected() {
        let bytes = two_records();
        for place in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[place] ^= 4;
            assert_eq!(read_back(&wrong).1, End::Damaged, "byte {place}");
        }
    }
}
