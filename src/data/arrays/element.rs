//! Types of the values of an array, and their conversion to libtorch's types.

use safetensors::tensor::Dtype;
use tch::{Kind, Tensor};

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

/// Value that cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// Index of the value among those that were converted.
    pub index: usize,
    /// What is wrong with it, as in `has` ….
    pub message: String,
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
        let number = match kind {
            "b1" | "?" => Number::Bool,
            "u1" => Number::U8,
            "i1" => Number::I8,
            "u2" => Number::U16,
            "i2" => Number::I16,
            "u4" => Number::U32,
            "i4" => Number::I32,
            "u8" => Number::U64,
            "i8" => Number::I64,
            "f2" => Number::F16,
            "f4" => Number::F32,
            "f8" => Number::F64,
            _ => {
                return Err(match kind.chars().next() {
                    Some('O') => "Python objects (pickle), which are not read for safety".to_owned(),
                    Some('U' | 'S' | 'a') => "text".to_owned(),
                    Some('c') => "complex numbers".to_owned(),
                    Some('M' | 'm') => "dates or times".to_owned(),
                    Some('V') => "raw bytes".to_owned(),
                    _ => format!("values of the type `{descr}`"),
                });
            }
        };
        Ok(Element { number, is_big_endian: order == ">" })
    }

    /// Returns the type for that of a safetensors file.
    ///
    /// # Errors
    /// What the tensor contains instead of numbers that can be read.
    pub fn from_safetensors(dtype: Dtype) -> Result<Element, String> {
        let number = match dtype {
            Dtype::BOOL => Number::Bool,
            Dtype::U8 => Number::U8,
            Dtype::I8 => Number::I8,
            Dtype::U16 => Number::U16,
            Dtype::I16 => Number::I16,
            Dtype::U32 => Number::U32,
            Dtype::I32 => Number::I32,
            Dtype::U64 => Number::U64,
            Dtype::I64 => Number::I64,
            Dtype::F16 => Number::F16,
            Dtype::BF16 => Number::BF16,
            Dtype::F32 => Number::F32,
            Dtype::F64 => Number::F64,
            other => return Err(format!("values of the type `{other:?}`")),
        };
        Ok(Element { number, is_big_endian: false })
    }

    /// Returns NumPy's name of the type.
    pub fn name(self) -> &'static str {
        match self.number {
            Number::Bool => "bool",
            Number::U8 => "uint8",
            Number::I8 => "int8",
            Number::U16 => "uint16",
            Number::I16 => "int16",
            Number::U32 => "uint32",
            Number::I32 => "int32",
            Number::U64 => "uint64",
            Number::I64 => "int64",
            Number::F16 => "float16",
            Number::BF16 => "bfloat16",
            Number::F32 => "float32",
            Number::F64 => "float64",
        }
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

    /// Converts the bytes of values to a tensor of one dimension, `kind` u8 (from [`Element::largest_byte`] types only),
    /// int64 (from integers), f32 or f64.
    ///
    /// # Errors
    /// The first value that is not finite or too large.
    pub fn convert(self, bytes: &mut [u8], kind: Kind) -> Result<Tensor, BadValue> {
        if self.is_big_endian && self.bytes() > 1 {
            bytes.chunks_exact_mut(self.bytes()).for_each(<[u8]>::reverse);
        }
        let count = (bytes.len() / self.bytes()) as i64;
        let of_kind = |kind: Kind| Tensor::from_data_size(bytes, &[count], kind);
        let tensor = match self.number {
            Number::Bool | Number::U8 => of_kind(Kind::Uint8),
            Number::I8 => of_kind(Kind::Int8),
            Number::I16 => of_kind(Kind::Int16),
            Number::I32 => of_kind(Kind::Int),
            Number::I64 => of_kind(Kind::Int64),
            Number::F16 => of_kind(Kind::Half),
            Number::BF16 => of_kind(Kind::BFloat16),
            Number::F32 => of_kind(Kind::Float),
            Number::F64 => of_kind(Kind::Double),
            // libtorch has no unsigned numbers of these sizes
            Number::U16 => {
                let values = bytes.as_chunks::<2>().0.iter().map(|value| i32::from(u16::from_le_bytes(*value)));
                Tensor::from_slice(&values.collect::<Vec<i32>>())
            }
            Number::U32 => {
                let values = bytes.as_chunks::<4>().0.iter().map(|value| i64::from(u32::from_le_bytes(*value)));
                Tensor::from_slice(&values.collect::<Vec<i64>>())
            }
            Number::U64 => {
                let values = || bytes.as_chunks::<8>().0.iter().map(|value| u64::from_le_bytes(*value));
                match kind {
                    Kind::Float => Tensor::from_slice(&values().map(|value| value as f32).collect::<Vec<f32>>()),
                    _ => {
                        let checked = values().enumerate().map(|(index, value)| {
                            i64::try_from(value).map_err(|_| BadValue {
                                index,
                                message: format!("{value}, but integers must be below 2⁶³"),
                            })
                        });
                        Tensor::from_slice(&checked.collect::<Result<Vec<i64>, BadValue>>()?)
                    }
                }
            }
        };
        let converted = tensor.to_kind(kind);
        if self.is_float() && !is_finite(&converted) {
            return Err(bad_value(&tensor, &converted));
        }
        Ok(converted)
    }
}

fn is_finite(tensor: &Tensor) -> bool {
    tensor.isfinite().all().int64_value(&[]) != 0
}

/// Returns the first value that is not finite, before or after the conversion.
fn bad_value(values: &Tensor, converted: &Tensor) -> BadValue {
    let numbers = |tensor: &Tensor| Vec::<f64>::try_from(tensor.to_kind(Kind::Double)).expect("just made f64");
    let index = numbers(converted).iter().position(|value| !value.is_finite()).expect("one is not finite");
    let value = numbers(values)[index];
    let message = match () {
        () if value.is_nan() => "NaN".to_owned(),
        () if value.is_infinite() => "an infinite value".to_owned(),
        () => format!("{value:e}, which is too large for a 32-bit float"),
    };
    BadValue { index, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(descr: &str, bytes: &[u8], kind: Kind) -> Result<Vec<f64>, BadValue> {
        let tensor = Element::from_descr(descr).unwrap().convert(&mut bytes.to_vec(), kind)?;
        assert_eq!(tensor.kind(), kind);
        Ok(Vec::try_from(tensor.to_kind(Kind::Double)).unwrap())
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
            assert_eq!(converted(descr, bytes, Kind::Float).unwrap(), [number], "{descr}");
        }
        assert_eq!(converted("<u8", &u64::MAX.to_le_bytes(), Kind::Float).unwrap(), [2.0_f64.powi(64)]);
        assert_eq!(converted("<i8", &i64::MAX.to_le_bytes(), Kind::Int64).unwrap(), [2.0_f64.powi(63)]);
    }

    #[test]
    fn values_that_cannot_be_trained_on_are_named() {
        let message = |descr: &str, bytes: &[u8], kind| converted(descr, bytes, kind).unwrap_err();
        let two = [1.0_f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat();
        assert_eq!(message("<f4", &two, Kind::Float), BadValue { index: 1, message: "NaN".to_owned() });
        assert_eq!(message(">f8", &f64::INFINITY.to_be_bytes(), Kind::Double).message, "an infinite value");
        let large = message("<f8", &1e300_f64.to_le_bytes(), Kind::Float).message;
        assert_eq!(large, "1e300, which is too large for a 32-bit float");
        let large = message("<u8", &u64::MAX.to_le_bytes(), Kind::Int64).message;
        assert_eq!(large, "18446744073709551615, but integers must be below 2⁶³");
        for (descr, what) in
            [("|O", "Python objects"), ("<U5", "text"), ("<c16", "complex"), ("<M8[s]", "dates"), ("<f16", "`<f16`")]
        {
            assert!(Element::from_descr(descr).unwrap_err().contains(what), "{descr}");
        }
    }
}
