// Points over an axis that can be linear, logarithmic or a list of choices. All charts of a sweep mark the same configuration.

const sweep = data.sweep;

/** The configuration that all charts and the table mark; `null` for none. Each listener gets it when it changes. */
const chosen = { place: null, listeners: [] };

function choose(place) {
  if (chosen.place === place) return;
  chosen.place = place;
  for (const listener of chosen.listeners) listener(place);
}

/** What a configuration is called, and its results. */
function factsOf({ value, std, status }) {
  const facts = [];
  if (value !== null) facts.push([sweep.metric, std === null ? figure(value) : `${figure(value)} ± ${figure(std)}`]);
  if (status !== "done") facts.push(["status", status]);
  return facts;
}

/** The tip of a configuration: its results and its settings. */
function describeInTip(tip, place, more = []) {
  const configuration = sweep.configurations[place];
  const settings = sweep.columns.flatMap(({ label, texts }) => (texts[place] === null ? [] : [[label, texts[place]]]));
  const rows = [...factsOf(configuration), ...more, ...settings];
  tip.replaceChildren(make("b", { text: configuration.name }),
    ...rows.map(([name, value]) => make("div", {}, make("span", { text: name }), make("span", { text: value }))));
}

function announceConfiguration(place, more = []) {
  const configuration = sweep.configurations[place];
  const facts = [...factsOf(configuration), ...more].map(([name, value]) => `${name} ${value}`);
  announce(`${configuration.name}: ${[...facts, configuration.settings].join(", ")}`);
}

/** The ends of an axis with a little room, on a logarithmic one by ratio. */
function roomy(low, high, log, share) {
  if (low === high) return log ? [low / 1.5, high * 1.5] : [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  if (log) {
    const room = (high / low) ** share;
    return [low / room, high * room];
  }
  return [low - (high - low) * share, high + (high - low) * share];
}

/**
 * Draws points into `place`. `spec`: `points` ({ place, x, y, low, high, failed, facts }), `steps` (a line through points,
 * optional), `xName`, `xScale`, `choices`, `yName`, `log` (of the y axis), `xRange`, `wholeX`.
 */
function scatter(place, spec) {
  const { points } = spec;
  const text = color("muted");
  const font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const shown = points.filter(({ failed, y }) => !failed && (!spec.log || y > 0));
  const ends = (values) => [Math.min(...values), Math.max(...values)];
  const ys = shown.flatMap(({ y, low, high }) => (spec.log ? [y] : [y, low ?? y, high ?? y]));
  const yRange = ys.length ? roomy(...ends(ys), spec.log, 0.06) : [0, 1];
  const xLog = spec.xScale === "log";
  const xRange = spec.xRange ?? (spec.xScale === "choices" ? [-0.5, spec.choices.length - 0.5] : roomy(...ends(points.map(({ x }) => x)), xLog, 0.05));
  // a configuration that diverged is at the worst end
  const worst = sweep.higher ? yRange[0] : yRange[1];
  const heightOf = (point) => (point.failed ? worst : point.y);
  const width = () => widthOf(place);
  const height = () => Math.round(Math.min(300, Math.max(220, width() * 0.62)));
  // on a logarithmic axis only powers of ten have a grid line
  const powers = (log) => (log ? { filter: (u, splits) => splits.map((value) => (value > 0 && Math.abs(Math.log10(value) % 1) < 1e-9 ? value : null)) } : {});
  const axis = { stroke: text, font, ticks: { stroke: color("line"), width: 1, size: 5 }, labelFont: font };
  const least = (u) => Math.max(28, u.bbox.width / uPlot.pxRatio / spec.choices.length);
  const shorten = (u, name) => {
    const most = Math.max(3, Math.floor(least(u) / 7));
    return name.length > most ? `${name.slice(0, most - 1)}…` : name;
  };
  const draw = (u) => {
    const { ctx, bbox } = u;
    const px = uPlot.pxRatio;
    const at = (x, y) => [u.valToPos(x, "x", true), u.valToPos(y, "y", true)];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 6 * px, bbox.top - 6 * px, bbox.width + 12 * px, bbox.height + 12 * px);
    ctx.clip();
    if (spec.steps) {
      ctx.strokeStyle = color("s0");
      ctx.lineWidth = 2 * px;
      ctx.lineJoin = "round";
      ctx.beginPath();
      for (const [x, y] of spec.steps) ctx.lineTo(...at(x, y));
      ctx.stroke();
    }
    ctx.strokeStyle = color("s0");
    ctx.globalAlpha = 0.35;
    ctx.lineWidth = 1.25 * px;
    for (const { x, y, low, high } of shown) {
      if (low === undefined || low === y) continue;
      ctx.beginPath();
      ctx.moveTo(...at(x, Math.max(low, yRange[0])));
      ctx.lineTo(...at(x, high));
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    const radius = (points.length > 300 ? 2.5 : 4) * px;
    ctx.lineWidth = 1 * px;
    for (const point of [...points].reverse()) {
      const [left, top] = at(point.x, heightOf(point));
      ctx.beginPath();
      if (point.failed) {
        ctx.strokeStyle = color("s1");
        ctx.lineWidth = 2 * px;
        ctx.moveTo(left - radius, top - radius); ctx.lineTo(left + radius, top + radius);
        ctx.moveTo(left - radius, top + radius); ctx.lineTo(left + radius, top - radius);
        ctx.stroke();
        continue;
      }
      if (spec.log && point.y <= 0) continue;
      ctx.arc(left, top, radius, 0, 2 * Math.PI);
      ctx.fillStyle = spec.steps ? color("s5") : color("s0");
      ctx.fill();
      ctx.strokeStyle = color("surface");
      ctx.lineWidth = 1 * px;
      ctx.stroke();
      if (point.place === 0) {
        ctx.beginPath();
        ctx.arc(left, top, radius + 3 * px, 0, 2 * Math.PI);
        ctx.strokeStyle = color("text");
        ctx.lineWidth = 1.75 * px;
        ctx.stroke();
      }
    }
    ctx.restore();
  };
  const plot = new uPlot({
    width: width(), height: height(), legend: { show: false }, padding: [12, 16, 0, 0],
    cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: xRange, ...(xLog ? { distr: 3 } : {}) },
      y: { range: yRange, ...(spec.log ? { distr: 3 } : {}) },
    },
    axes: [
      { ...axis, grid: { stroke: color("grid"), width: 1, ...powers(xLog) }, label: spec.xName, labelSize: 22, labelGap: 0, size: 34, space: 48,
        ...(spec.xScale === "choices" ? { splits: () => spec.choices.map((_, at) => at), values: (u, ticks) => ticks.map((at) => shorten(u, spec.choices[at])) }
          : { values: (u, ticks) => (xLog ? logTicks(ticks) : ticks.map(tick)), incrs: spec.wholeX ? WHOLE : STEPS }) },
      { ...axis, grid: { stroke: color("grid"), width: 1, ...powers(spec.log) }, label: spec.yName, labelSize: 22, size: (u, values) => 18 + 7 * Math.max(2, ...(values ?? []).map((value) => (value ?? "").length)), space: 34,
        incrs: STEPS, values: (u, ticks) => (spec.log ? logTicks(ticks) : ticks.map(tick)) },
    ],
    series: [{}, { stroke: "transparent", points: { show: false } }],
    hooks: { draw: [draw] },
  }, [xRange, yRange], place);
  plots.add(plot);
  const tip = make("div", { cls: "tip", hidden: true });
  const ring = make("div", { cls: "ring", hidden: true });
  plot.over.append(ring, tip);
  const byPlace = new Map(points.map((point) => [point.place, point]));
  const mark = (at) => {
    const point = byPlace.get(at);
    ring.hidden = !point;
    if (!point) {
      tip.hidden = true;
      return;
    }
    ring.style.left = `${plot.valToPos(point.x, "x")}px`;
    ring.style.top = `${plot.valToPos(heightOf(point), "y")}px`;
  };
  chosen.listeners.push(mark);
  const showTip = (point) => {
    describeInTip(tip, point.place, point.facts);
    tip.hidden = false;
    placeTip(tip, plot.over, plot.valToPos(point.x, "x"), plot.valToPos(heightOf(point), "y"));
  };
  const stand = (point, say) => {
    choose(point.place);
    mark(point.place);
    showTip(point);
    if (say) announceConfiguration(point.place, point.facts);
  };
  const leave = () => { choose(null); tip.hidden = ring.hidden = true; };
  const follow = (clientX, clientY) => {
    const box = plot.over.getBoundingClientRect();
    const [left, top] = [clientX - box.left, clientY - box.top];
    let nearest = null;
    for (const point of points) {
      const away = Math.hypot(plot.valToPos(point.x, "x") - left, plot.valToPos(heightOf(point), "y") - top);
      if (!nearest || away < nearest.away) nearest = { away, point };
    }
    if (nearest) stand(nearest.point, false);
  };
  plot.over.addEventListener("mousemove", (event) => follow(event.clientX, event.clientY));
  plot.over.addEventListener("mouseleave", leave);
  plot.over.addEventListener("click", () => { if (chosen.place !== null) showRow(chosen.place); });
  place.ontouchstart = place.ontouchmove = (event) => follow(event.touches[0].clientX, event.touches[0].clientY);
  place.onblur = leave;
  const alongAxis = [...points].sort((a, b) => a.x - b.x || a.place - b.place);
  const alongRanking = [...points].sort((a, b) => a.place - b.place);
  place.onkeydown = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !points.length) return;
    const step = event.shiftKey ? 10 : 1;
    const move = (list, by, first) => {
      const at = list.findIndex((point) => point.place === chosen.place);
      stand(list[at < 0 ? first : Math.max(0, Math.min(list.length - 1, at + by))], true);
    };
    const moves = {
      ArrowRight: () => move(alongAxis, step, 0), ArrowLeft: () => move(alongAxis, -step, alongAxis.length - 1),
      ArrowUp: () => move(alongRanking, -step, 0), ArrowDown: () => move(alongRanking, step, 0),
      Home: () => stand(alongAxis[0], true), End: () => stand(alongAxis[alongAxis.length - 1], true),
      Enter: () => { if (chosen.place !== null) showRow(chosen.place); }, Escape: leave,
    };
    if (moves[event.key]) {
      moves[event.key]();
      event.preventDefault();
    }
  };
  const resize = new ResizeObserver(() => { if (width() !== plot.width) { plot.setSize({ width: width(), height: height() }); leave(); } });
  resize.observe(place);
  return {
    end() {
      resize.disconnect();
      chosen.listeners.splice(chosen.listeners.indexOf(mark), 1);
      plots.delete(plot);
      plot.destroy();
      place.replaceChildren();
    },
  };
}
