//! Types of the values of an array, and their conversion to Rust's types.

use safetensors::tensor::Dtype;

/// Type of the values of an array, with their byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    number: Number,
    is_big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    BF16,
    F32,
    F64,
}

/// Names of each type: NumPy's `descr` without the byte order, the type of a safetensors file, and NumPy's name.
const NUMBERS: [(Number, Option<&str>, Dtype, &str); 13] = [
    (Number::Bool, Some("b1"), Dtype::BOOL, "bool"),
    (Number::U8, Some("u1"), Dtype::U8, "uint8"),
    (Number::I8, Some("i1"), Dtype::I8, "int8"),
    (Number::U16, Some("u2"), Dtype::U16, "uint16"),
    (Number::I16, Some("i2"), Dtype::I16, "int16"),
    (Number::U32, Some("u4"), Dtype::U32, "uint32"),
    (Number::I32, Some("i4"), Dtype::I32, "int32"),
    (Number::U64, Some("u8"), Dtype::U64, "uint64"),
    (Number::I64, Some("i8"), Dtype::I64, "int64"),
    (Number::F16, Some("f2"), Dtype::F16, "float16"),
    (Number::BF16, None, Dtype::BF16, "bfloat16"),
    (Number::F32, Some("f4"), Dtype::F32, "float32"),
    (Number::F64, Some("f8"), Dtype::F64, "float64"),
];

/// Value that cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// Index of the value among those that were converted.
    pub index: usize,
    /// The value in words, as in `has` ….
    pub found: String,
    /// What is wrong with it, after its place.
    pub reason: &'static str,
}

impl Element {
    /// Returns the type for NumPy's `descr`, such as `<f8`.
    ///
    /// # Errors
    /// What the array contains instead of numbers.
    pub fn from_descr(descr: &str) -> Result<Element, String> {
        let (order, kind) = match descr.split_at_checked(1) {
            Some((order @ ("<" | ">" | "|" | "="), kind)) => (order, kind),
            _ => ("=", descr),
        };
        let kind = if kind == "?" { "b1" } else { kind };
        let known = NUMBERS.iter().find(|(_, known, ..)| *known == Some(kind));
        let number = known.map(|(number, ..)| *number).ok_or_else(|| match kind.chars().next() {
            Some('O') => "Python objects (pickle), which are not read for safety".to_owned(),
            Some('U' | 'S' | 'a') => "text".to_owned(),
            Some('c') => "complex numbers".to_owned(),
            Some('M' | 'm') => "dates or times".to_owned(),
            Some('V') => "raw bytes".to_owned(),
            _ => format!("values of the type `{descr}`"),
        })?;
        Ok(Element { number, is_big_endian: order == ">" })
    }

    /// Returns the type for that of a safetensors file.
    ///
    /// # Errors
    /// What the tensor contains instead of numbers that can be read.
    pub fn from_safetensors(dtype: Dtype) -> Result<Element, String> {
        let known = NUMBERS.iter().find(|(_, _, known, _)| *known == dtype);
        let number = known.map(|(number, ..)| *number).ok_or_else(|| format!("values of the type `{dtype:?}`"))?;
        Ok(Element { number, is_big_endian: false })
    }

    /// Returns NumPy's name of the type.
    pub fn name(self) -> &'static str {
        let known = NUMBERS.iter().find(|(number, ..)| *number == self.number);
        known.expect("all types are listed").3
    }

    /// Returns the number of bytes of a value.
    pub fn bytes(self) -> usize {
        match self.number {
            Number::Bool | Number::U8 | Number::I8 => 1,
            Number::U16 | Number::I16 | Number::F16 | Number::BF16 => 2,
            Number::U32 | Number::I32 | Number::F32 => 4,
            Number::U64 | Number::I64 | Number::F64 => 8,
        }
    }

    /// Returns whether the values are floating-point numbers.
    pub fn is_float(self) -> bool {
        matches!(self.number, Number::F16 | Number::BF16 | Number::F32 | Number::F64)
    }

    /// Returns the largest possible value of bytes and of yes-or-no values; `None` for other types.
    pub fn largest_byte(self) -> Option<u8> {
        match self.number {
            Number::Bool => Some(1),
            Number::U8 => Some(255),
            _ => None,
        }
    }

    /// Converts the bytes of values to f32 and appends them to `to`.
    ///
    /// # Errors
    /// The first value that is not finite or too large.
    pub fn floats(self, bytes: &[u8], to: &mut Vec<f32>) -> Result<(), BadValue> {
        let first = to.len();
        match self.number {
            Number::Bool | Number::U8 => to.extend(bytes.iter().map(|&value| f32::from(value))),
            Number::I8 => to.extend(self.items(bytes).map(|item| f32::from(i8::from_le_bytes(item)))),
            Number::U16 => to.extend(self.items(bytes).map(|item| f32::from(u16::from_le_bytes(item)))),
            Number::I16 => to.extend(self.items(bytes).map(|item| f32::from(i16::from_le_bytes(item)))),
            Number::U32 => to.extend(self.items(bytes).map(|item| u32::from_le_bytes(item) as f32)),
            Number::I32 => to.extend(self.items(bytes).map(|item| i32::from_le_bytes(item) as f32)),
            Number::U64 => to.extend(self.items(bytes).map(|item| u64::from_le_bytes(item) as f32)),
            Number::I64 => to.extend(self.items(bytes).map(|item| i64::from_le_bytes(item) as f32)),
            Number::F16 => to.extend(self.items(bytes).map(half)),
            Number::BF16 => to.extend(self.items(bytes).map(brain_half)),
            Number::F32 => to.extend(self.items(bytes).map(f32::from_le_bytes)),
            Number::F64 => to.extend(self.items(bytes).map(|item| f64::from_le_bytes(item) as f32)),
        }
        let bad = to[first..].iter().position(|value| !value.is_finite());
        bad.map_or(Ok(()), |index| Err(self.bad_float(bytes, index)))
    }

    /// Converts the bytes of integers, and of yes-or-no values, to i64 and appends them to `to`.
    ///
    /// # Errors
    /// The first value that is too large.
    pub fn integers(self, bytes: &[u8], to: &mut Vec<i64>) -> Result<(), BadValue> {
        match self.number {
            Number::Bool | Number::U8 => to.extend(bytes.iter().map(|&value| i64::from(value))),
            Number::I8 => to.extend(self.items(bytes).map(|item| i64::from(i8::from_le_bytes(item)))),
            Number::U16 => to.extend(self.items(bytes).map(|item| i64::from(u16::from_le_bytes(item)))),
            Number::I16 => to.extend(self.items(bytes).map(|item| i64::from(i16::from_le_bytes(item)))),
            Number::U32 => to.extend(self.items(bytes).map(|item| i64::from(u32::from_le_bytes(item)))),
            Number::I32 => to.extend(self.items(bytes).map(|item| i64::from(i32::from_le_bytes(item)))),
            Number::I64 => to.extend(self.items(bytes).map(i64::from_le_bytes)),
            Number::U64 => {
                for (index, item) in self.items(bytes).enumerate() {
                    let value = u64::from_le_bytes(item);
                    let bad =
                        |_| BadValue { index, found: value.to_string(), reason: ", but integers must be below 2⁶³" };
                    to.push(i64::try_from(value).map_err(bad)?);
                }
            }
            Number::F16 | Number::BF16 | Number::F32 | Number::F64 => unreachable!("the values are integers"),
        }
        Ok(())
    }

    /// Converts the bytes of floating-point numbers to f64 and appends them to `to`.
    ///
    /// # Errors
    /// The first value that is not finite.
    pub fn doubles(self, bytes: &[u8], to: &mut Vec<f64>) -> Result<(), BadValue> {
        let first = to.len();
        self.extend_doubles(bytes, to);
        let bad = to[first..].iter().position(|value| !value.is_finite());
        bad.map_or(Ok(()), |index| Err(self.bad_float(bytes, index)))
    }

    fn extend_doubles(self, bytes: &[u8], to: &mut Vec<f64>) {
        match self.number {
            Number::F16 => to.extend(self.items(bytes).map(|item| f64::from(half(item)))),
            Number::BF16 => to.extend(self.items(bytes).map(|item| f64::from(brain_half(item)))),
            Number::F32 => to.extend(self.items(bytes).map(|item| f64::from(f32::from_le_bytes(item)))),
            Number::F64 => to.extend(self.items(bytes).map(f64::from_le_bytes)),
            _ => unreachable!("the values are floating-point numbers"),
        }
    }

    /// Returns the bytes of each value in little-endian order.
    fn items<const N: usize>(self, bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
        let is_big_endian = self.is_big_endian;
        bytes.as_chunks::<N>().0.iter().map(move |&item| {
            let mut item = item;
            if is_big_endian {
                item.reverse();
            }
            item
        })
    }

    /// Describes a value that is not finite as f32.
    fn bad_float(self, bytes: &[u8], index: usize) -> BadValue {
        let mut values = Vec::new();
        self.extend_doubles(&bytes[index * self.bytes()..][..self.bytes()], &mut values);
        let value = values[0];
        let (found, reason) = match value {
            value if value.is_nan() => ("NaN".to_owned(), ""),
            value if value.is_finite() => (format!("{value:e}"), ", which is too large for a 32-bit float"),
            _ => ("an infinite value".to_owned(), ""),
        };
        BadValue { index, found, reason }
    }
}

/// Converts a 16-bit float.
fn half(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
    let (sign, exponent, fraction) = (bits >> 15, (bits >> 10) & 0x1f, f32::from(bits & 0x3ff) / 1024.0);
    let size = match exponent {
        0 => fraction * 2.0_f32.powi(-14),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + fraction) * 2.0_f32.powi(i32::from(exponent) - 15),
    };
    if sign == 1 { -size } else { size }
}

/// Converts a bfloat16: the upper half of an f32.
fn brain_half(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    fn floats(descr: &str, bytes: &[u8]) -> Result<Vec<f32>, BadValue> {
        let mut values = Vec::new();
        Element::from_descr(descr).unwrap().floats(bytes, &mut values).map(|()| values)
    }

    fn integers(descr: &str, bytes: &[u8]) -> Result<Vec<i64>, BadValue> {
        let mut values = Vec::new();
        Element::from_descr(descr).unwrap().integers(bytes, &mut values).map(|()| values)
    }

    #[test]
    fn numbers_of_every_type_and_byte_order_are_converted() {
        for (descr, bytes, number) in [
            ("|b1", &[1][..], 1.0),
            ("|u1", &[200], 200.0),
            ("|i1", &[0xfe], -2.0),
            ("<u2", &60_000_u16.to_le_bytes(), 60_000.0),
            (">u2", &60_000_u16.to_be_bytes(), 60_000.0),
            ("<i2", &(-3_i16).to_le_bytes(), -3.0),
            (">u4", &3_000_000_000_u32.to_be_bytes(), 3_000_000_000.0),
            ("<i4", &(-4_i32).to_le_bytes(), -4.0),
            ("<u8", &7_u64.to_le_bytes(), 7.0),
            (">i8", &(-5_i64).to_be_bytes(), -5.0),
            ("<f2", &[0x00, 0x3e], 1.5),
            (">f4", &2.5_f32.to_be_bytes(), 2.5),
            ("<f8", &(-0.25_f64).to_le_bytes(), -0.25),
            ("=f8", &0.75_f64.to_le_bytes(), 0.75),
        ] {
            assert_eq!(floats(descr, bytes).unwrap(), [number], "{descr}");
            if !Element::from_descr(descr).unwrap().is_float() {
                assert_eq!(integers(descr, bytes).unwrap(), [number as i64], "{descr}");
            }
        }
        assert_eq!(floats("<u8", &u64::MAX.to_le_bytes()).unwrap(), [2.0_f32.powi(64)]);
        assert_eq!(integers("<i8", &i64::MAX.to_le_bytes()).unwrap(), [i64::MAX]);
        let mut doubles = Vec::new();
        Element::from_descr(">f8").unwrap().doubles(&0.1_f64.to_be_bytes(), &mut doubles).unwrap();
        assert_eq!(doubles, [0.1]);
    }

    #[test]
    fn sixteen_bits_are_converted_as_by_libtorch() {
        let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        for (kind, convert) in [(Kind::Half, half as fn([u8; 2]) -> f32), (Kind::BFloat16, brain_half)] {
            let wanted = Tensor::from_data_size(&all, &[1 << 16], kind).to_kind(Kind::Float);
            let wanted = Vec::<f32>::try_from(wanted).unwrap();
            for (bits, wanted) in (0..=u16::MAX).zip(wanted) {
                let found = convert(bits.to_le_bytes());
                assert!(found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan(), "{bits:#x}");
            }
        }
    }

    #[test]
    fn values_that_cannot_be_trained_on_are_named() {
        let two = [1.0_f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat();
        assert_eq!(floats("<f4", &two).unwrap_err(), BadValue { index: 1, found: "NaN".to_owned(), reason: "" });
        assert_eq!(floats(">f8", &f64::INFINITY.to_be_bytes()).unwrap_err().found, "an infinite value");
        assert_eq!(floats("<f2", &[0, 0xfc]).unwrap_err().found, "an infinite value");
        let large = floats("<f8", &1e300_f64.to_le_bytes()).unwrap_err();
        assert_eq!((&*large.found, large.reason), ("1e300", ", which is too large for a 32-bit float"));
        let large = integers("<u8", &u64::MAX.to_le_bytes()).unwrap_err();
        assert_eq!((&*large.found, large.reason), ("18446744073709551615", ", but integers must be below 2⁶³"));
        for (descr, what) in
            [("|O", "Python objects"), ("<U5", "text"), ("<c16", "complex"), ("<M8[s]", "dates"), ("<f16", "`<f16`")]
        {
            assert!(Element::from_descr(descr).unwrap_err().contains(what), "{descr}");
        }
    }
}
