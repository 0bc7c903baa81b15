// The learning curves: one panel for each metric, with lines for each group or each trial.

const PARTS = [["train", "training"], ["val", "validation"]];
const nameIn = (part, metric) => (part === "train" ? metric : `val_${metric}`);

const curves = {
  mode: "each",
  smooth: 0,
  log: false,
  marks: true,
  parts: new Set(),
  metrics: new Set(),
  hidden: new Set(), // names of items: "g0" for a group, "t3" for a trial
  zoom: null,
  charts: [],
  redrawing: false,
};

/** What is shown before anybody has chosen. */
function chooseFirst() {
  curves.mode = data.trials.length > data.groups.length ? "mean" : "each";
  // of many groups, training and validation together would be a tangle
  curves.parts = new Set(hasValidation() && data.groups.length > 5 ? ["val"] : PARTS.map(([part]) => part));
  curves.metrics = new Set(data.shown);
}
chooseFirst();

/** Whether what belongs to one group alone is drawn; its parts have colors then, and not the group. */
const lone = () => data.groups.length === 1;
const epochsOf = (trial) => data.grids[trial.grid];
const trialsOf = (group) => data.trials.filter((trial) => trial.group === group);

/** What lines are drawn for: groups, or trials. */
function items() {
  if (curves.mode === "mean") {
    return data.groups.map((group, place) => ({ key: `g${place}`, name: group.label, group: place, place, trials: trialsOf(place) }));
  }
  return data.trials.map((trial, number) => ({
    key: `t${number}`, group: trial.group, place: lone() ? number : trial.group, trials: [trial],
    name: lone() ? trial.name : trialsOf(trial.group).length > 1 ? `${data.groups[trial.group].label}, ${trial.name}` : data.groups[trial.group].label,
  }));
}

const isShown = (item) => !curves.hidden.has(item.key);

/** Values smoothed as they come: an exponential mean, corrected for its beginning. */
function smoothed(values, weight) {
  if (!weight) return values;
  let [mean, total] = [0, 0];
  return values.map((value) => {
    if (value === undefined || value === null) return value;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

/** A series of trials over the epochs of all: each one's value, their mean, and one standard deviation around it. */
function overTrials(trials, name, epochs) {
  const tables = trials.filter((trial) => trial.series[name]).map((trial) => {
    const values = trial.series[name];
    return new Map(epochsOf(trial).slice(0, values.length).map((epoch, row) => [epoch, values[row]]));
  });
  if (!tables.length) return null;
  const mean = [], low = [], high = [], words = [];
  for (const epoch of epochs) {
    const there = tables.filter((table) => table.has(epoch)).map((table) => table.get(epoch));
    const values = there.map(finite).filter((value) => value !== null);
    if (!there.length) {
      mean.push(undefined); low.push(undefined); high.push(undefined); words.push(undefined);
      continue;
    }
    if (!values.length) {
      mean.push(null); low.push(null); high.push(null); words.push(String(there[0]));
      continue;
    }
    const middle = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = values.length > 1 ? Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1)) : 0;
    mean.push(middle);
    low.push(curves.log ? Math.max(middle - spread, Math.min(...values)) : middle - spread);
    high.push(middle + spread);
    words.push(undefined);
  }
  return { mean, low, high, words, several: tables.length > 1 };
}

/** The lines of a panel. */
function linesOf(metric, epochs) {
  const lines = [], bands = [];
  const drawn = items().filter(isShown);
  const many = drawn.length > 12;
  // a metric without the rows that are chosen, as the learning rate, is shown of those that it has
  const has = data.metrics.find(({ name }) => name === metric);
  const chosen = PARTS.filter(([part]) => curves.parts.has(part));
  const parts = chosen.length && !chosen.some(([part]) => has[part]) ? PARTS : chosen;
  for (const item of drawn) {
    for (const [part, word] of parts) {
      const found = overTrials(item.trials, nameIn(part, metric), epochs);
      if (!found) continue;
      const look = style(item.place);
      const byPart = lone() && (curves.mode === "mean" || data.trials.length === 1);
      const stroke = color(byPart ? (part === "train" ? "s0" : "s1") : look.color);
      const dash = dashOf(part, byPart ? 0 : look.round);
      const name = lone() && (curves.mode === "mean" || data.trials.length === 1) ? word : `${item.name}, ${word}`;
      const plain = found.mean;
      const values = smoothed(plain, curves.smooth);
      if (curves.smooth && drawn.length <= 3) {
        lines.push({ name, stroke, dash, width: 1, alpha: 0.28, values: plain, silent: true });
      }
      lines.push({ name, stroke, dash, width: many ? 1.25 : 2, values, raw: curves.smooth ? plain : undefined, words: found.words, item, part });
      if (found.several && curves.mode === "mean") {
        const edge = { name, stroke: "transparent", width: 0, silent: true };
        lines.push({ ...edge, values: smoothed(found.high, curves.smooth) }, { ...edge, values: smoothed(found.low, curves.smooth) });
        bands.push({ high: lines.length - 2, low: lines.length - 1, fill: faint(stroke) });
      }
    }
  }
  return { lines, bands };
}

function faint(hex) {
  const channels = hex.match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16));
  return `rgba(${channels.join(", ")}, ${data.groups.length > 4 ? 0.12 : 0.2})`;
}

const median = (values) => values.slice().sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

/** Where an item is best, and from where it overfits: of several trials the middle ones, where most overfit. */
function turns(item) {
  const of = (name) => item.trials.map((trial) => trial[name]).filter((epoch) => epoch !== null && epoch !== undefined);
  const [best, onset] = [of("best"), of("onset")];
  return { best: best.length ? median(best) : null, onset: 2 * onset.length > item.trials.length ? median(onset) : null, several: best.length > 1 };
}

/** Best epochs and overfitting: of a lone item in words, of several as small marks at the edges. */
function marksOf(metric, lines) {
  const drawn = items().filter((item) => isShown(item) && lines.some((line) => line.item?.key === item.key));
  const px = () => uPlot.pxRatio;
  const x = (u, epoch) => Math.round(u.valToPos(epoch, "x", true));
  const inside = (u, epoch) => epoch !== null && epoch >= u.scales.x.min && epoch <= u.scales.x.max;
  return {
    under(u) {
      if (!curves.marks || drawn.length !== 1) return;
      const { onset } = turns(drawn[0]);
      if (onset === null || onset > u.scales.x.max) return;
      const { left, top, width, height } = u.bbox;
      const from = Math.max(left, x(u, Math.max(onset, u.scales.x.min)));
      u.ctx.save();
      u.ctx.fillStyle = color("shade");
      u.ctx.fillRect(from, top, left + width - from, height);
      u.ctx.restore();
    },
    over(u) {
      if (!curves.marks) return;
      const { ctx, bbox: { left, top, width, height } } = u;
      ctx.save();
      ctx.font = `${12 * px()}px system-ui, sans-serif`;
      ctx.textBaseline = "bottom";
      ctx.textAlign = "left";
      if (drawn.length === 1) {
        const { best, onset, several } = turns(drawn[0]);
        const label = (epoch, text, stroke, dash, align) => {
          ctx.strokeStyle = ctx.fillStyle = stroke;
          ctx.lineWidth = 1.5 * px();
          ctx.setLineDash(dash.map((length) => length * px()));
          ctx.beginPath();
          ctx.moveTo(x(u, epoch), top);
          ctx.lineTo(x(u, epoch), top + height);
          ctx.stroke();
          const room = ctx.measureText(text).width;
          const wanted = x(u, epoch) + (align === "right" ? -room : 4 * px());
          const at = Math.max(left, Math.min(wanted, left + width - room));
          const clash = at < taken;
          taken = at + room;
          ctx.fillText(text, at, clash ? top + 14 * px() : top - 2 * px());
        };
        let taken = 0;
        const most = several ? " (median)" : "";
        if (inside(u, best)) label(best, `best ${best}${most}`, color("text"), [4, 4], "right");
        if (inside(u, onset)) label(onset, `overfits from ${onset}${most}`, color("bad"), [1, 3], "left");
      } else {
        for (const item of drawn) {
          const { best, onset } = turns(item);
          const look = color(style(item.place).color);
          ctx.fillStyle = ctx.strokeStyle = look;
          ctx.setLineDash([]);
          ctx.lineWidth = 1.5 * px();
          const size = 5 * px();
          if (inside(u, best)) {
            const at = x(u, best);
            ctx.beginPath();
            ctx.moveTo(at - size, top - 2 * size); ctx.lineTo(at + size, top - 2 * size); ctx.lineTo(at, top);
            ctx.fill();
          }
          if (inside(u, onset)) {
            const at = x(u, onset);
            ctx.beginPath();
            ctx.moveTo(at - size, top - size); ctx.lineTo(at, top - 2 * size); ctx.lineTo(at + size, top - size); ctx.lineTo(at, top);
            ctx.closePath();
            ctx.stroke();
          }
        }
      }
      ctx.restore();
    },
  };
}

const allEpochs = () => [...new Set(data.trials.flatMap((trial) => epochsOf(trial)))].sort((a, b) => a - b);
const shownMetrics = () => data.metrics.filter(({ name }) => curves.metrics.has(name));

/** What a panel shows. */
function specOf(metric, epochs) {
  const { lines, bands } = linesOf(metric.name, epochs);
  const cut = curves.log ? null : cutAt(lines);
  return { x: epochs, lines, bands, log: curves.log, cut, xName: "epoch", wholeX: true, key: "curves", marks: marksOf(metric.name, lines), zoom: curves.zoom };
}

/** Shows new values in the panels that there are. Returns whether that is possible, with the same lines. */
function updateCurves() {
  const epochs = allEpochs();
  const specs = shownMetrics().map((metric) => specOf(metric, epochs));
  if (specs.length !== curves.charts.length || !specs.every((spec, number) => curves.charts[number].fits(spec))) return false;
  for (const [number, spec] of specs.entries()) curves.charts[number].update({ ...spec, onZoom: curves.charts[number].onZoom });
  return true;
}

/** Draws all panels again. */
function drawCurves() {
  const place = document.getElementById("panels");
  if (!place) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.metric : null;
  for (const { end } of curves.charts) end();
  curves.charts = [];
  place.replaceChildren();
  const epochs = allEpochs();
  let below = 0;
  for (const metric of shownMetrics()) {
    const spec = specOf(metric, epochs);
    const { lines, cut } = spec;
    if (curves.log) below += lines.flatMap((line) => (line.silent ? [] : line.values)).filter((value) => typeof value === "number" && value <= 0).length;
    const way = { higher: "higher is better", lower: "lower is better" }[metric.better] ?? "";
    const chartAt = chartPlace(`${metric.name} by epoch, ${lines.filter((line) => !line.silent).length} lines`);
    chartAt.dataset.metric = metric.name;
    const title = make("h3", { text: metric.name });
    place.append(make("figure", { cls: "panel" }, make("figcaption", {}, title, make("span", { cls: "readout", text: cut === null ? way : `cut at ${tick(cut)}: the log scale shows all` })), chartAt));
    if (!lines.length) {
      chartAt.replaceWith(make("p", { cls: "note", text: "Nothing is shown: switch a line on above." }));
      continue;
    }
    const onZoom = (range) => zoomTo(range, made?.plot);
    const made = chart(chartAt, { ...spec, onZoom });
    curves.charts.push({ ...made, onZoom });
    if (focused === metric.name) chartAt.focus({ preventScroll: true });
  }
  document.getElementById("below-zero").hidden = !below;
  document.getElementById("below-zero").textContent = below ? `${below} values are not above 0 and have no place on a logarithmic scale.` : "";
  drawKeys();
}

/** Where values are cut off that would press all others flat, as those of a diverged trial do; null where none do. */
function cutAt(lines) {
  const values = lines.filter((line) => !line.silent).flatMap((line) => line.values).filter((value) => typeof value === "number").map(Math.abs).sort((a, b) => a - b);
  const most = values[Math.floor(0.9 * (values.length - 1))];
  return values.length > 10 && most > 0 && values[values.length - 1] > 100 * most ? Number((1.5 * most).toPrecision(1)) : null;
}

/** All panels show the same epochs. */
function zoomTo(range, from) {
  if (curves.redrawing || !from) return;
  curves.redrawing = true;
  const all = from.data[0];
  const whole = range.min <= all[0] && range.max >= all[all.length - 1];
  curves.zoom = whole ? null : range;
  for (const { plot } of curves.charts) if (plot !== from) plot.setScale("x", range);
  const reset = document.getElementById("zoom-reset");
  if (reset) reset.disabled = whole;
  curves.redrawing = false;
}

/** The keys of the lines, each a button that shows or hides its line. */
function drawKeys() {
  const place = document.getElementById("keys");
  const all = items();
  const rows = document.getElementById("rows");
  const single = lone() && all.length === 1;
  const byPart = lone() && (curves.mode === "mean" || single);
  place.replaceChildren();
  // where the keys are those of training and validation, there is no need to choose them a second time
  if (rows) {
    rows.hidden = byPart;
    for (const [number, input] of rows.querySelectorAll("input").entries()) input.checked = curves.parts.has(PARTS[number][0]);
  }
  const entries = byPart
    ? PARTS.filter(([part]) => data.metrics.some((metric) => metric[part])).map(([part, word]) => ({
        name: word, stroke: color(part === "train" ? "s0" : "s1"), dash: dashOf(part, 0), on: curves.parts.has(part),
        flip: () => flip(curves.parts, part),
      }))
    : all.map((item) => ({
        name: item.name, stroke: color(style(item.place).color), dash: dashOf("val", style(item.place).round), on: isShown(item),
        flip: () => flip(curves.hidden, item.key),
      }));
  for (const [number, { name, stroke, dash, on, flip: toggle }] of entries.entries()) {
    const button = make("button", {
      type: "button", "aria-pressed": String(on), title: name,
      onclick: () => {
        toggle();
        drawCurves();
        place.children[number]?.firstElementChild.focus({ preventScroll: true });
      },
    }, swatch(stroke, dash), make("span", { cls: "name", text: name }));
    place.append(make("li", {}, button));
  }
  document.getElementById("all-or-none").hidden = byPart || all.length < 3;
}

function flip(set, key) {
  if (!set.delete(key)) set.add(key);
}

/** A choice of one or several, as chips. */
function chips(legend, type, choices) {
  const name = `chips-${legend.replace(/\W/g, "-")}`;
  const set = make("fieldset", {}, make("legend", { text: legend }));
  const row = make("div");
  for (const { text, on, change } of choices) {
    const input = make("input", { type, name, onchange: (event) => change(event.target.checked) });
    input.checked = on;
    row.append(make("label", { cls: "chip" }, input, make("span", { text })));
  }
  set.append(row);
  return set;
}

/** Makes the controls, again when there are more metrics, groups or trials. */
function curveControls() {
  const place = document.getElementById("curve-controls");
  if (!place) return;
  place.replaceChildren();
  const set = (name) => (value) => { curves[name] = value; drawCurves(); };
  const parts = PARTS.filter(([part]) => data.metrics.some((metric) => metric[part]));
  if (data.metrics.length > 1) {
    place.append(chips("Metrics", "checkbox", data.metrics.map(({ name }) => ({
      text: name, on: curves.metrics.has(name), change: () => { flip(curves.metrics, name); drawCurves(); },
    }))));
  }
  if (parts.length > 1) {
    const rows = chips("Rows", "checkbox", parts.map(([part, word]) => ({
      text: word, on: curves.parts.has(part), change: () => { flip(curves.parts, part); drawCurves(); },
    })));
    rows.id = "rows";
    place.append(rows);
  }
  if (data.trials.length > data.groups.length) {
    place.append(chips("Seeds and folds", "radio", [["mean", "mean ± std"], ["each", "each one"]].map(([mode, text]) => ({
      text, on: curves.mode === mode, change: () => { curves.hidden.clear(); set("mode")(mode); },
    }))));
  }
  const slider = make("input", { type: "range", id: "smoothing", min: 0, max: 0.95, step: 0.05, value: curves.smooth });
  const shown = make("output", { for: "smoothing", text: curves.smooth || "none" });
  slider.addEventListener("input", () => {
    shown.textContent = +slider.value ? slider.value : "none";
    set("smooth")(+slider.value);
  });
  place.append(make("div", {}, make("label", { cls: "label", for: "smoothing" }, make("span", { text: "Smoothing" }), shown), slider));
  place.append(chips("Show", "checkbox", [
    { text: "log scale", on: curves.log, change: set("log") },
    { text: "best epoch and overfitting", on: curves.marks, change: set("marks") },
  ]));
  const zoom = (text, label, act, id) => make("button", { type: "button", text, "aria-label": label, id, onclick: act });
  const each = (act) => () => { if (curves.charts[0]) act(curves.charts[0]); };
  const reset = zoom("All epochs", "Show all epochs", each((made) => made.reset()), "zoom-reset");
  reset.disabled = !curves.zoom;
  place.append(make("fieldset", {}, make("legend", { text: "Zoom" }), make("div", {},
    zoom("+", "Zoom in", each((made) => made.zoomBy(0.5))), zoom("−", "Zoom out", each((made) => made.zoomBy(2))), reset)));
  for (const [id, hide] of [["show-all", false], ["show-none", true]]) {
    document.getElementById(id).onclick = () => {
      curves.hidden = new Set(hide ? items().map(({ key }) => key) : []);
      drawCurves();
    };
  }
  drawCurves();
  if (!redraws.includes(drawCurves)) redraws.push(drawCurves);
}
