//! Durations in a few characters.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns the time since `started`: `12 s`, `3 min`, `5 h`, `2 d`, `7 weeks`, `3 years`; `–` if `started` is invalid.
pub(super) fn format_age(started: &str, now: OffsetDateTime) -> String {
    let Ok(started) = OffsetDateTime::parse(started, &Rfc3339) else { return "–".to_owned() };
    format_whole((now - started).whole_seconds().max(0))
}

/// Returns a duration: `260 ms`, `1.5 s`, `12 s`, `3 min`, `5 h`, `2 d`.
pub(super) fn format_duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds => format_whole(seconds.round() as i64),
    }
}

fn format_whole(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        86_400..1_209_600 => format!("{} d", seconds / 86_400),
        1_209_600..63_072_000 => format!("{} weeks", seconds / 604_800),
        _ => format!("{} years", seconds / 31_536_000),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    #[test]
    fn an_age_has_its_largest_unit() {
        let now = datetime!(2026-11-22 12:00 UTC);
        let age = |started| super::format_age(started, now);
        assert_eq!(age("2026-11-22T11:59:48Z"), "12 s");
        assert_eq!(age("2026-11-22T09:00:00Z"), "3 h");
        assert_eq!(age("2026-11-15T12:00:00Z"), "7 d");
        assert_eq!(age("2026-08-15T12:00:00Z"), "14 weeks");
        assert_eq!(age("2027-01-01T00:00:00Z"), "0 s");
        assert_eq!(age("yesterday"), "–");
        assert_eq!([0.26, 59.4, 61.0].map(super::format_duration), ["260 ms", "59 s", "1 min"]);
    }
}
