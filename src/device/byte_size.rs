//! Formatting of byte counts.

/// Formats a number of bytes as libtorch does: `2.00 GiB`.
pub fn format_bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = (bytes.max(1).ilog2() as usize / 10).clamp(1, units.len());
    format!("{:.2} {}", bytes as f64 / 1024_f64.powi(power as i32), units[power - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_libtorch_writes_them() {
        let written = [0, 512, 1 << 20, (3 << 30) / 2, u64::MAX].map(format_bytes);
        assert_eq!(written, ["0.00 KiB", "0.50 KiB", "1.00 MiB", "1.50 GiB", "16.00 EiB"]);
    }
}
