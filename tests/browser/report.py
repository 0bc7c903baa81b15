"""The HTML report in a real browser: `python tests/browser/report.py --runner target/release/runner`.

It makes its own quick runs in a folder that it throws away, writes reports of them, opens each from disk in Debian's
Chromium, and holds what the page shows against the histories. A line is printed for each check; the exit code is 1 when
one fails. A group of checks in which one fails is tried a second time: only what fails twice counts, since a busy machine
can delay the browser. `--keep DIR` keeps the reports and pictures of them.
"""

import argparse
import csv
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>"
LARGEST = 1_500_000

TWO_CLASSES = f"""
title     = "Two classes {HOSTILE}"
question  = "Does {HOSTILE} break the page?"
threshold = "f1"
seeds     = [0, 1]

[data.breast_cancer]
scale = "standard"
split = {{ test = 0.2, validation = 0.25, random_state = 42, stratify = true }}

[network]
layers = [{{ linear = 16 }}, "relu", {{ linear = 1 }}, "sigmoid"]

[train]
epochs    = 40
batch     = 32
loss      = "bce"
optimizer = {{ adam = {{ lr = 2e-2 }} }}
observe   = ["gradient_norm", "dead_units"]

[[variants]]
name = "quick"

[[variants]]
name = "slow"
set  = {{ "train.optimizer.adam.lr" = 1e-3 }}

[[theirs]]
value   = "test.acc"
figure  = 0.9
variant = "quick"

[[expect]]
claim    = "It learns {HOSTILE}"
value    = "test.acc"
at_least = 0.9

[[expect]]
value    = "test.acc"
at_least = 1.1
"""

LEAKING_TREE = """
title                 = "A tree that leaks"
resample              = { smote = { random_state = 42 } }
resample_before_split = true

[data.breast_cancer]
split = { test = 0.2, random_state = 42, stratify = true }

[tree]
max_depth = 4
"""

VARIANTS = """
title = "Eleven variants"

[data.digits]
scale = "unit"
split = { test = 0.2, validation = 0.2, random_state = 42, stratify = true }

[network]
layers = [{ linear = 8 }, "relu", { linear = 10 }]

[train]
epochs    = 4
batch     = 256
loss      = "cross_entropy"
optimizer = { sgd = { lr = 0.1 } }
""" + "".join(
    f'\n[[variants]]\nname = "a_variant_with_a_long_name_{number}"\nset = {{ "train.optimizer.sgd.lr" = {0.1 * (number + 1):.1f} }}\n'
    for number in range(11)
)


SWEEP = f"""
title    = "A sweep {HOSTILE}"
question = "Does {HOSTILE} break it?"

[data.digits]
scale = "unit"
split = {{ test = 0.2, validation = 0.2, random_state = 42, stratify = true }}

[network]
layers = [{{ linear = 8 }}, "relu", {{ linear = 10 }}]

[train]
epochs    = 3
batch     = 256
loss      = "cross_entropy"
optimizer = "adam"

[sweep]
trials = 24
seeds  = [0, 1]

[sweep.space]
"train.optimizer" = ["adam", "sgd"]
"train.batch"     = [64, 128, 256]

[[sweep.when]]
if    = {{ "train.optimizer" = "adam" }}
space = {{ "train.optimizer.adam.lr" = {{ log = [1e-4, 1.0] }} }}

[[sweep.when]]
if    = {{ "train.optimizer" = "sgd" }}
space = {{ "train.optimizer.sgd.lr" = {{ log = [1e-3, 1e9] }} }}
"""


def is_history(file):
    """Whether a file of a run is a trial's history, and neither its tree nor the record of the run."""
    return not file.name.endswith(".tree.json") and file.name not in ("run.json", "preprocessing.json")


class Checks:
    """What was checked, and what failed."""

    def __init__(self):
        self.count, self.failed = 0, []

    def __call__(self, what, holds, found=None):
        self.count += 1
        told = "" if holds or found is None else f": {found}"
        print(f"{'ok  ' if holds else 'FAIL'} {what}{told}", flush=True)
        if not holds:
            self.failed.append(f"{what}{told}")

    def add(self, others):
        """Counts the checks of a group."""
        self.count += others.count
        self.failed += others.failed


def tried(group, check, *given):
    """Runs a group of checks, and once more if one fails."""
    for attempt in (1, 2):
        checks = Checks()
        try:
            group(*given, checks)
        except PlaywrightError as error:  # what is not there cannot be pressed; the other groups are tried all the same
            checks("everything that is used is there", False, str(error).splitlines()[:4])
        if not checks.failed:
            break
        if attempt == 1:
            print("these checks are tried once more", flush=True)
    check.add(checks)


def brief(value):
    """A figure as the page writes it."""
    if isinstance(value, str):
        return value
    size = abs(value)
    power = lambda digits: re.sub(r"e\+?(-?)0*(\d+)", r"e\1\2", f"{value:.{digits}e}")
    if value != 0 and size < 5e-4:
        return power(1)
    if size >= 1e6:
        return power(3)
    return f"{value:.2f}" if size >= 1e3 else f"{value:.4f}"


def mean(values):
    return sum(values) / len(values)


def same(shown, value):
    """Whether a figure is shown of this value, give or take the last digit: it rode along in seven digits."""
    try:
        return shown == brief(value) or abs(float(shown) - value) <= 1.01 * 10 ** -len(shown.partition(".")[2])
    except ValueError:
        return False


class Runs:
    """Runs and reports of them, in a folder."""

    def __init__(self, runner, folder):
        self.runner, self.folder = runner, folder
        self.env = {**os.environ, "OMP_NUM_THREADS": "1"}

    def call(self, *words, code=0):
        words = [str(word) for word in words]
        done = subprocess.run([self.runner, *words], cwd=self.folder, env=self.env, capture_output=True, text=True)
        if code is not None and done.returncode != code:
            sys.exit(f"`runner {' '.join(words)}` ended with {done.returncode}:\n{done.stderr}")
        return done

    def exp(self, name, text=None, *words):
        if text is not None:
            (self.folder / f"{name}.toml").write_text(text)
        self.call("exp", f"{name}.toml" if text is not None else name, "--quiet", *words)
        return self.histories(name)

    def histories(self, name):
        files = sorted((self.folder / "runs" / name / "latest").glob("*.json"))
        return {file.stem: json.loads(file.read_text()) for file in files if is_history(file)}

    def report(self, name, *runs, code=0):
        self.call("report", *runs, "-o", f"{name}.html", code=code)
        return self.folder / f"{name}.html"

    def damaged(self, name, copy, change):
        """A copy of a run's histories, each changed."""
        folder = self.folder / copy
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree((self.folder / "runs" / name / "latest").resolve(), folder)
        for number, file in enumerate(sorted(filter(is_history, folder.glob("*.json")))):
            changed = change(number, json.loads(file.read_text()))
            file.write_text(changed if isinstance(changed, str) else json.dumps(changed))
        return folder


class Page:
    """A report in the browser, with all that it asked for and complained of."""

    def __init__(self, browser, check, file, width=1280, height=900, scheme="light", **options):
        self.check, self.file, self.width, self.scheme = check, file, width, scheme
        self.name = f"{file.stem}, {width} px, {scheme}"
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        for device, actions in [(self.page.mouse, ["move", "up", "click", "dblclick"]), (self.page.keyboard, ["press"]), (self.page.touchscreen, ["tap"])]:
            for action in actions:
                setattr(device, action, self.settled(getattr(device, action)))
        self.page.goto(file.as_uri())
        self.page.wait_for_timeout(150)

    def frames(self):
        """Waits for two frames, so that what an action has changed is drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def settled(self, act):
        """The action, followed by two frames."""

        def acting(*given, **options):
            act(*given, **options)
            self.frames()

        return acting

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            others = [url for url in self.requests if url != self.file.as_uri()]
            self.check(f"{self.name}: nothing is asked of a network", not others and self.requests, others)
            self.check(f"{self.name}: no error and no complaint", not self.complaints, self.complaints)
            self.check(f"{self.name}: no name became a script", self.page.evaluate("window.broken") is None)
        self.context.close()

    def panel(self, metric):
        return self.page.locator(f'.chart[data-metric="{metric}"]')

    def hover(self, metric, epoch, epochs, height=0.5):
        """Points at an epoch, and returns what is read there by line."""
        over = self.panel(metric).locator(".u-over")
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        share = (epoch - 1) / (epochs - 1)
        self.page.mouse.move(box["x"] + 1 + share * (box["width"] - 2), box["y"] + height * box["height"])
        return self.tip(metric)

    def tip(self, metric):
        tip = self.panel(metric).locator(".tip")
        if not tip.is_visible():
            return {}
        lines = {row.locator("span").first.inner_text(): row.locator("span").last.inner_text() for row in tip.locator("div").all()}
        return {"at": tip.locator("b").inner_text(), **lines}

    def points(self, metric):
        """Where the cursor's points stand, from the top of the chart down."""
        return self.page.evaluate(
            """metric => [...document.querySelectorAll(`.chart[data-metric="${metric}"] .u-cursor-pt`)]
                .filter(point => !point.classList.contains("u-off") && getComputedStyle(point).backgroundColor !== "rgba(0, 0, 0, 0)")
                .map(point => { const box = point.getBoundingClientRect(); return box.top + box.height / 2; })""",
            metric,
        )

    def pixels(self, metric, name):
        """How many pixels of a chart have a color of the theme."""
        return self.page.evaluate(
            """([metric, name]) => {
                const wanted = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).match(/[0-9a-f]{2}/gi).map(pair => parseInt(pair, 16));
                const canvas = document.querySelector(`.chart[data-metric="${metric}"] canvas`);
                const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
                copy.drawImage(canvas, 0, 0);
                const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
                let count = 0;
                for (let at = 0; at < data.length; at += 4) {
                    if (data[at + 3] > 250 && wanted.every((channel, place) => Math.abs(channel - data[at + place]) < 4)) count += 1;
                }
                return count;
            }""",
            [metric, name],
        )

    def focused(self):
        return self.page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id || document.activeElement.textContent")

    def announced(self):
        """What the page has announced: it does so 150 ms after an action, and a later timer of the page ends later."""
        self.page.evaluate("() => new Promise(done => setTimeout(done, 200))")
        return self.page.locator("#live").inner_text()

    def fits(self):
        """Nothing is wider than the window, and no text is cut off."""
        page = self.page
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        self.frames()
        wide = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
        self.check(f"{self.name}: the page is no wider than the window", max(wide) <= self.width, wide)
        outside = page.evaluate(
            """() => [...document.body.querySelectorAll("*")].filter(element => {
                const box = element.getBoundingClientRect();
                const scrolls = element.closest(".scroll, nav.sections ul, .keys, pre, .hidden, .skip, caption, .u-wrap");
                return box.width > 0 && !scrolls && (box.right > innerWidth + 0.5 || box.left < -0.5);
            }).map(element => element.outerHTML.slice(0, 90))"""
        )
        self.check(f"{self.name}: nothing is outside the window", not outside, outside[:3])
        cut = page.evaluate(
            """() => [...document.body.querySelectorAll("h1, h2, h3, p, button, dd, dt, summary, select, legend, .chip span, .verdict, figcaption, pre, td, th")]
                .filter(element => element.offsetParent && !element.closest(".hidden, caption") && !element.classList.contains("hidden"))
                .filter(element => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && getComputedStyle(element).display !== "inline")
                .filter(element => !(element.tagName === "BUTTON" && element.querySelector(".name")))
                .map(element => `${element.tagName} ${element.textContent.slice(0, 60)}`)"""
        )
        self.check(f"{self.name}: no text is cut off", not cut, cut[:3])

    def accessible(self):
        """axe finds nothing to object to, in names, roles, headings, tables and contrast."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        told = [f"{fault['id']}: {fault['nodes'][0]['html'][:120]} {fault['nodes'][0].get('failureSummary', '')[-160:]}" for fault in found]
        self.check(f"{self.name}: axe has nothing to object to", not found, told)

    def picture(self, keep):
        if keep:
            name = f"{self.file.stem}-{self.width}-{self.scheme}.png"
            self.page.evaluate("scrollTo(0, 0)")
            self.page.screenshot(path=keep / name, full_page=True)


def smoothed(values, weight):
    level, total, out = 0.0, 0.0, []
    for value in values:
        level, total = weight * level + (1 - weight) * value, weight * total + (1 - weight)
        out.append(level / total)
    return out


def one_run(browser, runs, check):
    """A run of three seeds: reading, toggling, smoothing, the logarithmic scale, zooming."""
    histories = list(runs.histories("digits_mlp").values())
    loss = [mean(values) for values in zip(*(history["history"]["loss"] for history in histories))]
    acc = [mean(values) for values in zip(*(history["history"]["acc"] for history in histories))]
    epochs = len(loss)
    with Page(browser, check, runs.folder / "digits.html") as page:
        for epoch in [1, 37, epochs]:
            read = page.hover("loss", epoch, epochs)
            check(f"hovering epoch {epoch} reads the mean loss", read.get("at") == f"epoch {epoch}" and same(read.get("training", ""), loss[epoch - 1]), (read, loss[epoch - 1]))
        read = page.hover("acc", 50, epochs)
        check("hovering the other panel reads its metric", same(read.get("training", ""), acc[49]), (read, acc[49]))

        heights = {}
        for epoch in [10, 50, 90]:
            page.hover("loss", epoch, epochs)
            heights[epoch] = page.points("loss")[0]
        linear = (heights[10] - heights[50]) / (heights[50] - heights[90])
        expected = (loss[9] - loss[49]) / (loss[49] - loss[89])
        check("heights on the linear scale are the values", abs(linear / expected - 1) < 0.05, (linear, expected))
        page.page.get_by_label("log scale").first.check(force=True)
        for epoch in [10, 50, 90]:
            page.hover("loss", epoch, epochs)
            heights[epoch] = page.points("loss")[0]
        found = (heights[10] - heights[50]) / (heights[50] - heights[90])
        expected = math.log(loss[9] / loss[49]) / math.log(loss[49] / loss[89])
        check("heights on the log scale are their logarithms", abs(found / expected - 1) < 0.05, (found, expected))
        page.page.get_by_label("log scale").first.uncheck(force=True)

        page.page.get_by_label("each one").check(force=True)
        read = page.hover("loss", 20, epochs)
        each = {f"seed {history['seed']}, training": history["history"]["loss"][19] for history in histories}
        check("each seed has a line of its own", all(same(read.get(name, ""), value) for name, value in each.items()), (read, each))
        colored = page.pixels("loss", "s1")
        key = page.page.locator("#keys button", has_text="seed 1")
        key.click()
        read = page.hover("loss", 20, epochs)
        check("a line that is switched off is not read", "seed 1, training" not in read and "seed 0, training" in read, read)
        check("a line that is switched off is not drawn", colored > 50 and page.pixels("loss", "s1") == 0, (colored, page.pixels("loss", "s1")))
        check("its key says that it is off", key.get_attribute("aria-pressed") == "false")
        page.page.locator("#show-none").click()
        check("all lines can be hidden", page.page.locator("#panels .chart").count() == 0)
        page.page.locator("#show-all").click()
        check("and shown again", page.pixels("loss", "s1") > 50)
        page.page.get_by_label("mean ± std").check(force=True)

        slider = page.page.get_by_label("Smoothing")
        slider.focus()
        for _ in range(12):
            page.page.keyboard.press("ArrowRight")
        check("the slider tells its value", page.page.locator("output").inner_text() == "0.6", page.page.locator("output").inner_text())
        read = page.hover("loss", 30, epochs).get("training", "")
        expected = smoothed(loss, 0.6)[29]
        check("a smoothed value is read with the raw one", re.fullmatch(r"\S+ \(raw \S+\)", read) and same(read.split()[0], expected) and same(read.split()[2][:-1], loss[29]), (read, expected, loss[29]))
        slider.fill("0")

        box = page.panel("loss").locator(".u-over").bounding_box()
        at = lambda share: (box["x"] + share * box["width"], box["y"] + 60)
        page.page.mouse.move(*at(0.4))
        page.page.mouse.down()
        page.page.mouse.move(*at(0.5), steps=4)
        page.page.mouse.move(*at(0.6), steps=4)
        page.page.mouse.up()
        box = page.panel("loss").locator(".u-over").bounding_box()  # ticks of other lengths have moved it
        page.page.mouse.move(*at(0.005))
        first = int(page.tip("loss").get("at", "epoch 0").split()[1])
        check("dragging zooms", 38 <= first <= 44, first)
        box = page.panel("acc").locator(".u-over").bounding_box()
        page.page.mouse.move(*at(0.005))
        check("the other panel follows", page.tip("acc").get("at") == f"epoch {first}", page.tip("acc"))
        page.page.mouse.dblclick(*at(0.3))
        check("a double click shows all again", page.page.locator("#zoom-reset").is_disabled())
        page.page.get_by_role("button", name="Zoom in").click()
        check("the button zooms in", page.page.locator("#zoom-reset").is_enabled())
        page.page.locator("#zoom-reset").click()
        read = page.hover("loss", 1, epochs)
        check("the whole can be had again", read.get("at") == "epoch 1" and page.page.locator("#zoom-reset").is_disabled(), read)

        page.page.get_by_role("checkbox", name="acc", exact=True).uncheck(force=True)
        check("a metric can be left out", page.page.locator("#panels .chart").count() == 1)
        page.page.get_by_role("checkbox", name="acc", exact=True).check(force=True)

        command = page.page.locator("#command-0").inner_text()
        check("the command is shown", command == "runner exp digits_mlp --set train.optimizer.adam.lr=0.005 --seeds 0..2", command)
        page.page.get_by_role("button", name="Copy the command").click()
        search = page.page.get_by_label("Find a setting")
        search.focus()
        page.page.keyboard.press("Control+V")
        check("the command can be copied", search.input_value() == command, search.input_value())
        search.fill("adam.lr")
        row = page.page.locator("#all-settings tbody tr:visible")
        check("settings can be found, with who set them", row.count() == 1 and "command line" in row.inner_text() and "0.005" in row.inner_text(), row.all_inner_texts())
        search.fill("train.epochs")
        check("what the file states is the file's", "experiment file" in row.inner_text(), row.all_inner_texts())
        search.fill("amsgrad")
        check("what nobody set is a default", "default" in row.inner_text(), row.all_inner_texts())


def keyboard(browser, runs, check):
    """All of it without a mouse."""
    histories = [history for name, history in runs.histories("two_classes").items() if name.startswith("quick")]
    with Page(browser, check, runs.folder / "two_classes.html") as page:
        press = page.page.keyboard.press
        reached = []
        for _ in range(60):
            press("Tab")
            reached.append(page.focused())
            if reached[-1] and reached[-1].startswith("loss by epoch"):
                break
        wanted = ["Skip to the report", "theme", "loss by epoch"]
        check("Tab reaches the controls and the chart", all(any(name in (at or "") for at in reached) for name in wanted), reached)
        ring = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        check("what has the focus shows it", ring == "solid", ring)
        press("ArrowRight")
        press("ArrowRight")
        told = page.announced()
        value = mean([history["history"]["val_loss"][1] for history in histories])
        check("arrow keys walk along the lines and are announced", told.startswith("epoch 2: ") and f"quick, validation {brief(value)}" in told, (told, brief(value)))
        check("and the chart shows it", page.tip("loss").get("at") == "epoch 2", page.tip("loss"))
        press("End")
        check("End goes to the end", page.announced().startswith("epoch 40:"), page.announced())
        press("+")
        check("plus zooms in", page.page.locator("#zoom-reset").is_enabled())
        press("Home")
        zoomed = page.announced()
        check("Home goes to the beginning of what is shown", re.match(r"epoch (2\d|1\d):", zoomed), zoomed)
        press("0")
        check("0 shows all again", page.page.locator("#zoom-reset").is_disabled())
        key = page.page.locator("#keys button", has_text="slow")
        key.focus()
        press("Space")
        check("Space switches a line off, and the focus stays", page.page.locator("#keys button", has_text="slow").get_attribute("aria-pressed") == "false" and page.focused() == "slow", page.focused())
        press("Space")
        drawn = page.pixels("loss", "s1")
        page.page.get_by_label("validation", exact=True).focus()
        press("Space")
        check("training or validation can be chosen", page.pixels("loss", "s1") < drawn and page.page.locator("#keys button[aria-pressed=true]").count() == 2)
        roc = page.page.locator(".chart[aria-label^='ROC']")
        roc.focus()
        press("ArrowRight")
        press("ArrowRight")
        told = page.announced()
        check("ROC curves can be walked along", "true positive rate" in told and "threshold" in told, told)
        first = told.split(":")[0]
        press("ArrowDown")
        check("and from one to the next", page.announced().split(":")[0] != first, page.announced())
        before = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.page.locator("#theme").focus()
        press("Enter")
        after = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        check("the theme can be switched", before != after and page.page.locator("#theme").inner_text() == "Light colors", (before, after))


def classes(browser, runs, check):
    """Confusion matrices, ROC and threshold curves, observers, and what is said in tables."""
    histories = runs.histories("two_classes")
    quick = [history for name, history in histories.items() if name.startswith("quick")]
    with Page(browser, check, runs.folder / "two_classes.html") as page:
        cells = lambda: page.page.locator("table.confusion:visible td").all_inner_texts()
        whole = [sum(history["test"]["confusion"][at][to] for history in quick) for at in range(2) for to in range(2)]
        check("the confusion matrix counts all trials", [int(cell.split()[0]) for cell in cells()] == whole, (cells(), whole))
        page.page.get_by_label("Counts of").first.select_option("seed 1")
        of_one = [count for row in histories["quick-seed1"]["test"]["confusion"] for count in row]
        check("or those of one", [int(cell.split()[0]) for cell in cells()] == of_one, (cells(), of_one))
        row = of_one[0] + of_one[1]
        check("with the share of the row", cells()[0].split("\n")[-1] == f"{100 * of_one[0] / row:.1f} %", cells()[0])
        over = page.page.locator(".chart[aria-label^='ROC'] .u-over")
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        page.page.mouse.move(box["x"] + 2, box["y"] + box["height"] - 2)
        tip = page.page.locator(".chart[aria-label^='ROC'] .tip").inner_text()
        check("a ROC curve can be read", "false positive rate\n0.0000" in tip and re.search(r"threshold\n\S+$", tip.strip()), tip)
        check("what was observed is drawn", page.page.locator("#observed-charts .chart canvas").count() == 2)
        layer = page.page.locator("#observed-charts .chart").first
        layer.focus()
        page.page.keyboard.press("Home")
        told = page.announced()
        norm = mean([history["history"]["gradient_norm.0"][0] for history in quick])
        check("and is what the histories have", f"layer 0 (linear) {brief(norm)}" in told, (told, brief(norm)))
        text = page.page.locator("main").inner_text()
        check("expectations are told, met or missed", text.count("✓ met") == 1 and text.count("✗ missed") == 1)
        check("theirs stand beside ours", "References" in text and "0.9000" in text)
        best = page.page.locator("#comparison td.best")
        accs = {name: mean([h["test"]["acc"] for n, h in histories.items() if n.startswith(name)]) for name in ["quick", "slow"]}
        check("the comparison has the means", all(brief(value) in page.page.locator("#tested").inner_text() for value in accs.values()), accs)
        check("and marks the best on validation rows, none on test rows", best.count() >= 1 and page.page.locator("#tested td.best").count() == 0)
        differing = page.page.locator("#differing tbody tr").all_inner_texts()
        check("settings that differ come first, with their origin", len(differing) == 1 and "lr" in differing[0] and "experiment file" in differing[0] and "variant" in differing[0], differing)
        page.page.emulate_media(media="print")
        check("on paper there are no controls", not page.page.locator("nav.sections").is_visible() and not page.page.locator("#curve-controls").is_visible())
        check("and it can be printed", len(page.page.pdf()) > 20_000)


def tables(browser, runs, check):
    """Tables are sorted by their heads, and clipped edges have a cue."""
    with Page(browser, check, runs.folder / "variants.html", width=400) as page:
        table = page.page.locator("#summary table").first
        column = lambda: [row.locator("th, td").nth(1).inner_text() for row in table.locator("tbody tr").all()]
        number = lambda text: float(text.split()[0])
        original = column()
        head = table.locator("thead th").nth(1)
        button = head.locator("button")
        button.click()
        check("a click on a head sorts in ascending order", column() == sorted(original, key=number), column())
        check("the head says so", head.get_attribute("aria-sort") == "ascending" and "Sorted by" in page.announced())
        button.press("Enter")
        check("again, descending, also with the keyboard", column() == sorted(original, key=number, reverse=True), column())
        check("one head at most is sorted by", table.locator("th[aria-sort]").count() == 1)
        button.click()
        check("and again, in the order of the report", column() == original and head.get_attribute("aria-sort") is None, column())
        box = table.locator("..")
        edges = lambda: sorted(name for name in box.get_attribute("class").split() if name.startswith("more-"))
        box.evaluate("box => { box.scrollLeft = 0; }")  # a click scrolls its head into view
        page.frames()
        check("a clipped table fades at its right edge", edges() == ["more-right"], edges())
        box.evaluate("box => { box.scrollLeft = 30; }")
        page.frames()
        check("scrolled, at both edges", edges() == ["more-left", "more-right"], edges())
        box.evaluate("box => { box.scrollLeft = 9999; }")
        page.frames()
        check("at its end, at the left edge", edges() == ["more-left"], edges())
        names = page.page.locator("#summary tbody th .key").all()
        check("names of variants take two lines at most", all(name.bounding_box()["height"] < 60 for name in names))
    with Page(browser, check, runs.folder / "variants.html", width=1280) as page:
        fading = page.page.locator("nav.sections ul[class*=more-]").count()
        check("what is not clipped does not fade", fading == 0, fading)


def broken(browser, runs, check):
    """Problems are reported, and the rest is shown."""
    nothing = lambda history: {**history, "history": {"epoch": []}, "best": None, "diagnosis": None, "test": None, "expectations": []}
    runs.damaged("digits_mlp", "no_epoch", lambda _, history: nothing(history))

    def one_epoch(_, history):
        curves = {name: values[:1] for name, values in history["history"].items()}
        return {**history, "history": curves, "best": None, "diagnosis": None, "status": "interrupted", "expectations": []}

    runs.damaged("digits_mlp", "one_epoch", one_epoch)

    def not_finite(number, history):
        curves = {name: list(values) for name, values in history["history"].items()}
        curves["loss"][10:] = ["nan"] * (len(curves["loss"]) - 10)
        curves["acc"][5] = "inf"
        curves["loss"][2] = 1e30
        return {**history, "history": curves, "status": "diverged"} if number == 0 else history

    runs.damaged("digits_mlp", "not_finite", not_finite)
    cut_short = lambda number, history: json.dumps(history)[:500] if number == 0 else {**history, "schema": "runner.history/9"} if number == 1 else history
    runs.damaged("digits_mlp", "cut_short", cut_short)

    def without_asking(_, history):
        history.pop("provenance")
        return history

    runs.damaged("digits_mlp", "older", without_asking)
    for name, code in [("no_epoch", 0), ("one_epoch", 0), ("not_finite", 0), ("cut_short", 2), ("older", 0)]:
        runs.report(name, name, code=code)
        with Page(browser, check, runs.folder / f"{name}.html", width=400, scheme="dark") as page:
            page.fits()
            text = page.page.locator("main").inner_text()
            if name == "no_epoch":
                check("no epoch: that is said, and no chart drawn", "No epoch was recorded" in text and page.page.locator("#panels").count() == 0, text[:200])
            elif name == "one_epoch":
                check("one epoch: points are drawn, and the status is shown", page.pixels("loss", "s0") > 10 and "interrupted: seed" in text, page.pixels("loss", "s0"))
            elif name == "not_finite":
                check("not finite: the divergence is reported", "diverged (not in the means): seed" in text, text[:300])
                page.page.get_by_label("each one").check(force=True)
                read = page.hover("loss", 50, 100)
                check("not finite: nan is read as such, and the others are drawn", "nan" in read.values() and page.pixels("loss", "s1") > 20, read)
            elif name == "cut_short":
                check("cut short: unreadable histories are reported", "cannot be read" in text and "runner.history/9" in text and text.count("runner.history/1") >= 1, text[:400])
                check("cut short: the rest is shown", page.page.locator("#panels .chart").count() == 2 and page.pixels("loss", "s0") > 20)
            elif name == "older":
                check("older: the origin is unknown, and the command is the run's own file", "unknown" in text and "runner exp older/experiment.toml" in text)
    told = runs.call("report", "nothing_of_the_kind", code=2).stderr
    check("a run that is not there is an error", "error:" in told and "nothing_of_the_kind" in told, told)


def a_sweep(browser, runs, check):
    """A sweep: charts that mark the same configuration, the keyboard, and the table."""
    with (runs.folder / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    done = [row for row in rows if row["status"] == "done"]
    lr = lambda row: row["train.optimizer.adam.lr"] or row["train.optimizer.sgd.lr"]
    with Page(browser, check, runs.folder / "sweep.html") as page:
        marked = lambda: page.page.locator("#configurations tr.chosen th").all_inner_texts()
        charts = page.page.locator("[data-metric]").evaluate_all("charts => charts.map(chart => chart.dataset.metric)")
        check("a sweep has all charts", charts == ["setting-optimizer", "setting-batch", "setting-lr", "parallel", "best-so-far", "expected-best"], charts)
        names = page.page.locator("#configurations tbody th").all_inner_texts()
        check("the table is in the order of the ranking", names == [row["configuration"] for row in rows], names)
        best = page.page.locator("#configurations tbody tr").first.inner_text()
        check("the best configuration has its mean and standard deviation", f"{brief(float(done[0]['best.val_loss']))} ± " in best, best)

        at = page.panel("setting-lr")
        at.scroll_into_view_if_needed()
        at.focus()
        read = []
        for _ in range(3):
            page.page.keyboard.press("ArrowDown")
            read.append(marked())
        check("the arrow keys go along the ranking", read == [[row["configuration"]] for row in rows[:3]], read)
        told = page.announced()
        check("what is reached is announced", told.startswith(rows[2]["configuration"]) and "lr=" in told, told)
        tip = at.locator(".tip").inner_text()
        check("the tip has the settings", all(word in tip for word in [rows[2]["train.batch"], rows[2]["train.optimizer"]]), tip)
        page.page.keyboard.press("Home")
        smallest = min(rows, key=lambda row: float(lr(row)))
        check("Home goes to the smallest value", marked() == [smallest["configuration"]], (marked(), smallest["configuration"]))
        page.page.keyboard.press("Escape")
        check("Escape leaves", marked() == [] and not at.locator(".tip").is_visible())

        over = page.panel("setting-lr").locator(".u-over")
        box = over.bounding_box()
        page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9)
        rings = page.page.locator(".ring:visible").count()
        check("a configuration under the mouse is marked in all charts of points and in the table", rings == 4 and len(marked()) == 1, (rings, marked()))
        d = page.page.locator("#sweep-parallel path[stroke-width='3.5']").get_attribute("d")
        chosen = next(row for row in rows if row["configuration"] == marked()[0])
        check("and in the parallel coordinates, if it has a result", bool(d) == (chosen["status"] == "done"), (d, chosen))
        page.page.mouse.move(5, 5)

        lines = page.page.locator("#sweep-parallel path[stroke-width='1.4']")
        check("each configuration with a result has a line", lines.count() == len(done), (lines.count(), len(done)))
        page.page.get_by_label("best half").check(force=True)
        check("only the best half can be shown", lines.count() == math.ceil(len(done) / 2), lines.count())
        page.page.get_by_label("all", exact=True).check(force=True)
        svg = page.page.locator("#sweep-parallel svg")
        svg.scroll_into_view_if_needed()
        box = svg.bounding_box()
        page.page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 150)
        check("a line under the mouse is marked", len(marked()) == 1 and page.panel("parallel").locator(".tip").is_visible(), marked())
        page.page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + 150)
        row = page.page.locator("#configurations tr.chosen")
        check("a click shows its row", row.count() == 0 or row.first.is_visible())

        values = [float(row["best.val_loss"]) for row in done]
        worst = max(values)
        expected = mean(values + [worst] * (len(rows) - len(done)))
        read = page.hover("expected-best", 1, len(rows))
        check("the expected best of one is the mean, diverged ones as the worst", same(read.get("best.val_loss", ""), expected), (read, expected))
        read = page.hover("expected-best", len(rows), len(rows))
        check("the expected best of all is the best", same(read.get("best.val_loss", ""), values[0]), (read, values[0]))
        diverged = len(rows) - len(done)
        check("some configurations diverged, and are drawn", diverged > 0 and page.pixels("best-so-far", "s1") > 20, (diverged, page.pixels("best-so-far", "s1")))
        head = page.page.locator("#configurations thead button.sort", has_text="batch")
        head.click()
        batches = [int(text) for text in page.page.locator("#configurations tbody tr").evaluate_all("rows => rows.map(row => row.cells[3].textContent)")]
        check("the table sorts by a setting", batches == sorted(batches), batches)
        toggle = page.page.get_by_label("log scale of the metric")
        before = toggle.is_checked()
        toggle.set_checked(not before, force=True)
        check("the scale can be changed", page.page.locator("#sweep-settings .chart").count() == 3 and toggle.is_checked() != before)
    with Page(browser, check, runs.folder / "sweep.html", java_script_enabled=False) as page:
        check("without scripts the charts are plots", page.page.locator("noscript img").count() == 4)
        page.page.evaluate = lambda _: None


def shapes(browser, runs, keep, check):
    """Every report at every width in both themes."""
    names = ["digits", "two_classes", "leaking", "variants", "both", "foreign", "seeds", "sweep"]
    for name in names:
        file = runs.folder / f"{name}.html"
        size = file.stat().st_size
        check(f"{name}: the file is no larger than {LARGEST:,} bytes", size <= LARGEST, size)
        for width, scheme in [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark"), (320, "light")]:
            touch = {"has_touch": True, "is_mobile": False} if width < 500 else {}
            with Page(browser, check, file, width=width, scheme=scheme, **touch) as page:
                page.picture(keep)
                page.fits()
                if width != 320:
                    page.accessible()
                if width == 400 and name == "digits":
                    over = page.panel("loss").locator(".u-over")
                    over.scroll_into_view_if_needed()
                    box = over.bounding_box()
                    page.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                    check(f"{page.name}: a finger reads a chart", page.tip("loss").get("at", "").startswith("epoch "), page.tip("loss"))
    with Page(browser, check, runs.folder / "leaking.html") as page:
        text = page.page.locator("main").inner_text()
        check("data leakage is reported at the top, with the reason", "Data leakage: these metrics are inflated" in text[:400] and "before the split" in text, text[:400])
        check("a tree has no curves and says so", page.page.locator("#panels").count() == 0 and "decision tree" in text)
    with Page(browser, check, runs.folder / "foreign.html") as page:
        check("a history of another program has curves", page.page.locator("#keys button").count() == 2 and page.pixels("loss", "s0") > 20)
    with Page(browser, check, runs.folder / "two_classes.html", java_script_enabled=False) as page:
        text = page.page.locator("body").inner_text()
        told = ["best on validation rows", "quick", "charts need JavaScript", "Confusion matrix", "train.optimizer.adam.lr"]
        missing = [word for word in told if word not in text]
        check("without scripts the summary, tables and settings are there", not missing, missing)
        drawn = page.page.locator("noscript img")
        check("and the curves as a picture", drawn.count() == 1 and drawn.bounding_box()["height"] > 100)
        check("and no empty control is", not page.page.locator("#theme").is_visible() and not page.page.locator("[data-copy]").first.is_visible())
        page.page.evaluate = lambda _: None  # what the page itself has run cannot be asked for without scripts


def chromium():
    named = os.environ.get("RUNNER_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    return found or sys.exit("no Chromium: install `chromium`, or name one in RUNNER_CHROMIUM")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runner", default=os.environ.get("RUNNER"), help="the program [default: $RUNNER]")
    parser.add_argument("--keep", type=Path, help="keep reports and pictures in this folder")
    options = parser.parse_args()
    runner = options.runner and Path(options.runner).resolve()
    if not (runner and runner.is_file()):
        parser.error("name the program: --runner target/release/runner")
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="runner-report-") as scratch:
        runs = Runs(runner, Path(scratch))
        runs.exp("digits_mlp", None, "--seeds", "0..2", "--set", "train.optimizer.adam.lr=0.005")
        runs.report("digits", "digits_mlp")
        again = (runs.folder / "digits.html").read_bytes()
        check("the same histories give the same bytes", runs.report("digits", "digits_mlp").read_bytes() == again)
        runs.exp("two_classes", TWO_CLASSES)
        runs.report("two_classes", "two_classes")
        runs.exp("leaking_tree", LEAKING_TREE)
        runs.report("leaking", "leaking_tree")
        runs.exp("variants", VARIANTS)
        runs.report("variants", "variants")
        runs.report("both", "digits_mlp", "two_classes/quick", "leaking_tree")
        runs.report("foreign", HERE.parent / "golden" / "foreign" / "keras.json", "digits_mlp")
        shutil.copytree((runs.folder / "runs/digits_mlp/latest").resolve(), runs.folder / "kept")
        runs.exp("digits_mlp", None, "--seeds", "0..49")
        runs.report("seeds", "digits_mlp")
        shutil.rmtree(runs.folder / "runs/digits_mlp")
        shutil.copytree(runs.folder / "kept", runs.folder / "runs/digits_mlp/latest")
        (runs.folder / "tuning.toml").write_text(SWEEP)
        runs.call("sweep", "tuning.toml", "--quiet", "--threads", "1")
        runs.call("sweep", "report", "tuning", "-o", "sweep.html")
        (runs.folder / "sweep.csv").write_text(runs.call("sweep", "table", "tuning", "--csv").stdout)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            for group in [one_run, keyboard, classes, tables, broken, a_sweep]:
                tried(group, check, browser, runs)
            tried(shapes, check, browser, runs, options.keep)
            browser.close()
        if options.keep:
            for file in runs.folder.glob("*.html"):
                shutil.copy(file, options.keep)
    print(f"{check.count - len(check.failed)} of {check.count} checks hold")
    for failed in check.failed:
        print(f"FAIL {failed}")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
