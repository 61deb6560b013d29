"use strict";
// The page of one trace: which sections there are and what they show. Uses what page.js offers.
(() => {
const {h, section, sections, page, data, tableElement, duration, tick, bytes, percent, grouped, sinceBegin, PALETTE, OTHER, colours, css,
  applyTheme, themeButton, darkWanted, timeChart, axes, piled, heat, triplesMost, triplesSum, readout, countAt, setView, zoom, extent, watchers, charts} = window.trapscope;
const tables = data.tables;
const timeline = data.timeline;
const total = (cells) => (cells || []).reduce((sum, cell) => sum + cell, 0);
const shown = new Set();
const take = (name) => { shown.add(name); return tables[name]; };

// ---- what came of it, before anything else ----

function heading() {
  const when = new Date(data.epoch_ns / 1e6).toISOString().replace("T", " ").slice(0, 19);
  const about = [`on ${data.trace.back_end}`, `${data.trace.vcpus} vCPU${data.trace.vcpus === "1" ? "" : "s"}`,
    data.platform.memory_bytes ? bytes(data.platform.memory_bytes) : "memory not known", `begun ${when} UTC`, `ended: ${data.trace.end.toLowerCase().replaceAll("_", " ")}`];
  return h("header", {}, h("div", {class: "top"}, h("div", {}, h("h1", {}, data.title), h("p", {class: "muted"}, about.join(" · "))), themeButton()));
}

function completeness() {
  const [first, ...rest] = data.coverage;
  const known = rest.length ? h("details", {}, h("summary", {}, `what cannot be seen in this trace`), h("ul", {}, rest.map((line) => h("li", {}, line)))) : null;
  return h("div", {class: data.complete ? "status" : "status incomplete", role: "status"},
    h("strong", {}, data.complete ? "Complete. " : `Incomplete, ${grouped.format(data.lost)} events lost. `), first,
    data.warnings.length ? h("ul", {}, data.warnings.map((line) => h("li", {}, line))) : null, known);
}

function figure(value, label, name, raw) {
  return h("div", {class: "figure"}, h("b", {"data-figure": name, "data-value": raw}, value), h("span", {}, label));
}

function figures() {
  const faults = faultsDrawn() + data.faults.nowhere;
  return h("div", {class: "figures"},
    figure(grouped.format(data.exits), "exits", "exits", data.exits),
    figure(duration(data.duration_ns), "recorded", "duration_ns", data.duration_ns),
    figure(grouped.format(Math.round(data.exits / Math.max(1, data.duration_ns) * 1e9)), "exits a second", "rate"),
    figure(timeline.shares.handling ? duration(total(timeline.shares.handling)) : "not timed", "handling exits", "handling_ns", total(timeline.shares.handling)),
    faults ? figure(grouped.format(faults), "EPT faults", "faults", faults) : null,
    figure(grouped.format(total(timeline.interrupts)), "interrupts injected", "interrupts", total(timeline.interrupts)));
}

const SHARES = {guest: "in the guest", handling: "handling exits", halted: "halted"};

/** Those of them that the trace tells. */
const told = Object.keys(SHARES).filter((name) => timeline.shares[name]);

function shareKeys(words) {
  return told.map((name, i) => h("li", {}, h("i", {style: {background: `var(--${name})`}}), words[i]));
}

function whereTimeWent() {
  if (!told.length) return h("p", {class: "muted"}, "The trace does not tell how long exits took, or how long the guest ran between them.");
  const times = told.map((name) => total(timeline.shares[name]));
  const whole = Math.max(times.reduce((a, b) => a + b, 0), data.duration_ns * Number(data.trace.vcpus));
  return h("div", {},
    h("div", {class: "parts", role: "img", "aria-label": told.map((name, i) => `${percent(times[i] / whole)} ${SHARES[name]}`).join(", ")},
      told.map((name, i) => h("i", {style: {width: `${100 * times[i] / whole}%`, background: `var(--${name})`}}))),
    h("ul", {class: "keys"}, shareKeys(told.map((name, i) => `${percent(times[i] / whole)} ${SHARES[name]}`)),
      h("li", {class: "muted"}, `${percent(1 - times.reduce((a, b) => a + b, 0) / whole)} re-entry, interrupts, or not timed`)));
}

// ---- the run over time ----

function reasonsByCount() {
  return Object.entries(timeline.exits).map(([name, cells]) => [name, total(cells)]).sort((a, b) => b[1] - a[1]);
}

function timelineSection() {
  const counts = reasonsByCount();
  const named = counts.slice(0, PALETTE.length).map(([name]) => name);
  named.forEach((name, i) => colours.set(name, PALETTE[i]));
  const rest = counts.slice(PALETTE.length);
  const rows = named.map((name) => timeline.exits[name]);
  const names = [...named];
  if (rest.length) {
    names.push("other");
    rows.push(timeline.exits[counts[0][0]].map((_, at) => rest.reduce((sum, [name]) => sum + timeline.exits[name][at], 0)));
  }
  const colour = (name) => colours.get(name) || OTHER;
  const exitsChart = h("div", {class: "chart", id: "chart-exits"});
  const shareChart = h("div", {class: "chart", id: "chart-shares"});
  const words = h("div", {class: "readout", "aria-live": "off"});
  timeChart(exitsChart, "Exits over time by reason. Keys: plus and minus zoom, arrows move, 0 shows all.", () => Object.assign(
    {axes: axes((value) => grouped.format(value)), scales: {y: {range: (u, min, max) => [0, max || 1]}}, namesPhases: true, padding: [20, 18, 0, 0]},
    piled(names, rows, colour),
    readout(words, (column) => {
      const parts = names.map((name, i) => [name, rows[i][column] || 0]).filter(([, count]) => count).sort((a, b) => b[1] - a[1]);
      const sum = parts.reduce((all, [, count]) => all + count, 0);
      return `${duration(column * timeline.column_ns)}: ${grouped.format(sum)} exits in ${duration(timeline.column_ns)}` +
        (parts.length ? ` (${parts.slice(0, 4).map(([name, count]) => `${name} ${grouped.format(count)}`).join(", ")})` : "");
    })), 230);
  const vcpus = Math.max(1, Number(data.trace.vcpus));
  const shareRows = told.map((name) => timeline.shares[name].map((nanos) => nanos / timeline.column_ns / vcpus));
  if (told.length) timeChart(shareChart, `Share of the time ${told.map((name) => SHARES[name]).join(", ")}.`, () => Object.assign(
    {axes: axes((value) => `${Math.round(100 * value)} %`), scales: {y: {range: [0, 1]}}},
    piled(told, shareRows, (name) => css(`--${name}`))), 110);
  const button = (label, name, action) => h("button", {type: "button", "aria-label": name, title: name, onclick: action}, label);
  return section("timeline", "Timeline",
    h("div", {class: "tools"}, button("+", "zoom in", () => zoom(0.5)), button("\u2212", "zoom out", () => zoom(2)), button("all", "show the whole run", () => setView(0, extent)),
      h("span", {class: "muted"}, "drag to zoom, double-click for all; every chart over time follows. On a chart the keys + \u2212 \u2190 \u2192 0 do the same")),
    h("div", {class: "split"},
      h("div", {class: "chart"},
        h("p", {class: "chart-title"}, `exits in each ${duration(timeline.column_ns)}, by reason`), exitsChart,
        h("ul", {class: "keys"}, names.map((name) => h("li", {}, h("i", {style: {background: colour(name)}}), name))), words,
        told.length ? [h("p", {class: "chart-title"}, `where the time ${vcpus > 1 ? `of ${vcpus} vCPUs ` : ""}went`), shareChart,
          h("ul", {class: "keys"}, shareKeys(told.map((name) => SHARES[name])), h("li", {class: "muted"}, "blank: re-entry, interrupts, or not timed"))] : null),
      consoleList()),
    numbers());
}

function consoleList() {
  if (!data.console.length) return h("p", {class: "muted"}, "The trace has no console text.");
  const items = data.console.map(([since, line, mark], i) => h("li", {role: "option", "aria-selected": "false", id: `line-${i}`, class: mark ? "mark mono" : "mono",
    onclick: () => select(i, true)}, h("time", {}, duration(since)), h("span", {}, mark ? `\u25b6 ${line}` : line)));
  const list = h("ol", {tabindex: 0, role: "listbox", "aria-label": "Console text with its times",
    onkeydown: (event) => {
      const step = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10}[event.key];
      if (!step) return;
      event.preventDefault();
      select(Math.max(0, Math.min(items.length - 1, selected + step)), true);
    }}, items);
  let selected = -1;
  function select(i, move) {
    if (i === selected) return;
    if (selected >= 0) items[selected].setAttribute("aria-selected", "false");
    selected = i;
    items[i].setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", `line-${i}`);
    list.scrollTop = items[i].offsetTop - list.clientHeight / 2;
    if (move) {
      const since = data.console[i][0], [from, to] = window.trapscope.view();
      if (since < from || since > to) setView(since - (to - from) / 2, since + (to - from) / 2);
      const chart = charts[0];
      if (chart) chart.setCursor({left: chart.valToPos(since, "x"), top: 10});
    }
  }
  watchers.push(() => {
    const [from, to] = window.trapscope.view();
    items.forEach((item, i) => item.classList.toggle("outside", data.console[i][0] < from || data.console[i][0] > to));
  });
  document.addEventListener("mousemove", (event) => {
    const chart = charts.find((one) => one.over.contains(event.target));
    if (!chart || chart.cursor.left < 0) return;
    const at = chart.posToVal(chart.cursor.left, "x");
    let i = data.console.findIndex(([since]) => since > at);
    i = i < 0 ? items.length - 1 : Math.max(0, i - 1);
    select(i, false);
  });
  const left = data.console_left ? h("p", {class: "note"}, `${grouped.format(data.console_left)} lines in the middle are left out`) : null;
  return h("div", {class: "console"}, h("p", {class: "chart-title"}, "console"), list, left);
}

/** The same as numbers, for those who see no chart. */
function numbers() {
  const table = take("timeline");
  return table ? h("details", {}, h("summary", {}, "the timeline as a table"), tableElement(table, {name: "timeline", hide: ["time"]})) : null;
}

// ---- the reports' tables ----

function phasesSection() {
  const table = take("phases");
  return table ? section("phases", "Phases", h("p", {}, "The run cut where something happens for the first time; the charts over time have these phases as bands."),
    tableElement(table, {name: "phases", hide: ["time"]})) : null;
}

const FINDINGS = {
  poll_loops: "A register read again and again with the same value: the guest waits. An interrupt, or a longer pause between the reads, would save them.",
  unchanged_accesses: "Accesses with the value that the register had. REDUNDANT ones could be left out; POLLED ones look at what changes by itself; ACTS means that every access does something.",
  combinable_accesses: "Accesses in a row that fewer would do for: index and data registers, one byte after the other."};

/** What tells most of a row in a table of places. */
const WEIGHTS = ["count", "share", "reads", "unchanged", "accesses", "could_be", "elapsed", "location", "function"];

function findingsSection() {
  const found = Object.keys(FINDINGS).map((name) => [name, take(name)]).filter(([, table]) => table && table.rows.length);
  return found.length ? section("findings", "Accesses that could be saved", found.map(([name, table]) =>
    [h("h3", {}, table.title), h("p", {}, FINDINGS[name]), tableElement(table, {name, most: 12, weights: WEIGHTS, filter: "filter by device, register, function ..."})])) : null;
}

function exitsSection() {
  const table = take("exit_histogram");
  return table ? section("exits", "Exits by reason", tableElement(table, {name: "exit_histogram", swatches: true, caption: "All vCPUs added up; guest is the time in the guest before these exits.", hide: ["sdm_reason", "vcpu"]})) : null;
}

function latencySection() {
  const table = take("exit_latency");
  if (!table || !table.rows.length) return null;
  const chart = h("div", {class: "chart", id: "chart-latency"});
  const words = h("div", {class: "readout"});
  const windowText = h("p", {class: "note"});
  const stages = Object.keys(data.latency).filter((name) => data.latency[name].cells.length);
  let stage = ["device", "kernel", ...stages].find((name) => stages.includes(name));
  const bounds = () => {
    const rows = data.latency[stage].cells.filter((_, i) => i % 3 === 1);
    return rows.length ? [Math.max(0, Math.min(...rows) - 1), Math.max(...rows) + 2] : [0, 1];
  };
  timeChart(chart, "How long a stage of the exits took, over time: stronger where there are more exits.", () => {
    const {cells} = data.latency[stage];
    const most = triplesMost(cells);
    const made = readout(words, (column, row) => {
      const at = Math.floor(row), count = countAt(cells, column, at);
      return `${duration(column * timeline.column_ns)}, ${duration(2 ** (at / 2))} to ${duration(2 ** ((at + 1) / 2))}: ${grouped.format(count)} exits`;
    });
    const low = css("--heat-low"), high = css("--heat-high");
    made.hooks.draw = [(u) => heat(u, cells, low, high, most)];
    const yAxes = axes((value) => tick(2 ** (value / 2)));
    yAxes[1].splits = (u, i, min, max) => {
      const ticks = [];
      for (let nanos = 1; nanos < 1e16; nanos *= 10) {
        const row = 2 * Math.log2(nanos);
        if (row >= min && row <= max) ticks.push(row);
      }
      return ticks;
    };
    return Object.assign({axes: yAxes, scales: {y: {range: () => bounds()}}, series: [{}, {show: true, stroke: "transparent", points: {show: false}}],
      data: [window.trapscope.columnStarts(), new Array(timeline.columns + 1).fill(null)]}, made);
  }, 220);
  const redraw = window.trapscope.redraws[window.trapscope.redraws.length - 1];
  const choose = (name) => {
    stage = name;
    windowText.textContent = `${name}: ${data.latency[name].window}`;
    if (charts.length) redraw();
  };
  choose(stage);
  const heads = h("fieldset", {class: "tools", style: {border: "0", padding: "0", margin: "8px 0"}}, h("legend", {class: "sr"}, "stage"),
    stages.map((name) => h("label", {}, h("input", {type: "radio", name: "stage", value: name, checked: name === stage, onchange: () => choose(name)}), name)));
  return section("latency", "Latency", h("p", {}, "How long each stage of an exit takes, over the run: a column is a stretch of time, a row a duration, the colour stronger where more exits lie."),
    heads, windowText, chart, words,
    h("h3", {}, "Percentiles by reason and stage"), tableElement(Object.assign({}, table, {notes: []}), {name: "exit_latency", most: 24, caption: "All vCPUs added up; the reasons that take most time come first.", hide: ["sdm_reason", "vcpu", "window"], filter: "filter by reason or stage"}));
}

function hotspotsSection() {
  const table = take("hotspots");
  return table ? section("hotspots", "Hotspots", h("p", {}, "Where the exits come from: the register that was accessed, and the guest's instruction that did it."),
    tableElement(table, {name: "hotspots", hide: data.trace.vcpus === "1" ? ["vcpu"] : [], weights: WEIGHTS, filter: "filter by port, register, function ..."})) : null;
}

/** What a fault's page was before: the words, and the colours for few and for many faults. */
const TOUCHES = {
  unknown: {words: "not known which", colours: ["--unknown-low", "--unknown-high"], key: "not known which in grey"},
  first: {words: "first touches", colours: ["--heat-low", "--heat-high"], key: "first touches in blue"},
  again: {words: "again", colours: ["--again-low", "--again-high"], key: "faults on memory touched before in orange"}};

const faultsDrawn = () => Object.keys(TOUCHES).reduce((sum, touch) => sum + triplesSum(data.faults[touch]), 0);

/** Rows of the map that are left free below the band of what is above RAM, and those that the band takes. */
const BAND = {from: 7, to: 16};

function faultsSection() {
  const table = take("ept_faults");
  const {faults} = data;
  const touches = Object.keys(TOUCHES).filter((touch) => faults[touch].length);
  if (!touches.length && !(table && table.rows.length)) return null;
  const above = touches.reduce((sum, touch) => sum + triplesSum(faults[touch], faults.rows), 0);
  const memory = `0x${faults.above.toString(16)}`;
  return section("faults", "EPT faults",
    touches.length ? h("p", {}, `When which guest-physical memory was touched: ${touches.map((touch) => TOUCHES[touch].key).join(", ")}, stronger where more.`,
      above ? ` The band on top is not to scale: ${grouped.format(above)} faults at ${memory} and above, where no RAM is.` : "") : null,
    faults.nowhere ? h("p", {}, `${grouped.format(faults.nowhere)} faults are not on the map: the trace does not tell their address.`) : null,
    touches.length ? faultsMap(touches, above > 0, memory) : null, table ? tableElement(table, {name: "ept_faults"}) : null);
}

/** Faults over memory and time, with a band of their own for those above all RAM. */
function faultsMap(touches, hasBand, memory) {
  const {faults} = data;
  const chart = h("div", {class: "chart", id: "chart-faults"});
  const words = h("div", {class: "readout"});
  const rows = faults.rows;
  const place = (row) => row < rows ? [row, row + 1] : [rows + BAND.from, rows + BAND.to];
  const rowAt = (y) => y < rows ? Math.floor(y) : y < rows + BAND.from ? -1 : rows;
  timeChart(chart, "EPT faults over guest-physical space and time.", () => {
    const made = readout(words, (column, y) => {
      const row = rowAt(y);
      if (row < 0) return "";
      const parts = touches.map((touch) => [countAt(faults[touch], column, row), TOUCHES[touch].words]).filter(([count]) => count);
      const from = row * faults.row_bytes;
      const where = row < rows ? `0x${from.toString(16)} to 0x${(Math.min(from + faults.row_bytes, faults.above) - 1).toString(16)}` : `${memory} and above`;
      return `${duration(column * timeline.column_ns)}, ${where}: ${parts.map(([count, words]) => `${grouped.format(count)} ${words}`).join(", ") || "none"}`;
    });
    const most = Math.max(...touches.map((touch) => triplesMost(faults[touch])));
    made.hooks.draw = [(u) => touches.forEach((touch) => {
      const [low, high] = TOUCHES[touch].colours.map(css);
      heat(u, faults[touch], low, high, most, place);
    })];
    const yAxes = axes((value) => value > rows ? "above" : bytes(value * faults.row_bytes));
    yAxes[1].splits = () => [0, 1, 2, 3, 4].map((part) => part * rows / 4).concat(hasBand ? [rows + (BAND.from + BAND.to) / 2] : []);
    yAxes[1].grid = Object.assign({}, yAxes[1].grid, {filter: (u, ticks) => ticks.map((tick) => tick > rows ? null : tick)});
    return Object.assign({axes: yAxes, scales: {y: {range: [0, hasBand ? rows + BAND.to : rows]}}, series: [{}, {stroke: "transparent", points: {show: false}}],
      data: [window.trapscope.columnStarts(), new Array(timeline.columns + 1).fill(null)]}, made);
  }, 260);
  return [chart, words];
}

// ---- the machine ----

function platformSection() {
  const {notes, regions, images, memory_bytes: memory} = data.platform;
  const facts = [["guest CPU", data.trace.guest_cpu], ["memory", memory ? bytes(memory) : "not known"], ["back end", `${data.trace.back_end}: ${data.trace.back_end_why}`],
    ["host", `${data.trace.host_cpu}, ${data.trace.host_kernel}`], ["recorded by", data.trace.command_line],
    ...images.map((image) => [image.role, `${image.path}, ${bytes(image.bytes)}, sha256 ${image.sha256}`])];
  const long = [];
  const e820 = [];
  for (const [key, value] of Object.entries(notes)) {
    const range = /^0x([0-9a-f]+)-0x([0-9a-f]+) (.*)$/.exec(value);
    if (key.startsWith("e820") && range) e820.push({from: `0x${range[1]}`, to: `0x${range[2]}`, size: parseInt(range[2], 16) - parseInt(range[1], 16) + 1, kind: range[3]});
    else if (value.includes("\n")) long.push([key, value]);
    else facts.push([key, value]);
  }
  const map = (rows, name, caption) => rows.length ? tableElement({meaning: "a range", rows, columns: [
    {name: "from", type: "uint64", unit: "address"}, {name: "to", type: "uint64", unit: "address"}, {name: "size", type: "uint64", unit: "bytes"},
    {name: "kind", type: "text", unit: ""}, {name: "name", type: "text", unit: ""}]}, {name, caption}) : null;
  const hex = (value) => `0x${value.toString(16)}`;
  return section("platform", "Platform",
    h("div", {class: "scroll"}, h("table", {}, h("caption", {}, "What ran where."), h("tbody", {}, facts.map(([name, value]) => h("tr", {}, h("th", {scope: "row"}, name), h("td", {class: "mono"}, value)))))),
    e820.length ? [h("h3", {}, "E820 map"), strip(e820, memory), map(e820, "e820", "What the guest was told of its memory.")] : null,
    regions.length ? [h("h3", {}, "Memory regions"), map(regions.map((region) => ({from: hex(region.gpa), to: hex(region.gpa + region.bytes - 1), size: region.bytes, kind: region.kind, name: region.name})),
      "regions", long.some(([key]) => key === "regions") ? "The RAM; what else answers addresses is in the tree of regions below." : "What answers guest-physical addresses.")] : null,
    long.map(([key, value]) => h("details", {}, h("summary", {}, key === "regions" ? "tree of regions" : key), h("pre", {}, value))));
}

/** The ranges side by side, each at least a sliver: most machines have one large and many tiny ones. */
function strip(ranges) {
  const weights = ranges.map((range) => Math.log2(range.size + 1));
  const sum = weights.reduce((a, b) => a + b, 0);
  return h("div", {class: "parts", style: {height: "22px"}, role: "img", "aria-label": "The ranges of the E820 map in order; widths are logarithmic."},
    ranges.map((range, i) => h("i", {title: `${range.from}-${range.to} ${range.kind}, ${bytes(range.size)}`,
      style: {width: `${100 * weights[i] / sum}%`, background: range.kind.startsWith("usable") ? "var(--accent)" : "var(--halted)", borderRight: "1px solid var(--paper)"}})));
}

// ---- all of it ----

function report() {
  page.append(heading(), completeness(), figures(), whereTimeWent());
  const parts = [timelineSection(), phasesSection(), exitsSection(), latencySection(), hotspotsSection(), findingsSection(), faultsSection()];
  const further = Object.entries(tables).filter(([name, table]) => !shown.has(name) && table.rows.length)
    .map(([name, table]) => section(name, table.title, tableElement(table, {name, filter: table.rows.length > 25 ? "filter" : null})));
  parts.splice(6, 0, ...further);
  parts.push(platformSection());
  const links = h("nav", {"aria-label": "Sections"}, sections.filter(([id]) => parts.some((part) => part && part.id === id)).map(([id, name]) => h("a", {href: `#${id}`}, name)));
  page.append(links, ...parts.filter(Boolean),
    h("footer", {}, `Made by ${data.trace.product}. Durations are host time; each stage's window is named beside it. The tables' files hold every row.`));
  window.trapscope.setViewQuietly([0, extent]);
  darkWanted.addEventListener("change", applyTheme);
  applyTheme();
  watchers.forEach((watch) => watch());
  // Paper is white: the charts are drawn anew in its colours, and again afterwards.
  addEventListener("beforeprint", () => { document.documentElement.classList.remove("dark"); window.trapscope.redraws.forEach((redraw) => redraw()); });
  addEventListener("afterprint", applyTheme);
  document.documentElement.dataset.ready = "true";
}

report();
})();
