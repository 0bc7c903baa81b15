"""The pictures and tables of the lessons, in one plain style.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; dashes and markers tell the lines apart in grey.
Legends stand outside of the panels, so that they cover no data. What goes into a notebook is a small PNG picture: the
same data give the same bytes.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Iterable, Sequence

import matplotlib as mpl
import numpy as np
import polars as pl
from IPython.display import Image, Markdown, display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from runner_experiments import Run
from short_runs import shortened

BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#222222", "#767676"
# A colour, a dash and a marker for each line of a picture: any one of the three tells it apart.
LOOKS = [
    (BLUE, "-", "o"),
    (VERMILLION, (0, (5, 2)), "s"),
    (GREEN, (0, (1, 1.2)), "^"),
    (PURPLE, (0, (6, 2, 1, 2)), "D"),
    (ORANGE, (0, (3, 1, 1, 1, 1, 1)), "v"),
    (BLACK, (0, (8, 3)), "x"),
]

mpl.rcParams.update(
    {
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.w_pad": 0.08,
        "figure.constrained_layout.h_pad": 0.06,
        "figure.dpi": 100,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.labelsize": 10,
        "axes.prop_cycle": mpl.cycler(color=[look[0] for look in LOOKS], linestyle=[look[1] for look in LOOKS]),
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.8,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": BLACK,
        "ytick.labelcolor": BLACK,
        "font.size": 10,
        "legend.frameon": False,
        "legend.fontsize": 9.5,
        "legend.handlelength": 2.6,
        "lines.linewidth": 1.8,
        "lines.markersize": 4.5,
        "svg.hashsalt": "runner",
    }
)


def panels(columns: int = 1, rows: int = 1, height: float = 3.1, width: float = 8.2, **options) -> tuple[Figure, np.ndarray]:
    """A figure of `rows` × `columns` panels, each `height` inches high."""
    figure, axes = plt.subplots(rows, columns, figsize=(width, height * rows), squeeze=False, **options)
    return figure, axes.ravel()


def show(figure: Figure, alt: str) -> None:
    """Puts the figure into the notebook, with a description for those who cannot see it, and closes it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)
    from PIL import Image as Picture

    # 256 colours are plenty for lines on white, in a third of the bytes; `kmeans` keeps those that few dots have.
    small = io.BytesIO()
    picture = Picture.open(drawn).convert("RGB").quantize(256, kmeans=2, dither=Picture.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    display(Image(small.getvalue(), alt=alt))


def say(text: str, *runs: Run) -> None:
    """A paragraph whose figures were taken from the histories; where it reads them, `runs` says whose, and it is marked if one is short."""
    if any(shortened(run) for run in runs):
        text += " *(A short run: the figures are its own, and the reading is that of a whole one.)*"
    display(Markdown(text))


def table(frame: pl.DataFrame, names: dict[str, str] | None = None, digits: int = 4) -> None:
    """A frame as a table to read: floats to `digits` places, what is missing as a dash."""
    names = names or {}
    if "variant" in frame.columns:
        frame = frame.with_columns(pl.Series("variant", map(label, frame["variant"])))
    if "label" in frame.columns:
        frame = frame.rename({"label": "diagnosis"}).with_columns(pl.col("diagnosis").str.replace_all("_", " "))
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    head = [names.get(column, column.replace("_", " ")) for column in frame.columns]
    lines = [row_of(head), row_of("--:" if right else "---" for right in numeric)]
    lines += [row_of(cell(value, digits) for value in row) for row in frame.iter_rows()]
    display(Markdown("\n".join(lines)))


def row_of(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def cell(value: object, digits: int = 4) -> str:
    """One figure of a table."""
    match value:
        case None:
            return "–"
        case bool():
            return "✓" if value else "✗"
        case float() if not math.isfinite(value):
            return "nan" if math.isnan(value) else "∞" if value > 0 else "−∞"
        case float() if value != 0 and abs(value) < 10**-digits * 5:
            return f"{value:.1e}".replace("-", "−")
        case float():
            return f"{value:,.{digits}f}".replace("-", "−")
        case int():
            return f"{value:,}".replace("-", "−")
        case _:
            return str(value).replace("|", "\\|")


def opening(*runs: Run) -> None:
    """What this notebook is told with: a row for each run, and a word where one is shorter than it should be."""
    rows = []
    for run in runs:
        first = run.histories[0]
        data, counts = first["data"]["name"], first["data"]["rows"]
        parts = [("training", "train"), ("validation", "validation"), ("test", "test")]
        shown = ", ".join(f"{counts[key]:,} {part}" for part, key in parts if counts[key])
        many = [f"{len(run.variants)} variants"] if len(run.variants) > 1 else []
        many += [f"seed{'s' if len(run.seeds) > 1 else ''} {', '.join(map(str, run.seeds))}"]
        rows.append({"experiment": f"`{run.experiment}`", "question": first["config"]["question"], "data": f"{data}: {shown} rows", "run": "; ".join(many)})
    table(pl.DataFrame(rows))
    for run in runs:
        if shortened(run):
            say(f"**Short run:** `{run.experiment}` was run shorter than it is shipped ({shortened(run)}). It shows how the pictures are made, and not yet the lesson; `runner exp {run.experiment}` runs it whole.")


def check(claim: str, holds: bool, *runs: Run) -> None:
    """Says that a claim of the lesson holds for these runs; an error where it does not, unless a run is a short one."""
    if any(shortened(run) for run in runs):
        say(f"– {claim} *(a short run: not checked)*")
    elif holds:
        say(f"✓ {claim}")
    else:
        raise AssertionError(f"the lesson does not hold for this run: {claim}")


def label(variant: str) -> str:
    """A variant's name, to read: `tanh_small-none` is “tanh small, none”."""
    words = {"l1": "L1", "l2": "L2", "relu": "ReLU", "cnn": "CNN", "mlp": "MLP", "sgd": "SGD", "rmsprop": "RMSprop", "smote": "SMOTE", "mse": "MSE", "mae": "MAE", "rnn": "RNN", "lstm": "LSTM"}
    words |= {"adagrad": "Adagrad", "adam": "Adam", "xavier": "Xavier", "he": "He"}
    parts = [" ".join(words.get(word, word) for word in part.split("_")) for part in re.sub(r"(?<!e)-", "|", variant).split("|")]
    return ", ".join(parts).replace("e-", "e−")


def legend(figure: Figure, axes: Sequence[Axes], below: bool = True, columns: int = 4, **options) -> None:
    """One legend for all panels, outside of them."""
    entries: dict = {}
    for axis in axes:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(name, handle)
    place = "outside lower center" if below else "outside right center"
    figure.legend(entries.values(), entries.keys(), loc=place, ncols=min(columns, len(entries)) if below else 1, **options)


def lines(axis: Axes, series: dict[str, tuple[Sequence[float], Sequence[float]]], looks=None, markers: bool = True) -> None:
    """A line for each name: its x and its y values, each with a look of its own."""
    for place, ((name, (x, y)), (colour, dash, marker)) in enumerate(zip(series.items(), itertools.cycle(looks or LOOKS))):
        every = max(1, len(x) // 8)
        # Each line's markers begin a little later, so that lines on top of each other can still be told apart.
        begin = min(place * every // len(series), max(len(x) - 1, 0))
        axis.plot(x, y, color=colour, linestyle=dash, label=name, marker=marker if markers else None, markevery=(begin, every))


def by_variant(run: Run, metric: str, variants: Sequence[str] | None = None, seed: int | None = None) -> dict:
    """One metric by epoch, for each variant: what `lines` draws."""
    found = {}
    for variant in variants or run.variants:
        curve = run.curve(metric, variant, seed)
        found[label(variant)] = (curve["epoch"].to_list(), curve[metric].to_list())
    return found


def percents(axis: mpl.axis.Axis) -> None:
    """Shares as percentages: `97.5%` where the ticks are close, else `95%`."""
    axis.set_major_formatter(lambda value, _: f"{value * 100:.6g}%")


def epochs(axis: Axes, title: str | None = None, ylabel: str | None = None, log: bool = False, ticks: int = 6) -> None:
    """A panel whose x axis counts epochs."""
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=ticks))
    if title:
        axis.set_title(title)
    if ylabel:
        axis.set_ylabel(ylabel)
    if log:
        axis.set_yscale("log")


def learning_curves(run: Run, variant: str | None = None, metrics: Sequence[tuple[str, str]] = (("loss", "loss"), ("acc", "accuracy")), mark_best: bool = True, log: Sequence[str] = ()) -> Figure:
    """A panel for each metric, with training and validation: the mean over seeds, and from the lowest to the highest."""
    chosen = run.curves.filter(pl.col("variant") == (variant or run.variants[0]))
    figure, axes = panels(len(metrics), height=3.3)
    for axis, (metric, name) in zip(axes, metrics):
        for column, what, (colour, dash, marker) in [(metric, "training", LOOKS[0]), (f"val_{metric}", "validation", LOOKS[1])]:
            if column not in chosen.columns or chosen[column].null_count() == chosen.height:
                continue
            value = pl.col(column)
            seeds = chosen.group_by("epoch").agg(value.mean().alias("mean"), value.min().alias("low"), value.max().alias("high")).sort("epoch")
            every = max(1, seeds.height // 8)
            axis.plot(seeds["epoch"], seeds["mean"], color=colour, linestyle=dash, marker=marker, markevery=every, label=what)
            if len(run.seeds) > 1:
                axis.fill_between(seeds["epoch"].to_numpy(), seeds["low"].to_numpy(), seeds["high"].to_numpy(), color=colour, alpha=0.18, linewidth=0)
        epochs(axis, f"{name}, logarithmic" if metric in log else name, log=metric in log)
        if metric in ("acc", "f1", "ap"):
            percents(axis.yaxis)
    if mark_best and "val_loss" in chosen.columns:
        mean = chosen.group_by("epoch").agg(pl.col("val_loss").mean()).sort("epoch")
        best = int(mean["epoch"][int(mean["val_loss"].arg_min())])
        for axis in axes:
            axis.axvline(best, color=GREY, linestyle=(0, (1, 2)), linewidth=1.4, label=f"lowest {'mean ' if len(run.seeds) > 1 else ''}validation loss: epoch {best}")
    legend(figure, axes)
    return figure


def heat_map(axis: Axes, counts: Sequence[Sequence[int]], classes: Sequence[str], title: str | None = None, size: float = 9) -> None:
    """A confusion matrix: counts in the cells, and the darker the larger their share of the row's class."""
    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), many in np.ndenumerate(counts):
        dark = math.sqrt(shares[row, column]) > 0.6
        axis.text(column, row, f"{many:,}", ha="center", va="center", fontsize=size, color="white" if dark else BLACK if many else GREY)
    places = range(len(classes))
    axis.set_xticks(places, classes)
    axis.set_yticks(places, classes)
    axis.tick_params(length=0)
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    if title:
        axis.set_title(title)


def bars(axis: Axes, names: Sequence[str], values: Sequence[float], texts: Sequence[str] | None = None, colours: Sequence[str] | str = BLUE, log: bool = False) -> None:
    """Bars from the left, the first on top, with the figure at the end of each; logarithmic ones begin at 1."""
    places = np.arange(len(names))
    axis.barh(places, values, color=colours, height=0.62)
    axis.set_yticks(places, names)
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False, axis="y")
    axis.spines["left"].set_visible(False)
    if log:
        axis.set_xscale("log")
    for place, value, text in zip(places, values, texts or [cell(float(value)) for value in values]):
        axis.annotate(text, (max(value, 0), place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
    # Room for the figures at the ends.
    low, high = axis.get_xlim()
    axis.set_xlim(1 if log else low, high**1.2 if log else high + 0.18 * (high - low))


def images(axes: Sequence[Axes], pictures: Sequence[np.ndarray], titles: Sequence[str]) -> None:
    """Small pictures, dark on light, each with a word above it."""
    for axis, picture, title in zip(axes, pictures, titles):
        axis.imshow(picture, cmap="gray_r", interpolation="nearest")
        axis.set_title(title, fontsize=9, loc="center")
        axis.set_axis_off()


def reference_table(run: Run, seed: int | None = None, digits: int = 4) -> None:
    """Shows a table of the published values next to the values of this run."""
    trial = run.trial(seed=seed)
    rows = run.references.filter(pl.col("seed") == trial["seed"]).select("metric", "reference", "this_run")
    table(rows.with_columns(pl.Series("metric", [in_words(metric, trial) for metric in rows["metric"]])), digits=digits)


def in_words(path: str, trial: dict) -> str:
    """Returns a metric path in words: `first.loss` is “loss, first epoch”."""
    match path.split("."):
        case ["first" | "last" as when, metric]:
            return f"{metric}, {when} epoch"
        case ["epoch", epoch, metric]:
            return f"{metric}, epoch {epoch}"
        case ["test", metric]:
            return f"{metric}, test rows"
        case ["learned", "prediction", row, _]:
            inputs = trial["learned"]["predictions"][int(row)]["input"]
            return f"answer to {', '.join(f'{value:g}' for value in inputs)}"
        case ["learned", _, "weight", place]:
            return f"weight {int(place) + 1}"
        case ["learned", _, "bias", _]:
            return "bias"
        case _:
            return path

