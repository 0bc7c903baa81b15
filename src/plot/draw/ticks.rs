//! Ticks at 1, 2 or 5 times a power of ten, and number formats.

/// A tick of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Position, in data coordinates.
    pub value: f64,
    /// Label; empty at minor ticks of a log scale.
    pub label: String,
}

/// Unit of the numbers of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Plain numbers.
    #[default]
    Plain,
    /// Whole numbers, such as epochs: ticks are at whole numbers only.
    Whole,
    /// Fractions, written as percentages.
    Percent,
}

/// Returns the step for about `most` ticks between two values: 1, 2 or 5 times a power of ten.
pub fn step(from: f64, to: f64, most: usize, unit: Unit) -> f64 {
    let rough = (to - from) / most.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough * (1.0 - 1e-9));
    let step = step.unwrap_or(10.0 * power);
    if unit == Unit::Whole { step.max(1.0).round() } else { step }
}

/// Returns the ticks of a linear scale, at least two if possible.
pub fn linear(from: f64, to: f64, most: usize, unit: Unit) -> Vec<Tick> {
    let finer = (most.max(1)..=2 * most.max(1) + 3).map(|most| at(from, to, step(from, to, most, unit), unit));
    let mut last = Vec::new();
    for ticks in finer {
        if ticks.len() >= 2 {
            return ticks;
        }
        last = ticks;
    }
    last
}

/// Limit for counting steps: beyond it, f64 cannot represent all whole numbers.
const MAX_EXACT_INTEGER: f64 = 9e15;

fn at(from: f64, to: f64, step: f64, unit: Unit) -> Vec<Tick> {
    if !(step.is_finite() && step > 0.0) {
        return Vec::new();
    }
    let slack = step * 1e-6;
    let (first, last) = (((from - slack) / step).ceil(), ((to + slack) / step).floor());
    if !(first.abs() < MAX_EXACT_INTEGER && last.abs() < MAX_EXACT_INTEGER) {
        return Vec::new();
    }
    let (first, last) = (first as i64, last as i64);
    let values = (first..=last.min(first + 1_000)).map(|number| number as f64 * step);
    values.map(|value| Tick { value, label: label(value, step, unit) }).collect()
}

/// Returns the ticks of a log scale: powers of ten, of which only every n-th has a number if there are many. If there
/// are few, it adds ticks at 2 and 5 times a power.
pub fn logarithmic(from: f64, to: f64, most: usize) -> Vec<Tick> {
    let (low, high) = (from.log10(), to.log10());
    if !(low.is_finite() && high.is_finite()) {
        return Vec::new();
    }
    let decades = (high + 1e-9).floor() as i32 - (low - 1e-9).ceil() as i32;
    let times: &[f64] = match decades {
        ..=1 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let every = (decades.max(1) as usize).div_ceil(most.max(1)) as i32;
    let mut ticks = Vec::new();
    for power in low.floor() as i32..=high.ceil() as i32 {
        for &times in times {
            let value = times * 10_f64.powi(power);
            if value >= from * (1.0 - 1e-9) && value <= to * (1.0 + 1e-9) {
                let label = if power.rem_euclid(every) == 0 { format_power(times, power) } else { String::new() };
                ticks.push(Tick { value, label });
            }
        }
    }
    match ticks.len() {
        0 | 1 => linear(from, to, most, Unit::Plain), // less than a decade
        _ => ticks,
    }
}

/// Returns a number with `decimals` decimals, thousands separators and a proper minus sign.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), String::new()), |(w, r)| (w, format!(".{r}")));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let is_zero = text.chars().all(|letter| matches!(letter, '0' | '.'));
    let sign = if value < 0.0 && !is_zero { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

/// Returns a fraction as a percentage, with enough decimals for small values.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = match percent.abs() {
        0.0 => 0,
        size if (99.95..100.0).contains(&size) => 2,
        size if size >= 9.95 => 1,
        size if size >= 0.095 => 2,
        size => (1 - size.log10().floor() as i32).clamp(2, 6) as usize,
    };
    let text = number(percent, decimals);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    format!("{text} %")
}

/// Returns a number with about four significant digits, in scientific notation if it is very large or small.
pub fn format_number(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => crate::history::number::Number(value).to_string(),
        0.0 => "0".to_owned(),
        size if (1e6..).contains(&size) || size < 1e-3 => {
            let power = size.log10().floor() as i32;
            format!("{}·10{}", number(value / 10_f64.powi(power), 2), superscript(power))
        }
        size if size >= 1e3 => number(value, 0),
        size if size >= 100.0 => number(value, 1),
        size if size >= 10.0 => number(value, 2),
        size if size >= 1.0 => number(value, 3),
        _ => number(value, 4),
    }
}

fn label(value: f64, step: f64, unit: Unit) -> String {
    let (value, step) = if unit == Unit::Percent { (value * 100.0, step * 100.0) } else { (value, step) };
    let exponent = (step.log10() + 1e-9).floor() as i32;
    let text = match exponent {
        _ if value == 0.0 => "0".to_owned(),
        ..=-5 | 6.. => {
            let power = (value.abs().log10() + 1e-9).floor() as i32;
            let decimals = (power - exponent).clamp(0, 6) as usize;
            format!("{}·10{}", number(value / 10_f64.powi(power), decimals), superscript(power))
        }
        0..=5 => number(value, 0),
        _ => number(value, exponent.unsigned_abs() as usize),
    };
    if unit == Unit::Percent { format!("{text} %") } else { text }
}

/// Returns `times` times a power of ten, written out if it is short.
fn format_power(times: f64, power: i32) -> String {
    match power {
        0..=4 => number(times * 10_f64.powi(power), 0),
        -3..=-1 => number(times * 10_f64.powi(power), power.unsigned_abs() as usize),
        _ if times == 1.0 => format!("10{}", superscript(power)),
        _ => format!("{times}·10{}", superscript(power)),
    }
}

fn superscript(power: i32) -> String {
    let digit = |letter: char| match letter {
        '-' => '⁻',
        letter => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][letter as usize - '0' as usize],
    };
    power.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn numbers_have_as_many_decimals_as_the_step() {
        assert_eq!(labels(&linear(0.0, 0.65, 5, Unit::Plain)), ["0", "0.2", "0.4", "0.6"]);
        assert_eq!(labels(&linear(0.9, 1.0, 5, Unit::Percent)), ["90 %", "92 %", "94 %", "96 %", "98 %", "100 %"]);
        assert_eq!(
            labels(&linear(0.985, 1.0, 3, Unit::Percent)),
            ["98.5 %", "99 %", "99.5 %", "100 %"].map(|l| match l {
                "99 %" => "99.0 %",
                "100 %" => "100.0 %",
                l => l,
            })
        );
        assert_eq!(labels(&linear(1.0, 3.0, 10, Unit::Whole)), ["1", "2", "3"]);
        assert_eq!(labels(&linear(0.0, 3e4, 3, Unit::Plain)), ["0", "10,000", "20,000", "30,000"]);
        assert_eq!(labels(&linear(-2e-6, 2e-6, 2, Unit::Plain)), ["−2·10⁻⁶", "0", "2·10⁻⁶"]);
        assert_eq!(labels(&linear(0.0, 4e8, 2, Unit::Plain)), ["0", "2·10⁸", "4·10⁸"]);
    }

    #[test]
    fn a_log_scale_has_powers_of_ten_and_finer_ticks_where_they_are_few() {
        assert_eq!(labels(&logarithmic(1e-6, 1e-3, 6)), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "0.001"]);
        assert_eq!(labels(&logarithmic(0.03, 0.4, 6)), ["0.05", "0.1", "0.2"]);
        let many = logarithmic(1e-20, 1.0, 5);
        assert_eq!(labels(&many).iter().filter(|label| !label.is_empty()).count(), 6, "{many:?}");
        assert_eq!(labels(&logarithmic(3.0, 4.0, 4)), ["3.0", "3.5", "4.0"].map(|l| l).to_vec());
    }

    #[test]
    fn numbers_that_no_axis_can_have_get_no_ticks() {
        let beyond = u64::MAX as f64;
        for (from, to) in [(beyond, beyond.next_up()), (f64::MIN, f64::MAX), (0.0, f64::NAN)] {
            for unit in [Unit::Plain, Unit::Whole, Unit::Percent] {
                assert_eq!(linear(from, to, 5, unit), [], "{from} to {to}");
            }
        }
        for (from, to) in [(0.0, 1.0), (-1.0, 1.0), (1.0, f64::INFINITY), (f64::NAN, 1.0)] {
            assert_eq!(logarithmic(from, to, 5), [], "{from} to {to}");
        }
        assert!(logarithmic(f64::from_bits(1), f64::MAX, 5).len() > 600);
    }

    #[test]
    fn shares_and_figures_are_short() {
        assert_eq!(
            [0.0, 1.0, 0.9657, 0.0123, 0.00042, 0.9998].map(percent),
            ["0 %", "100 %", "96.6 %", "1.23 %", "0.042 %", "99.98 %"]
        );
        assert_eq!(
            [0.1127, 12.5, 1234.5, 1.5e-7].map(format_number),
            ["0.1127", "12.50", "1,234", "1.50·10⁻⁷"].map(|l| l)
        );
        assert_eq!(number(-1234567.0, 0), "−1,234,567");
        assert_eq!(number(-0.001, 2), "0.00");
    }

    proptest! {
        #[test]
        fn ticks_lie_between_both_ends_at_one_two_or_five(from in -1e6..1e6f64, width in 0.1..1e6f64, most in 2..9usize) {
            let ticks = linear(from, from + width, most, Unit::Plain);
            prop_assert!((2..=(most + 1).max(5)).contains(&ticks.len()), "{ticks:?}");
            let step = ticks[1].value - ticks[0].value;
            let digit = step / 10_f64.powf((step.log10() + 1e-9).floor());
            prop_assert!([1.0, 2.0, 5.0].iter().any(|wanted| (digit - wanted).abs() < 1e-6), "{step}");
            for tick in &ticks {
                prop_assert!(tick.value >= from - step * 1e-5 && tick.value <= from + width + step * 1e-5);
            }
        }
    }
}
