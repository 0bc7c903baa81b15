"""Tests of the harness."""

import copy
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import measure
from measure import Failure, Program, Run, Spread, ratio, run_in_turn, spread, steady
from page import Section, Target, overview, page, table
from parts import ROOT, epoch_per_seed, read_histories
from same_work import Check, Curves, same, same_as_one, same_output, similar


def shell(line: str) -> Run:
    return measure.run(["sh", "-c", line], dict(os.environ), ROOT)


class Measure(unittest.TestCase):
    def test_a_run_has_output_time_and_the_memory_of_children(self):
        run = shell("echo out; sleep 0.1")
        self.assertEqual(run.stdout, "out\n")
        self.assertTrue(run.wall >= 0.1 > run.cpu)
        large = shell("head -c 80000000 /dev/zero | tail -c 80000000 | wc -c")
        self.assertGreater(large.peak_mb, run.peak_mb + 50)

    def test_a_failure_has_the_last_error(self):
        with self.assertRaisesRegex(Failure, r"\(exit code 3\): because"):
            shell("echo first >&2; echo 'error: because' >&2; echo 'try --help' >&2; exit 3")

    def test_programs_run_in_turn_and_one_that_fails_is_not_run_again(self):
        order = []

        def act(name):
            order.append(name)
            if name == "B" and len(order) > 2:
                raise Failure("gave up\nhint: x")
            return Run(2.0 if name == "A" else 5.0, 0, 0)

        a, b, c = Program("A", lambda: act("A")), Program("B", lambda: act("B")), Program("C", None, "no Keras")
        run_in_turn("test", [a, b, c], 3)
        self.assertEqual("".join(order), "ABABA")
        self.assertEqual((b.missing, b.wall, c.wall), ("gave up", None, None))
        self.assertEqual(ratio(a.wall, Spread(5, 5, 5)), 2.5)
        with self.assertRaises(Failure):
            run_in_turn("test", [b], 1)

    def test_spread_and_steady_epoch(self):
        self.assertEqual(spread([3.0, 1.0, 2.0]), Spread(2.0, 1.0, 3.0))
        self.assertEqual(spread([0.26, 0.238, 0.241]).shown(3), "0.241 (0.238–0.260)")
        self.assertEqual((spread([0.26]).shown(2), spread([])), ("0.26", None))
        self.assertEqual((steady([9.0, 8.0, 1.0, 3.0, 2.0]), steady([9.0, 7.0])), (2.0, 8.0))


class SameWork(unittest.TestCase):
    ours = Curves({"train": 42_000}, [0.6159, 0.2651, 0.2120], [0.83, 0.92, 0.93], [0.31, 0.24, 0.21], [0.91, 0.93, 0.9384])

    def test_rounding_is_allowed_and_other_work_is_not(self):
        other = copy.deepcopy(self.ours)
        other.loss[2] *= 1 + 1e-6
        self.assertTrue(same("x", self.ours, other).is_good)
        other.loss[1] = 0.2616
        self.assertFalse(same("x", self.ours, other).is_good)
        self.assertTrue(similar("x", self.ours, other).is_good)
        for name, value in [("rows", {"train": 1}), ("loss", [0.6159, 0.2651]), ("loss", [0.9, 0.26, 0.21]), ("acc", [0.8, 0.9, math.nan])]:
            other = copy.deepcopy(self.ours)
            setattr(other, name, value)
            self.assertFalse(same("x", self.ours, other).is_good, name)
            self.assertFalse(similar("x", self.ours, other).is_good, name)

    def test_of_two_programs_that_round_differently_one_must_agree(self):
        near, apart, wrong = (copy.deepcopy(self.ours) for _ in range(3))
        near.loss[1] *= 1 + 1e-6
        apart.loss[1] *= 1 + 1e-3
        wrong.loss[1] *= 1 + 1e-2
        for others, good in [((near, near), [True, True]), ((apart, near), [True, True]), ((near, wrong), [True, False]), ((apart, apart), [False, False])]:
            checks = same_as_one(self.ours, dict(zip("ab", others)))
            self.assertEqual([check.is_good for check in checks], good)

    def test_results_are_compared_by_name(self):
        ours = {"sums": [1.0, 1e6], "tree": {"leaves": 100, "acc": 1.0}}
        self.assertTrue(same_output(ours, {"sums": [1.0, 1e6 + 1e-4], "tree": {"leaves": 104, "acc": 1.0}}, 1e-9).is_good)
        self.assertIn("sums", same_output(ours, {"sums": [1.0, 1e6 + 1]}, 1e-9).text)
        self.assertFalse(same_output(ours, {"tree": {"leaves": 90, "acc": 1.0}}, 1e-9).is_good)
        self.assertFalse(same_output(ours, {}, 1e-9).is_good)


class Pages(unittest.TestCase):
    def test_a_table_is_padded(self):
        expected = "|      | seconds |   × |\n|------|--------:|----:|\n| ours |    0.24 |     |\n| a\\|b |       1 |     |\n"
        self.assertEqual(table([["", "seconds", "×"], ["ours", "0.24", ""], ["a|b", "1"]]), expected)

    def test_targets_checks_and_missing_programs_are_shown(self):
        section = Section("Epoch")
        self.assertEqual(section.target("epoch, Keras", 4.0, Target(5, 8)), ["4.00×", "≥ 5 **no**, goal ≥ 8 **no**"])
        section.target("epoch, PyTorch", 2.5, Target(2))
        self.assertEqual(Target(0.6, is_upper=True).shown(0.61), "≤ 0.6 **no**")
        section.checks.append(Check("losses of Keras", False))
        section.note_missing([Program("DataLoader", None, "no torch.")])
        self.assertIn("1 of 2 values meet their target; **different work**: losses of Keras. 1 missing", overview([section]))
        text = page("cargo xtask bench", 5, [("processor", "Xeon")], [section], ["## On a GPU\n"])
        for words in ["median of 5 rounds", "- processor: Xeon\n", "Missing: DataLoader: no torch.", "\n## On a GPU\n"]:
            self.assertIn(words, text)
        self.assertNotIn("\n\n\n", text)


class Parts(unittest.TestCase):
    def test_an_epoch_of_a_stack_is_divided_by_its_seeds(self):
        trial = lambda replicas, seconds: {"environment": {"replicas": replicas}, "history": {"seconds": [9.0, 9.0, seconds]}}
        self.assertAlmostEqual(epoch_per_seed([trial(2, 0.4), trial(2, 0.4), trial(1, 0.25)]), 0.65 / 3)

    def test_only_histories_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(Failure):
                read_histories(Path(folder))
            for name, seed in (("b-seed1", 1), ("b-seed0", 0)):
                Path(folder, f"{name}.json").write_text(json.dumps({"schema": "runner.history/1", "seed": seed}))
            Path(folder, "tree.json").write_text("{}")
            self.assertEqual([history["seed"] for history in read_histories(Path(folder))], [0, 1])


class Gpu(unittest.TestCase):
    """The report of `gpu.sh`, from the files that it leaves."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.steps = Path(folder.name), []
        (self.folder / "steps").mkdir()

    def step(self, name, status="done", out="", err=""):
        self.steps.append(f"{name}\t{status}\t2.000\t\n")
        for stream, text in (("out", out), ("err", err)):
            (self.folder / "steps" / f"{name}.{stream}").write_text(text)

    def run_of(self, name, seconds=0.1, seeds=1, loss=0.5):
        self.step(name)
        runs = self.folder / "runs" / name / "overfit_mnist" / "latest"
        runs.mkdir(parents=True)
        history = {"seconds": [1.0, 1.0, seconds], "loss": [0.9, 0.7, loss], "val_loss": [0.8, 0.6, 0.5]}
        trial = {"schema": "runner.history/2", "environment": {"replicas": seeds}, "history": history}
        for seed in range(seeds):
            (runs / f"base-seed{seed}.json").write_text(json.dumps(trial))

    def peer(self, name, seconds):
        epochs = [{"seconds": s, "loss": a, "val_loss": b} for s, a, b in ((1, 0.9, 0.8), (1, 0.7, 0.6), (seconds, 0.5, 0.5))]
        self.step(name, out="".join(json.dumps(line) + "\n" for line in [*epochs, {"rows": {}}]))

    def report(self):
        (self.folder / "steps.tsv").write_text("".join(self.steps))
        command = [sys.executable, ROOT / "benches/gpu_report.py", self.folder, "--device", "cpu", "--epochs", "3"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_targets_are_marked(self):
        self.step("machine", out=json.dumps({"torch": "2.11.0", "no_compile": "no compiler"}))
        self.run_of("runner-plain-1")
        self.peer("eager-plain-1", 0.4)
        self.peer("compiled-plain-1", 0.12)
        for seeds, seconds in ((1, 0.1), (2, 0.2), (4, 0.4)):
            self.run_of(f"seeds-{seeds}", seconds, seeds)
        self.step("fault-hidden", err="error: failed to use `--device cuda`\n  because of no GPU\nhint: use the CPU\n")
        code, text = self.report()
        for cells in [r"4.00× \| +≥ 3 yes", r"1.20× \| +≥ 1.5 \*\*no\*\*", r"2.00× \| +≤ 3 yes", r"4.00× \| +≤ 3 \*\*no\*\*"]:
            self.assertRegex(text, cells)
        self.assertIn("left out: no compiler", text)
        self.assertIn("- good: no visible GPU: exit code 2 and a hint; error: failed to use `--device cuda` because of no GPU\n", text)
        self.assertEqual(code, 0, text)

    def test_different_losses_wrong_messages_and_failed_steps_are_named(self):
        for name, loss in (("agree-cpu", 0.5), ("agree-device", 0.51), ("whole", 0.5), ("resumed", 0.5000001)):
            self.run_of(name, loss=loss)
        self.step("fault-memory", err="error: no\n")
        self.step("killed", "ended with exit code 1, not 0", err="error: because\n")
        code, text = self.report()
        for words in ["differ by at most 2.0e-02", "not resumed from a checkpoint: differ in loss", "too large a network: .* error: no"]:
            self.assertRegex(text, rf"- \*\*wrong\*\*: .*{words}")
        self.assertIn("- **killed: ended with exit code 1, not 0**: error: because\n", text)
        self.assertEqual(code, 1)


if __name__ == "__main__":
    unittest.main()
