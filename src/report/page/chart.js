// A chart: lines over an axis that all of them share, with a cursor for the mouse, fingers and the keyboard.

const plots = new Set();
const DRAG = { x: true, y: false, setScale: false, dist: 8 };

/** How wide a chart is drawn: as its place, or as paper wants it. */
let printing = false;
const widthOf = (place) => (printing ? 480 : Math.max(Math.floor(place.clientWidth), 120));

/** Steps between ticks, from the smallest figures to those of a diverged trial. */
const STEPS = Array.from({ length: 320 }, (_, power) => [1, 2, 2.5, 5].map((step) => Number(`${step}e${power - 18}`))).flat();

/** The same of whole numbers. */
const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/**
 * Draws lines into `place`, and returns the chart.
 *
 * `spec`: `x` (values, ascending), `lines` ({ name, stroke, dash, width, values, raw, alpha, part }), `bands` (pairs of
 * places of lines, with a fill), `log`, `xName`, `yName`, `marks` (what is drawn over the lines), `zoom` ({ min, max } or
 * null), `onZoom`, `title`, `key` (charts with the same key have one cursor).
 */
function chart(place, spec) {
  let lines = [];
  const shown = (value) => (value === undefined ? undefined : value !== null && (!spec.log || value > 0) ? value : null);
  /** Takes over lines, and returns the columns of the chart. */
  const prepare = (fresh) => {
    spec = fresh;
    lines = spec.lines;
    for (const line of lines) {
      line.first = line.values.findIndex((value) => value !== undefined);
      line.last = line.values.findLastIndex((value) => value !== undefined);
    }
    return [spec.x, ...lines.map((line) => line.values.map(shown))];
  };
  const columns = prepare(spec);
  const text = color("muted");
  const font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const lone = spec.x.length < 2;
  const axis = (scale, extra) => ({
    scale, stroke: text, font, grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("line"), width: 1, size: 5 }, ...extra,
  });
  const series = lines.map((line) => ({
    label: line.name, stroke: line.stroke, width: line.width ?? 2, dash: line.dash, alpha: line.alpha ?? 1,
    // a curve of one epoch is a point
    points: { show: lone || (line.values.filter((value) => typeof value === "number").length < 2), size: 8, fill: line.stroke },
    spanGaps: false,
  }));
  let plot = null;
  let tip = null;
  const width = () => widthOf(place);
  const height = () => Math.round(Math.min(340, Math.max(230, width() * 0.6)));

  const readings = () => {
    const rows = [];
    for (const [number, line] of lines.entries()) {
      const row = plot.cursor.idxs?.[number + 1];
      if (line.silent || row === null || row === undefined) continue;
      const value = line.values[row];
      const raw = line.raw ? line.raw[row] : undefined;
      rows.push({ line, value, raw, x: spec.x[row], word: value === null ? (line.words?.[row] ?? "nan") : null });
    }
    return rows;
  };

  /** The row of a line that is read at a row of all: its own nearest, and none behind the end of one that was stopped early. */
  const nearest = (line, row) => {
    if (!line || line.silent || row === null || row < line.first || row > line.last) return null;
    let [left, right] = [row, row];
    while (line.values[left] === undefined) left -= 1;
    while (line.values[right] === undefined) right += 1;
    return row - left <= right - row ? left : right;
  };

  const words = ({ value, raw, word }) => {
    if (word) return word;
    return raw !== undefined && raw !== value ? `${figure(value)} (raw ${figure(raw)})` : figure(value);
  };

  const MOST = 10;
  function showTip() {
    const { left, top, idx } = plot.cursor;
    tip.replaceChildren();
    tip.hidden = true;
    if (left < 0 || idx === null || idx === undefined || !place.matches(":hover, :focus-within, .touched")) return;
    let rows = readings();
    if (!rows.length) return;
    const far = (row) => (row.value === null ? Infinity : Math.abs(plot.valToPos(row.value, "y") - top));
    const hiddenRows = Math.max(rows.length - MOST, 0);
    if (hiddenRows) rows = rows.sort((a, b) => far(a) - far(b)).slice(0, MOST);
    rows.sort((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
    tip.append(make("b", { text: `${spec.xName} ${tick(spec.x[idx])}` }));
    for (const row of rows) {
      tip.append(make("div", {}, swatch(row.line.stroke, row.line.dash ?? []), make("span", { text: row.line.name }), make("span", { text: words(row) })));
    }
    if (hiddenRows) tip.append(make("em", { text: `and ${hiddenRows} more` }));
    tip.hidden = false;
    placeTip(tip, plot.over, left, top);
  }

  const options = {
    width: width(), height: height(), legend: { show: false }, padding: [14, 14, 0, 0],
    cursor: {
      y: false, drag: DRAG, dataIdx: (u, number, row) => (number === 0 ? row : nearest(lines[number - 1], row)), sync: spec.key ? { key: spec.key, setSeries: false, scales: ["x", null] } : undefined,
      points: { size: 8, width: 2, fill: (u, number) => lines[number - 1]?.silent ? "transparent" : lines[number - 1]?.stroke, stroke: (u, number) => lines[number - 1]?.silent ? "transparent" : color("surface") },
    },
    scales: {
      x: { time: false, range: (u, low, high) => (low === high ? [low - 0.5, high + 0.5] : [low, high]) },
      y: spec.log ? { distr: 3 } : { range: (u, low, high) => fitted(low, spec.cut ? Math.min(high, spec.cut) : high) },
    },
    axes: [
      axis("x", { label: spec.xName, labelSize: 22, labelFont: font, labelGap: 0, size: 34, space: 48, values: (u, ticks) => ticks.map(tick),
        incrs: spec.wholeX ? WHOLE : undefined }),
      axis("y", { size: (u, values) => 18 + 7 * Math.max(2, ...(values ?? []).map((value) => (value ?? "").length)), space: 34,
        incrs: STEPS, label: spec.yName, labelSize: spec.yName ? 22 : 0, labelFont: font, values: (u, ticks) => spec.log ? logTicks(ticks) : ticks.map(tick) }),
    ],
    series: [{}, ...series],
    bands: (spec.bands ?? []).map(({ high, low, fill }) => ({ series: [high + 1, low + 1], fill })),
    hooks: {
      init: [(u) => { tip = make("div", { cls: "tip", hidden: true }); u.over.append(tip); }],
      drawClear: [(u) => spec.marks?.under?.(u)],
      draw: [(u) => spec.marks?.over?.(u)],
      setSelect: [(u) => { if (plot) zoomToSelection(); }],
      setCursor: [() => { if (plot) showTip(); }],
      setScale: [(u, key) => { if (plot && key === "x") spec.onZoom?.({ min: u.scales.x.min, max: u.scales.x.max }); }],
    },
  };
  place.replaceChildren();
  plot = new uPlot(options, columns, place);
  plots.add(plot);
  if (spec.zoom) plot.setScale("x", spec.zoom);

  const follow = new ResizeObserver(() => { if (width() !== plot.width) plot.setSize({ width: width(), height: height() }); });
  follow.observe(place);

  // the keyboard
  const ends = () => {
    const { min, max } = plot.scales.x;
    const within = spec.x.map((x, row) => [x, row]).filter(([x]) => x >= min && x <= max).map(([, row]) => row);
    return [within[0] ?? 0, within[within.length - 1] ?? 0];
  };
  const stand = (row) => {
    const [first, last] = ends();
    const at = Math.max(first, Math.min(last, row));
    plot.setCursor({ left: plot.valToPos(spec.x[at], "x"), top: plot.over.clientHeight / 3 });
    const rows = readings();
    const told = rows.slice(0, 2 * MOST).map((reading) => `${reading.line.name} ${words(reading)}`);
    if (rows.length > told.length) told.push(`and ${rows.length - told.length} more`);
    announce(`${spec.xName} ${tick(spec.x[at])}: ${told.join(", ")}`);
  };
  const zoomBy = (factor) => {
    const { min, max } = plot.scales.x;
    const row = plot.cursor.left >= 0 ? plot.cursor.idx : null;
    const middle = row === null || row === undefined ? (min + max) / 2 : spec.x[row];
    const half = (max - min) * factor / 2;
    const [low, high] = [spec.x[0], spec.x[spec.x.length - 1]];
    const from = Math.floor(Math.max(low, Math.min(middle - half, high - 2 * half)));
    const to = Math.ceil(Math.min(high, from + 2 * half));
    if (factor > 1 || to - from >= 2) plot.setScale("x", { min: from, max: to });
  };
  /** What was dragged over fills the chart, from one epoch to another: between them there is nothing to read. */
  const zoomToSelection = () => {
    const { left, width } = plot.select;
    if (width < DRAG.dist) return;
    const within = spec.x.filter((x) => x >= plot.posToVal(left, "x") && x <= plot.posToVal(left + width, "x"));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (within.length > 1) plot.setScale("x", { min: within[0], max: within[within.length - 1] });
  };
  const reset = () => plot.setScale("x", { min: spec.x[0], max: spec.x[spec.x.length - 1] });
  place.onkeydown = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [first, last] = ends();
    const row = plot.cursor.left >= 0 && plot.cursor.idx !== null ? plot.cursor.idx : null;
    const step = event.shiftKey ? 10 : 1;
    const moves = {
      ArrowRight: () => stand(row === null ? first : row + step), ArrowLeft: () => stand(row === null ? last : row - step),
      Home: () => stand(first), End: () => stand(last), "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2),
      0: reset, Escape: () => { plot.setCursor({ left: -10, top: -10 }); reset(); },
    };
    if (moves[event.key]) {
      moves[event.key]();
      event.preventDefault();
    }
  };
  place.onblur = () => plot.setCursor({ left: -10, top: -10 });

  // fingers: a touch moves the cursor along, and the page still scrolls up and down
  place.ontouchstart = place.ontouchmove = (event) => {
    const box = plot.over.getBoundingClientRect();
    const [touch] = event.touches;
    for (const other of document.querySelectorAll(".touched")) other.classList.remove("touched");
    place.classList.add("touched");
    plot.setCursor({ left: Math.max(0, Math.min(box.width, touch.clientX - box.left)), top: touch.clientY - box.top });
  };

  return {
    plot, zoomBy, reset,
    /** Whether lines are these with other values, so that `update` can show them. */
    fits(fresh) {
      const look = ({ name, stroke, width, dash }) => JSON.stringify([name, stroke, width, dash]);
      return !lone && fresh.log === spec.log && fresh.cut === spec.cut && fresh.lines.length === lines.length
        && fresh.lines.every((line, number) => look(line) === look(lines[number]));
    },
    /** Shows lines with other values. The cursor stays where it is. */
    update(fresh) {
      const { left, top } = plot.cursor;
      plot.setData(prepare(fresh), !fresh.zoom);
      if (fresh.zoom) plot.setScale("x", fresh.zoom);
      if (left >= 0) queueMicrotask(() => plot.setCursor({ left, top })); // when the chart has its scales
    },
    end() {
      follow.disconnect();
      plots.delete(plot);
      plot.destroy();
      place.replaceChildren();
    },
  };
}

/** The range of a linear axis: what is there, with a little room, and no less than zero where nothing is. */
function fitted(low, high) {
  if (low === null || high === null || low === undefined) return [0, 1];
  if (low === 0 && high === 0) return [0, 1];
  if (low === high) return [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const room = (high - low) * 0.06;
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

/** On a logarithmic axis, the powers of ten are written, and two and five where there are few of them. */
function logTicks(ticks) {
  const lead = (value) => Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  const given = ticks.filter((value) => value > 0);
  const powers = given.filter((value) => lead(value) === 1).length;
  const every = powers > 7 ? 2 : 1;
  return ticks.map((value) => {
    if (!(value > 0)) return "";
    const first = lead(value);
    const wanted = powers >= 3 ? first === 1 && Math.round(Math.log10(value)) % every === 0 : powers >= 2 ? [1, 2, 5].includes(first) : true;
    return wanted ? tick(value) : "";
  });
}

/** The place of a chart, with what a keyboard and a screen reader need. */
function chartPlace(label) {
  return make("div", {
    cls: "chart", tabindex: "0", role: "application", "aria-roledescription": "interactive chart", "aria-label": label,
    "aria-describedby": "chart-help",
  });
}
