"""Run the lessons' experiments and write docs/RESULTS.md.

    lessons.py --runner PATH [NAME ...] [--quick] [--seeds 100,101,…]

For the page, each seed is a run of its own, as a reader would repeat it. For the pass rates (`--seeds`), many seeds are one run
if this gives the same results. `runner report --format md` writes the section of an experiment. The runs of the page are kept in
`target/lessons`, so that one experiment can be run again without the others. Exit code 1 means that an expectation is not met.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# `cargo xtask` sets the variable.
ROOT = Path(os.environ.get("CARGO_MANIFEST_DIR") or Path(__file__).resolve().parents[1]).resolve().parent
PAGE = ROOT / "docs/RESULTS.md"
RUNS = ROOT / "target/lessons"
SWEEP = "lesson.json"  # the record of a sweep in its directory
BEGIN = "<!-- Pass rates: `cargo xtask lessons --seeds 100..119` writes this section. -->"
END = "<!-- End of the pass rates. -->"
PASS_RATES = """## Pass rates

For how many seeds that the experiments were not designed with is every expectation met? An experiment with several seeds makes
claims over several: it is run in groups of as many seeds, and a claim that a group misses counts for each of its seeds.

| experiment | seeds | pass | missed |
|---|---|---|---|
"""


class Failure(Exception):
    """An error for the user."""


def note(line):
    print("xtask: " + line, file=sys.stderr, flush=True)


class Lesson:
    """An experiment of a lesson."""

    def __init__(self, entry):
        self.name, self.heading, self.is_quick = entry["name"], entry["lesson"], entry["quick"]
        self.sweep = entry.get("sweep")
        self.seeds = (self.sweep or {}).get("seeds") or entry.get("seeds") or [0]
        file = ROOT / f"experiments/{self.name}.toml"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        # Whether a claim is about a statistic over trials: with one seed, over its folds.
        self.has_statistics = bool(re.search(r"^over\s*=", text, re.MULTILINE))

    def page_runs(self):
        """The seeds of each run: its own seed and 1; or its own seeds, then as many others."""
        if len(self.seeds) == 1:
            return [self.seeds, [1]]
        after = max(self.seeds) + 1
        return [self.seeds, list(range(after, after + len(self.seeds)))]

    def pass_rate_runs(self, seeds):
        """The seeds of each run: all at once if the claims are about single trials."""
        size = len(self.seeds) if self.has_statistics or len(self.seeds) > 1 else len(seeds)
        return [seeds[start : start + size] for start in range(0, len(seeds), size)]


class Runner:
    """The program."""

    def __init__(self, program):
        self.program = program

    def ask(self, *arguments):
        """The stdout of runner."""
        command = [str(self.program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, encoding="utf-8", check=False)
        if done.returncode != 0:
            shown_command = "runner " + " ".join(command[1:])
            raise Failure(f"`{shown_command}` failed (exit code {done.returncode}): {done.stderr.strip()}")
        return done.stdout

    def lessons(self):
        lessons = [Lesson(entry) for entry in json.loads(self.ask("list", "--json")) if entry["lesson"]]
        if not lessons:
            raise Failure('no experiment belongs to a lesson\nhint: add `lesson = "A. Perceptrons"` to its file')
        return lessons

    def run(self, lesson, seeds, out):
        """Runs an experiment and returns its histories, or of a sweep its record."""
        if lesson.sweep:
            return self.run_sweep(lesson, seeds, out)
        option = "--seed" if len(seeds) == 1 else "--seeds"
        arguments = ["exp", lesson.name, option, ",".join(map(str, seeds))]
        self.ask(*arguments, "--quiet", "--out", out)
        return read_histories(out / lesson.name / "latest")


    def run_sweep(self, lesson, seeds, out):
        """Trains a sweep and returns its record. With other seeds than its own, other configurations are chosen, too."""
        search = 0 if seeds == lesson.seeds else seeds[0]
        options = ["--seeds", ",".join(map(str, seeds)), "--search-seed", search]
        done = json.loads(self.ask("sweep", lesson.name, *options, "--json", "--quiet", "--out", out))
        config = json.loads(self.ask("show", lesson.name, "--json"))["config"]
        expectations = [{"index": index, **expectation} for index, expectation in enumerate(done["expectations"])]
        record = {"seed": seeds[0], "search_seed": search, "config": config, "expectations": expectations}
        record |= {"metric": done["metric"], "best": done["results"][0], "configurations": len(done["results"])}
        folder = out / lesson.name / "latest"
        (folder / SWEEP).write_text(json.dumps(record), encoding="utf-8")
        return [{**record, "seed": seed} for seed in seeds]


def page_run(lesson, seeds):
    """The run directory of a run of the page."""
    return RUNS / f"{lesson.name}-{label(seeds)}".replace(" ", "_") / lesson.name / "latest"


def read_histories(folder):
    if (folder / SWEEP).is_file():
        return [json.loads((folder / SWEEP).read_text(encoding="utf-8"))]
    files = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    histories = [file for file in files if str(file.get("schema", "")).startswith("runner.history/")]
    if not histories:
        raise Failure(f"no history in `{folder}`")
    return histories


def label(seeds):
    """`seed 0`, `seeds 0 to 4`."""
    return ("seed " if len(seeds) == 1 else "seeds ") + shown(seeds)


def shown(seeds):
    """`7`, `0 to 4`, `1, 5 and 7`."""
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    *first, last = map(str, seeds)
    return f"{', '.join(first)} and {last}" if first else last


def expectations(histories):
    """Seed, name with variant and statistic, and the expectation, for each expectation of each history."""
    for history in histories:
        variant = history.get("variant")
        variant = f"{variant}/" if variant and variant != "base" else ""
        for expectation in history["expectations"]:
            over = expectation.get("over")
            over = "" if over in (None, "share") else f"{over} of "
            yield history["seed"], f"{over}`{variant}{expectation['metric']}`", expectation


def in_markdown(expected):
    """An expectation with the name of another metric, after `>`, as code."""
    bound, _, name = expected.rpartition(" ")
    return f"{bound} `{name}`" if ">" in expected else expected


def missed(histories):
    """The expectations that are not met, each with its seeds."""
    found = {}
    for seed, name, expectation in expectations(histories):
        if not expectation["met"]:
            seeds = found.setdefault(f"{name} {in_markdown(expectation['expected'])}", [])
            seeds += [] if seed in seeds else [seed]
    return found


def tally(histories):
    """The number of expectations that are met, and of all. An expectation counts once for all trials of a variant."""
    all_, bad = set(), set()
    for _, name, expectation in expectations(histories):
        key = (expectation["index"], name)
        all_.add(key)
        bad |= set() if expectation["met"] else {key}
    return len(all_) - len(bad), len(all_)


def pass_rate(lesson, seeds, histories):
    """The number of seeds that meet all expectations, what is missed, and the row of the table."""
    misses = missed(histories)
    without = [seed for seed in seeds if seed not in {seed for seed, _, _ in expectations(histories)}]
    misses |= {"no expectation for the seed": without} if without else {}
    failing = {seed for of_claim in misses.values() for seed in of_claim}
    passing = sum(seed not in failing for seed in seeds)
    groups = f", in groups of {len(lesson.seeds)}" if len(lesson.seeds) > 1 else ""
    texts = [f"{claim}: {shown(of_claim)}" for claim, of_claim in misses.items()]
    cells = [f"[`{lesson.name}`](#{lesson.name})", f"{shown(seeds)}{groups}"]
    cells += [f"{'✗' if failing else '✓'} {passing} of {len(seeds)}", "; ".join(texts)]
    return passing, texts, "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def pass_rate_rows(page):
    """The rows of the section on pass rates, by name."""
    section = page.partition(BEGIN)[2].partition(END)[0]
    return {found.group(1): found.group(0) for found in re.finditer(r"^\| \[`(.+?)`\].*$", section, re.MULTILINE)}


def with_pass_rates(page, rows, names):
    """The page with the section on pass rates before its first chapter. The rows have the order of the names."""
    page = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END) + "\n*", "", page, flags=re.DOTALL)
    rows = [rows[name] for name in names if name in rows]
    if not rows:
        return page
    place = page.find("\n## ") + 1 or len(page)
    return page[:place] + f"{BEGIN}\n\n{PASS_RATES}" + "\n".join(rows) + f"\n\n{END}\n\n" + page[place:]


def write_pass_rates(runner, lessons, wanted, seeds):
    """Runs experiments with many seeds and writes their pass rates into the page; returns what is missed."""
    for lesson in wanted:
        size = len(lesson.seeds)
        if len(seeds) % size:
            last = 99 + size * (len(seeds) // size + 1)
            raise Failure(
                f"`{lesson.name}` makes claims over groups of {size} seeds; the number of seeds must be a multiple of {size}, found "
                f"{len(seeds)}\nhint: use `--seeds 100..{last}`"
            )
    if not PAGE.is_file():
        raise Failure(f"`{PAGE}` does not exist\nhint: write it with `cargo xtask lessons`")
    all_missed = []
    for number, lesson in enumerate(wanted, 1):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="runner-lessons-") as out:
            groups = lesson.pass_rate_runs(seeds)
            histories = [history for group in groups for history in runner.run(lesson, group, Path(out))]
        passing, misses, row = pass_rate(lesson, seeds, histories)
        seconds = time.monotonic() - began
        note(f"[{number} of {len(wanted)}] {lesson.name}: {passing} of {len(seeds)} seeds pass, {seconds:.1f} s")
        all_missed += [f"{lesson.name}: {miss}" for miss in misses]
        page = PAGE.read_text(encoding="utf-8")
        rows = {**pass_rate_rows(page), lesson.name: row}
        PAGE.write_text(with_pass_rates(page, rows, [lesson.name for lesson in lessons]), encoding="utf-8")
    note(f"wrote the pass rates into `{PAGE.relative_to(ROOT)}`")
    return all_missed


def write_page(runner, lessons, wanted):
    """Runs the wanted experiments and those without a kept run, and writes the page; returns what is missed."""
    every = [(lesson, seeds) for lesson in lessons for seeds in lesson.page_runs()]
    runs = [(lesson, seeds) for lesson, seeds in every if lesson in wanted or not page_run(lesson, seeds).is_dir()]
    for number, (lesson, seeds) in enumerate(runs, 1):
        began = time.monotonic()
        out = page_run(lesson, seeds).parents[1]
        shutil.rmtree(out, ignore_errors=True)
        met, all_ = tally(runner.run(lesson, seeds, out))
        seconds = time.monotonic() - began
        note(f"[{number} of {len(runs)}] {lesson.name}, {label(seeds)}: {met} of {all_} as expected, {seconds:.1f} s")
    results = {lesson.name: [read_histories(page_run(lesson, seeds)) for seeds in lesson.page_runs()] for lesson in lessons}
    all_missed = [
        f"{lesson.name}, {label(seeds)}: {miss}"
        for lesson in lessons
        for seeds, histories in zip(lesson.page_runs(), results[lesson.name])
        for miss in missed(histories)
    ]
    page = introduction(lessons, results, all_missed)
    heading = None
    for lesson in lessons:
        page += f"\n## {lesson.heading}\n" if lesson.heading != heading else ""
        heading = lesson.heading
        if lesson.sweep:
            page += f"\n{sweep_section(lesson, [record for [record] in results[lesson.name]])}\n"
            continue
        report = runner.ask("report", *(page_run(lesson, seeds).resolve() for seeds in lesson.page_runs()), "--format", "md", "-o", "-")
        page += f"\n{section(report)}\n"
    rows = pass_rate_rows(PAGE.read_text(encoding="utf-8")) if PAGE.is_file() else {}
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(with_pass_rates(page, rows, [lesson.name for lesson in lessons]), encoding="utf-8")
    note(f"wrote `{PAGE.relative_to(ROOT)}` after {len(runs)} runs")
    return all_missed


def section(report):
    """A report as a section of the page: one level lower, without the settings, which are in the experiment's file."""
    report = re.sub(r"^<!-- .*? -->\n", "", report)
    report = re.sub(r"^### (Settings|Run it again)\b[^\n]*\n.*?(?=^###? |\Z)", "", report, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^##", "###", report, flags=re.MULTILINE).strip()


def sweep_section(lesson, records):
    """The section of a sweep: the best configuration and the expectations of each search."""
    config = records[0]["config"]
    heads = [f"search seed {record['search_seed']}, {label(seeds)}" for record, seeds in zip(records, lesson.page_runs())]
    lines = [f"### {lesson.name}", "", f"**{config['title']}.** {config['question']}", ""]
    lines += [f"{records[0]['configurations']} configurations, ranked by the mean of `{records[0]['metric']}`. The second search has other", "seeds and, except on a grid, other configurations; the expectations were not designed with it.", ""]
    lines += ["| search | best configuration | mean |", "|---|---|---|"]
    for head, record in zip(heads, records):
        best = record["best"]
        settings = ", ".join(f"`{key} = {value}`" for key, value in best["settings"].items())
        lines.append(f"| {head} | {settings} | {best['metric']['mean']:.4f} |")
    lines += ["", f"| claim | metric | expected | {' | '.join(heads)} |", "|---|---|---|" + "---|" * len(heads)]
    above = None
    for rows in zip(*(record["expectations"] for record in records)):
        claim, above = rows[0]["claim"] if rows[0]["claim"] != above else "", rows[0]["claim"]
        found = [f"{'✓' if row['met'] else '✗'} {number(row['found'])}" for row in rows]
        lines.append(f"| {claim or ''} | `{rows[0]['metric']}` | {rows[0]['expected']} | {' | '.join(found)} |")
    return "\n".join(lines)


def number(value):
    """A value with four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else "not available" if value is None else f"{value}"


def introduction(lessons, results, all_missed):
    """The start of the page: how it was made, how many expectations are met, and a table of the experiments."""
    machines = {}
    for lesson in lessons:
        for histories in [] if lesson.sweep else results[lesson.name]:
            environment = histories[0]["environment"]
            threads = "1 thread" if environment["threads"] == 1 else f"{environment['threads']} threads"
            texts = (f"{environment['device']} with {threads}", f"libtorch {environment['libtorch']}", environment["os"])
            names = machines.setdefault(f"{', '.join(texts)}, runner {environment['runner']}", [])
            names += [] if lesson.name in names else [lesson.name]
    machines = [*machines] if len(machines) == 1 else [f"{machine} ({', '.join(names)})" for machine, names in machines.items()]
    tallies = {lesson.name: [tally(histories) for histories in results[lesson.name]] for lesson in lessons}
    labels = next((list(map(label, lesson.page_runs())) for lesson in lessons if lesson.seeds == [0]), ["first run", "second run"])
    sums = [[sum(counts[place][which] for counts in tallies.values()) for which in (0, 1)] for place in (0, 1)]
    totals = " and ".join(f"{met} of {all_} with {name}" for (met, all_), name in zip(sums, labels))
    totals = f"Met: {totals}. Missed:\n\n" + "\n".join(f"- {miss}" for miss in all_missed) if all_missed else f"Every expectation is met: {totals}."
    rows, heading = [], None
    for lesson in lessons:
        rows += [f"| **{lesson.heading}** | | | |"] if lesson.heading != heading else []
        heading = lesson.heading
        cells = []
        for name, seeds, (met, all_) in zip(labels, lesson.page_runs(), tallies[lesson.name]):
            own = "" if label(seeds) == name else f" ({label(seeds)})"
            cells.append(f"{'✓' if met == all_ else '✗'} {met} of {all_}{own}")
        question = results[lesson.name][0][0]["config"]["question"].replace("|", "\\|")
        rows.append(f"| [`{lesson.name}`](#{lesson.name}) | {question} | {' | '.join(cells)} |")
    table = "\n".join([f"| experiment | question | {' | '.join(labels)} |", "|---|---|---|---|", *rows])
    return f"""<!-- Generated by `cargo xtask lessons`. Do not edit it: change the experiments, and write it again. -->

# Results of the lessons

`cargo xtask lessons` runs every experiment of the lessons with the seeds 0 and 1, each seed by itself, and writes this page. An
experiment with another seed is run with that one instead of the first; one with several seeds is run with these, then with as
many others. Machine: {'; '.join(machines)}.

*Reference* values are those of the walkthroughs, from runs without a seed unless they are called exact. `first`, `last` and
`epoch.11` are epochs, `best` is the epoch of the lowest validation loss, `min` and `max` are over all epochs;
`diagnosis.val_loss_rise` (`rise`) is the validation loss of the last epoch minus its lowest; `learned.0.bias.0` is a parameter of
the trained network, and `learned.prediction.3.0` its prediction for the fourth training row.

{totals}

{table}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", type=Path, required=True, help="the program")
    parser.add_argument("--quick", action="store_true", help="only quick experiments")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], help="seeds for pass rates")
    parser.add_argument("names", nargs="*", help="experiments (default: all of the lessons)")
    arguments = parser.parse_args()
    runner = Runner(arguments.runner.resolve())
    lessons = runner.lessons()
    known = {lesson.name for lesson in lessons}
    if unknown := [name for name in arguments.names if name not in known]:
        raise Failure(f"no lesson has an experiment `{unknown[0]}`\nhint: `cargo xtask run list` lists them")
    is_wanted = lambda lesson: lesson.name in (arguments.names or known) and (lesson.is_quick or not arguments.quick)
    wanted = [lesson for lesson in lessons if is_wanted(lesson)]
    if arguments.seeds:
        all_missed = write_pass_rates(runner, lessons, wanted, arguments.seeds)
    else:
        all_missed = write_page(runner, lessons, wanted)
    if all_missed:
        print(f"error: not met: {'; '.join(all_missed)}\nhint: `{PAGE.relative_to(ROOT)}` marks them with ✗", file=sys.stderr)
    return 1 if all_missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        sys.exit(2)
