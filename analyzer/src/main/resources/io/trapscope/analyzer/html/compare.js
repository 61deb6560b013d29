"use strict";
// The page of a comparison. Uses what page.js offers.
(() => {
const {h, section, sections, page, data, text, duration, digits, grouped, themeButton, darkWanted, applyTheme} = window.trapscope;

const MEASURES = [["count", "exits"], ["handling", "handling"], ["guest", "guest time"]];
const WORDS = {unknown: "no interval", same: "no change seen", more: "more", less: "less", new: "new", gone: "gone"};

const number = (measure, value) => measure === "count" ? (Number.isInteger(value) ? grouped.format(value) : digits(value)) : duration(value);
const signed = (measure, value) => (value > 0 ? "+" : value < 0 ? "\u2212" : "") + number(measure, Math.abs(value));

function side(name, label) {
  const traces = data[name];
  return h("div", {class: "figure"}, h("b", {"data-figure": name, "data-value": traces.length}, `${name}: ${traces.length}`),
    h("span", {}, `${label}${traces.length === 1 ? "" : "s"}`), h("details", {}, h("summary", {}, "which"),
      h("ul", {}, traces.map((trace) => h("li", {class: "mono"}, `${trace.command_line} (${grouped.format(trace.exits)} exits, ${trace.end.toLowerCase().replaceAll("_", " ")})`)))));
}

/** The change with its interval, drawn on one scale a table: a line for the interval, a dot for the change. */
function interval(row, measure, widest) {
  const change = row[`${measure}_change`], low = row[`${measure}_low`], high = row[`${measure}_high`];
  const at = (value) => 60 + 56 * Math.max(-1, Math.min(1, value / widest));
  const svg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    return element;
  };
  const colour = {more: "var(--bad)", new: "var(--bad)", less: "var(--good)", gone: "var(--good)"}[row[`${measure}_verdict`]] || "var(--muted)";
  const picture = svg("svg", {width: 120, height: 16, "aria-hidden": "true"});
  picture.append(svg("line", {x1: 60, x2: 60, y1: 0, y2: 16, stroke: "var(--line)", "stroke-width": 1}));
  if (low !== null) picture.append(svg("line", {x1: at(low), x2: Math.max(at(low) + 1, at(high)), y1: 8, y2: 8, stroke: colour, "stroke-width": 2}));
  picture.append(svg("circle", {cx: at(change), cy: 8, r: 3.5, fill: colour}));
  return picture;
}

function comparison(name, table) {
  const keys = table.columns.slice(0, table.columns.findIndex((column) => column.name === "count_a"));
  const parts = MEASURES.map(([measure, label]) => {
    const rows = table.rows.filter((row) => row[`${measure}_a`] || row[`${measure}_b`])
      .sort((x, y) => Math.abs(y[`${measure}_change`]) - Math.abs(x[`${measure}_change`]));
    if (!rows.length) return null;
    const widest = Math.max(1e-9, ...rows.flatMap((row) => ["change", "low", "high"].map((part) => Math.abs(row[`${measure}_${part}`] || 0))));
    let all = false;
    const most = 20;
    const body = h("tbody");
    const more = h("button", {type: "button", onclick: () => { all = !all; fill(); }});
    function fill() {
      body.replaceChildren(...(all ? rows : rows.slice(0, most)).map((row) => {
        const verdict = row[`${measure}_verdict`], low = row[`${measure}_low`];
        const cell = (column, shown, classes) => h("td", {class: classes, "data-column": column, "data-value": row[column] === null ? null : String(row[column])}, shown);
        const ratio = row[`${measure}_ratio`];
        return h("tr", {}, keys.map((key) => cell(key.name, text(key, row[key]), "mono")),
          cell(`${measure}_a`, number(measure, row[`${measure}_a`]), "number"), cell(`${measure}_b`, number(measure, row[`${measure}_b`]), "number"),
          cell(`${measure}_change`, signed(measure, row[`${measure}_change`]), "number"),
          h("td", {class: "number"}, ratio === null ? "" : `\u00d7 ${digits(ratio)}`),
          h("td", {}, interval(row, measure, widest)),
          h("td", {class: "number"}, low === null ? "" : low === row[`${measure}_high`] ? "exact" : `${signed(measure, low)} to ${signed(measure, row[`${measure}_high`])}`),
          cell(`${measure}_verdict`, WORDS[verdict], {more: "up", new: "up", less: "down", gone: "down"}[verdict]));
      }));
      more.textContent = all ? `first ${most} only` : `all ${rows.length}`;
      more.hidden = rows.length <= most;
    }
    fill();
    return [h("h3", {}, label), rows.length > most ? h("div", {class: "tools"}, more) : null,
      h("div", {class: "scroll", "data-table": `${name}-${measure}`}, h("table", {},
        h("caption", {}, "Largest change first; the line is the change's 95 % interval, left of the middle less, right more."),
        h("thead", {}, h("tr", {}, [...keys.map((key) => key.name), "a", "b", "change", "b through a", "", "interval", ""].map((head, i) =>
          h("th", {scope: "col", class: i >= keys.length && i !== keys.length + 4 && i !== keys.length + 6 ? "number" : null}, head)))), body))];
  });
  return section(name, table.title, parts);
}

const changed = Object.values(data.tables).flatMap((table) => table.rows).filter((row) => ["more", "less", "new", "gone"].includes(row.count_verdict)).length;
const parts = Object.entries(data.tables).map(([name, table]) => comparison(name, table));
page.append(
  h("header", {}, h("div", {class: "top"}, h("div", {}, h("h1", {}, "Comparison"), h("p", {class: "muted"}, "What changed from the recordings a to the recordings b.")), themeButton())),
  h("div", {class: data.complete ? "status" : "status incomplete", role: "status"}, h("strong", {}, data.complete ? "Complete. " : "Incomplete. "),
    `${grouped.format(changed)} rows whose count changed.`, h("ul", {}, [...data.warnings, ...data.notes].map((line) => h("li", {}, line)))),
  h("div", {class: "figures"}, side("a", "recording"), side("b", "recording")),
  h("nav", {"aria-label": "Sections"}, sections.map(([id, name]) => h("a", {href: `#${id}`}, name))), ...parts,
  h("footer", {}, "Means of each side. Welch's t-test and intervals; p-values adjusted by Holm's method over the rows of a table."));
darkWanted.addEventListener("change", applyTheme);
applyTheme();
document.documentElement.dataset.ready = "true";
})();
