// The page with all runs and sweeps: search, filters, groups, selection, and the tables themselves.

const PER_PAGE = 100;
const MOST_COMPARED = 20;

const runs = {
  rows: new Map(), // lists of rows by id: the run, and its variants if it has several
  version: null,
  matching: null,
  matched: null,
  answer: null,
  keys: [],
  labels: new Map(),
  filters: [],
  search: "",
  group: "",
  setting: "",
  byVariant: false,
  archived: false,
  sort: { id: "started", down: false },
  page: 0,
  picked: new Set(),
  error: null,
};

/** The rows to show, before they are grouped. */
function shownRows() {
  const words = runs.search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = [];
  for (const [id, rows] of runs.rows) {
    if (runs.filters.length && !runs.matching?.has(id)) continue;
    const [run, ...variants] = rows;
    if (!run || (run.archived && !runs.archived)) continue;
    const own = (runs.byVariant || runs.group) && variants.length ? variants : [run];
    for (const row of own) if (words.every((word) => row.text.includes(word))) shown.push(row);
  }
  return shown;
}

function askForTable() {
  const query = new URLSearchParams();
  if (runs.version !== null) query.set("since", runs.version);
  for (const filter of runs.filters) query.append("filter", filter);
  if (runs.matched !== null) query.set("matched", runs.matched);
  if (runs.setting) query.set("setting", runs.setting);
  return `/data/table?${query}`;
}

function takeTable(answer, error) {
  runs.error = error;
  if (error !== null) {
    drawRuns();
    return;
  }
  const before = runs.version;
  if (answer.full) runs.rows.clear();
  for (const cells of answer.rows) {
    const row = rowOf(cells);
    if (row.variant === null) runs.rows.set(row.id, [row]);
    else runs.rows.get(row.id)?.push(row);
  }
  for (const id of answer.removed) {
    runs.rows.delete(id);
    runs.picked.delete(id);
  }
  if (answer.matching) runs.matching = new Set(answer.matching);
  if (answer.keys) {
    runs.keys = answer.keys;
    runs.labels = new Map(answer.keys);
    drawGroupChoice();
  }
  const hasMatches = runs.matched !== (answer.matched ?? null);
  runs.matched = answer.matched ?? null;
  runs.version = answer.version;
  runs.answer = answer;
  drawSweeps(answer.sweeps);
  if (before !== answer.version || hasMatches || answer.full) drawRuns();
  else if (performance.now() - drawnAt > 30000) drawRuns(); // ages
}

let drawnAt = 0;

/** What the filters leave, as text. */
function countText(all) {
  const { found, read, cut, more_faults: more, faults } = runs.answer;
  const parts = [];
  if (read < found) parts.push(`reading runs: ${read.toLocaleString("en-US")} of ${found.toLocaleString("en-US")}`);
  else parts.push(all === runs.rows.size ? count(all, runs.byVariant ? "row" : "run") : `${all.toLocaleString("en-US")} of ${count(runs.rows.size, "run")}`);
  if (cut) parts.push("there are more directories than are looked into");
  if (faults.length) parts.push(`files that cannot be read: ${faults.length + more}`);
  return parts.join(" · ");
}

/** Draws the table of runs. Rows that look the same stay the same elements, and keep the focus. */
function drawRuns() {
  drawnAt = performance.now();
  const place = document.getElementById("run-table");
  if (!runs.answer) return;
  const rows = shownRows();
  const grouped = runs.group !== "";
  const entries = grouped ? groupRows(rows, runs.group) : rows;
  const columns = grouped ? groupColumns(rows, entries, runs) : runColumns(rows, runs);
  const sorted = sortRows(entries, columns, runs.sort);
  const pages = Math.max(1, Math.ceil(sorted.length / PER_PAGE));
  runs.page = Math.min(runs.page, pages - 1);
  const shown = sorted.slice(runs.page * PER_PAGE, (runs.page + 1) * PER_PAGE);
  document.getElementById("run-count").textContent = countText(grouped ? rows.length : entries.length);
  drawFaults();
  drawHead(place.tHead, columns, grouped);
  drawBody(place.tBodies[0], shown, columns, grouped);
  drawPages(sorted.length, pages, grouped);
  drawPicked(grouped);
  const empty = document.getElementById("no-runs");
  empty.hidden = shown.length > 0;
  empty.textContent = runs.rows.size || runs.answer.read < runs.answer.found ? "No run matches." : "There are no runs yet. Start one with `runner exp NAME`: it appears here.";
  place.parentElement.hidden = shown.length === 0;
}

function drawFaults() {
  const place = document.getElementById("run-faults");
  const texts = [...(runs.error ? [runs.error] : []), ...runs.answer.faults];
  const text = texts.join("\n");
  if (place.dataset.text === text) return;
  place.dataset.text = text;
  place.replaceChildren(...(texts.length ? [make("div", { cls: "box bad", role: runs.error ? "alert" : null }, ...texts.map((one) => make("p", { text: one })))] : []));
}

function drawHead(head, columns, grouped) {
  const signature = JSON.stringify([columns.map(({ id, head: text }) => [id, text]), runs.sort, grouped]);
  if (head.dataset.signature === signature) return;
  head.dataset.signature = signature;
  const focused = head.contains(document.activeElement) ? document.activeElement.dataset.column : null;
  const row = make("tr");
  if (!grouped) row.append(make("td", { cls: "pick" }, make("span", { cls: "hidden", text: "select" })));
  for (const { id, head: text, number, unsorted } of columns) {
    if (unsorted) {
      row.append(make("th", { scope: "col", text }));
      continue;
    }
    const order = runs.sort.id === id ? (runs.sort.down ? "descending" : "ascending") : null;
    const button = make("button", { type: "button", cls: "sort", text, title: "Sort by this column", "data-column": id, onclick: () => {
      runs.sort = { id, down: runs.sort.id === id ? !runs.sort.down : false };
      runs.page = 0;
      drawRuns();
      announce(`Sorted by ${text}, ${runs.sort.down ? "descending" : "ascending"}`);
    } });
    row.append(make("th", { scope: "col", cls: number ? "n" : null, "aria-sort": order }, button));
  }
  head.replaceChildren(row);
  if (focused !== null) [...head.querySelectorAll("button")].find((button) => button.dataset.column === focused)?.focus();
}

/** The elements of rows by key, with the text that they were made from. */
let drawnRows = new Map();

function drawBody(body, shown, columns, grouped) {
  const fresh = new Map();
  const elements = shown.map((entry) => {
    const key = `${grouped ? "group " : ""}${entry.key}`;
    const element = grouped ? make("tr") : rowElement(entry);
    for (const { cell } of columns) element.append(cell(entry));
    const text = element.innerHTML;
    const before = drawnRows.get(key);
    const kept = before && before.text === text ? before.element : element;
    kept.classList.toggle("picked-row", !grouped && runs.picked.has(entry.id));
    const box = kept.querySelector("input");
    if (box) box.checked = runs.picked.has(entry.id);
    fresh.set(key, { element: kept, text });
    return kept;
  });
  drawnRows = fresh;
  if (elements.length === body.rows.length && elements.every((element, place) => body.rows[place] === element)) return;
  const active = document.activeElement;
  const focused = body.contains(active) ? [active.closest("tr").dataset.id, active.tagName] : null;
  body.replaceChildren(...elements);
  if (focused) elements.find((element) => element.dataset.id === focused[0])?.querySelector(focused[1])?.focus({ preventScroll: true });
}

/** A row of a run, with a box to select it. A click anywhere in it opens the run. */
function rowElement(row) {
  const box = make("input", { type: "checkbox", "aria-label": `select ${row.experiment} ${row.short}${row.variant ? ` ${row.variant}` : ""}`, onchange: (event) => {
    if (event.target.checked) runs.picked.add(row.id);
    else runs.picked.delete(row.id);
    drawRuns();
  } });
  return make("tr", { "data-id": row.key, onclick: (event) => {
    if (!event.target.closest("a, input, td.pick") && !getSelection().toString()) location.href = `/run/${row.id}`;
  } }, make("td", { cls: "pick" }, box));
}

function drawPages(all, pages, grouped) {
  const place = document.getElementById("run-pages");
  place.hidden = pages === 1;
  if (pages === 1) return;
  const [from, to] = [runs.page * PER_PAGE + 1, Math.min(all, (runs.page + 1) * PER_PAGE)];
  const [before, text, after] = place.children;
  before.disabled = runs.page === 0;
  after.disabled = runs.page === pages - 1;
  text.textContent = `${grouped ? "Groups" : "Runs"} ${from.toLocaleString("en-US")}–${to.toLocaleString("en-US")} of ${all.toLocaleString("en-US")}`;
}

function drawPicked(grouped) {
  const place = document.getElementById("run-picked");
  place.hidden = grouped;
  const ids = [...runs.picked].slice(0, MOST_COMPARED);
  const text = `${ids.join(",")} ${runs.picked.size}`;
  if (place.dataset.text === text) return;
  place.dataset.text = text;
  if (!ids.length) {
    place.replaceChildren("Select runs to compare their curves.");
    return;
  }
  const tooMany = runs.picked.size > MOST_COMPARED ? ` (at most ${MOST_COMPARED} are compared)` : "";
  place.replaceChildren(make("span", { text: `${count(runs.picked.size, "run")} selected${tooMany}` }),
    make("a", { cls: "button", href: `/run/${ids.join(",")}`, text: ids.length === 1 ? "Show the run" : "Compare curves" }),
    make("button", { type: "button", text: "Clear", onclick: () => { runs.picked.clear(); drawRuns(); } }));
}

function drawGroupChoice() {
  const select = document.getElementById("group-by");
  const option = (value, text) => make("option", { value, text });
  const labels = runs.keys.map(([key, label]) => option(key, label === key ? key : `${label} (${key})`));
  select.replaceChildren(option("", "each run"), option("same", "same settings (seeds together)"), option("experiment", "experiment"),
    make("optgroup", { label: "setting" }, ...labels));
  select.value = runs.group;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

function drawSweeps(sweeps) {
  const place = document.getElementById("sweep-list");
  document.getElementById("sweeps").hidden = sweeps.length === 0;
  const sorted = sweeps.slice().sort((a, b) => String(b.started).localeCompare(String(a.started)));
  const rows = sorted.map((sweep) => {
    const [done, all, , failed] = sweep.trials;
    const { best } = sweep;
    const workers = sweep.running.filter(({ alive }) => alive).length;
    const name = `${sweep.experiment} ${sweep.name}`;
    const status = make("td", {}, stateBadge(sweep.status), " ");
    if (all) status.append(make("progress", { max: all, value: done, "aria-label": `trials of ${name}` }), " ", make("small", { cls: "num", text: `${done}/${all}${failed ? `, ${failed} failed` : ""}` }));
    if (sweep.error) status.append(" ", make("small", { text: sweep.error }));
    return make("tr", {}, make("th", { scope: "row" }, make("a", { href: `/sweep/${sweep.id}`, text: sweep.experiment, "aria-label": `sweep ${name}` })),
      status, make("td", { cls: "n", text: sweep.configurations === undefined ? "–" : `${sweep.configurations}×${sweep.seeds}` }),
      make("td", { cls: "n", text: best ? spread(best.mean, best.std) : "–" }),
      make("td", { cls: "words", text: best ? `${best.settings || best.name}` : "" }),
      make("td", { text: sweep.metric ?? "" }), make("td", { cls: "n", text: String(workers) }), make("td", { cls: "n", text: sweep.started ? ago(sweep.started) : "–" }));
  });
  const heads = [["sweep"], ["status"], ["configurations", "n"], ["best", "n"], ["best settings"], ["metric"], ["workers", "n"], ["age", "n"]];
  const table = make("table", { cls: "runs wide" }, make("caption", { text: "Sweeps" }),
    make("thead", {}, make("tr", {}, ...heads.map(([text, cls]) => make("th", { scope: "col", cls, text })))), make("tbody", {}, ...rows));
  if (place.dataset.text === table.innerHTML) return;
  place.dataset.text = table.innerHTML;
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const scroll = make("div", { cls: "scroll" }, table);
  place.replaceChildren(scroll);
  scrollers(place);
  if (focused) place.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
}

function tablePage() {
  const place = document.getElementById("run-list");
  const asked = { now() {} };
  const again = () => {
    Object.assign(runs, { version: null, matched: null, matching: null, page: 0 });
    asked.now();
  };
  const find = make("input", { type: "search", id: "find", autocomplete: "off", spellcheck: "false", placeholder: "words, or a condition: val_acc>0.96" });
  const chipsPlace = make("ul", { cls: "filters", "aria-label": "Conditions" });
  const drawFilters = () => chipsPlace.replaceChildren(...runs.filters.map((filter, number) => make("li", {}, make("button", {
    type: "button", text: `${filter} ✕`, "aria-label": `remove the condition ${filter}`,
    onclick: () => { runs.filters.splice(number, 1); drawFilters(); again(); find.focus(); },
  }))));
  const isCondition = () => /[<>=!]/.test(find.value);
  const add = () => {
    const filter = find.value.trim();
    if (!isCondition() || !filter) return;
    if (!runs.filters.includes(filter)) runs.filters.push(filter);
    find.value = "";
    runs.search = "";
    drawFilters();
    again();
  };
  find.addEventListener("input", () => {
    runs.search = isCondition() ? "" : find.value;
    runs.page = 0;
    drawRuns();
  });
  find.addEventListener("keydown", (event) => { if (event.key === "Enter") add(); });
  const group = make("select", { id: "group-by", onchange: () => {
    runs.group = group.value;
    runs.setting = ["", "same", "experiment"].includes(runs.group) ? "" : runs.group;
    runs.sort = runs.group === "" ? { id: "started", down: false } : { id: runs.group === "same" ? "experiment" : "value", down: false };
    again();
    drawRuns();
  } });
  const toggle = (name) => (on) => { runs[name] = on; runs.page = 0; drawRuns(); };
  const turn = (by) => () => { runs.page += by; drawRuns(); document.getElementById("runs").scrollIntoView(); };
  place.append(
    make("div", { cls: "tools" },
      make("div", { cls: "find" }, make("label", { cls: "label", for: "find", text: "Find or filter" }), make("div", {}, find, make("button", { type: "button", text: "Add condition", onclick: add }))),
      make("div", {}, make("label", { cls: "label", for: "group-by", text: "Group by" }), group),
      chips("Rows", "checkbox", [{ text: "one per variant", on: false, change: toggle("byVariant") }, { text: "archived, too", on: false, change: toggle("archived") }])),
    chipsPlace,
    make("div", { id: "run-faults" }),
    make("div", { cls: "counts" }, make("p", { cls: "note", id: "run-count", role: "status", text: "Reading runs …" }), make("div", { cls: "picked", id: "run-picked" })),
    make("p", { cls: "note", id: "no-runs", hidden: true }),
    make("div", { cls: "scroll", hidden: true }, make("table", { cls: "runs wide", id: "run-table" }, make("caption", { text: "Runs" }), make("thead"), make("tbody"))),
    make("div", { cls: "pages", id: "run-pages", hidden: true }, make("button", { type: "button", text: "Previous", onclick: turn(-1) }), make("span"), make("button", { type: "button", text: "Next", onclick: turn(1) })),
  );
  document.getElementById("sweeps").hidden = true;
  drawGroupChoice();
  scrollers(place);
  asked.now = follow(askForTable, takeTable, "There is nothing here any more.").now;
}

if (data.kind === "table") tablePage();
