// The page of a sweep: progress and workers, and charts that grow.

const CHART_SECTIONS = ["by-setting", "parallel", "progress"];

function sweepState(row) {
  const place = document.getElementById("status");
  const [done, all, training, failed] = row.trials;
  const parts = [];
  const line = make("div", { cls: "line" }, stateBadge(row.status));
  if (all) {
    line.append(make("progress", { max: all, value: done, "aria-label": "trials of the sweep" }));
    const facts = [`${done.toLocaleString("en-US")} of ${count(all, "trial")}`, training ? `${training} in training` : null, failed ? `${failed} failed` : null];
    line.append(make("span", { cls: "num", text: facts.filter(Boolean).join(", ") }));
  }
  if (row.stacks) line.append(make("span", { cls: "note", text: `${row.stacks[0]} of ${count(row.stacks[1], "stack")} ended${row.started ? ` · started ${ago(row.started)} ago` : ""}` }));
  line.append(make("a", { cls: "button", href: `/sweep/${row.id}/report`, text: "Report" }));
  parts.push(line);
  if (row.best) {
    parts.push(make("p", {}, "Best so far: ", make("code", { text: row.best.settings || row.best.name }), ` with ${row.metric} ${spread(row.best.mean, row.best.std)}`));
  }
  if (row.running.length) {
    const rows = row.running.map(({ stack, worker, epoch, epochs, alive }) => {
      const progress = make("td");
      if (epochs) progress.append(make("progress", { max: epochs, value: epoch, "aria-label": `epochs of ${stack}` }), " ", make("small", { cls: "num", text: `${epoch}/${epochs}` }));
      else progress.append("–");
      return make("tr", {}, make("th", { scope: "row" }, make("a", { href: `/run/${row.id}.${stack}`, text: stack, "aria-label": `curves of stack ${stack}` })),
        make("td", { text: worker ?? "–" }), progress, make("td", {}, stateBadge(alive ? "running" : "no worker")));
    });
    const heads = ["stack", "worker", "epoch", "state"].map((text) => make("th", { scope: "col", text }));
    parts.push(make("div", { cls: "scroll" }, make("table", { cls: "runs" }, make("caption", { text: "Stacks in training" }), make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows))));
  }
  const fresh = make("div", {}, ...parts);
  if (place.innerHTML === fresh.innerHTML) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  place.replaceChildren(...fresh.childNodes);
  scrollers(place);
  if (focused) place.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
}

function sweepPage() {
  let version = data.live.version;
  const hasResults = () => sweep.configurations.some(({ status }) => status === "done");
  for (const section of document.querySelectorAll("main > section.card")) sectionTexts.set(section.id, section.outerHTML);
  const show = (answer) => {
    sweepState(answer.row);
    if (!answer.data) return;
    version = answer.version;
    const had = hasResults();
    Object.assign(sweep, answer.data.sweep);
    replaceSections(answer.sections, had ? CHART_SECTIONS : []);
    prepareSweep();
    if (!had) sweepCharts();
    else redrawAll();
    linkTable();
  };
  show(data.live);
  follow(() => `/data/sweep/${data.live.row.id}?data=${version}`, show, "This sweep no longer exists: it was deleted or moved. The page shows what was there last.");
}

sweepPage();
