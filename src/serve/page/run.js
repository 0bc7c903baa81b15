// The page of a run, or of several: its state, and curves that grow.

function runStates(runs) {
  const place = document.getElementById("status");
  const lines = runs.map((run) => {
    const line = make("div", { cls: "line" });
    if (runs.length > 1) line.append(make("a", { href: `/run/${run.id}`, text: `${run.experiment} ${run.short}` }));
    line.append(stateBadge(run.status));
    if (run.epochs && (run.running || run.epoch < run.epochs)) {
      line.append(make("progress", { max: run.epochs, value: run.epoch, "aria-label": `epochs of ${run.experiment} ${run.short}` }));
      line.append(make("span", { cls: "num", text: `epoch ${run.epoch} of ${run.epochs}` }));
    }
    const facts = [];
    if (run.in_training) facts.push(`${count(run.in_training, "trial")} in training`);
    if (run.trials) facts.push(`${count(run.trials, "trial")} with a history`);
    if (run.started) facts.push(`started ${ago(run.started)} ago`);
    if (run.host) facts.push(`on ${run.host}${run.job ? `, job ${run.job}` : ""}`);
    line.append(make("span", { cls: "note", text: facts.join(" · ") }));
    if (run.changed) line.append(make("code", { text: run.changed }));
    if (run.trials && !run.id.includes(".")) line.append(make("a", { cls: "button", href: `/report/${run.id}`, text: "Report" }));
    return line;
  });
  if (runs.length > 1 && runs.every((run) => run.trials)) {
    lines.push(make("div", { cls: "line" }, make("a", { cls: "button", href: `/report/${runs.map(({ id }) => id).join(",")}`, text: "Report of all" })));
  }
  for (const fault of runs.flatMap(({ faults }) => faults).slice(0, 5)) lines.push(make("div", { cls: "box bad" }, make("p", { text: fault })));
  swapIfChanged(place, lines);
}

/** Replaces the content of an element unless it would look the same, so that focus and selection stay. */
function swapIfChanged(place, children) {
  const fresh = make("div", {}, ...children);
  if (place.innerHTML === fresh.innerHTML) return;
  const focused = place.contains(document.activeElement) ? [...place.querySelectorAll("a, button")].indexOf(document.activeElement) : -1;
  place.replaceChildren(...fresh.childNodes);
  if (focused >= 0) place.querySelectorAll("a, button")[focused]?.focus({ preventScroll: true });
}

/** The newest values of a run in training, as means over its trials. */
function newest(runs) {
  const place = document.getElementById("now");
  const tiles = [];
  if (runs.some((run) => run.running) && data.groups.length === 1) {
    for (const { name, train, val } of data.metrics) {
      for (const series of [...(train ? [name] : []), ...(val ? [`val_${name}`] : [])]) {
        const values = data.trials.map((trial) => trial.series[series]?.at(-1)).filter((value) => value !== undefined && value !== null);
        if (!values.length) continue;
        const finiteValues = values.filter((value) => typeof value === "number");
        const mean = finiteValues.reduce((sum, value) => sum + value, 0) / finiteValues.length;
        const note = values.length > 1 ? `mean of ${values.length} trials` : "last epoch";
        tiles.push(make("div", {}, make("dt", { text: series }), make("dd", {}, finiteValues.length ? figure(mean) : String(values[0]), make("small", { text: note }))));
      }
    }
  }
  swapIfChanged(place, tiles.length ? [make("dl", { cls: "tiles" }, ...tiles.slice(0, 8))] : []);
}

/** Takes over new curves. What is chosen stays, and so do the cursor and the zoom if the lines are the same. */
function growCurves(fresh) {
  const had = data.metrics.length > 0;
  const shape = () => JSON.stringify([data.metrics, data.groups, data.trials.length > data.groups.length]);
  const before = shape();
  Object.assign(data, fresh);
  if (!had) chooseFirst();
  if (!had || shape() !== before) curveControls();
  else if (!updateCurves()) drawCurves();
  const panels = document.getElementById("panels");
  if (!data.metrics.length) panels.replaceChildren(make("p", { cls: "note", text: "The curves appear after the first epoch." }));
}

/** A chart that somebody drags over must not be replaced meanwhile. */
let isPressed = false;
addEventListener("pointerdown", () => { isPressed = true; });
for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => { isPressed = false; });

function runPage() {
  const ids = location.pathname.split("/")[2];
  let { version, sections_version: sectionsVersion } = data.live;
  let waiting = null;
  const title = document.title;
  const show = (answer) => {
    runStates(answer.runs);
    if (answer.data) waiting = answer;
    if (waiting && !isPressed) {
      version = waiting.version;
      growCurves(waiting.data);
      waiting = null;
    }
    if (answer.sections !== undefined) {
      sectionsVersion = answer.sections_version;
      replaceSections(answer.sections);
    }
    newest(answer.runs);
    const running = answer.runs.filter((run) => run.running && run.epochs);
    document.title = running.length ? `${running[0].epoch}/${running[0].epochs} ${title}` : title;
  };
  for (const section of document.querySelectorAll("main > section.card")) sectionTexts.set(section.id, section.outerHTML);
  growCurves({});
  show(data.live);
  follow(() => `/data/run/${ids}?data=${version}&sections=${sectionsVersion}`, show,
    ids.includes(",") ? "One of these runs no longer exists: it was deleted or moved." : "This run no longer exists: it was deleted or moved. The page shows what was there last.");
}

if (data.kind === "run") runPage();
