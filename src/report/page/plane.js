// Curves that are no functions of a shared axis: ROC and precision–recall. Axes and grid are uPlot's; a point of a curve is
// found by its distance from the cursor, or walked to with the arrow keys.

/**
 * `spec`: `lines` ({ name, stroke, dash, x, y, note }), `xName`, `yName`, `level` (of chance: "diagonal", or a height),
 * `upright` ({ x, text }, a line at a chosen threshold), `xRange`.
 */
function plane(place, spec) {
  const [xLow, xHigh] = spec.xRange ?? [0, 1];
  const text = color("muted");
  const font = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const width = () => widthOf(place);
  const height = () => Math.round(Math.min(380, Math.max(250, width() * 0.78)));
  const axis = { stroke: text, font, grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("line"), width: 1, size: 5 }, labelFont: font, labelSize: 22 };
  let tip = null, point = null;
  const draw = (u) => {
    const { ctx, bbox } = u;
    const px = uPlot.pxRatio;
    const at = (x, y) => [u.valToPos(x, "x", true), u.valToPos(y, "y", true)];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 2, bbox.top - 2, bbox.width + 4, bbox.height + 4);
    ctx.clip();
    const stroke = (points, style, dash, thick) => {
      ctx.strokeStyle = style;
      ctx.lineWidth = thick * px;
      ctx.lineJoin = "round";
      ctx.setLineDash(dash.map((length) => length * px));
      ctx.beginPath();
      for (const [x, y] of points) ctx.lineTo(x, y);
      ctx.stroke();
    };
    if (spec.level === "diagonal") stroke([at(0, 0), at(1, 1)], color("strong-line"), [2, 4], 1.25);
    else if (typeof spec.level === "number") stroke([at(xLow, spec.level), at(xHigh, spec.level)], color("strong-line"), [2, 4], 1.25);
    if (spec.upright) stroke([at(spec.upright.x, 0), at(spec.upright.x, 1)], color("text"), [4, 4], 1.5);
    for (const line of spec.lines) stroke(line.x.map((x, row) => at(x, line.y[row])), line.stroke, line.dash ?? [], spec.lines.length > 12 ? 1.25 : 2);
    ctx.restore();
  };
  const plot = new uPlot({
    width: width(), height: height(), legend: { show: false }, padding: [10, 16, 0, 0],
    cursor: { x: false, y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, range: [xLow, xHigh] }, y: { range: [0, 1.02] } },
    axes: [
      { ...axis, label: spec.xName, labelGap: 0, size: 34, values: (u, ticks) => ticks.map(tick) },
      { ...axis, label: spec.yName, size: 42, values: (u, ticks) => ticks.map((value) => (value > 1 ? "" : tick(value))) },
    ],
    series: [{}, { stroke: "transparent", points: { show: false } }],
    hooks: { draw: [draw] },
  }, [[xLow, xHigh], [0, 1]], place);
  plots.add(plot);
  tip = make("div", { cls: "tip", hidden: true });
  point = make("div", { cls: "point", hidden: true });
  plot.over.append(point, tip);

  let [atLine, atRow] = [0, null];
  const stand = (number, row, say) => {
    [atLine, atRow] = [number, row];
    const line = spec.lines[number];
    const [left, top] = [plot.valToPos(line.x[row], "x"), plot.valToPos(line.y[row], "y")];
    point.hidden = false;
    point.style.left = `${left}px`;
    point.style.top = `${top}px`;
    point.style.background = line.stroke;
    const facts = [[spec.xName, figure(line.x[row])], [spec.yName ?? line.name, figure(line.y[row])], ...(line.note?.(row) ?? [])];
    tip.replaceChildren(make("div", {}, swatch(line.stroke, line.dash ?? []), make("b", { text: line.name })),
      ...facts.map(([name, value]) => make("div", {}, make("span", { text: name }), make("span", { text: value }))));
    tip.hidden = false;
    placeTip(tip, plot.over, left, top);
    if (say) announce(`${line.name}: ${facts.map(([name, value]) => `${name} ${value}`).join(", ")}`);
  };
  const leave = () => { tip.hidden = point.hidden = true; };
  const follow = (clientX, clientY) => {
    const box = plot.over.getBoundingClientRect();
    const [left, top] = [clientX - box.left, clientY - box.top];
    let nearest = null;
    for (const [number, line] of spec.lines.entries()) {
      for (const [row, x] of line.x.entries()) {
        const away = Math.hypot(plot.valToPos(x, "x") - left, plot.valToPos(line.y[row], "y") - top);
        if (!nearest || away < nearest.away) nearest = { away, number, row };
      }
    }
    if (nearest) stand(nearest.number, nearest.row, false);
  };
  plot.over.addEventListener("mousemove", (event) => follow(event.clientX, event.clientY));
  plot.over.addEventListener("mouseleave", leave);
  place.ontouchstart = place.ontouchmove = (event) => follow(event.touches[0].clientX, event.touches[0].clientY);
  place.onblur = leave;
  place.onkeydown = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !spec.lines.length) return;
    const line = spec.lines[atLine];
    const last = line.x.length - 1;
    const step = event.shiftKey ? 10 : 1;
    const along = (row) => stand(atLine, Math.max(0, Math.min(last, row)), true);
    const other = (by) => {
      const number = (atLine + by + spec.lines.length) % spec.lines.length;
      stand(number, Math.min(atRow ?? 0, spec.lines[number].x.length - 1), true);
    };
    const moves = {
      ArrowRight: () => along(atRow === null ? 0 : atRow + step), ArrowLeft: () => along(atRow === null ? last : atRow - step),
      ArrowDown: () => other(1), ArrowUp: () => other(-1), Home: () => along(0), End: () => along(last), Escape: leave,
    };
    if (moves[event.key]) {
      moves[event.key]();
      event.preventDefault();
    }
  };
  const resize = new ResizeObserver(() => { if (width() !== plot.width) { plot.setSize({ width: width(), height: height() }); leave(); } });
  resize.observe(place);
  return { end() { resize.disconnect(); plots.delete(plot); plot.destroy(); place.replaceChildren(); } };
}
