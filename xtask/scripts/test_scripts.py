"""Tests of the scripts. Those of the set-up are in xtask/tests."""

import unittest

import lessons
import libtorch
import pip_tools
from pip_tools import Failure


class Pip(unittest.TestCase):
    def test_errors_are_explained_with_one_hint(self):
        offline = (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...: [Errno -3] Temporary failure in name resolution)'\n"
            "ERROR: Could not find a version that satisfies the requirement torch==2.11.0 (from versions: none)\n"
            "ERROR: No matching distribution found for torch==2.11.0\n"
        )
        for errors, expected in [
            (offline, "cannot be reached: Temporary failure in name resolution"),
            (offline.partition("\n")[2], "does not have it"),
            ("ERROR: OSError: [Errno 28] No space left on device", "free about 2 GB"),
            ("WARNING: connection broken by 'ProxyError('Cannot connect to proxy.', OSError())'", "Cannot connect to proxy"),
            ("ERROR: HTTP error 403\nERROR: 403 Client Error: Forbidden for url: x", "refuses: 403 Client Error: Forbidden"),
            ("WARNING: SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", "PIP_CERT"),
            ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "damaged"),
            ("", "pip gives no reason"),
        ]:
            text = pip_tools.explain(errors, "/x", "2 GB")
            self.assertIn(expected, text)
            self.assertEqual(text.count("\nhint: "), 1, text)
        self.assertEqual(len(pip_tools.last_error("Traceback\nERROR: " + "x" * 1000)), 241)

    def test_packages_depend_on_the_system(self):
        cpu, tags = libtorch.select("Linux", "x86_64", "cpu")
        cuda, _ = libtorch.select("Linux", "x86_64", "cuda")
        self.assertEqual((len(cpu), len(cuda)), (3, 16))
        self.assertTrue({"manylinux_2_28_x86_64", "manylinux2014_x86_64"} <= set(tags))
        self.assertEqual(libtorch.select("Darwin", "arm64", "cpu"), ({"torch": "2.11.0"}, ["macosx_11_0_arm64"]))
        for system, machine, variant in [("Darwin", "arm64", "cuda"), ("Linux with musl", "x86_64", "cpu"), ("Windows", "AMD64", "cpu")]:
            with self.assertRaises(Failure):
                libtorch.select(system, machine, variant)


def lesson(name, seeds):
    return lessons.Lesson({"name": name, "lesson": "A", "quick": True, "seeds": seeds})


def history(seed, found, variant="base", over=None, expected="≤ 0.5"):
    met = {"index": 0, "metric": "last.loss", "expected": expected, "found": found, "met": found <= 0.5, "over": over}
    return {"seed": seed, "variant": variant, "expectations": [met]}


class Lessons(unittest.TestCase):
    def test_claims_over_seeds_are_run_in_groups(self):
        one, several = lesson("one", [42]), lesson("several", [0, 1, 2])
        self.assertEqual((one.page_runs(), several.page_runs()), ([[42], [1]], [[0, 1, 2], [3, 4, 5]]))
        seeds = [7, 8, 9, 10, 11, 12]
        self.assertEqual((one.pass_rate_runs(seeds), several.pass_rate_runs(seeds)), ([seeds], [[7, 8, 9], [10, 11, 12]]))
        self.assertEqual([lessons.label(seeds) for seeds in ([7], [4, 5], [0, 1, 2], [1, 5, 7])], ["seed 7", "seeds 4 and 5", "seeds 0 to 2", "seeds 1, 5 and 7"])

    def test_a_seed_passes_if_it_meets_all_expectations_with_every_variant(self):
        histories = [history(seed, 0.75 if (seed, variant) == (8, "b") else 0.25, variant) for seed in (7, 8, 9) for variant in "ab"]
        passing, _, row = lessons.pass_rate(lesson("xor", [0]), [7, 8, 9], histories)
        self.assertEqual((passing, row), (2, "| [`xor`](#xor) | 7 to 9 | ✗ 2 of 3 | `b/last.loss` ≤ 0.5: 8 |"))
        self.assertEqual(lessons.tally(histories), (1, 2))
        group = [history(seed, 0.75, over="mean") for seed in (3, 4)]
        _, misses, row = lessons.pass_rate(lesson("xor", [0, 1]), [3, 4], group)
        self.assertIn("| 3 and 4, in groups of 2 | ✗ 0 of 2 | mean of `last.loss` ≤ 0.5: 3 and 4 |", row)
        self.assertEqual(lessons.pass_rate(lesson("xor", [0]), [5], [])[1], ["no expectation for the seed: 5"])
        self.assertEqual(lessons.in_markdown("> 2 × a_b/last.loss"), "> 2 × `a_b/last.loss`")

    def test_the_rows_of_other_experiments_are_kept(self):
        page = "# Results\n\nText.\n\n## A\n\n### xor\n"
        rows = {name: f"| [`{name}`](#{name}) | 7 | ✓ 1 of 1 | |" for name in ("or", "xor", "gone")}
        written = lessons.with_pass_rates(page, rows, ["xor", "or"])
        self.assertLess(written.index("## Pass rates"), written.index("## A"))
        self.assertEqual(list(lessons.pass_rate_rows(written)), ["xor", "or"])
        self.assertEqual(lessons.with_pass_rates(written, lessons.pass_rate_rows(written), ["xor", "or"]), written)
        self.assertEqual(lessons.with_pass_rates(written, {}, []), page)

    def test_a_report_becomes_a_section_without_settings(self):
        report = "<!-- generator -->\n## xor\n\nText\n\n### Settings, seed 0\n\n#### a\ns\n\n### Classes\nc\n\n### Run it again\n\nx\n"
        self.assertEqual(lessons.section(report), "### xor\n\nText\n\n#### Classes\nc")


if __name__ == "__main__":
    unittest.main()
