"""Statistics over seeds, by SciPy and statsmodels: writes seeds.json.

    python tests/golden/seeds.py

Means with intervals by Student's t; bootstrap intervals by percentiles, from NumPy's `RandomState(0)`; permutation, rank
and t tests of pairs and of two groups; Hedges' g by its formula, the chance of superiority from the Mann–Whitney U; Holm's
correction. Cases: groups apart and alike, ties, zeros, all the same, two values, unequal sizes.
"""

import warnings

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

import house

RESAMPLES = 9_999


def bootstrap(samples, statistic):
    found = stats.bootstrap(
        samples, statistic, method="percentile", n_resamples=RESAMPLES, random_state=np.random.RandomState(0)
    )
    low, high = found.confidence_interval
    return [float(low), float(high)]


def difference_of_means(one, other, axis=-1):
    return np.mean(one, axis=axis) - np.mean(other, axis=axis)


def hedges_g(one, other):
    n, m = len(one), len(other)
    pooled = np.sqrt(((n - 1) * np.var(one, ddof=1) + (m - 1) * np.var(other, ddof=1)) / (n + m - 2))
    return float((np.mean(one) - np.mean(other)) / pooled * (1 - 3 / (4 * (n + m) - 9))) if pooled > 0 else None


def sample(values):
    n = len(values)
    t = stats.t.interval(0.95, n - 1, loc=np.mean(values), scale=stats.sem(values))
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "interval": [float(t[0]), float(t[1])] if n > 1 and np.ptp(values) > 0 else None}


def whole(values):
    """In units of the last decimal: sums are exact then, and permutations that give the same difference are ties."""
    return np.round(values * 10_000)


def paired(one, other):
    differences = one - other
    mean = lambda d, axis=-1: np.mean(d, axis=axis)
    permutation = stats.permutation_test((whole(differences),), mean, permutation_type="samples", n_resamples=np.inf)
    moved = np.any(differences != 0)
    return {
        "bootstrap": bootstrap((differences,), np.mean),
        "permutation": float(permutation.pvalue),
        "ranks": float(stats.wilcoxon(differences).pvalue) if moved else 1.0,
        "t": float(stats.ttest_rel(one, other).pvalue) if np.ptp(differences) > 0 else None,
    }


def independent(one, other):
    permutation = stats.permutation_test(
        (whole(one), whole(other)), difference_of_means, permutation_type="independent", n_resamples=np.inf
    )
    ranks = stats.mannwhitneyu(one, other)
    varies = np.ptp(one) > 0 or np.ptp(other) > 0
    return {
        "bootstrap": bootstrap((one, other), difference_of_means),
        "permutation": float(permutation.pvalue),
        "ranks": float(ranks.pvalue),
        "t": float(stats.ttest_ind(one, other, equal_var=False).pvalue) if varies else None,
        "hedges_g": hedges_g(one, other),
        "superiority": float(ranks.statistic) / (len(one) * len(other)),
    }


def case(name, one, other):
    one, other = np.array(one, float), np.array(other, float)
    found = {"name": name, "one": one.tolist(), "other": other.tolist(), "samples": [sample(one), sample(other)]}
    if len(one) == len(other):
        found["paired"] = paired(one, other)
    found["independent"] = independent(one, other)
    return found


def main():
    warnings.simplefilter("ignore")  # of values that are all alike
    random = np.random.RandomState(1)
    accuracy = lambda mean, n: np.round(random.normal(mean, 0.002, n), 4)
    cases = [
        case("apart", accuracy(0.97, 5), accuracy(0.978, 5)),
        case("alike", accuracy(0.97, 6), accuracy(0.97, 6)),
        case("ten seeds, near", accuracy(0.97, 10), accuracy(0.9715, 10)),
        case("unequal sizes", accuracy(0.97, 4), accuracy(0.973, 9)),
        case("ties and zeros", [0.97, 0.97, 0.971, 0.972, 0.972, 0.969], [0.97, 0.971, 0.971, 0.97, 0.97, 0.972]),
        case("all the same", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        case("two of each", [0.1, 0.2], [0.4, 0.35]),
        case("wide and narrow", [1.0, 5.0, 9.0, 30.0], [10.0, 10.1, 10.2, 10.3]),
    ]
    p = [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.2, 0.9, 0.001, 0.04], [0.0, 1.0]]
    holm = [{"p": values, "corrected": multipletests(values, method="holm")[1].tolist()} for values in p]
    house.write_fixture(
        "seeds.json",
        __file__,
        {"resamples": RESAMPLES, "null": "no value, or SciPy gives NaN"},
        cases=cases,
        holm=holm,
    )


if __name__ == "__main__":
    main()
