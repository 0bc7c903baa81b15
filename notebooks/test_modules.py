"""Tests of what the notebooks are built of: short runs, and drawing."""

from __future__ import annotations

import json
import math
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import execute
import matplotlib
import nbformat
import numpy as np

matplotlib.use("Agg")

import datasets
import pictures
import short_runs
from runner_experiments import RunnerError, load


def trial(variant: str = "base", seed: int = 0, epochs: int = 30, loss: tuple = (1.0, 0.5), **more) -> dict:
    """A history as `runner exp overfit_mnist` would write it, but for what the notebooks do not read."""
    return {
        "schema": "runner.history/2",
        "experiment": "overfit_mnist",
        "variant": variant,
        "seed": seed,
        "fold": None,
        "status": "completed",
        "config": {"train": {"epochs": epochs}, "data": {"mnist": {"split": {"train_rows": None}}}},
        "history": {"epoch": list(range(1, len(loss) + 1)), "loss": list(loss), "gradient_norm.10": list(loss), "gradient_norm.2": list(loss)},
        "best": None,
        "diagnosis": {"label": "good", "overfits_from": None, "val_loss_rise": 0.1, "acc_gap": None},
        "test": {"weights": "last", "loss": 0.4, "acc": 0.9, "confusion": [[1, 0], [0, 1]]},
        "expectations": [],
        "references": [{"metric": "last.loss", "reference": 0.0074, "this_run": loss[-1], "exact": False}],
    } | more


class Runs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        environment = mock.patch.dict(os.environ, {"RUNNER_RUNS": str(self.folder)})
        environment.start()
        self.addCleanup(environment.stop)

    def write(self, run: str, **trials: dict) -> Path:
        folder = self.folder / "overfit_mnist" / run
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in trials.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        return folder

    def test_a_run_of_fewer_epochs_or_rows_is_short_and_a_whole_one_is_not(self):
        self.write("2026-01-01T000000Z-aaaaaa", base=trial())
        self.assertIsNone(short_runs.shortened(load("overfit_mnist")))
        self.write("2026-01-02T000000Z-aaaaaa", base=trial(epochs=3))
        self.assertEqual(short_runs.shortened(load("overfit_mnist")), "3 epochs in place of 30")
        fewer = trial()
        fewer["config"]["data"]["mnist"]["split"]["train_rows"] = 2000
        self.write("2026-01-03T000000Z-aaaaaa", base=fewer)
        self.assertEqual(short_runs.shortened(load("overfit_mnist")), "2,000 training rows")

    def test_a_claim_that_does_not_hold_fails_for_whole_runs_only(self):
        self.write("2026-01-01T000000Z-aaaaaa", base=trial())
        whole = load("overfit_mnist")
        self.write("2026-01-02T000000Z-aaaaaa", base=trial(epochs=3))
        short = load("overfit_mnist")
        with mock.patch.object(pictures, "display"):
            pictures.check("two and two are five", False, short)
            with self.assertRaisesRegex(AssertionError, "two and two"):
                pictures.check("two and two are five", False, whole)

    def test_learning_curves_draw_the_mean_of_the_seeds_and_their_band(self):
        first, second = trial(seed=0), trial(seed=1, loss=(3.0, 1.5))
        for one, values in [(first, [1.0, 2.0]), (second, [3.0, 2.0])]:
            one["history"]["val_loss"] = values
        self.write("2026-01-01T000000Z-aaaaaa", a=first, b=second)
        figure = pictures.learning_curves(load("overfit_mnist"), metrics=[("loss", "loss")])
        (axis,) = figure.axes
        drawn = {line.get_label(): list(line.get_ydata()) for line in axis.lines}
        self.assertEqual(drawn["training"], [2.0, 1.0])
        self.assertEqual(drawn["validation"], [2.0, 2.0])
        self.assertEqual(len(axis.collections), 2)
        self.assertIn("lowest mean validation loss: epoch 1", drawn)
        pictures.plt.close(figure)


class Pictures(unittest.TestCase):
    def test_cells_of_tables_say_what_is_missing_and_what_is_tiny(self):
        cells = [pictures.cell(value) for value in [None, math.nan, math.inf, 0.0, 2.7e-6, -0.5, 12345, True, "a|b"]]
        self.assertEqual(cells, ["–", "nan", "∞", "0.0000", "2.7e−06", "−0.5000", "12,345", "✓", "a\\|b"])

    def test_variants_and_figures_are_put_into_words(self):
        self.assertEqual(pictures.label("xavier_uniform-relu"), "Xavier uniform, ReLU")
        self.assertEqual(pictures.label("lr_1e-4-longer"), "lr 1e−4, longer")
        self.assertEqual(pictures.in_words("epoch.11.loss", {}), "loss, epoch 11")

    def test_an_empty_picture_is_told_from_a_drawn_one(self):
        def png(draw) -> bytes:
            figure, axes = pictures.panels(1)
            draw(figure, axes[0])
            shown = []
            with mock.patch.object(pictures, "display", shown.append):
                pictures.show(figure, "a test")
            return shown[0].data

        drawn = png(lambda _, axis: axis.plot([1, 2, 3], [3, 1, 2]))
        self.assertIsNone(execute.emptiness(drawn))
        self.assertEqual(drawn, png(lambda _, axis: axis.plot([1, 2, 3], [3, 1, 2])), "the same data, the same bytes")
        self.assertIn("empty", execute.emptiness(png(lambda figure, axis: figure.delaxes(axis))))


class Committed(unittest.TestCase):
    def notebook(self, *outputs: dict) -> nbformat.NotebookNode:
        cell = {"cell_type": "code", "id": "01", "metadata": {}, "source": "", "execution_count": 1, "outputs": list(outputs)}
        return nbformat.from_dict({"cells": [cell], "metadata": execute.METADATA, "nbformat": 4, "nbformat_minor": 5})

    def test_what_one_machine_or_moment_knows_does_not_belong_into_a_notebook(self):
        picture = {"output_type": "display_data", "data": {"image/png": ""}, "metadata": {}}
        said = lambda text: {"output_type": "display_data", "data": {"text/markdown": text}, "metadata": {}}
        self.assertEqual(execute.faults_of_committed(self.notebook(picture, said("all is well")), 1000), [])
        for text in ["in /home/me/runs", "begun 2026-11-22T09:35", f"{execute.SHORT} `overfit_mnist`"]:
            self.assertEqual(len(execute.faults_of_committed(self.notebook(picture, said(text)), 1000)), 1, text)
        self.assertEqual(len(execute.faults_of_committed(self.notebook(picture), 400_000)), 1)
        self.assertEqual(len(execute.faults_of_committed(self.notebook(), 1000)), 1)

    def test_a_missing_picture_and_a_warning_are_faults(self):
        picture = {"output_type": "display_data", "data": {"image/png": ""}, "metadata": {}}
        (fault,) = execute.differences(self.notebook(picture), self.notebook())
        self.assertIn("yields 0 pictures, and 1 are committed", fault)
        warned = self.notebook({"output_type": "stream", "name": "stderr", "text": "a warning"})
        self.assertIn("a warning", execute.faults_of_executed(warned)[0])


class Rows(unittest.TestCase):
    def test_data_sets_are_whole(self):
        images, digits = datasets.digits()
        self.assertEqual((images.shape, digits.min(), digits.max()), ((1797, 8, 8), 0, 9))
        self.assertEqual([part.shape for part in datasets.diabetes()], [(442, 10), (442,)])
        self.assertEqual(datasets.penguins().height, 344)

    def test_a_split_is_scikit_learns(self):
        # sklearn.model_selection.train_test_split(range(10), test_size=0.25, random_state=0), scikit-learn 1.9.1
        training, testing = datasets.shuffled_split(10, 0.25, 0)
        self.assertEqual((sorted(testing.tolist()), len(training)), ([2, 4, 8], 7))
        self.assertEqual(np.intersect1d(training, testing).size, 0)

    def test_without_mnist_it_says_how_to_get_it(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"RUNNER_DATA_DIR": folder}):
            with self.assertRaisesRegex(RunnerError, "`runner data fetch mnist`"):
                datasets.mnist_test()


if __name__ == "__main__":
    unittest.main()
