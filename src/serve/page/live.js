// What all live pages share: asking the server again and again, the state of the machine, and what has changed on the page.

// the cookie has the token now
if (location.search.includes("token=")) history.replaceState(null, "", location.pathname + location.hash);

const PAUSE = 1000;
const LONGEST_PAUSE = 15000;

/** Text of a duration: `260 ms`, `1.5 s`, `12 s`, `3 min`, `5 h`, `2 d`. */
function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const units = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [1209600, 86400, "d"], [Infinity, 604800, "weeks"]];
  const [, size, name] = units.find(([end]) => seconds < end);
  return `${Math.floor(seconds / size)} ${name}`;
}

/** Time since a moment. */
function ago(started) {
  const since = Math.floor(Math.max((Date.now() - Date.parse(started)) / 1000, 0));
  if (Number.isNaN(since)) return "–";
  return since < 60 ? `${since} s` : duration(since);
}

const count = (number, what) => `${number.toLocaleString("en-US")} ${what}${number === 1 ? "" : "s"}`;
const gigabytes = (bytes) => (bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0);
const percent = (share) => `${Math.round(100 * share)} %`;

/** A mean with its standard deviation, or a single value. */
const spread = (mean, std) => (mean === null || mean === undefined ? "–" : std === null || std === undefined ? figure(mean) : `${figure(mean)} ± ${figure(std)}`);

/** Load and memory of the machine, at the top of each page. */
function drawSystem(system) {
  const place = document.getElementById("system");
  const { cores, cpu, memory, gpus } = system;
  const part = (name, value) => make("li", {}, `${name} `, make("b", { text: value }));
  const parts = [];
  if (cpu !== null) parts.push(part("CPU", `${percent(cpu)} of ${count(cores, "core")}`));
  if (memory) parts.push(part("memory", `${gigabytes(memory[0])} of ${gigabytes(memory[1])} GB`));
  for (const [number, { name, busy, memory: used }] of gpus.entries()) {
    const figures = [busy === null ? null : percent(busy), used ? `${gigabytes(used[0])} of ${gigabytes(used[1])} GB` : null].filter(Boolean);
    parts.push(part(gpus.length > 1 ? `GPU ${number} ${name}` : name, figures.join(", ") || "–"));
  }
  place.replaceChildren(...parts);
}

/** A message above the content; `null` removes it. */
function tell(text, isBad = false) {
  const place = document.getElementById("connection");
  if (place.textContent === (text ?? "")) return;
  place.replaceChildren(...(text === null ? [] : [make("div", { cls: isBad ? "box bad" : "box" }, make("p", { text }))]));
}

/** The words for a status, with a color that says whether it is good. */
function stateBadge(status) {
  const good = ["complete", "completed", "early stopped"], bad = ["failed", "diverged", "failed stacks", "not readable"];
  const warn = ["interrupted", "incomplete", "time limit", "no worker", "stopped", "stopping"];
  const kind = ["running", "starting"].includes(status) ? "running" : good.includes(status) ? "good" : bad.includes(status) ? "bad" : warn.includes(status) ? "warn" : "";
  return make("span", { cls: `state ${kind}`, text: status });
}

/** Asks for `path()` again and again, and passes answers on. It rests while the page is hidden, and longer if answers take long. */
function follow(path, apply, goneText) {
  let failures = 0;
  let timer = 0;
  let asked = 0;
  const next = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(round, pause);
  };
  /** The answer, or `null` if there is none; `refused` says why. */
  async function ask() {
    try {
      const response = await fetch(path(), { cache: "no-store", credentials: "same-origin" });
      if (response.ok) return { answer: await response.json() };
      if (response.status >= 500) return {};
      return { refused: response.status, text: (await response.text()).trim() };
    } catch {
      return {}; // there is no connection
    }
  }
  async function round() {
    if (document.hidden) return;
    const mine = ++asked;
    const started = performance.now();
    const { answer, refused, text } = await ask();
    if (mine !== asked) return;
    if (refused === 404) return tell(goneText, true);
    if (refused === 403) return tell("The server has another token now: open the URL that it has printed.", true);
    const took = performance.now() - started;
    if (refused) {
      apply(null, text);
    } else if (answer) {
      if (failures) tell(null);
      failures = 0;
      next(Math.max(PAUSE, Math.min(20 * took, LONGEST_PAUSE)));
      if (answer.system) drawSystem(answer.system);
      apply(answer, null);
    } else {
      failures += 1;
      if (failures > 1) tell("The server does not answer: is `runner serve` still running, and the tunnel open? Trying again.", true);
      next(Math.min(PAUSE * 2 ** failures, LONGEST_PAUSE));
    }
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) next(0); });
  next(0);
  return { now: () => next(0) };
}

/** Puts the sections of the report that have changed in the place of those before, except these. */
const sectionTexts = new Map();
function replaceSections(html, kept = []) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const linkOf = (section) => document.querySelector(`nav.sections a[href="#${section.id}"]`)?.parentElement;
  let last = document.getElementById("curves") ?? document.getElementById("state");
  for (const section of [...fresh.querySelectorAll("section.card")]) {
    const before = document.getElementById(section.id);
    const text = section.outerHTML;
    if (before && (kept.includes(section.id) || sectionTexts.get(section.id) === text)) {
      last = before;
      continue;
    }
    sectionTexts.set(section.id, text);
    const opened = before ? [...before.querySelectorAll("details")].map((part) => part.open) : [];
    const own = document.importNode(section, true);
    for (const [number, part] of [...own.querySelectorAll("details")].entries()) part.open = opened[number] ?? false;
    if (before) {
      before.replaceWith(own);
    } else {
      last.after(own);
      linkOf(last)?.after(make("li", {}, make("a", { href: `#${own.id}`, text: own.querySelector("h2").textContent })));
    }
    last = own;
    for (const prepare of [scrollers, sorting, settings, oneAtATime, copyButtons]) prepare(own);
  }
}
