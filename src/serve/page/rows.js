// Rows of the table of runs: what the server sends of each, search, order and columns.

/** Names of the cells, in the order in which the server sends them. */
const CELLS = ["id", "short", "experiment", "name", "variant", "changed", "status", "epoch", "epochs", "trials", "variants", "missing",
  "bestName", "best", "bestStd", "bestN", "testName", "test", "testStd", "testN", "seconds", "started", "tags", "device", "flags", "same", "setting"];

function rowOf(cells) {
  const row = {};
  for (const [place, name] of CELLS.entries()) row[name] = cells[place] ?? null;
  row.key = row.variant === null ? row.id : `${row.id}/${row.variant}`;
  row.leaks = (row.flags & 1) > 0;
  row.archived = (row.flags & 2) > 0;
  row.text = [row.experiment, row.short, row.id, row.name, row.variant, row.changed, row.status, row.tags, row.device].filter(Boolean).join(" ").toLowerCase();
  return row;
}

/** Number of trials: `4×5` for four variants with five trials each; `3 of 4` if histories are missing. */
function trialsText({ trials, variants, missing }) {
  if (missing) return `${trials} of ${trials + missing}`;
  if (variants > 1 && trials % variants === 0) return `${variants}×${trials / variants}`;
  return String(trials);
}

/** The name that all rows share, or null. */
function common(rows, name) {
  let shared = null;
  for (const row of rows) {
    if (row[name] === null) continue;
    if (shared !== null && row[name] !== shared) return null;
    shared = row[name];
  }
  return shared;
}

function statusCell(row) {
  const cell = make("td", {}, stateBadge(row.status));
  if (row.leaks) cell.append(" ", make("span", { cls: "state bad", text: "leaks" }));
  if (row.archived) cell.append(" ", make("span", { cls: "state", text: "archived" }));
  if (row.epochs && row.status !== "complete") {
    cell.append(" ", make("progress", { max: row.epochs, value: row.epoch, "aria-label": `epochs of ${row.experiment} ${row.short}` }), " ");
    cell.append(make("small", { cls: "num", text: `${row.epoch}/${row.epochs}` }));
  }
  return cell;
}

const metricCell = (row, name, shared) => make("td", { cls: "n" },
  row[name] === null ? "–" : `${shared === null ? `${row[`${name}Name`]} ` : ""}${spread(row[name], row[`${name}Std`])}`);

/** Columns of the table of runs. Each has a head, a key for the order, and a cell. */
function runColumns(rows, state) {
  const has = (name) => rows.some((row) => row[name] !== null && row[name] !== "");
  const [best, test] = [common(rows, "bestName"), common(rows, "testName")];
  const words = (head, name, cls) => ({ id: name, head, of: (row) => row[name] ?? "", cell: (row) => make("td", { cls }, row[name] ?? "") });
  const columns = [
    { id: "id", head: "id", of: (row) => row.short, cell: (row) => make("th", { scope: "row" }, make("a", { href: `/run/${row.id}`, "aria-label": `run ${row.short} of ${row.experiment}` }, make("code", { text: row.short }))) },
    words("experiment", "experiment"),
  ];
  if (has("name")) columns.push(words("name", "name"));
  if (state.byVariant && has("variant")) columns.push(words("variant", "variant"));
  if (has("changed")) columns.push(words("changed", "changed", "changed"));
  columns.push({ id: "status", head: "status", of: (row) => row.status, cell: statusCell });
  if (state.setting) columns.push({ id: "setting", head: state.labels.get(state.setting) ?? state.setting, of: (row) => row.setting ?? "", cell: (row) => make("td", { cls: "words", text: row.setting ?? "–" }) });
  columns.push({ id: "trials", head: "trials", number: true, of: (row) => row.trials, cell: (row) => make("td", { cls: "n", text: trialsText(row) }) });
  if (has("best")) columns.push({ id: "best", head: best ?? "best", number: true, of: (row) => row.best, cell: (row) => metricCell(row, "best", best) });
  if (has("test")) columns.push({ id: "test", head: test === null ? "test" : `test ${test}`, number: true, of: (row) => row.test, cell: (row) => metricCell(row, "test", test) });
  columns.push({ id: "seconds", head: "time", number: true, of: (row) => (row.trials ? row.seconds : null), cell: (row) => make("td", { cls: "n", text: row.trials ? duration(row.seconds) : "–" }) });
  columns.push({ id: "started", head: "age", number: true, of: (row) => (row.started ? -Date.parse(row.started) : null), cell: (row) => make("td", { cls: "n", text: ago(row.started) }) });
  if (has("tags")) columns.push(words("tags", "tags"));
  return columns;
}

/** Values in order: numbers by size, texts by their letters; what is missing or not finite comes last. */
function compareValues(a, b, sign) {
  const missing = (value) => value === null || value === "" || value === "nan" || Number.isNaN(value);
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  const number = (value) => (typeof value === "number" ? value : value === "inf" ? Infinity : value === "-inf" ? -Infinity : null);
  const [x, y] = [number(a), number(b)];
  if (x !== null && y !== null) return sign * (x < y ? -1 : x > y ? 1 : 0);
  return sign * collator.compare(String(a), String(b));
}

const collator = new Intl.Collator("en", { numeric: true });

/** Rows in the order of a column. */
function sortRows(rows, columns, { id, down }) {
  const column = columns.find((one) => one.id === id);
  if (!column) return rows;
  const keyed = rows.map((row) => [column.of(row), row]);
  keyed.sort(([a], [b]) => compareValues(a, b, down ? -1 : 1));
  return keyed.map(([, row]) => row);
}
