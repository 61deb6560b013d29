"use strict";
// One trace's page. Reads the JSON in #data, whose shape ReportPage and Results write, and makes everything in #page.
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const page = document.getElementById("page");

// ---- elements ----

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}

function section(id, title, ...children) {
  sections.push([id, title]);
  return h("section", {id, "aria-labelledby": `${id}-title`}, h("h2", {id: `${id}-title`}, title), children);
}

const sections = [];

// ---- numbers ----

const grouped = new Intl.NumberFormat("en-US");

function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/** Nanoseconds with three digits and a unit. */
function duration(nanos) {
  const size = Math.abs(nanos);
  if (size < 999.5) return `${Math.round(nanos)} ns`;
  if (size < 999.5e3) return `${digits(nanos / 1e3)} µs`;
  if (size < 999.5e6) return `${digits(nanos / 1e6)} ms`;
  return `${digits(nanos / 1e9)} s`;
}

function bytes(value) {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scale = 0;
  while (scale < names.length - 1 && value >= 1024) { value /= 1024; scale++; }
  return `${Number.isInteger(value) ? value : digits(value)} ${names[scale]}`;
}

const percent = (part) => `${(100 * part).toFixed(part > 0 && part < 0.001 ? 3 : 1)} %`;

/** ns since the trace's beginning of an RFC 3339 time with nine digits, which a JavaScript date cannot hold. */
function sinceBegin(text) {
  const whole = BigInt(Date.parse(text.slice(0, 19) + "Z")) * 1000000n + BigInt(text.slice(20, 29));
  return Number(whole - BigInt(data.epoch_ns));
}

// ---- tables ----

const HEXADECIMAL = new Set(["address", "bits"]);
const ORDERED = new Set(["uint8", "uint16", "uint32", "uint64", "int64", "float64", "timestamp", "duration"]);

/** The same for an axis, whose ticks are round. */
const tick = (nanos) => nanos === 0 ? "0" : duration(nanos).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ");

/** A number to sort by. */
function order(column, cell) {
  if (cell === null || cell === undefined) return -Infinity;
  if (column.type === "timestamp") return sinceBegin(cell);
  if (HEXADECIMAL.has(column.unit) && typeof cell === "string") return Number(cell);
  return cell;
}

function text(column, cell) {
  if (cell === null || cell === undefined) return "";
  if (column.type === "timestamp") return `+${duration(sinceBegin(cell))}`;
  if (column.type === "duration" || column.unit === "ns") return duration(cell);
  if (column.type === "bool") return cell ? "yes" : "no";
  if (HEXADECIMAL.has(column.unit)) return String(cell);
  if (column.unit === "bytes" && column.type !== "bytes") return bytes(cell);
  if (column.unit === "ratio") return percent(cell);
  if (column.type === "float64") return digits(cell);
  if (typeof cell === "number") return grouped.format(cell);
  return String(cell);
}

/** A symbol's name, which may be broken behind an underscore or before an offset rather than anywhere. */
const breakable = (name) => name.split(/(?<=[_ ])(?=[^_ ])|(?=[+[])/).flatMap((part, i) => i ? [h("wbr"), part] : [part]);

function cellElement(column, row, options) {
  const cell = row[column.name];
  const shown = text(column, cell);
  const raw = cell === null || cell === undefined ? null : String(cell);
  if (column.unit === "ratio" && column.name === "share") {
    return h("td", {class: "bar", "data-column": column.name, "data-value": raw},
      h("div", {}, h("i", {style: {width: `${Math.max(1, 60 * (cell || 0))}px`}, "aria-hidden": true}), h("span", {}, shown)));
  }
  const numeric = ORDERED.has(column.type) && !HEXADECIMAL.has(column.unit);
  const place = ["location", "function"].includes(column.name);
  const mono = HEXADECIMAL.has(column.unit) || place || column.name === "target";
  const swatch = column.name === "reason" && options.swatches && colours.has(cell)
    ? h("i", {class: "swatch", style: {background: colours.get(cell)}, "aria-hidden": true}) : null;
  const word = ["reason", "device", "direction", "verdict"].includes(column.name);
  return h("td", {class: numeric ? "number" : place ? "mono place" : mono ? "mono" : word ? "word" : null, "data-column": column.name, "data-value": raw}, swatch,
    mono ? breakable(shown) : shown);
}

const title = (name) => name.replace(/_ns$/, "").replace(/^p99_9$/, "p99.9").replaceAll("_", " ");

/**
 * A table whose rows can be sorted by any column and, where options.filter says so, searched. Columns that hold
 * nothing are left out.
 */
function tableElement(table, options = {}) {
  const hidden = new Set(options.hide || []);
  let columns = table.columns.filter((column) =>
    !hidden.has(column.name) && table.rows.some((row) => row[column.name] !== null && row[column.name] !== undefined));
  // On a phone a wide table is read from its left: what a row weighs comes before what it is.
  const weights = options.weights && phone.matches ? options.weights : [];
  const rank = ({name}) => weights.includes(name) ? weights.indexOf(name) : weights.length;
  columns = [...columns].sort((a, b) => rank(a) - rank(b));
  const most = options.most || 25;
  let sorted = null, descending = true, all = false, needle = "";
  const body = h("tbody");
  const count = h("span", {class: "muted", "aria-live": "polite"});
  const more = h("button", {type: "button", onclick: () => { all = !all; fill(); }});
  const heads = columns.map((column) => {
    const numeric = ORDERED.has(column.type) && !HEXADECIMAL.has(column.unit);
    return h("th", {scope: "col", class: numeric && column.name !== "share" ? "number" : null, title: column.meaning},
      h("button", {type: "button", onclick: () => sort(column)}, title(column.name)));
  });

  function sort(column) {
    descending = sorted === column ? !descending : ORDERED.has(column.type);
    sorted = column;
    heads.forEach((head, i) => {
      if (columns[i] === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    fill();
  }

  function fill() {
    let rows = table.rows;
    if (needle) {
      rows = rows.filter((row) => columns.some((column) => text(column, row[column.name]).toLowerCase().includes(needle)));
    }
    if (sorted) {
      rows = [...rows].sort((a, b) => {
        const x = order(sorted, a[sorted.name]), y = order(sorted, b[sorted.name]);
        return (x < y ? -1 : x > y ? 1 : 0) * (descending ? -1 : 1);
      });
    }
    const shown = all ? rows : rows.slice(0, most);
    body.replaceChildren(...shown.map((row) => h("tr", {}, columns.map((column) => cellElement(column, row, options)))));
    count.textContent = shown.length < rows.length ? `${shown.length} of ${rows.length} rows` : "";
    more.textContent = all ? `first ${most} only` : `all ${rows.length}`;
    more.hidden = rows.length <= most;
  }

  fill();
  const search = options.filter ? h("input", {
    type: "search", placeholder: options.filter, "aria-label": options.filter,
    oninput: (event) => { needle = event.target.value.trim().toLowerCase(); fill(); },
  }) : null;
  return h("div", {"data-table": options.name},
    search || table.rows.length > most ? h("div", {class: "tools"}, search, count, more) : null,
    h("div", {class: "scroll"}, h("table", {},
      h("caption", {}, options.caption || `A row is ${table.meaning}.`),
      h("thead", {}, h("tr", {}, heads)), body)),
    (table.notes || []).map((note) => h("p", {class: "note"}, note)));
}

// ---- colours ----

const PALETTE = ["#4269d0", "#efb118", "#e5604b", "#4fb39d", "#3ca951", "#e87bb0", "#a463f2", "#8fb2ee", "#9c6b4e"];
const OTHER = "#9498a0";
const colours = new Map();
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function mix(low, high, part) {
  const [a, b] = [low, high].map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
  return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * part)).join(",")})`;
}

const phone = matchMedia("(max-width: 760px)");
const darkWanted = matchMedia("(prefers-color-scheme: dark)");
let theme = "auto";
const redraws = [];

function applyTheme() {
  document.documentElement.classList.toggle("dark", theme === "dark" || theme === "auto" && darkWanted.matches);
  redraws.forEach((redraw) => redraw());
}

function themeButton() {
  const button = h("button", {type: "button", title: "Light, dark, or as the system says", onclick: () => {
    theme = {auto: "light", light: "dark", dark: "auto"}[theme];
    button.textContent = `theme: ${theme}`;
    applyTheme();
  }}, "theme: auto");
  return button;
}

// ---- charts over time, which zoom together ----

const charts = [];
const watchers = [];
let view = null; // [from, to] in ns
let moving = false;

function setView(from, to) {
  const length = Math.max(to - from, data.timeline.column_ns);
  const begin = Math.max(0, Math.min(from, extent - length));
  view = [begin, Math.min(extent, begin + length)];
  moving = true;
  charts.forEach((chart) => chart.setScale("x", {min: view[0], max: view[1]}));
  moving = false;
  watchers.forEach((watch) => watch());
}

function zoom(factor) {
  const middle = (view[0] + view[1]) / 2, half = (view[1] - view[0]) / 2 * factor;
  setView(middle - half, middle + half);
}

const extent = data.timeline ? data.timeline.columns * data.timeline.column_ns : 0;

/** A chart that fills its element's width; made anew when the colours change. */
function timeChart(element, label, make, height) {
  let chart = null;
  function draw() {
    if (chart) {
      charts.splice(charts.indexOf(chart), 1);
      chart.destroy();
    }
    const options = Object.assign({
      width: Math.max(240, element.clientWidth), height, legend: {show: false},
      padding: [8, 18, 0, 0],
    }, make());
    options.scales = Object.assign({x: {time: false, min: view[0], max: view[1]}}, options.scales);
    options.cursor = Object.assign({sync: {key: "time"}, drag: {x: true, y: false, setScale: false}, points: {show: false}}, options.cursor);
    options.hooks = Object.assign({drawClear: [(u) => bands(u, options.namesPhases)]}, options.hooks, {setSelect: [(u) => {
      if (u.select.width > 4) setView(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
      u.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
    }]});
    chart = new uPlot(options, options.data, element);
    chart.over.addEventListener("dblclick", () => setView(0, extent));
    charts.push(chart);
  }
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  element.tabIndex = 0;
  element.addEventListener("keydown", (event) => {
    const length = view[1] - view[0];
    if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "0") setView(0, extent);
    else if (event.key === "ArrowLeft") setView(view[0] - length / 4, view[1] - length / 4);
    else if (event.key === "ArrowRight") setView(view[0] + length / 4, view[1] + length / 4);
    else return;
    event.preventDefault();
  });
  redraws.push(draw);
  new ResizeObserver(() => {
    if (chart && Math.abs(chart.width - element.clientWidth) > 1) chart.setSize({width: Math.max(240, element.clientWidth), height});
  }).observe(element);
}

const phases = data.tables && data.tables.phases ? data.tables.phases.rows : [];

/** Behind a chart every other phase of the run is shaded; above it each is named where there is room. */
function bands(u, named) {
  if (phases.length < 2) return;
  const context = u.ctx, {left, top, width, height} = u.bbox;
  context.save();
  context.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  phases.forEach((phase, i) => {
    const from = Math.max(left, u.valToPos(phase.since_start, "x", true));
    const to = Math.min(left + width, u.valToPos(phase.since_start + phase.duration, "x", true));
    if (i % 2 && from < to) {
      context.fillStyle = css("--band");
      context.fillRect(from, top, to - from, height);
    }
    if (named && context.measureText(phase.phase).width + 4 * devicePixelRatio < to - from) {
      context.fillStyle = css("--muted");
      context.fillText(phase.phase, from + 2 * devicePixelRatio, top - 4 * devicePixelRatio);
    }
  });
  context.restore();
}

function axes(yFormat, ySize = 64) {
  const common = {stroke: css("--muted"), grid: {stroke: css("--line"), width: 1}, ticks: {show: false}, font: "12px system-ui, sans-serif"};
  return [
    Object.assign({values: (u, ticks) => ticks.map((nanos) => nanos < 0 ? "" : tick(nanos)), space: 70, size: 30, incrs: timeSteps}, common),
    Object.assign({values: (u, ticks) => ticks.map(yFormat), size: ySize}, common),
  ];
}

const timeSteps = [];
for (let power = 1; power < 1e14; power *= 10) timeSteps.push(power, 2 * power, 5 * power);

const columnStarts = () => Array.from({length: data.timeline.columns + 1}, (_, i) => i * data.timeline.column_ns);

/** Areas of cells piled up, the first at the bottom; stepped, because a cell is a sum over its column. */
function piled(names, rows, colour) {
  const x = columnStarts();
  const sums = new Array(x.length).fill(0);
  const series = [], values = [];
  names.forEach((name, i) => {
    const cells = rows[i];
    for (let at = 0; at < data.timeline.columns; at++) sums[at] += cells ? cells[at] : 0;
    sums[x.length - 1] = sums[x.length - 2];
    values.unshift([...sums]);
    series.unshift({label: name, stroke: colour(name), fill: colour(name), width: 0, paths: uPlot.paths.stepped({align: 1}), points: {show: false}});
  });
  return {data: [x, ...values], series: [{}, ...series]};
}

/** Cells of [column, row, count] triples as rectangles, darker where more; place tells where a row begins and ends. */
function heat(u, triples, low, high, most, place = (row) => [row, row + 1]) {
  const context = u.ctx, step = data.timeline.column_ns;
  context.save();
  context.beginPath();
  context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  context.clip();
  for (let i = 0; i < triples.length; i += 3) {
    const left = u.valToPos(triples[i] * step, "x", true), right = u.valToPos((triples[i] + 1) * step, "x", true);
    if (right < u.bbox.left || left > u.bbox.left + u.bbox.width) continue;
    const [bottom, top] = place(triples[i + 1]).map((y) => u.valToPos(y, "y", true));
    context.fillStyle = mix(low, high, Math.log(triples[i + 2] + 1) / Math.log(most + 1));
    context.fillRect(Math.floor(left), Math.floor(top), Math.max(1, Math.ceil(right - left)), Math.max(1, Math.ceil(bottom - top)));
  }
  context.restore();
}

function triplesMost(triples) {
  let most = 1;
  for (let i = 2; i < triples.length; i += 3) most = Math.max(most, triples[i]);
  return most;
}

/** The sum of all counts, or of those in one row. */
function triplesSum(triples, row = null) {
  let sum = 0;
  for (let i = 0; i < triples.length; i += 3) sum += row === null || triples[i + 1] === row ? triples[i + 2] : 0;
  return sum;
}

/** What the cell under the pointer holds, in words below the chart. */
function readout(element, describe) {
  return {hooks: {setCursor: [(u) => {
    const {left, top} = u.cursor;
    element.textContent = left >= 0 && top >= 0 ? describe(Math.floor(u.posToVal(left, "x") / data.timeline.column_ns), u.posToVal(top, "y")) : "";
  }]}};
}

function countAt(triples, column, row) {
  for (let i = 0; i < triples.length; i += 3) {
    if (triples[i] === column && triples[i + 1] === row) return triples[i + 2];
  }
  return 0;
}

window.trapscope = {h, section, sections, page, data, tableElement, duration, bytes, percent, grouped, digits, sinceBegin, text, tick, title,
  PALETTE, OTHER, colours, css, applyTheme, themeButton, darkWanted, redraws, charts, watchers, timeChart, axes, piled, heat, triplesMost, triplesSum,
  readout, countAt, setView, zoom, extent, columnStarts, view: () => view, setViewQuietly: (value) => { view = value; }};
})();
