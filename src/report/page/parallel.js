// Parallel coordinates: an upright axis for each setting and for the metric, and a line for each configuration.

const SVG = "http://www.w3.org/2000/svg";

function svgElement(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A value on an axis as a share of its range. */
function shareOf({ scale, low, high }, value) {
  const share = scale === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return Number.isFinite(share) ? share : 0.5;
}

/** The ends of an axis and values between them that are far enough apart to be labeled. */
function axisLabels(axis, height) {
  const { scale, low, high, choices } = axis;
  if (scale === "choices") {
    const every = Math.max(1, Math.ceil(choices.length / (height / 18)));
    return choices.map((name, at) => [at, name]).filter(([at]) => at % every === 0);
  }
  const write = (value) => (axis.isMetric ? figure(value) : tick(+value.toPrecision(4)));
  const labels = [[low, write(low)], [high, write(high)]];
  const distinct = [...new Set((axis.values ?? []).filter((value) => value !== null))];
  const step = STEPS.find((size) => size >= (high - low) / 5) ?? 1;
  const between = distinct.length > 0 && distinct.length <= 6 ? distinct
    : scale === "log" ? Array.from({ length: 40 }, (_, at) => 10 ** (Math.floor(Math.log10(low)) + at)).filter((value) => value < high)
      : Array.from({ length: 6 }, (_, at) => +((Math.floor(low / step) + at + 1) * step).toPrecision(12));
  for (const value of between) {
    const free = labels.every(([other]) => Math.abs(shareOf(axis, value) - shareOf(axis, other)) * height > 18);
    if (value > low && value < high && free) labels.push([value, tick(value)]);
  }
  return labels;
}

/** Draws the lines of the best configurations; `count` of them. */
function parallelCoordinates(place, count) {
  const done = sweep.configurations.map((one, at) => ({ ...one, place: at })).filter(({ status, value }) => status === "done" && value !== null);
  const lines = done.slice(0, count);
  const values = done.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const metric = { label: sweep.metric, scale: low > 0 && high / low >= 20 ? "log" : "linear", low, high, isMetric: true };
  const axes = [...sweep.columns.map((column) => {
    const numbers = column.values.filter((value) => value !== null);
    return { ...column, low: Math.min(...numbers), high: Math.max(...numbers) };
  }), metric];
  const least = 96 * axes.length;
  const box = place.parentElement;
  const [above, below, height] = [30, 34, 270];
  const text = { muted: color("muted"), text: color("text"), line: color("strong-line"), surface: color("surface") };
  place.replaceChildren();
  const width = printing ? 960 : Math.max(box.clientWidth, least);
  const distance = width / axes.length;
  const x = (at) => (at + 0.4) * distance;
  const y = (share) => above + (1 - share) * height;
  const at = (axis, line) => {
    if (axis.isMetric) return y(sweep.higher ? shareOf(axis, line.value) : 1 - shareOf(axis, line.value));
    const value = axis.values[line.place];
    return value === null ? above + height + below / 2 : y(shareOf(axis, value));
  };
  const path = (line) => axes.map((axis, number) => `${number ? "L" : "M"}${x(number).toFixed(1)} ${at(axis, line).toFixed(1)}`).join("");
  const svg = svgElement("svg", { width, height: above + height + below, viewBox: `0 0 ${width} ${above + height + below}`, "aria-hidden": "true" });
  for (const line of [...lines].reverse()) {
    const rank = done.length > 1 ? line.place / (done.length - 1) : 0;
    svg.append(svgElement("path", { d: path(line), fill: "none", stroke: ramp(1 - rank), "stroke-width": 1.4, opacity: lines.length > 100 ? 0.5 : 0.85 }));
  }
  const thick = (stroke, thickness) => svgElement("path", { fill: "none", stroke, "stroke-width": thickness, d: "" });
  if (lines.length) {
    for (const [stroke, thickness] of [[text.surface, 5], [text.text, 2.6]]) {
      const best = thick(stroke, thickness);
      best.setAttribute("d", path(lines[0]));
      svg.append(best);
    }
  }
  const marked = [thick(text.surface, 6.5), thick(color("s1"), 3.5)];
  svg.append(...marked);
  const write = (content, left, top, attributes, most) => {
    const short = content.length > most ? `${content.slice(0, most - 1)}…` : content;
    return svgElement("text", { x: left, y: top, fill: text.muted, "font-size": 12, stroke: text.surface, "stroke-width": 4, "paint-order": "stroke", ...attributes }, short);
  };
  for (const [number, axis] of axes.entries()) {
    svg.append(svgElement("line", { x1: x(number), x2: x(number), y1: above, y2: above + height, stroke: text.line }));
    svg.append(write(axis.label, x(number), 16, { "text-anchor": "middle", "font-weight": 600, fill: text.text }, Math.floor(distance * 0.8 / 7)));
    for (const [value, label] of axisLabels(axis, height)) {
      const share = shareOf(axis, value);
      const top = y(axis.isMetric && !sweep.higher ? 1 - share : share);
      svg.append(svgElement("line", { x1: x(number) - 3, x2: x(number) + 3, y1: top, y2: top, stroke: text.line }));
      svg.append(write(label, x(number) + 7, top + 4, {}, Math.floor((distance * (number + 1 === axes.length ? 0.6 : 1) - 14) / 6.6)));
    }
    if (axis.values?.includes(null)) svg.append(write("not set", x(number) + 7, above + height + below / 2 + 4, {}, 12));
  }
  const chart = chartPlace(`Parallel coordinates, ${lines.length} lines`);
  chart.setAttribute("aria-describedby", "points-help");
  chart.dataset.metric = "parallel";
  const tip = make("div", { cls: "tip", hidden: true });
  chart.append(svg, tip);
  place.append(chart);
  const inLines = (wanted) => lines.find((line) => line.place === wanted);
  const mark = (wanted) => {
    const line = wanted === null ? null : inLines(wanted);
    for (const part of marked) part.setAttribute("d", line ? path(line) : "");
    if (!line) tip.hidden = true;
  };
  chosen.listeners.push(mark);
  const stand = (line, left, top, say) => {
    choose(line.place);
    mark(line.place);
    describeInTip(tip, line.place);
    tip.hidden = false;
    placeTip(tip, chart, left, top);
    if (say) announceConfiguration(line.place);
  };
  const leave = () => { choose(null); mark(null); };
  const follow = (clientX, clientY) => {
    const frame = chart.getBoundingClientRect();
    const [left, top] = [clientX - frame.left, clientY - frame.top];
    const number = Math.max(0, Math.min(axes.length - 2, Math.floor(left / distance - 0.4)));
    const along = Math.max(0, Math.min(1, (left - x(number)) / distance));
    let nearest = null;
    for (const line of lines) {
      const height = at(axes[number], line) * (1 - along) + at(axes[Math.min(number + 1, axes.length - 1)], line) * along;
      const away = Math.abs(height - top);
      if (!nearest || away < nearest.away) nearest = { away, line };
    }
    if (nearest) stand(nearest.line, left, top, false);
  };
  chart.addEventListener("mousemove", (event) => follow(event.clientX, event.clientY));
  chart.addEventListener("mouseleave", leave);
  chart.addEventListener("click", () => { if (chosen.place !== null) showRow(chosen.place); });
  chart.ontouchstart = chart.ontouchmove = (event) => follow(event.touches[0].clientX, event.touches[0].clientY);
  chart.onblur = leave;
  chart.onkeydown = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !lines.length) return;
    const now = lines.findIndex((line) => line.place === chosen.place);
    const step = event.shiftKey ? 10 : 1;
    const to = (rank) => {
      const line = lines[Math.max(0, Math.min(lines.length - 1, rank))];
      stand(line, x(axes.length - 1), at(metric, line), true);
    };
    const moves = {
      ArrowDown: () => to(now < 0 ? 0 : now + step), ArrowRight: () => to(now < 0 ? 0 : now + step),
      ArrowUp: () => to(now < 0 ? 0 : now - step), ArrowLeft: () => to(now < 0 ? 0 : now - step),
      Home: () => to(0), End: () => to(lines.length - 1), Escape: leave,
      Enter: () => { if (chosen.place !== null) showRow(chosen.place); },
    };
    if (moves[event.key]) {
      moves[event.key]();
      event.preventDefault();
    }
  };
  return { end() { chosen.listeners.splice(chosen.listeners.indexOf(mark), 1); place.replaceChildren(); } };
}
