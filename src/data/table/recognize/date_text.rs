//! Parts of the text of a date: names of months, the time of day, time zones, and the formats of Python's `strptime`.

use time::{Date, Month};

/// Reason why a text is no date, if there is no better one.
pub(crate) const NO_DATE: &str = "it is not a date";

/// Splits a text into a date and the time after a `T` or a blank.
pub(crate) fn split_time(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else { return (text, None) };
    match text[..colon].rfind(['T', 't', ' ']) {
        Some(mark) => (text[..mark].trim_end(), Some(text[mark + 1..].trim_start())),
        None => (text, None),
    }
}

/// Returns the days from 1970-01-01 to a date.
pub(crate) fn days(year: i32, month: i32, day: i32) -> Result<f64, String> {
    const EPOCH: i32 = 2_440_588; // Julian day of 1970-01-01
    let Some(known) = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok()) else {
        return Err(format!("there is no month {month}"));
    };
    let longest = known.length(year);
    if !(1..=i32::from(longest)).contains(&day) {
        return Err(format!("{known} {year} has {longest} days"));
    }
    let date = Date::from_calendar_date(year, known, day as u8).map_err(|_| format!("there is no year {year}"))?;
    Ok(f64::from(date.to_julian_day() - EPOCH))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Returns the number of a month, given its English name or the first three letters.
pub(crate) fn month_named(text: &str) -> Option<i32> {
    let name = text.to_ascii_lowercase();
    let is = |month: &str| {
        month == name || (name.len() == 3 && month.starts_with(&name)) || (name == "sept" && month == "september")
    };
    MONTHS.iter().position(|month| is(month)).map(|place| place as i32 + 1)
}

/// Returns the fraction of a day: `12:30`, `12:30:45.5`, with an optional `Z` or offset such as `+02:00`.
pub(crate) fn time_of_day(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a time of day");
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.')).unwrap_or(text.len());
    let (clock, zone) = (&text[..end], text[end..].trim_start());
    let parts: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes] => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return Err(wrong()),
    };
    let below = |text: &str, most: f64| text.parse::<f64>().ok().filter(|n| (0.0..most).contains(n)).ok_or_else(wrong);
    let (zone, half) = match zone.to_ascii_lowercase().as_str() {
        "am" | "pm" => ("", Some(zone.to_ascii_lowercase())),
        _ => (zone, None),
    };
    let mut hours = below(hours, 24.0)?;
    if let Some(half) = half {
        hours = half_of_day(hours, half == "pm").ok_or_else(wrong)?;
    }
    let seconds = hours * 3600.0 + below(minutes, 60.0)? * 60.0 + below(seconds, 60.0)?;
    Ok((seconds - offset(zone).ok_or_else(wrong)?) / 86_400.0)
}

/// Converts an hour of the 12-hour clock to the 24-hour clock.
fn half_of_day(hours: f64, is_afternoon: bool) -> Option<f64> {
    (1.0..=12.0).contains(&hours).then_some(hours % 12.0 + if is_afternoon { 12.0 } else { 0.0 })
}

/// Returns the offset of a time zone from UTC in seconds.
fn offset(zone: &str) -> Option<f64> {
    if matches!(zone, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(0.0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1.0,
        b'-' => -1.0,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|letter| *letter != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let minutes = if minutes.is_empty() { 0.0 } else { minutes.parse().ok()? };
    Some(sign * (hours.parse::<f64>().ok()? * 3600.0 + minutes * 60.0))
}

/// Parses a text in a format of Python's `strptime`; returns days since 1970-01-01.
pub(crate) fn by_pattern(text: &str, pattern: &str) -> Result<f64, String> {
    let pattern = pattern.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%D", "%m/%d/%y");
    let not = || NO_DATE.to_owned();
    let (mut rest, mut letters) = (text, pattern.chars());
    let (mut year, mut month, mut day) = (None, None, None);
    let (mut hours, mut afternoon, mut minutes, mut seconds, mut ahead) = (0.0, None, 0.0, 0.0, 0.0);
    while let Some(letter) = letters.next() {
        if letter != '%' {
            rest = rest.strip_prefix(letter).ok_or_else(not)?;
            continue;
        }
        let mut number = |most: usize| {
            let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            let (digits, after) = rest.split_at(count);
            rest = after;
            digits.parse::<i32>().map_err(|_| not())
        };
        match letters.next() {
            Some('Y') => year = Some(number(4)?),
            Some('y') => year = Some(number(2).map(|year| if year < 69 { 2000 + year } else { 1900 + year })?),
            Some('m') => month = Some(number(2)?),
            Some('d') => day = Some(number(2)?),
            Some('H' | 'I') => hours = f64::from(number(2)?),
            Some('M') => minutes = f64::from(number(2)?),
            Some('S') => seconds += f64::from(number(2)?),
            Some('f') => {
                let count = rest.bytes().take(9).take_while(u8::is_ascii_digit).count();
                seconds += format!("0.{}", &rest[..count]).parse::<f64>().map_err(|_| not())?;
                rest = &rest[count..];
            }
            Some('b' | 'B') => {
                let count = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                month = Some(month_named(&rest[..count]).ok_or_else(not)?);
                rest = &rest[count..];
            }
            Some('p') => {
                let half = rest.get(..2).ok_or_else(not)?.to_ascii_lowercase();
                afternoon = Some(half == "pm");
                rest = rest.get(2..).filter(|_| matches!(half.as_str(), "am" | "pm")).ok_or_else(not)?;
            }
            Some('z') => {
                let count =
                    rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-:".contains(byte)).count();
                ahead = offset(&rest[..count]).ok_or_else(not)?;
                rest = &rest[count..];
            }
            Some('%') => rest = rest.strip_prefix('%').ok_or_else(not)?,
            Some(_) | None => return Err(not()),
        }
    }
    let (Some(year), Some(month), Some(day), "") = (year, month, day, rest) else { return Err(not()) };
    if let Some(is_afternoon) = afternoon {
        hours = half_of_day(hours, is_afternoon).ok_or_else(not)?;
    }
    if hours >= 24.0 || minutes >= 60.0 || seconds >= 60.0 {
        return Err("it is not a time of day".to_owned());
    }
    Ok(days(year, month, day)? + (hours * 3600.0 + minutes * 60.0 + seconds - ahead) / 86_400.0)
}
