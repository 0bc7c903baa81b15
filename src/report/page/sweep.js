// The page of a sweep: its charts, and the table of configurations that they are linked with.

/** Prepares the data and the table, again when there are more results. */
function prepareSweep() {
  for (const column of sweep.columns) {
    const text = (value) => (value === null ? null : column.scale === "choices" ? column.choices[value] : tick(value));
    column.texts = column.values.map(text);
  }
  rowsOfSweep = new Map([...(document.getElementById("configurations")?.tBodies[0].rows ?? [])].map((row) => [row.cells[0].textContent, row]));
}

/** The row of each configuration in the table. */
let rowsOfSweep = new Map();
prepareSweep();

/** Scrolls the table to a configuration. */
function showRow(place) {
  const row = rowsOfSweep.get(sweep.configurations[place].name);
  row?.scrollIntoView({ block: "center" });
}

/** The row that is marked. */
let markedRow = null;

function markRow(place) {
  markedRow?.classList.remove("chosen");
  markedRow = place === null ? null : rowsOfSweep.get(sweep.configurations[place].name);
  markedRow?.classList.add("chosen");
}

function linkTable() {
  const places = new Map(sweep.configurations.map(({ name }, place) => [name, place]));
  if (!chosen.listeners.includes(markRow)) chosen.listeners.push(markRow);
  for (const [name, row] of rowsOfSweep) {
    if (!places.has(name)) continue;
    row.onmouseenter = () => choose(places.get(name));
    row.onmouseleave = () => choose(null);
  }
}

/** Whether values span decades, so that a logarithmic axis shows them better. */
function spansDecades(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low > 0 && high / low >= 20;
}

function sweepCharts() {
  const settings = document.getElementById("sweep-settings");
  const parallel = document.getElementById("sweep-parallel");
  const progress = document.getElementById("sweep-progress");
  const values = sweep.configurations.filter(({ status }) => status === "done").map(({ value }) => value);
  if (!values.length) return;
  const state = { log: spansDecades(values), count: Infinity };
  const charts = [];
  const panel = (to, key, title, note, label) => {
    const at = chartPlace(label);
    at.dataset.metric = key;
    at.setAttribute("aria-describedby", "points-help");
    to.append(make("figure", { cls: "panel" }, make("figcaption", {}, make("h3", { text: title }), make("span", { cls: "readout", text: note })), at));
    return at;
  };
  const way = sweep.higher ? "higher is better" : "lower is better";
  const pointOf = (place, x) => {
    const { value, std, status } = sweep.configurations[place];
    const failed = status !== "done";
    const spread = std === null || failed ? {} : { low: value - std, high: value + std };
    return { place, x, y: value, failed, ...spread };
  };
  const drawSettings = () => {
    if (!settings) return;
    settings.replaceChildren();
    for (const column of sweep.columns) {
      const points = column.values.flatMap((x, place) => (x === null || sweep.configurations[place].status === "unfinished" ? [] : [pointOf(place, x)]));
      const at = panel(settings, `setting-${column.label}`, column.label, way, `${sweep.metric} by ${column.label}, ${points.length} configurations`);
      charts.push(scatter(at, { points, xName: column.label, xScale: column.scale, choices: column.choices, yName: sweep.metric, log: state.log }));
    }
  };
  const drawProgress = () => {
    if (!progress) return;
    progress.replaceChildren();
    const points = sweep.course.map(([place, epochs]) => pointOf(place, epochs));
    for (const [number, [, epochs]] of sweep.course.entries()) points[number].facts = [["epochs of all trials", epochs.toLocaleString("en-US")]];
    const steps = [];
    for (const [, epochs, best] of sweep.course) {
      if (best === null) continue;
      if (steps.length) steps.push([epochs, steps[steps.length - 1][1]]);
      steps.push([epochs, best]);
    }
    const last = sweep.course.length ? sweep.course[sweep.course.length - 1][1] : 1;
    const soFar = panel(progress, "best-so-far", "Best so far", way, `Best ${sweep.metric} so far by epochs of all trials, ${points.length} configurations`);
    charts.push(scatter(soFar, { points, steps, xName: "epochs of all trials", xScale: "linear", xRange: [0, last * 1.03 || 1], wholeX: true, yName: sweep.metric, log: state.log }));
    const expected = panel(progress, "expected-best", "Expected best of n configurations", way, `Expected best ${sweep.metric} by the number of configurations`);
    expected.setAttribute("aria-describedby", "chart-help");
    const line = { name: sweep.metric, stroke: color("s0"), values: sweep.expected.map(([, value]) => value) };
    charts.push(chart(expected, { x: sweep.expected.map(([size]) => size), lines: [line], xName: "number of configurations", yName: sweep.metric, wholeX: true, log: state.log }));
  };
  let coordinates = null;
  const drawParallel = () => {
    coordinates?.end();
    coordinates = parallel ? parallelCoordinates(parallel, state.count) : null;
  };
  const drawCharts = () => {
    choose(null);
    for (const { end } of charts.splice(0)) end();
    drawSettings();
    drawProgress();
  };
  document.getElementById("sweep-controls")?.append(chips("Scale", "checkbox", [
    { text: "log scale of the metric", on: state.log, change: (on) => { state.log = on; drawCharts(); } },
  ]));
  const parts = [["all", Infinity], ["best half", Math.ceil(values.length / 2)], ["best tenth", Math.ceil(values.length / 10)]];
  if (values.length >= 10) {
    document.getElementById("parallel-controls")?.append(chips("Configurations", "radio", parts.map(([text, count]) => ({
      text, on: count === state.count, change: () => { state.count = count; drawParallel(); },
    }))));
  }
  drawCharts();
  drawParallel();
  linkTable();
  if (parallel) {
    let before = parallel.parentElement.clientWidth;
    new ResizeObserver(() => {
      if (parallel.parentElement.clientWidth === before) return;
      before = parallel.parentElement.clientWidth;
      drawParallel();
    }).observe(parallel.parentElement);
  }
  redraws.push(drawCharts, drawParallel);
}

sweepCharts();
