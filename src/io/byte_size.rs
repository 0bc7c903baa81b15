//! Formatting of byte counts.

/// Formats a number of bytes with at most one decimal: `3 bytes`, `128 MiB`, `4.7 MiB`. The decimal is truncated.
pub fn format_bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    match bytes.max(1).ilog2() as usize / 10 {
        0 => format!("{bytes} bytes"),
        power => {
            let tenths = (u128::from(bytes) * 10) >> (10 * power);
            let decimal = if tenths % 10 == 0 { String::new() } else { format!(".{}", tenths % 10) };
            format!("{}{decimal} {}", tenths / 10, units[power - 1])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_units_of_1024() {
        let formatted = [0, 1023, 1024, 1535, 5_000_000, 4 << 20, (1 << 30) - 1, 5 << 40, u64::MAX].map(format_bytes);
        let expected =
            ["0 bytes", "1023 bytes", "1 KiB", "1.4 KiB", "4.7 MiB", "4 MiB", "1023.9 MiB", "5 TiB", "15.9 EiB"];
        assert_eq!(formatted, expected);
    }
}
