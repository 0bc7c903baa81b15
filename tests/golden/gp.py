"""Likelihoods and predictions of scikit-learn's Gaussian process: writes gp.json.

    python tests/golden/gp.py

The kernel is Matérn 5/2 with a length scale for each parameter, plus noise. The variance of the function is its most likely value for
these length scales and this noise, and the mean of the values is subtracted first. `further` are values that are added with the same
variance and mean.
"""

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

import house


def process(points, values, lengths, noise, variance):
    kernel = ConstantKernel(variance) * Matern(lengths, nu=2.5) + WhiteKernel(noise * variance)
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(points, values)


def deviation_without_noise(fitted, points, noise, variance):
    _, std = fitted.predict(points, return_std=True)
    return np.sqrt(np.maximum(std**2 - noise * variance, 0))


def case(name, count, lengths, noise, seed):
    rng = np.random.default_rng(seed)
    points, new, asked = (rng.random((rows, len(lengths))) for rows in (count, 3, 5))
    values = np.sin(6 * points[:, 0]) + points.sum(axis=1) ** 2 + 0.1 * rng.normal(size=count)
    mean = values.mean()
    correlations = Matern(lengths, nu=2.5)(points) + noise * np.eye(count)
    variance = (values - mean) @ np.linalg.solve(correlations, values - mean) / count
    fitted = process(points, values - mean, lengths, noise, variance)
    new_values = rng.normal(size=3)
    both = process(np.vstack([points, new]), np.concatenate([values, new_values]) - mean, lengths, noise, variance)
    return {
        "name": name,
        "points": points.tolist(),
        "values": values.tolist(),
        "lengths": lengths,
        "noise": noise,
        "ln_likelihood": fitted.log_marginal_likelihood_value_,
        "asked": asked.tolist(),
        "means": (fitted.predict(asked) + mean).tolist(),
        "deviations": deviation_without_noise(fitted, asked, noise, variance).tolist(),
        "further": {
            "points": new.tolist(),
            "values": new_values.tolist(),
            "means": (both.predict(asked) + mean).tolist(),
            "deviations": deviation_without_noise(both, asked, noise, variance).tolist(),
        },
    }


if __name__ == "__main__":
    cases = [
        case("one parameter", 6, [0.3], 0.01, 1),
        case("four parameters", 24, [0.2, 1.0, 3.0, 0.7], 0.1, 2),
        case("much noise", 40, [0.5, 0.5], 2.0, 3),
    ]
    house.write_fixture("gp.json", __file__, {"kernel": "Matern 5/2 + noise"}, cases=cases)
