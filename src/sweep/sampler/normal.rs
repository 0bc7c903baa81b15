//! The normal distribution between two ends.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::{erfc, erfc_inv};

/// Below this the distribution function is the first terms of its asymptotic series.
const FAR: f64 = -20.0;

/// Returns the share of the standard normal distribution below `x`.
pub(super) fn share_below(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// Returns the density of the standard normal distribution at `x`.
pub(super) fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// Returns the logarithm of the share of the standard normal distribution below `x`.
fn ln_share_below(x: f64) -> f64 {
    if x > 0.0 {
        return (-share_below(-x)).ln_1p();
    }
    if x > FAR {
        return share_below(x).ln();
    }
    // 1 − 1/x² + 1·3/x⁴ − 1·3·5/x⁶ + …, whose terms decrease far out
    let (mut term, mut sum) = (1.0, 1.0);
    for odd in (1..20).step_by(2) {
        term *= -f64::from(odd) / (x * x);
        sum += term;
    }
    -0.5 * x * x - (-x).ln() - 0.5 * (2.0 * PI).ln() + sum.ln()
}

/// Returns the logarithm of the share of the standard normal distribution between `low` and `high`.
pub(super) fn ln_share(low: f64, high: f64) -> f64 {
    // the left tail is the exact one
    let in_left_tail = |low: f64, high: f64| {
        let (below_high, below_low) = (ln_share_below(high), ln_share_below(low));
        below_high + (-(below_low - below_high).exp()).ln_1p()
    };
    match () {
        () if high <= 0.0 => in_left_tail(low, high),
        () if low > 0.0 => in_left_tail(-high, -low),
        () => (-share_below(low) - share_below(-high)).ln_1p(),
    }
}

/// Returns the logarithm of the density at `x` of the normal distribution with this mean and standard deviation between two
/// ends.
pub(super) fn ln_density(x: f64, mean: f64, std: f64, (low, high): (f64, f64)) -> f64 {
    if x < low || x > high {
        return f64::NEG_INFINITY;
    }
    let scaled = (x - mean) / std;
    -0.5 * scaled * scaled - 0.5 * (2.0 * PI).ln() - std.ln() - ln_share((low - mean) / std, (high - mean) / std)
}

/// Returns the quantile of the normal distribution with this mean and standard deviation between two ends, at a position between
/// 0 and 1. The mean is between the ends.
pub(super) fn quantile(position: f64, mean: f64, std: f64, (low, high): (f64, f64)) -> f64 {
    let (below, above) = (share_below((low - mean) / std), share_below((mean - high) / std));
    let inside = 1.0 - below - above;
    // the smaller of both shares is the exact one
    let (left, right) = (below + position * inside, above + (1.0 - position) * inside);
    let scaled = if left < right { -SQRT_2 * erfc_inv(2.0 * left) } else { SQRT_2 * erfc_inv(2.0 * right) };
    (mean + std * scaled).clamp(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_in_both_tails_and_in_the_middle() {
        // mpmath with 50 digits; the error function of `statrs` is right to ten
        for (x, expected) in [
            (-40.0, -804.6084420137538),
            (-20.5, -214.0667289632638),
            (-19.5, -194.0169657774975),
            (-1.0, -1.8410216450092636),
            (0.0, -std::f64::consts::LN_2),
            (3.0, -0.0013508099647481923),
            (9.0, -1.1285884059538405e-19),
        ] {
            let found = ln_share_below(x);
            assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{x}: {found} {expected}");
        }
        for (low, high) in [(-31.0, -30.0), (2.0, 2.5), (-0.5, 3.0)] {
            let (one, other) = (ln_share(low, high), ln_share(-high, -low));
            assert!((one - other).abs() < 1e-12, "{low} {high}: {one} {other}");
        }
        assert!((ln_share(-1.0, 1.0) - 0.6826894921370859_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn a_quantile_has_its_share_below_it() {
        for (mean, std, ends) in [(0.3, 0.1, (0.0, 1.0)), (0.0, 0.01, (0.0, 1.0)), (5.0, 100.0, (-3.0, 5.0))] {
            for position in [1e-9, 0.2, 0.5, 0.8, 1.0 - 1e-9] {
                let place = quantile(position, mean, std, ends);
                let scaled = |x: f64| (x - mean) / std;
                let inside = ln_share(scaled(ends.0), scaled(ends.1));
                let below = (ln_share(scaled(ends.0), scaled(place)) - inside).exp();
                assert!((below - position).abs() < 1e-9, "{mean} {std} {position}: {place} {below}");
            }
        }
        assert_eq!(quantile(0.0, 0.5, 0.2, (0.0, 1.0)), 0.0);
        assert_eq!(quantile(1.0, 0.5, 0.2, (0.0, 1.0)), 1.0);
    }
}
