// Rows of runs that share a setting, or all settings but the seed, with means and standard deviations over all their trials.

/** Mean and standard deviation over the trials of samples ({ mean, std, n }). */
function pooled(samples) {
  const known = samples.filter(({ mean }) => typeof mean === "number");
  const n = known.reduce((sum, sample) => sum + sample.n, 0);
  if (!n) return { mean: null, std: null, n: 0 };
  const mean = known.reduce((sum, sample) => sum + sample.n * sample.mean, 0) / n;
  const squares = known.reduce((sum, sample) => sum + (sample.n - 1) * (sample.std ?? 0) ** 2 + sample.n * (sample.mean - mean) ** 2, 0);
  return { mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : null, n };
}

/** The most frequent names of a metric in rows. */
function metricNames(rows, name) {
  const counts = new Map();
  for (const row of rows) if (row[name] !== null) counts.set(row[`${name}Name`], (counts.get(row[`${name}Name`]) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([metric]) => metric).slice(0, 3);
}

/** What rows are grouped by: their value and the text that is shown. */
function groupKey(row, by) {
  if (by === "same") return row.same === null ? `run ${row.id}` : `same ${row.same}`;
  if (by === "experiment") return row.experiment;
  return row.setting ?? "–";
}

/** Groups of rows, in the order in which their first rows come. */
function groupRows(rows, by) {
  const groups = new Map();
  for (const row of rows) {
    if (!row.trials) continue;
    const key = groupKey(row, by);
    if (!groups.has(key)) groups.set(key, { key, value: key, first: row, rows: [] });
    groups.get(key).rows.push(row);
  }
  return [...groups.values()];
}

/** Columns of a table of groups. */
function groupColumns(rows, groups, state) {
  const by = state.group;
  const ids = (group) => [...new Set(group.rows.map(({ id }) => id))];
  const trials = (group) => group.rows.reduce((sum, row) => sum + row.trials, 0);
  const columns = [];
  if (by === "same") {
    const first = (name) => ({ id: name, head: name, of: (group) => group.first[name] ?? "", cell: (group) => make(name === "experiment" ? "th" : "td", name === "experiment" ? { scope: "row" } : { cls: "changed" }, group.first[name] ?? "") });
    columns.push(first("experiment"));
    if (rows.some((row) => row.variant !== null)) columns.push({ id: "variant", head: "variant", of: (group) => group.first.variant ?? "", cell: (group) => make("td", { text: group.first.variant ?? "" }) });
    if (rows.some((row) => row.changed)) columns.push(first("changed"));
  } else {
    const head = by === "experiment" ? by : state.labels.get(by) ?? by;
    const number = (text) => (text !== "" && Number.isFinite(+text) ? +text : text);
    columns.push({ id: "value", head, of: (group) => number(group.value), cell: (group) => make("th", { scope: "row" }, by === "experiment" ? group.value : make("code", { text: group.value })) });
  }
  columns.push({ id: "runs", head: "runs", number: true, of: (group) => ids(group).length, cell: (group) => make("td", { cls: "n", text: String(ids(group).length) }) });
  columns.push({ id: "trials", head: "trials", number: true, of: trials, cell: (group) => make("td", { cls: "n", text: String(trials(group)) }) });
  for (const [name, prefix] of [["best", ""], ["test", "test "]]) {
    for (const metric of metricNames(rows, name)) {
      const value = (group) => pooled(group.rows.filter((row) => row[`${name}Name`] === metric).map((row) => ({ mean: row[name], std: row[`${name}Std`], n: row[`${name}N`] })));
      columns.push({
        id: `${name} ${metric}`, head: `${prefix}${metric}`, number: true, of: (group) => value(group).mean,
        cell: (group) => {
          const { mean, std } = value(group);
          return make("td", { cls: "n", text: spread(mean, std) });
        },
      });
    }
  }
  columns.push({
    id: "open", head: "curves", of: () => null, unsorted: true,
    cell: (group) => {
      const all = ids(group);
      const text = all.length === 1 ? "show" : all.length <= MOST_COMPARED ? "compare" : `compare ${MOST_COMPARED}`;
      const name = by === "same" ? `${group.first.experiment} ${group.first.changed}` : group.value;
      return make("td", {}, make("a", { href: `/run/${all.slice(0, MOST_COMPARED).join(",")}`, text, "aria-label": `${text} ${name}` }));
    },
  });
  return columns;
}
