//! Times as Slurm writes them.

use std::time::Duration;

/// Returns the time of a text such as `90` (minutes), `10:00`, `1:30:00`, `2-12` (days and hours) or `2-12:30:00`; `None` for
/// `UNLIMITED` and all other words.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text),
    };
    let parts = rest.split(':').map(number).collect::<Option<Vec<u64>>>()?;
    let (hours, minutes, seconds) = match (days, &parts[..]) {
        (Some(_), [hours]) => (*hours, 0, 0),
        (Some(_), [hours, minutes]) => (*hours, *minutes, 0),
        (None, [minutes]) => (0, *minutes, 0),
        (None, [minutes, seconds]) => (0, *minutes, *seconds),
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let hours = days.unwrap_or(0).checked_mul(24)?.checked_add(hours)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    Some(Duration::from_secs(minutes.checked_mul(60)?.checked_add(seconds)?))
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_notations_are_read() {
        let seconds = |text: &str| parse(text).map(|time| time.as_secs());
        assert_eq!(seconds("2"), Some(120));
        assert_eq!(seconds("2:30"), Some(150));
        assert_eq!(seconds("0:07"), Some(7));
        assert_eq!(seconds("1:00:05\n"), Some(3605));
        assert_eq!(seconds("1-2"), Some(26 * 3600));
        assert_eq!(seconds("1-2:03"), Some(26 * 3600 + 180));
        assert_eq!(seconds("1-02:03:04"), Some(26 * 3600 + 184));
        for other in ["UNLIMITED", "INVALID", "NOT_SET", "", "-", "1:2:3:4", "1-", "+1", "99999999999999999999"] {
            assert_eq!(seconds(other), None, "{other}");
        }
        assert_eq!(seconds("18446744073709551615-0"), None);
    }
}
