// What all charts share: colors as the theme has them, figures for people, and the small pictures of lines.

const root = document.documentElement;
root.classList.add("js");

const data = JSON.parse(document.getElementById("payload").textContent);

/** An element with its class, text and attributes. Names only ever come in as text. */
function make(tag, { cls, text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (cls) element.className = cls;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A color of the theme by its name, as a canvas takes it. */
function color(name) {
  return getComputedStyle(root).getPropertyValue(`--${name}`).trim() || "#888";
}

/** The colors of groups and trials: seven, and then the same ones again with other dashes. */
const COLORS = 7;
const TRAIN_DASHES = [[5, 4], [2, 3], [9, 3, 2, 3]];
const VALIDATION_DASHES = [[], [12, 3, 3, 3], [3, 1]];
const style = (place) => ({ color: `s${place % COLORS}`, round: Math.floor(place / COLORS) % TRAIN_DASHES.length });
const hasValidation = () => data.metrics.some(({ val }) => val);
/** Training is dashed where there is validation beside it. */
const dashOf = (part, round) => (part === "train" && hasValidation() ? TRAIN_DASHES : VALIDATION_DASHES)[round];

/** A color between the theme's ramp's, for a place in 0–1. */
function ramp(place) {
  const stops = [0, 1, 2, 3, 4].map((number) => color(`ramp${number}`).match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16)));
  const at = Math.min(Math.max(place, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const mixed = stops[low].map((from, channel) => Math.round(from + (stops[low + 1][channel] - from) * (at - low)));
  return `rgb(${mixed.join(", ")})`;
}

/** The picture of a line: its color and its dashes. */
function swatch(stroke, dash) {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  line.setAttribute("width", 26);
  line.setAttribute("height", 8);
  line.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const attributes = { x1: 0, x2: 26, y1: 4, y2: 4, stroke, "stroke-width": 3, "stroke-dasharray": dash.join(" ") };
  for (const [name, value] of Object.entries(attributes)) path.setAttribute(name, value);
  line.append(path);
  return line;
}

/** A value of a curve; one that is not finite is written as a word in JSON, and is not drawn. */
const finite = (value) => (typeof value === "number" ? value : null);

/** A figure for people, as the tables have it. */
function figure(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value;
  const size = Math.abs(value);
  const power = (digits) => value.toExponential(digits).replace("e+", "e");
  if (value !== 0 && size < 5e-4) return power(1);
  if (size >= 1e6) return power(3);
  return size >= 1e3 ? value.toFixed(2) : value.toFixed(4);
}

/** A tick of an axis: as few digits as say it. */
function tick(value) {
  if (value === null) return "";
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential().replace("e+", "e").replace(/(\.\d\d)\d+/, "$1");
  return String(+value.toPrecision(6));
}

/** Puts a tip beside a point of a chart, within the chart; on a narrow chart above or below the point. */
function placeTip(tip, over, left, top) {
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const fits = left + 14 + width <= over.clientWidth || left - 14 - width >= -over.offsetLeft;
  const beside = left + 14 + width > over.clientWidth ? left - 14 - width : left + 14;
  const level = fits ? top - height / 2 : top > over.clientHeight / 2 ? top - height - 16 : top + 16;
  tip.style.left = `${Math.max(Math.min(beside, over.clientWidth - width), -over.offsetLeft)}px`;
  tip.style.top = `${fits ? Math.max(Math.min(level, over.clientHeight - height), 0) : level}px`;
}

const live = document.getElementById("live");
let announced = 0;

/** Tells a screen reader what the cursor stands on, when it has come to rest. */
function announce(text) {
  clearTimeout(announced);
  announced = setTimeout(() => { live.textContent = text; }, 150);
}

const redraws = [];

/** Everything that has colors of the theme in it draws itself again. */
function redrawAll() {
  for (const redraw of redraws) redraw();
}
