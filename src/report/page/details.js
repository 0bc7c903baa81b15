// Charts below the learning curves: curves by threshold, layer statistics and confusion matrices.

/** A choice of one of several by a list. */
function choice(label, id, names, change) {
  const select = make("select", { id, onchange: () => change(select.selectedIndex) });
  for (const name of names) select.append(make("option", { text: name }));
  return make("div", { cls: "choice" }, make("label", { cls: "label", for: id, text: label }), select);
}

/** Of what is there for each group, one is shown at a time. */
function oneAtATime(within = document) {
  for (const [number, place] of within.querySelectorAll(".by-group").entries()) {
    const parts = [...place.querySelectorAll(":scope > .of-group")];
    if (parts.length < 2) continue;
    const show = (chosen) => { for (const [at, part] of parts.entries()) part.hidden = at !== chosen; };
    for (const part of parts) part.querySelector(".group-name")?.classList.add("hidden");
    place.prepend(choice("Shown", `by-group-${within.id ?? ""}${number}`, parts.map((part) => part.dataset.name), show));
    show(0);
  }
}

/** How strong the color of a cell is, by its share of the row: as in the page's own tables. */
function heat(share, hit) {
  const strength = hit ? share : Math.sqrt(share);
  return strength <= 0.5 ? { a: 0.04 + strength * 1.1, hot: false } : { a: 0.85 + (strength - 0.5) * 0.3, hot: true };
}

/** The confusion matrix of one trial in the place of all trials' sum. */
function confusions() {
  for (const table of document.querySelectorAll("table.confusion[data-group]")) {
    const group = +table.dataset.group;
    const trials = trialsOf(group).filter((trial) => trial.confusion);
    if (trials.length < 2) continue;
    const size = trials[0].confusion.length;
    const sum = trials[0].confusion.map((row, at) => row.map((_, to) => trials.reduce((all, { confusion }) => all + confusion[at][to], 0)));
    const fill = (counts) => {
      for (let at = 0; at < size; at++) {
        const all = counts[at].reduce((sum, count) => sum + count, 0);
        for (let to = 0; to < size; to++) {
          const share = all ? counts[at][to] / all : 0;
          const cell = table.tBodies[0].rows[at].cells[to + 1];
          const { a, hot } = heat(share, at === to);
          cell.className = `${at === to ? "hit" : counts[at][to] ? "slip" : ""}${hot ? " hot" : ""}`;
          cell.style.setProperty("--a", a.toFixed(3));
          cell.firstChild.textContent = counts[at][to].toLocaleString("en-US");
          cell.querySelector("small").textContent = all ? `${(100 * share).toFixed(1)} %` : "–";
        }
      }
    };
    const shown = choice("Counts of", `confusion-${group}`, ["all trials together", ...trials.map(({ name }) => name)],
      (chosen) => fill(chosen ? trials[chosen - 1].confusion : sum));
    table.closest(".scroll").previousElementSibling.before(shown);
  }
}

/** ROC, precision–recall and threshold curves. */
function thresholds() {
  const place = document.getElementById("threshold-charts");
  if (!place) return;
  const trials = data.trials.map((trial, number) => ({ ...trial, number })).filter((trial) => trial.roc || trial.pr);
  const several = data.groups.length > 1;
  const hidden = new Set();
  const keys = several ? data.groups.map((group, at) => ({ name: group.label, at })).filter(({ at }) => trials.some((trial) => trial.group === at))
    : trials.map((trial, at) => ({ name: trial.name, at }));
  const keyOf = (trial) => (several ? trial.group : trials.indexOf(trial));
  const nameOf = (trial) => (several ? `${data.groups[trial.group].label}${trialsOf(trial.group).length > 1 ? `, ${trial.name}` : ""}` : trials.length > 1 ? trial.name : "this run");
  let chosen = 0;
  const keyPlace = make("ul", { cls: "keys", "aria-label": "Lines" });
  const panels = make("div", { cls: "panels" });
  const ofOne = make("div", { cls: "panels of-one" });
  const threshold = (list) => (row) => [["threshold", figure(list[row])]];
  let charts = [];
  const add = (to, title, label, spec) => {
    const at = chartPlace(label);
    to.append(make("figure", { cls: "panel" }, make("figcaption", {}, make("h3", { text: title })), at));
    charts.push(plane(at, spec));
  };
  const draw = () => {
    for (const { end } of charts) end();
    charts = [];
    panels.replaceChildren();
    ofOne.replaceChildren();
    const shown = trials.filter((trial) => !hidden.has(keyOf(trial)));
    const line = (trial, x, y, list) => ({ name: nameOf(trial), stroke: color(style(keyOf(trial)).color), dash: dashOf("val", style(keyOf(trial)).round), x, y, note: threshold(list) });
    const roc = shown.filter((trial) => trial.roc);
    const pr = shown.filter((trial) => trial.pr);
    if (trials.some((trial) => trial.roc)) {
      add(panels, "ROC curve", `ROC curve, ${roc.length} lines`, { xName: "false positive rate", yName: "true positive rate", level: "diagonal", lines: roc.map((trial) => line(trial, trial.roc.fpr, trial.roc.tpr, trial.roc.threshold)) });
    }
    if (trials.some((trial) => trial.pr)) {
      const level = shown[0]?.positives ?? undefined;
      add(panels, "Precision–recall curve", `Precision–recall curve, ${pr.length} lines`, { xName: "recall", yName: "precision", level, lines: pr.map((trial) => line(trial, trial.pr.recall, trial.pr.precision, trial.pr.threshold)) });
    }
    const one = trials[chosen];
    if (one?.pr) {
      const rows = one.pr.threshold.map((value, row) => [value, row]).filter(([value]) => typeof value === "number");
      const x = rows.map(([value]) => value);
      const of = (name, number) => ({ name, stroke: color(`s${number}`), dash: [[], [6, 4], [10, 3, 2, 3]][number], x, y: rows.map(([, row]) => one.pr[name.toLowerCase()][row]) });
      const range = x.length ? [Math.min(0, ...x), Math.max(1, ...x)] : [0, 1];
      const lines = [of("Precision", 0), of("Recall", 1), of("F1", 2)];
      add(ofOne, "By threshold", "Precision, recall and F1 by threshold", { xName: "threshold", lines, xRange: range, upright: one.threshold === undefined ? undefined : { x: one.threshold } });
      const legend = make("ul", { cls: "keys" }, ...lines.map((line) => make("li", { cls: "key note" }, swatch(line.stroke, line.dash), make("span", { text: line.name }))));
      if (one.threshold !== undefined) legend.append(make("li", { cls: "key note" }, swatch(color("text"), [4, 4]), make("span", { text: `chosen threshold ${figure(one.threshold)}` })));
      ofOne.lastChild.append(legend);
    }
  };
  const drawKeys = () => {
    keyPlace.replaceChildren();
    for (const [number, { name, at }] of keys.entries()) {
      const look = style(at);
      keyPlace.append(make("li", {}, make("button", {
        type: "button", "aria-pressed": String(!hidden.has(at)), title: name,
        onclick: () => { flip(hidden, at); all(); keyPlace.children[number].firstElementChild.focus({ preventScroll: true }); },
      }, swatch(color(look.color), dashOf("val", look.round)), make("span", { cls: "name", text: name }))));
    }
  };
  const all = () => { drawKeys(); draw(); };
  if (keys.length > 1) place.append(keyPlace);
  place.append(panels);
  if (trials.length > 1) place.append(choice("By threshold, of", "threshold-trial", trials.map((trial) => nameOf(trial)), (at) => { chosen = at; draw(); }));
  place.append(ofOne);
  all();
  redraws.push(all);
}

/** What was observed by layer. */
function observed() {
  const place = document.getElementById("observed-charts");
  if (!place) return;
  const controls = make("div", { cls: "controls" });
  const panels = make("div", { cls: "panels" });
  const hidden = new Set();
  const keyPlace = make("ul", { cls: "keys", "aria-label": "Layers" });
  let [group, log] = [0, data.observed.some(({ log }) => log)];
  let charts = [];
  const groups = [...new Set(data.observed.flatMap(({ groups }) => groups.map(({ group }) => group)))];
  let layers = [];
  // the first group is shown that has something to show: one that diverged at once has not
  const figures = (at) => data.observed.flatMap((kind) => kind.groups.filter((other) => other.group === at).flatMap(({ values }) => values.flat()));
  group = Math.max(groups.findIndex((at) => figures(at).some((value) => typeof value === "number")), 0);
  const look = (layer) => {
    const at = layers.indexOf(layer);
    return { stroke: ramp(layers.length > 1 ? at / (layers.length - 1) : 0), dash: [[], [7, 3], [2, 3]][at % 3] };
  };
  const draw = () => {
    for (const { end } of charts) end();
    charts = [];
    panels.replaceChildren();
    for (const kind of data.observed) {
      const found = kind.groups.find((other) => other.group === groups[group]);
      if (!found) continue;
      const x = data.grids[found.grid];
      const lines = kind.layers.map((layer, at) => ({ name: layer, ...look(layer), values: found.values[at]?.map(finite), layer }))
        .filter(({ values, layer }) => values && !hidden.has(layer));
      const at = chartPlace(`${kind.name} by epoch, ${lines.length} layers`);
      panels.append(make("figure", { cls: "panel" }, make("figcaption", {}, make("h3", { text: kind.name })), at));
      const drawn = lines.some(({ values }) => values.some((value) => value !== null));
      if (drawn) charts.push(chart(at, { x, lines, log: log && kind.log, xName: "epoch", wholeX: true, key: "observed" }));
      else at.replaceWith(make("p", { cls: "note", text: lines.length ? "No value is finite." : "Nothing is shown: switch a layer on above." }));
    }
  };
  const depth = (layer) => parseInt(layer.match(/\d+/)?.[0] ?? "0", 10);
  const all = () => {
    const there = data.observed.flatMap((kind) => {
      const values = kind.groups.find((other) => other.group === groups[group])?.values ?? [];
      return kind.layers.filter((_, at) => values[at]);
    });
    layers = [...new Set(there)].sort((a, b) => depth(a) - depth(b));
    keyPlace.replaceChildren();
    for (const [number, layer] of layers.entries()) {
      const { stroke, dash } = look(layer);
      keyPlace.append(make("li", {}, make("button", {
        type: "button", "aria-pressed": String(!hidden.has(layer)), title: layer,
        onclick: () => { flip(hidden, layer); all(); keyPlace.children[number].firstElementChild.focus({ preventScroll: true }); },
      }, swatch(stroke, dash), make("span", { cls: "name", text: layer }))));
    }
    draw();
  };
  if (groups.length > 1) {
    const shown = choice("Shown", "observed-group", groups.map((at) => data.groups[at].label), (at) => { group = at; all(); });
    shown.querySelector("select").selectedIndex = group;
    controls.append(shown);
  }
  if (log) controls.append(chips("Scale", "checkbox", [{ text: "log scale", on: log, change: (on) => { log = on; draw(); } }]));
  place.append(controls, keyPlace, panels);
  all();
  redraws.push(all);
}
