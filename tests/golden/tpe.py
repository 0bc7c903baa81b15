"""Estimators and choices of Optuna's TPE sampler: writes tpe.json.

    python tests/golden/tpe.py

For each case, trials with values of their parameters are split into the best ones and all others, as `TPESampler` does it,
pruned trials after complete ones. Both parts become Parzen estimators: their weights, the mean and standard deviation of each
kernel, of choices the shares, and the logarithm of the density at some candidates. `chosen` is the candidate with the largest
ratio of both. The last rows of `observed` without a trial are running ones, which belong to the others (`constant_liar`).
"""

import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe import sampler as tpe
from optuna.samplers._tpe.probability_distributions import _BatchedCategoricalDistributions
from optuna.trial import TrialState, create_trial

import house

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")

X = FloatDistribution(-5.0, 10.0)
LR = FloatDistribution(1e-5, 1e-1, log=True)
P = FloatDistribution(0.0, 0.5, step=0.005)
UNITS = IntDistribution(16, 1024)
STEPS = IntDistribution(8, 128, step=2)
LAYERS = IntDistribution(1, 300, log=True)
NAME = CategoricalDistribution(["a", "b", "c"])
ONE = CategoricalDistribution(["a"])

CASES = [
    ("float", {"x": X}, 30, 0, 0),
    ("log", {"lr": LR}, 12, 0, 0),
    ("float with steps", {"p": P}, 25, 0, 0),
    ("int", {"units": UNITS}, 40, 0, 0),
    ("int with steps", {"steps": STEPS}, 21, 0, 0),
    ("int, log", {"layers": LAYERS}, 50, 0, 0),
    ("choices", {"name": NAME, "one": ONE}, 33, 0, 0),
    ("one observation", {"x": X, "name": NAME}, 1, 0, 0),
    ("two of each", {"x": X, "lr": LR}, 11, 0, 0),
    ("all kinds", {"x": X, "lr": LR, "p": P, "units": UNITS, "layers": LAYERS, "name": NAME}, 80, 0, 0),
    ("more than 25 best ones", {"x": X, "units": UNITS}, 300, 0, 0),
    ("pruned trials", {"x": X, "lr": LR}, 40, 37, 0),
    ("running trials", {"x": X, "name": NAME}, 20, 0, 7),
]


def observations(distribution, count, rng):
    """Random values, all different: the kernels of equal ones are assigned by an unstable sort."""
    values = {}
    while len(values) < count:
        values[internal(distribution, rng)] = None
        if isinstance(distribution, CategoricalDistribution):
            return [internal(distribution, rng) for _ in range(count)]
    return list(values)


def internal(distribution, rng):
    """A random value as the samplers see it."""
    if isinstance(distribution, CategoricalDistribution):
        return float(rng.integers(len(distribution.choices)))
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        value = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    else:
        value = float(rng.uniform(low, high))
    if step is not None:
        value = min(low + round((value - low) / step) * step, high)
    return float(value)


def described(distribution):
    if isinstance(distribution, CategoricalDistribution):
        return {"choices": len(distribution.choices)}
    d = distribution
    return {"low": float(d.low), "high": float(d.high), "step": None if d.step is None else float(d.step), "log": d.log}


def estimator(study, sampler, space, trials):
    return sampler._build_parzen_estimator(study, space, trials, handle_below=True)


def kernels(distribution):
    if isinstance(distribution, _BatchedCategoricalDistributions):
        return {"shares": distribution.weights.tolist()}
    return {"means": distribution.mu.tolist(), "stds": distribution.sigma.tolist()}


def case(number, name, space, count, pruned, running):
    rng = np.random.default_rng(number)
    study = optuna.create_study()
    sampler = optuna.samplers.TPESampler(multivariate=True, seed=0)
    columns = [observations(distribution, count + running, rng) for distribution in space.values()]
    observed, results = [list(row) for row in zip(*columns)], []
    for index in range(count + running):
        values = dict(zip(space, observed[index]))
        external = {key: space[key].to_external_repr(value) for key, value in values.items()}
        value, epoch = round(float(rng.normal()), 4), None
        if index >= count:
            trial = create_trial(state=TrialState.RUNNING, params=external, distributions=space)
        elif index < pruned:
            epoch = int(rng.integers(1, 5))
            trial = create_trial(
                state=TrialState.PRUNED, params=external, distributions=space, intermediate_values={epoch: value}
            )
        else:
            trial = create_trial(state=TrialState.COMPLETE, params=external, distributions=space, value=value)
        if index < count:
            results.append({"value": value, "epoch": epoch})
        study.add_trial(trial)
    trials = study.get_trials(deepcopy=False)
    best, others = tpe._split_trials(study, trials, tpe.default_gamma(count))
    both = {key: (part, estimator(study, sampler, space, part)) for key, part in [("best", best), ("others", others)]}
    drawn = both["best"][1].sample(np.random.RandomState(number), 20)
    candidates = [[float(drawn[key][row]) for key in space] for row in range(20)]
    candidates += [[internal(distribution, rng) for distribution in space.values()] for _ in range(10)]
    columns = {key: np.array([row[place] for row in candidates]) for place, key in enumerate(space)}
    found = {
        key: {
            "places": [trial.number for trial in part],
            "weights": density._mixture_distribution.weights.tolist(),
            "kernels": [kernels(distribution) for distribution in density._mixture_distribution.distributions],
            "ln_density": density.log_pdf(columns).tolist(),
        }
        for key, (part, density) in both.items()
    }
    ratios = sampler._compute_acquisition_func(columns, both["best"][1], both["others"][1])
    return {
        "name": name,
        "parameters": [described(distribution) for distribution in space.values()],
        "trials": results,
        "observed": observed,
        "candidates": candidates,
        **found,
        "chosen": int(np.argmax(ratios)),
    }


house.write_fixture(
    "tpe.json",
    __file__,
    {"optuna": optuna.__version__},
    number_of_best={str(count): [tpe.default_gamma(count)] for count in [0, 1, 10, 11, 25, 30, 70, 241, 250, 251, 999]},
    weights={str(count): tpe.default_weights(count).tolist() for count in [0, 1, 24, 25, 26, 27, 40]},
    cases=[case(number, *of_case) for number, of_case in enumerate(CASES)],
)
