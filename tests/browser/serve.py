"""The pages of `runner serve` in a real browser: `python tests/browser/serve.py --runner target/release/runner`.

It makes its own quick runs and a sweep in a folder that it throws away, serves them, and trains a run while its page is
open. Waits are for what the page shows, so that a slow machine takes longer and does not fail. A line is printed for each
check; the exit code is 1 when one fails. `--keep DIR` keeps pictures.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect, sync_playwright

from report import SWEEP, Checks, Page, brief, chromium, is_history, mean

PATIENCE = 120_000

HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>"

IDEA = f"""
title    = "Digits {HOSTILE}"
question = "Does it learn?"

[data.digits]
scale = "unit"
split = {{ test = 0.2, validation = 0.2, random_state = 42, stratify = true }}

[network]
layers = [{{ linear = 16 }}, "relu", {{ linear = 10 }}]

[train]
epochs    = 12
batch     = 256
loss      = "cross_entropy"
optimizer = {{ adam = {{ lr = 1e-2 }} }}
"""

VARIANTS = IDEA + '\n[[variants]]\nname = "quick"\n\n[[variants]]\nname = "slow"\nset = { "train.optimizer.adam.lr" = 1e-4 }\n'


class Live(Page):
    """A page of the server; what it asks for must be of the server."""

    def __init__(self, browser, check, url, name, width=1280, height=900, scheme="light"):
        self.check, self.url, self.width, self.scheme = check, url, width, scheme
        self.name = f"{name}, {width} px, {scheme}"
        self.origin = "/".join(url.split("/")[:3])
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.requests, self.complaints, self.allowed = [], [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)

    def __exit__(self, kind, error, trace):
        if kind is None:
            others = [url for url in self.requests if not url.startswith((self.origin, "data:"))]
            self.check(f"{self.name}: nothing is asked of another server", not others and self.requests, others)
            complaints = [text for text in self.complaints if not any(part in text for part in self.allowed)]
            self.check(f"{self.name}: no error and no complaint", not complaints, complaints[:3])
            self.check(f"{self.name}: no name became a script", self.page.evaluate("window.broken") is None)
        self.context.close()

    def picture(self, keep, name):
        if keep:
            self.page.evaluate("scrollTo(0, 0)")
            self.page.screenshot(path=keep / f"{name}-{self.width}-{self.scheme}.png", full_page=True)

    def until(self, script, argument=None):
        """Waits until a condition holds in the page, and returns its value. The page's policy forbids `wait_for_function`."""
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline:
            try:
                value = self.page.evaluate(script, argument)
            except PlaywrightError as error:
                if "context was destroyed" not in str(error) and "navigat" not in str(error):
                    raise
                value = None  # the page is being replaced
            if value:
                return value
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{self.name}: never {script}")


class Server:
    """`runner serve` and the folder that it shows."""

    def __init__(self, runner, folder):
        self.runner, self.folder = runner, folder
        self.env = {**os.environ, "OMP_NUM_THREADS": "1"}
        for name in ("RUNNER_RUNS", "RUNNER_SWEEPS"):
            self.env.pop(name, None)
        self.process = None

    def call(self, *words):
        words = [str(word) for word in words]
        done = subprocess.run([self.runner, *words], cwd=self.folder, env=self.env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"`runner {' '.join(words)}` ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def start(self):
        self.process = subprocess.Popen([self.runner, "serve", "--port", "0"], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        url = self.process.stdout.readline().strip()
        if not url.startswith("http://127.0.0.1:"):
            sys.exit(f"`runner serve` printed `{url}`")
        self.url, self.token = url.split("/?")
        return self

    def at(self, path):
        return f"{self.url}{path}?{self.token}"

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def full_id(self, experiment, kind="runs"):
        """The id of the oldest run or sweep of an experiment, in full."""
        oldest = sorted((self.folder / kind / experiment).glob("20*"))[0]
        return hashlib.sha256(f"{experiment}/{oldest.name}".encode()).hexdigest()[:12]

    def ids(self, *words):
        return [run["id"] for run in json.loads(self.call("runs", "--json", *words))]


def rows(page):
    return page.page.locator("#run-table tbody tr")


def shown_ids(page):
    """The ids of the runs in the table, from their links."""
    return [link.get_attribute("href").split("/")[-1] for link in page.page.locator("#run-table tbody th a").all()]


def table(browser, check, server, keep):
    """The table: search, filters, groups, order and selection, also with the keyboard."""
    with Live(browser, check, server.at("/"), "table") as page:
        page.until("document.querySelectorAll('#run-table tbody tr').length === 5")
        check("the token leaves the address", page.page.url == f"{server.url}/", page.page.url)
        listed = json.loads(server.call("runs", "--json"))
        check("the runs are those of `runner runs`, newest first", shown_ids(page) == [run["id"] for run in listed], (shown_ids(page), [run["id"] for run in listed]))
        text = page.page.locator("#run-table").inner_text()
        best = [run["best"]["value"] for run in listed]
        check("with their metrics", all(brief(value) in text for value in best), best)
        check("and a standard deviation over seeds", "±" in text, text)
        check("the machine's load is shown", re.search(r"memory [\d.]+ of \d+ GB", page.until("document.getElementById('system').textContent.includes('memory') && document.getElementById('system').textContent")))
        find = page.page.get_by_label("Find or filter")
        find.fill("variants")
        expect(rows(page)).to_have_count(1)
        find.fill("lr<1e-3")
        page.page.keyboard.press("Enter")
        page.until("document.querySelectorAll('.filters li').length === 1")
        expect(rows(page)).to_have_count(2, timeout=PATIENCE)
        check("a condition filters as `runner runs --filter` does", sorted(shown_ids(page)) == sorted(server.ids("--filter", "lr<1e-3")))
        page.page.get_by_role("button", name="remove the condition lr<1e-3").click()
        expect(rows(page)).to_have_count(5, timeout=PATIENCE)
        find.fill("lr<much")
        page.page.keyboard.press("Enter")
        expect(page.page.get_by_role("alert")).to_contain_text("takes a number", timeout=PATIENCE)
        page.allowed.append("400 (Bad Request)")
        page.page.get_by_role("button", name="remove the condition lr<much").click()
        expect(page.page.get_by_role("alert")).to_have_count(0, timeout=PATIENCE)

        head = page.page.locator("#run-table button[data-column=trials]")
        head.focus()
        page.page.keyboard.press("Enter")
        counts = [row.locator("td.n").first.inner_text() for row in rows(page).all()]
        check("a head sorts, with the keyboard, too", counts == sorted(counts), counts)
        check("and says so", page.page.locator("#run-table th[aria-sort=ascending]").count() == 1)
        head.press("Enter")
        counts = [row.locator("td.n").first.inner_text() for row in rows(page).all()]
        check("again, in descending order", counts == sorted(counts, reverse=True), counts)

        page.page.get_by_label("Group by").select_option("same")
        expect(rows(page)).to_have_count(4, timeout=PATIENCE)
        text = page.page.locator("#run-table").inner_text()
        histories = [history for name in ("seeds", "seed0", "seed1") for history in server.histories[name]]
        value = mean([history["best"][history["best"]["monitor"]] for history in histories])
        check("runs that differ in their seeds share a row with their mean", f"{brief(value)} ±" in text, (value, text))
        page.picture(keep, "groups")
        page.page.get_by_label("Group by").select_option("train.optimizer.adam.lr")
        expect(rows(page)).to_have_count(2, timeout=PATIENCE)
        values = rows(page).locator("th").all_inner_texts()
        check("a setting has a row for each value", sorted(map(float, values)) == [1e-4, 1e-2], values)
        page.page.get_by_label("Group by").select_option("")
        expect(rows(page)).to_have_count(5, timeout=PATIENCE)
        page.page.get_by_label("one per variant").check(force=True)
        expect(rows(page)).to_have_count(6)
        page.page.get_by_label("one per variant").uncheck(force=True)

        boxes = page.page.locator("#run-table input[type=checkbox]")
        boxes.nth(0).focus()
        page.page.keyboard.press("Space")
        boxes.nth(1).check()
        check("runs can be selected", "2 runs selected" in page.page.locator("#run-picked").inner_text())
        page.accessible()
        page.picture(keep, "table")
        page.page.get_by_role("link", name="Compare curves").click()
        page.until("document.querySelectorAll('#panels canvas').length > 0")
        check("and compared", page.page.locator("#keys button").count() >= 2 and "Comparison" in page.page.locator("header").inner_text())
        page.page.wait_for_load_state()
        page.accessible()
        page.picture(keep, "compare")
        page.page.get_by_role("link", name=re.compile("All runs")).click()
        page.until("document.querySelectorAll('#run-table tbody tr').length === 5")
        page.page.locator("#run-table tbody tr").first.locator("td").nth(1).click()
        page.page.wait_for_url("**/run/*")
        check("a click on a row opens the run", page.page.locator("#panels").count() == 1)


def finished(browser, check, server, keep):
    """The page of a finished run, and its report."""
    run = server.ids("--sort", "folder")[0]
    with Live(browser, check, server.at("/"), "finished run") as page:
        page.until("document.querySelectorAll('#run-table tbody tr').length === 5")
        page.page.locator(f'#run-table a[href="/run/{run}"]').click()
        page.until("document.querySelectorAll('#panels canvas').length === 2")
        page.until("document.getElementById('status').textContent.includes('complete')")
        title = page.page.locator("h1").inner_text()
        check("the title is text", HOSTILE in title, title)
        chart = page.panel("loss")
        chart.focus()
        page.page.keyboard.press("End")
        said = page.until("document.getElementById('live').textContent.includes('epoch 12') && document.getElementById('live').textContent")
        check("the keyboard reads the curves", "training" in said and "validation" in said, said)
        check("settings are there, with who set them", "experiment file" in page.page.locator("#all-settings").inner_text())
        page.accessible()
        page.picture(keep, "finished")
        page.page.get_by_role("link", name="Report", exact=True).click()
        page.page.wait_for_url("**/report/*")
        page.until("document.querySelectorAll('#panels canvas').length === 2")
        check("the report opens", page.page.locator("#summary").count() == 1)
        # the report may not keep its theme: it has no access to the server's pages
        page.allowed.append("sandboxed")


def training(browser, check, server, keep):
    """A run that trains while its page is open: each epoch appears soon, and reading a chart is not disturbed."""
    (server.folder / "slow.toml").write_text(IDEA.replace("epochs    = 12", "epochs    = 100000").replace("batch     = 256", "batch     = 4"))
    command = [server.runner, "exp", "slow.toml", "--seeds", "0..2", "--quiet"]
    run = subprocess.Popen(command, cwd=server.folder, env=server.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Live(browser, check, server.at("/"), "training run") as page:
            page.until("document.getElementById('run-table')?.textContent.includes('running')")
            page.until("document.querySelectorAll('#run-table progress').length > 0")
            check("a new run appears in the table with its progress", True)
            page.picture(keep, "table-running")
            page.page.locator("#run-table tbody tr", has_text="running").get_by_role("link").click()
            page.until("document.querySelectorAll('#panels canvas').length > 0")
            epoch = "Number(document.getElementById('status').textContent.match(/epoch (\\d+) of/)?.[1] ?? 0)"
            first = page.until(epoch)
            later = page.until(f"{epoch} > {first} && {epoch}")
            check("the epoch moves on", later > first, (first, later))
            delays = [delay for delay in (behind(page, server) for _ in range(5)) if delay is not None]
            check("curves are drawn at most 2 s after the end of an epoch", delays and sorted(delays)[len(delays) // 2] <= 2, delays)
            page.page.get_by_label("each one").check(force=True)
            page.until("document.querySelectorAll('#keys button').length === 3")
            chart = page.panel("loss").locator(".u-over")
            chart.scroll_into_view_if_needed()
            box = chart.bounding_box()
            page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            before = page.until("document.querySelector('.chart[data-metric=loss] .tip:not([hidden]) b')?.textContent")
            page.until("before => { const now = document.querySelector('.chart[data-metric=loss] .tip:not([hidden]) b')?.textContent; return now && now !== before; }", before)
            check("the tip stays under the cursor while the curves grow", True)
            page.page.get_by_label("log scale").first.check(force=True)
            now = page.until(epoch)
            page.until(f"{epoch} > {now}")
            check("what is chosen stays", page.page.get_by_label("log scale").first.is_checked() and page.page.locator("#keys button").count() == 3)
            page.page.get_by_label("mean ± std").check(force=True)
            page.page.mouse.move(5, 5)
            page.accessible()
            page.picture(keep, "training")
            run.terminate()
            run.wait()
            page.until("/interrupted/.test(document.getElementById('status').textContent)")
            page.until("document.getElementById('all-settings') !== null")
            check("the end of the run is shown, with its tables", page.page.locator("#summary").count() == 1)
            folder = Path(server.folder / "runs/slow").glob("20*")
            shutil.rmtree(next(folder))
            page.until("document.getElementById('connection').textContent.includes('no longer exists')")
            asked = len(page.requests)
            page.page.wait_for_timeout(2500)
            check("a deleted run is said to be gone, and not asked for again", len(page.requests) == asked, len(page.requests) - asked)
            page.allowed.append("404 (Not Found)")
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()


def behind(page, server):
    """Seconds from the time at which a line with an epoch is in the file to the time at which the page has the epoch."""
    file = next((server.folder / "runs/slow").glob("20*/live.jsonl"))
    lines = file.read_text().splitlines()
    epochs = [json.loads(line)["epoch"] for line in lines[1:] if line.endswith("}}")]
    if not epochs:
        return None
    started = time.monotonic()
    page.until("wanted => Number(document.getElementById('status').textContent.match(/epoch (\\d+) of/)?.[1]) >= wanted", epochs[-1])
    return time.monotonic() - started


def a_sweep(browser, check, server, keep):
    """A sweep that trains while its page is open."""
    (server.folder / "tuning.toml").write_text(SWEEP)
    command = [server.runner, "sweep", "tuning.toml", "--quiet", "--threads", "1"]
    run = subprocess.Popen(command, cwd=server.folder, env=server.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Live(browser, check, server.at("/"), "sweep") as page:
            page.page.get_by_role("link", name=re.compile("sweep tuning")).click()
            page.until("/trials/.test(document.getElementById('status').textContent)")
            check("the sweep ends well", run.wait() == 0)
            page.until("/complete/.test(document.getElementById('status').textContent)")
            page.until("document.querySelectorAll('#sweep-parallel svg path').length > 5")
            csv = server.call("sweep", "table", "tuning", "--csv").splitlines()
            check("the table has all configurations", page.page.locator("#configurations tbody tr").count() == len(csv) - 1)
            check("the charts are drawn", page.page.locator("#sweep-settings canvas").count() >= 2)
            page.accessible()
            page.picture(keep, "sweep")
            page.page.get_by_role("link", name=re.compile("All runs")).click()
            page.until("document.getElementById('sweep-list').textContent.includes('complete')")
            page.accessible()
            page.picture(keep, "table-sweeps")
    finally:
        if run.poll() is None:
            run.kill()
            run.wait()


def shapes(browser, check, server, keep):
    """All pages on a phone, and in the dark."""
    run = server.full_id("idea")
    several = ",".join(server.full_id(name) for name in ("idea", "variants"))
    sweep = server.full_id("tuning", "sweeps")
    ready = {
        "/": "document.querySelectorAll('#run-table tbody tr').length === 5",
        f"/run/{run}": "document.querySelectorAll('#panels canvas').length > 1",
        f"/run/{several}": "document.querySelectorAll('#panels canvas').length > 1",
        f"/sweep/{sweep}": "document.querySelectorAll('#sweep-parallel svg path').length > 5",
    }
    for number, (path, condition) in enumerate(ready.items()):
        for width, scheme in [(400, "light"), (1280, "dark"), (400, "dark")]:
            with Live(browser, check, server.at(path), f"page {number}", width=width, scheme=scheme) as page:
                page.until(condition)
                page.until("document.getElementById('system').textContent.length > 0")
                page.fits()
                page.accessible()
                page.picture(keep, f"page{number}")


def refused(browser, check, server, keep):
    """What is shown without the token, and when the server has ended."""
    with Live(browser, check, f"{server.url}/", "refused") as page:
        check("without the token there is nothing", "open the URL" in page.page.inner_text("body"))
        page.allowed.append("403 (Forbidden)")
    with Live(browser, check, server.at("/"), "ended server") as page:
        page.until("document.querySelectorAll('#run-table tbody tr').length === 5")
        server.stop()
        page.until("document.getElementById('connection').textContent.includes('does not answer')")
        check("the end of the server is said, and the table stays", rows(page).count() == 5)
        page.allowed.append("ERR_CONNECTION_REFUSED")
        page.allowed.append("ERR_")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runner", default=os.environ.get("RUNNER"), help="the program [default: $RUNNER]")
    parser.add_argument("--keep", type=Path, help="keep pictures in this folder")
    options = parser.parse_args()
    runner = options.runner and Path(options.runner).resolve()
    if not (runner and runner.is_file()):
        parser.error("name the program: --runner target/release/runner")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="runner-serve-") as scratch:
        server = Server(runner, Path(scratch))
        (server.folder / "idea.toml").write_text(IDEA)
        (server.folder / "variants.toml").write_text(VARIANTS)
        server.histories = {}
        for name, words in {"seeds": ["--seeds", "0..4"], "seed0": ["--seeds", "10"], "seed1": ["--seeds", "11"], "rate": ["--set", "train.optimizer.adam.lr=1e-4"]}.items():
            printed = json.loads(server.call("exp", "idea.toml", "--json", *words))
            files = sorted((server.folder / printed["run"]).glob("*.json"))
            server.histories[name] = [json.loads(file.read_text()) for file in files if is_history(file)]
            time.sleep(1.1)  # runs that start in the same second have no order
        server.call("exp", "variants.toml", "--quiet")
        server.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            for part in [table, finished, training, a_sweep, shapes, refused]:
                try:
                    part(browser, check, server, options.keep)
                except (PlaywrightError, AssertionError) as error:  # the other parts are tried all the same
                    check(f"all that is to be tried is there ({part.__name__})", False, str(error).splitlines()[:6])
            browser.close()
        server.stop()
    print(f"{check.count - len(check.failed)} of {check.count} checks hold")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
