"use strict";
// What a page can do beyond being read: values where one points, series alone, charts drawn anew, folding, filtering, CSV. All that is seen
// without it stands in the page; data stands beside each chart as JSON. Texts come in as text, never as markup.
(() => {
const SVG = "http://www.w3.org/2000/svg";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const data = new WeakMap();

/** An element with attributes, listeners (`on…`) and children. */
function make(name, attributes = {}, ...children) {
  const isDrawn = name.startsWith("svg:");
  const element = isDrawn ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}
const button = (text, onclick, more = {}) => make("button", { type: "button", onclick, ...more }, text);
const select = (options, onchange, label) => make("label", {}, label + " ",
  make("select", { onchange: (event) => onchange(event.target.value) }, options.map(([value, text, on]) => make("option", { value, selected: on }, text))));
const search = (label, oninput) => make("label", {}, make("input", { type: "search", placeholder: label, "aria-label": label, oninput: (event) => oninput(event.target.value.toLowerCase()) }));

function read(figure) {
  if (!data.has(figure)) {
    const script = figure.querySelector(":scope > script[type='application/json']");
    data.set(figure, script ? JSON.parse(script.textContent) : null);
  }
  return data.get(figure);
}

// ---- Numbers

/** Four digits that count. */
function short(value) {
  if (typeof value !== "number") return value == null ? "–" : String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(size >= 1000 ? Math.floor(Math.log10(size)) + 1 : 4)));
}
function duration(seconds) {
  if (seconds == null) return "–";
  if (seconds < 9.95) return seconds.toFixed(1) + " s";
  const whole = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  if (whole < 60) return whole + " s";
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor(whole / 3600) % 24)} h`;
}
/** As RFC 4180 has it; what a spreadsheet would take for a formula has an apostrophe before it. */
function csv(columns, rows) {
  const cell = (value) => {
    if (value == null) return "";
    if (typeof value === "number" || /^(nan|-?inf)$/.test(value)) return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}
function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: url, download: name.replace(/[^\w.-]+/g, "-").replace(/^-+/, "") }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// ---- Where one points

const tip = make("div", { id: "tip", role: "status", hidden: true });
let tipOwner = null;
function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 4)) + "px";
  tip.style.top = (y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 12) : y + 18) + "px";
}
function hideTip() { tip.hidden = true; tipOwner = null; }
/** Titles become ours, for the browser shows its own late and small. */
function titled(target) {
  for (let node = target; node instanceof SVGElement && !node.classList.contains("chart"); node = node.parentNode) {
    const title = [...node.children].find((child) => child.localName === "title");
    if (title) { node.dataset.tip = title.textContent; node.setAttribute("aria-label", title.textContent); title.remove(); }
    if (node.dataset.tip) return node;
  }
  return null;
}
document.addEventListener("pointermove", (event) => {
  if (event.target.closest?.(".drawn")) return;
  const node = titled(event.target);
  if (node) { tipOwner = node; showTip(node.dataset.tip, event.clientX, event.clientY); } else if (tipOwner) hideTip();
}, { passive: true });
document.addEventListener("focusin", (event) => {
  const node = event.target instanceof SVGElement ? titled(event.target) : null;
  if (!node) return hideTip();
  const box = node.getBoundingClientRect();
  tipOwner = node;
  showTip(node.dataset.tip, box.left, box.bottom - 14);
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
document.addEventListener("scroll", hideTip, { passive: true, capture: true });

/** What a click does, Enter and Space do as well. */
function clickable(element, label, action) {
  element.setAttribute("tabindex", "0");
  element.setAttribute("role", "button");
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", action);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); action(event); }
  });
}

// ---- Every chart: table, CSV, one series alone

function isolate(svg, series) {
  const isOn = svg.dataset.lone === series;
  svg.classList.toggle("lone", !isOn);
  svg.dataset.lone = isOn ? "" : series;
  for (const mark of all("[data-series]", svg)) mark.classList.toggle("on", !isOn && mark.dataset.series === series);
  for (const key of all(".key[data-series]", svg)) key.setAttribute("aria-pressed", String(!isOn && key.dataset.series === series));
}
function rowsOf(chart) {
  if (chart.kind === "graph") return graphTable();
  if (chart.kind !== "lines") return chart;
  const isWide = chart.series.some((series) => series.low);
  const rows = chart.series.flatMap((series) => series.y.map((value, place) => {
    const x = (series.x ?? chart.steps)[place];
    return [series.name, chart.names?.[x] ?? x, value, ...(isWide ? [series.low?.[place], series.high?.[place]] : [])];
  }));
  return { columns: ["series", chart.x, chart.y || chart.title, ...(isWide ? ["low", "high"] : [])], rows };
}
const mostRows = 2000;
function table({ columns, rows }) {
  const isText = columns.map((_, place) => rows.some((row) => typeof row[place] === "string"));
  const side = (place) => isText[place] ? null : "n";
  const body = rows.slice(0, mostRows).map((row) => make("tr", {}, columns.map((_, place) => make("td", { class: side(place) }, short(row[place])))));
  return make("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Data" },
    make("table", {}, make("thead", {}, make("tr", {}, columns.map((name, place) => make("th", { scope: "col", class: side(place) }, name)))), make("tbody", {}, body)),
    rows.length > mostRows && make("p", { class: "small" }, `${rows.length - mostRows} more rows in the CSV`));
}
function tools(figure, chart) {
  const name = (chart.title || figure.querySelector("svg")?.id || "chart") + ".csv";
  let shown = null;
  const toggle = button("Table", () => {
    if (shown) { shown.remove(); shown = null; } else { shown = table(rowsOf(chart)); bar.after(shown); }
    toggle.setAttribute("aria-pressed", String(!!shown));
  }, { "aria-pressed": "false" });
  const bar = make("div", { class: "tools" }, toggle, button("CSV", () => { const { columns, rows } = rowsOf(chart); download(name, csv(columns, rows)); }, { "aria-label": "Download " + name }));
  figure.querySelector(".chart-frame").after(bar);
  return bar;
}
function prepare(figure) {
  const chart = read(figure);
  if (!chart || figure.dataset.ready) return;
  figure.dataset.ready = "yes";
  const bar = tools(figure, chart);
  if (chart.kind === "lines") return lines(figure, chart, bar);
  if (chart.kind === "graph") return graph(figure, chart, bar);
  const svg = figure.querySelector("svg");
  for (const key of all(".key[data-series]", svg)) clickable(key, null, () => isolate(svg, key.dataset.series));
  if (!svg.querySelector(".key[data-series]") || svg.matches(".timeline,.heatmap")) return;
  for (const mark of all(".mark[data-series],.bar[data-series]", svg)) mark.addEventListener("click", () => isolate(svg, mark.dataset.series));
}

// ---- Lines, drawn to the width that there is

const lineFigures = new Set();
const shapes = [null, [[-1, -1], [1, -1], [1, 1], [-1, 1]], [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]], [[0, -1.35], [1.35, 0], [0, 1.35], [-1.35, 0]], [[0, 1.2], [1.1, -0.9], [-1.1, -0.9]]];
function mark(color, x, y, size, classes = "mark") {
  const shape = shapes[color % shapes.length], name = `${classes} ${seriesClass(color)}`;
  return shape ? make("svg:path", { class: name, d: "M" + shape.map(([a, b]) => `${(x + a * size).toFixed(1)} ${(y + b * size).toFixed(1)}`).join("L") + "Z" })
    : make("svg:circle", { class: name, cx: x.toFixed(1), cy: y.toFixed(1), r: size });
}
const seriesClass = (color) => "s" + (color < 10 ? color + 1 : 0);
function niceStep(room, count) {
  const rough = room / count, power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((step) => rough <= step * power * 1.000001) ?? 10);
}
function scaleOf(values, count, isLog, isZero, isTight) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  if (!(low <= high)) return null;
  if (isLog) {
    let [from, to] = [Math.floor(Math.log10(low) + 1e-9), Math.ceil(Math.log10(high) - 1e-9)];
    if (from === to) to += 1;
    const stride = Math.max(1, Math.ceil((to - from) / count)), ticks = [];
    for (let power = from; power <= to; power += stride) ticks.push(10 ** power);
    if (to - from === 1) ticks.splice(1, 0, 2 * 10 ** from, 5 * 10 ** from);
    return { ticks, share: (value) => (Math.log10(value) - from) / (to - from) };
  }
  if (isZero) { low = Math.min(low, 0); high = Math.max(high, 0); }
  if (high - low <= Math.max(Math.abs(low), Math.abs(high)) * 1e-12) { const room = Math.abs(low) * 0.1 || 1; low -= low === 0 ? 0 : room; high += room; }
  const step = niceStep(high - low, count);
  if (isTight) {
    const ticks = [];
    for (let place = Math.ceil(low / step - 1e-9); place * step <= high * (1 + 1e-9); place++) ticks.push(Number((place * step).toPrecision(12)));
    return { ticks, share: (value) => (value - low) / (high - low) };
  }
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9), ticks = [];
  for (let place = first; place <= last; place++) ticks.push(Number((place * step).toPrecision(12)));
  return { ticks, share: (value) => (value / step - first) / (last - first) };
}
/** An exponential mean that begins without a bias, as TensorBoard's. */
function smooth(values, weight) {
  let [mean, count] = [0, 0];
  return values.map((value) => {
    if (typeof value !== "number") return value;
    mean = mean * weight + value * (1 - weight);
    count += 1;
    return mean / (1 - weight ** count);
  });
}
function lines(figure, chart, bar) {
  const old = figure.querySelector("svg");
  const view = { chart, figure, log: !!chart.log, smoothing: 0, lone: null, match: "", height: Math.max(180, Math.min(340, (old.viewBox.baseVal.height || 300) - 40)) };
  chart.series.forEach((series, place) => { series.color ??= place; series.steps = series.x ?? chart.steps; });
  const hasPositive = chart.series.some((series) => series.y.some((value) => value > 0));
  const longest = Math.max(...chart.series.map((series) => series.y.length));
  if (hasPositive && !chart.names) {
    const toggle = button("Log scale", () => { view.log = !view.log; toggle.setAttribute("aria-pressed", String(view.log)); draw(view); }, { "aria-pressed": String(view.log) });
    bar.append(toggle);
  }
  if (longest > 8 && !chart.names) bar.append(select([[0, "none", true], [0.6, "0.6"], [0.8, "0.8"], [0.9, "0.9"], [0.97, "0.97"]], (value) => { view.smoothing = Number(value); draw(view); }, "smoothing"));
  if (chart.series.length > 1) {
    view.legend = make("ul", { class: "legend-list" });
    figure.querySelector(".chart-frame").after(view.legend);
  }
  figure.view = view;
  lineFigures.add(view);
  draw(view);
}
function drawLegend(view, shown) {
  view.legend?.replaceChildren(...shown.map((series) => make("li", {}, button([
    make("svg:svg", { width: 26, height: 12, class: "chart", "aria-hidden": "true" }, make("svg:path", { class: "line " + seriesClass(series.color), d: "M0 6L26 6" }), mark(series.color, 13, 6, 3.5)),
    make("span", {}, series.name)], () => { view.lone = view.lone === series ? null : series; draw(view); }, { "aria-pressed": String(view.lone === series) }))));
}
function draw(view) {
  const { chart, figure } = view, frame = figure.querySelector(".chart-frame");
  const shown = chart.series.filter((series) => series.y.length && series.name.toLowerCase().includes(view.match));
  const lone = shown.includes(view.lone) ? view.lone : null;
  const active = lone ? [lone] : shown;
  const width = Math.max(300, Math.min(frame.clientWidth || 528, 1080)), height = view.height;
  const isShown = (value) => typeof value === "number" && (!view.log || value > 0);
  for (const series of shown) series.drawn = view.smoothing ? smooth(series.y, view.smoothing) : series.y;
  const values = active.flatMap((series) => [...series.drawn, ...(series.low ?? []), ...(series.high ?? [])].filter(isShown));
  const top = 34, bottom = height - (chart.x ? 40 : 26);
  const y = scaleOf(values, Math.max(3, Math.round((bottom - top) / 48)), view.log, chart.zero) ?? { ticks: [], share: () => 0 };
  const labels = y.ticks.map(short), left = Math.max(34, Math.max(0, ...labels.map((label) => label.length)) * 7 + 14), right = width - 14;
  const steps = active.flatMap((series) => series.steps);
  const x = chart.names ? { ticks: chart.names.map((_, place) => place), share: (value) => (value + 0.3) / (chart.names.length - 0.4) }
    : scaleOf(steps, Math.max(2, Math.round((right - left) / 80)), false, false, true) ?? { ticks: [], share: () => 0 };
  const px = (value) => left + (right - left) * x.share(value), py = (value) => bottom - (bottom - top) * Math.max(0, Math.min(1, y.share(value)));
  const svg = make("svg:svg", { class: "chart lines drawn" + (active.length > 10 ? " many" : ""), width, height, viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "aria-label": `${chart.title}: ${active.length} series; arrow keys read the values` });
  const text = (words, attributes) => { const label = make("svg:text", attributes, words); svg.append(label); return label; };
  const line = (name, x1, y1, x2, y2) => svg.append(make("svg:line", { class: name, x1, y1, x2, y2 }));
  text(chart.title, { class: "head", x: 12, y: 18 });
  y.ticks.forEach((tick, place) => { const at = py(tick); line("grid", left, at, right, at); text(labels[place], { class: "muted end", x: left - 7, y: at + 4 }); });
  const room = chart.names ? (right - left) / chart.names.length : 0, most = Math.max(3, Math.floor(room / 6.6));
  const stride = chart.names ? Math.max(1, Math.ceil(34 / room)) : 1;
  x.ticks.forEach((tick, place) => {
    if (place % stride) return;
    const at = px(tick), words = chart.names ? chart.names[tick] : short(tick);
    if (at > right + 1) return;
    line("axis", at, bottom, at, bottom + 5);
    text(chart.names && words.length > most * stride ? words.slice(0, most * stride - 1) + "…" : words, { class: "muted " + (at > right - 14 && !chart.names ? "end" : "middle"), x: Math.min(at, right + 8), y: bottom + 18 });
  });
  line("axis", left, bottom, right, bottom);
  if (chart.x) text(chart.x, { class: "small muted end", x: right, y: height - 4 });
  if (chart.y) text(chart.y, { class: "small muted", x: 12, y: 31 });
  const path = (series, list) => {
    let d = "", isOpen = false;
    list.forEach((value, place) => {
      if (!isShown(value)) { isOpen = false; return; }
      d += `${isOpen ? "L" : "M"}${px(series.steps[place]).toFixed(1)} ${py(value).toFixed(1)}`;
      isOpen = true;
    });
    return d;
  };
  const hasMarks = active.reduce((sum, one) => sum + one.y.length, 0) <= 240;
  for (const series of [...active].reverse()) {
    const group = make("svg:g", { class: "series " + seriesClass(series.color), "data-series": chart.series.indexOf(series) });
    if (series.low && !view.smoothing) {
      const known = series.low.map((_, place) => place).filter((place) => isShown(series.low[place]) && isShown(series.high[place]));
      const side = (ends, places) => places.map((place) => `${px(series.steps[place]).toFixed(1)} ${py(ends[place]).toFixed(1)}`).join("L");
      if (known.length > 1 && active.length < 5) group.append(make("svg:path", { class: "band " + seriesClass(series.color), d: `M${side(series.high, known)}L${side(series.low, [...known].reverse())}Z` }));
    }
    if (view.smoothing && active.length <= 10) group.append(make("svg:path", { class: "line raw " + seriesClass(series.color), d: path(series, series.y) }));
    group.append(make("svg:path", { class: "line " + seriesClass(series.color), d: path(series, series.drawn) }));
    if (hasMarks && series.y.length <= 60 && !view.smoothing) series.drawn.forEach((value, place) => { if (isShown(value)) group.append(mark(series.color, px(series.steps[place]), py(value), 3.4)); });
    svg.append(group);
  }
  if (!values.length) text("no values to show", { class: "muted middle", x: (left + right) / 2, y: (top + bottom) / 2 });
  const cross = make("svg:line", { class: "cross", y1: top, y2: bottom, visibility: "hidden" }), dots = make("svg:g");
  svg.append(cross, dots);
  const at = (step, near) => {
    const found = active.map((series) => {
      let best = -1;
      series.steps.forEach((other, place) => { if (isShown(series.drawn[place]) && (best < 0 || Math.abs(other - step) < Math.abs(series.steps[best] - step))) best = place; });
      return best < 0 ? null : { series, step: series.steps[best], value: series.drawn[best], far: Math.abs(py(series.drawn[best]) - near) };
    }).filter(Boolean).sort((a, b) => a.far - b.far);
    if (!found.length) return;
    const place = found[0].step, box = svg.getBoundingClientRect(), shownHere = found.filter((one) => one.step === place).slice(0, 10);
    cross.setAttribute("x1", px(place)); cross.setAttribute("x2", px(place)); cross.setAttribute("visibility", "visible");
    dots.replaceChildren(...shownHere.map((one) => make("svg:circle", { class: "dot " + seriesClass(one.series.color), cx: px(place), cy: py(one.value), r: 4 })));
    const more = found.length - shownHere.length;
    tipOwner = svg;
    showTip([`${chart.x} ${chart.names?.[place] ?? place}`, ...shownHere.map((one) => `${one.series.name}: ${short(one.value)}`), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"), box.left + px(place) * box.width / width, box.top + py(found[0].value) * box.height / height);
    return place;
  };
  const leave = () => { cross.setAttribute("visibility", "hidden"); dots.replaceChildren(); hideTip(); };
  let cursor = null;
  const every = [...new Set(steps)].sort((a, b) => a - b);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), where = (event.clientX - box.left) / box.width * width, near = (event.clientY - box.top) / box.height * height;
    const [first, last] = [every[0], every[every.length - 1]];
    at(first + (last - first) * Math.max(0, Math.min(1, (where - px(first)) / (px(last) - px(first) || 1))), near);
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("blur", leave);
  svg.addEventListener("click", (event) => {
    const series = event.target.closest("[data-series]");
    if (series && chart.series.length > 1) { const one = chart.series[series.dataset.series]; view.lone = view.lone === one ? null : one; draw(view); }
  });
  svg.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move || !every.length) return;
    event.preventDefault();
    cursor = Math.max(0, Math.min(every.length - 1, cursor == null ? (move > 0 ? 0 : every.length - 1) : cursor + move * Math.max(1, Math.floor(every.length / 200))));
    at(every[cursor], 0);
  });
  frame.querySelector("svg").replaceWith(svg);
  drawLegend(view, shown);
}
let narrowness = 0;
addEventListener("resize", () => { clearTimeout(narrowness); narrowness = setTimeout(() => lineFigures.forEach(draw), 120); });

function trainingFilters(root) {
  const box = root.querySelector("#training-filters");
  if (!box || !box.hidden) return;
  box.hidden = false;
  const each = (change) => { for (const figure of all("#training figure")) { prepare(figure); if (figure.view) { change(figure.view); draw(figure.view); } } };
  box.append(search("Only trainings whose name has…", (match) => each((view) => { view.match = match; })));
}

// ---- The graph: folded, laid out in layers and drawn as it was in Swift (Plotting/Graph*.swift), for the folding that one asks for

const instances = { rows: [], stages: [] };
function readInstances() {
  const script = document.getElementById("instance-data");
  if (script && !instances.rows.length) Object.assign(instances, JSON.parse(script.textContent));
  return instances.rows;
}
function graphTable() {
  const rows = readInstances();
  return { columns: ["instance", "stage", "state", "seconds", "critical path", "needs"], rows: rows.map((row) => [row.n, instances.stages[row.g], row.s, row.d, row.c ? "critical" : "", row.i.map((place) => rows[place].n).join(" ")]) };
}
/** The entries on an instance's way, from the outside in: `[["rft", "sort"], ["rft.train", ""]]`. */
function entriesOf(row) {
  const entries = [];
  for (let place = 0; place < row.p.length; place += 2) entries.push([(place ? entries.at(-1)[0] + "." : "") + row.p[place], row.p[place + 1], row.p[place]]);
  return entries;
}
function multiplesOf(rows) {
  const found = new Map();
  for (const row of rows) {
    let parent = "";
    for (const [entry, point, name] of entriesOf(row)) {
      if (point) {
        if (!found.has(entry)) found.set(entry, new Map());
        const by = found.get(entry);
        if (!by.has(parent)) by.set(parent, new Set());
        by.get(parent).add(point);
      }
      parent += `.${name}[${point}]`;
    }
  }
  return new Map([...found].map(([entry, by]) => [entry, Math.max(...[...by.values()].map((points) => points.size))]).filter(([, count]) => count > 1));
}
/** Every node after those it needs; a circle is cut before the first of them. */
function ordered(count, needs) {
  const open = needs.map((list) => list.length), users = needs.map(() => []), order = [];
  needs.forEach((list, node) => list.forEach((need) => users[need].push(node)));
  const placed = open.map((number, node) => number === 0 && order.push(node) > 0);
  for (let next = 0, first = 0; order.length < count || next < order.length; next++) {
    if (next === order.length) { while (placed[first]) first++; placed[first] = true; order.push(first); }
    for (const user of users[order[next]]) if (!placed[user] && --open[user] === 0) { placed[user] = true; order.push(user); }
  }
  return order;
}
function fold(rows, joined) {
  const places = new Map(), found = [];
  const place = rows.map((row, index) => {
    const path = entriesOf(row).map(([entry, point, name]) => point && !joined.has(entry) ? `${name}[${point}]` : name).join(".");
    if (!places.has(path)) { places.set(path, found.length); found.push({ path, members: [], carries: false }); }
    found[places.get(path)].members.push(index);
    return places.get(path);
  });
  const needs = found.map(() => []);
  rows.forEach((row, index) => row.i.forEach((need) => { if (place[need] !== place[index]) needs[place[index]].push(place[need]); }));
  const rank = [], order = ordered(found.length, needs);
  order.forEach((old, place) => { rank[old] = place; });
  const nodes = order.map((old) => found[old]), edges = [], carried = [], seen = new Set(), critical = new Set();
  rows.forEach((row, index) => row.i.forEach((need) => {
    const [from, to] = [rank[place[need]], rank[place[index]]], key = from + " " + to;
    if (from === to) nodes[to].carries = true;
    if (from === to || seen.has(key)) return;
    seen.add(key);
    (from < to ? edges : carried).push([from, to]);
  }));
  const way = rows.map((row, index) => row.c ? index : -1).filter((index) => index >= 0);
  way.slice(1).forEach((index, before) => critical.add(rank[place[way[before]]] + " " + rank[place[index]]));
  return { nodes, edges, carried, critical };
}
/** Layers, places for edges that cross some, an order with few crossings, and how far across each lies. */
function layOut(graph, breadthOf, gap) {
  const count = graph.nodes.length, layer = Array(count).fill(0), into = layer.map(() => []), out = layer.map(() => []);
  for (const [from, to] of graph.edges) { into[to].push(from); out[from].push(to); }
  for (let node = 0; node < count; node++) layer[node] = Math.max(-1, ...into[node].map((other) => layer[other])) + 1;
  for (let node = count - 1; node >= 0; node--) if (out[node].length && into[node].length <= out[node].length) layer[node] = Math.min(...out[node].map((other) => layer[other])) - 1;
  const links = [], routes = [], longOut = layer.map(() => 0), longIn = layer.map(() => 0), after = new Map(), before = new Map();
  for (const [from, to] of graph.edges) if (layer[to] - layer[from] > 1) { longOut[from]++; longIn[to]++; }
  graph.edges.forEach(([from, to], index) => {
    const length = layer[to] - layer[from] - 1;
    routes[index] = [];
    if (!length) { links.push([from, to]); return; }
    if (layer.length - count > 4000 + 2 * count) return;
    const isIn = longIn[to] > longOut[from], chains = isIn ? before : after, owner = isIn ? to : from;
    if (!chains.has(owner)) chains.set(owner, []);
    const chain = chains.get(owner);
    while (chain.length < length) {
      const last = chain.at(-1) ?? owner;
      links.push(isIn ? [layer.length, last] : [last, layer.length]);
      chain.push(layer.length);
      layer.push(layer[owner] + (isIn ? -chain.length : chain.length));
    }
    links.push(isIn ? [from, chain[length - 1]] : [chain[length - 1], to]);
    routes[index] = isIn ? chain.slice(0, length).reverse() : chain.slice(0, length);
  });
  const total = layer.length, near = [Array.from({ length: total }, () => []), Array.from({ length: total }, () => [])];
  for (const [from, to] of links) { near[0][to].push(from); near[1][from].push(to); }
  let layers = Array.from({ length: Math.max(-1, ...layer) + 1 }, () => []);
  const rank = layer.map((index, vertex) => layers[index].push(vertex) - 1);
  const crossings = () => {
    let sum = 0;
    for (let index = 0; index + 1 < layers.length; index++) {
      const tree = Array(layers[index + 1].length + 1).fill(0);
      let seen = 0;
      for (const vertex of layers[index]) {
        const ends = near[1][vertex].map((other) => rank[other]).sort((a, b) => a - b);
        for (const end of ends) { let upTo = 0; for (let node = end + 1; node > 0; node -= node & -node) upTo += tree[node]; sum += seen - upTo; }
        for (const end of ends) { for (let node = end + 1; node < tree.length; node += node & -node) tree[node]++; seen++; }
      }
    }
    return sum;
  };
  let best = { layers: layers.map((list) => [...list]), crossings: crossings() };
  for (let sweep = 0; sweep < 8 && best.crossings > 0; sweep++) {
    const isForward = sweep % 2 === 0, order = layers.map((_, index) => index);
    for (const index of isForward ? order.slice(1) : order.slice(0, -1).reverse()) {
      const scale = layers[isForward ? index - 1 : index + 1].length / Math.max(layers[index].length, 1);
      const keys = new Map(layers[index].map((vertex, offset) => {
        const others = near[isForward ? 0 : 1][vertex];
        return [vertex, others.length ? others.reduce((sum, other) => sum + rank[other], 0) / others.length : offset * scale];
      }));
      layers[index].sort((a, b) => keys.get(a) - keys.get(b));
      layers[index].forEach((vertex, offset) => { rank[vertex] = offset; });
    }
    const number = crossings();
    if (number < best.crossings) best = { layers: layers.map((list) => [...list]), crossings: number };
  }
  layers = best.layers;
  const half = (vertex) => (vertex < count ? breadthOf / 2 : 0) + gap / 2, across = Array(total).fill(0);
  for (const list of layers) {
    let next = 0;
    for (const vertex of list) { across[vertex] = next + half(vertex); next += 2 * half(vertex); }
    for (const vertex of list) across[vertex] -= next / 2;
  }
  for (let sweep = 0; sweep < 10; sweep++) {
    for (const list of sweep % 2 === 0 ? layers : [...layers].reverse()) {
      // The places nearest to the wishes that keep the order and leave room: pools of adjacent violators.
      const pools = [], offsets = [];
      list.forEach((vertex, index) => {
        const others = sweep >= 8 ? [...near[0][vertex], ...near[1][vertex]] : near[sweep % 2][vertex];
        const wish = others.length ? others.reduce((sum, other) => sum + across[other], 0) / others.length : across[vertex];
        offsets.push(index ? offsets[index - 1] + half(list[index - 1]) + half(vertex) : 0);
        const weight = vertex < count ? 1 : 3;
        let pool = { sum: (wish - offsets[index]) * weight, weight, count: 1 };
        while (pools.length && pools.at(-1).sum / pools.at(-1).weight > pool.sum / pool.weight) {
          const last = pools.pop();
          pool = { sum: pool.sum + last.sum, weight: pool.weight + last.weight, count: pool.count + last.count };
        }
        pools.push(pool);
      });
      let place = 0;
      for (const pool of pools) for (let member = 0; member < pool.count; member++, place++) across[list[place]] = pool.sum / pool.weight + offsets[place];
    }
  }
  const first = Math.min(0, ...across.map((value, vertex) => value - half(vertex) + gap / 2).filter((value) => value < 0), ...[Math.min(...across.map((value, vertex) => value - half(vertex) + gap / 2))]);
  return { layer, routes, across: across.map((value) => value - first), layerCount: layers.length };
}
const pen = document.createElement("canvas").getContext("2d");
function fitted(text, width, font) {
  pen.font = font;
  if (pen.measureText(text).width <= width) return text;
  let [low, high] = [1, text.length];
  const cut = (size) => text.slice(0, Math.ceil(size / 2)) + "…" + text.slice(text.length - Math.floor(size / 2));
  while (low < high) { const middle = (low + high + 1) >> 1; pen.measureText(cut(middle)).width <= width ? low = middle : high = middle - 1; }
  return cut(low);
}
const urgency = ["failed", "running", "interrupted", "run", "resume", "waiting", "waits", "skipped", "ran", "cached"];
function labelOf(node, rows, symbols) {
  const members = node.members.map((place) => rows[place]), counts = urgency.map((state) => [state, members.filter((row) => row.s === state).length]).filter(([, count]) => count);
  const known = members.filter((row) => row.d != null), time = known.length ? duration(known.reduce((sum, row) => sum + row.d, 0)) : null;
  const words = [members.length > 1 && "×" + members.length, counts.length === 1 ? `${symbols[counts[0][0]]} ${counts[0][0]}` : counts.map(([state, count]) => `${symbols[state]} ${count}`).join(" "), time && "· " + time, node.carries && "↻"].filter(Boolean);
  const isCritical = members.some((row) => row.c), stages = new Set(members.map((row) => row.g));
  const tip = [node.path, stages.size === 1 && instances.stages[members[0].g], members.length > 1 ? `${members.length} instances: ${counts.map(([state, count]) => `${count} ${state}`).join(", ")}` : counts[0]?.[0], time, isCritical && "on the critical path"].filter(Boolean).join("\n");
  return { state: counts[0]?.[0] ?? "", counts, status: words.join(" "), isCritical, tip };
}
function graph(figure, chart, bar) {
  const rows = readInstances(), frame = figure.querySelector(".chart-frame"), multiples = multiplesOf(rows), joined = new Set(chart.joined);
  const chips = make("div", { class: "tools", role: "group", "aria-label": "Unfold" }), panel = make("div", { class: "panel", hidden: true, "aria-live": "polite" });
  let zoom = 1, picked = null;
  const scale = () => { const svg = frame.querySelector("svg"); svg.style.width = zoom === 1 ? "" : svg.viewBox.baseVal.width * zoom + "px"; svg.style.maxWidth = "none"; };
  const change = (action) => { action(); picked = null; panel.hidden = true; redraw(); };
  function pick(path) {
    const node = fold(rows, joined).nodes.find((one) => one.path === path);
    if (!node) return;
    const ways = node.members.map((place) => entriesOf(rows[place]));
    const outermost = ways[0].find(([entry], depth) => joined.has(entry) && new Set(ways.map((way) => way[depth]?.[1])).size > 1);
    if (node.members.length > 1 && outermost) return change(() => joined.delete(outermost[0]));
    picked = path;
    for (const other of all(".instance", frame)) other.classList.toggle("picked", other.dataset.name === path);
    const row = rows[node.members[0]], foldable = ways[0].filter(([entry]) => multiples.has(entry) && !joined.has(entry));
    panel.hidden = false;
    panel.replaceChildren(...details(row, node.members[0]), make("div", { class: "tools" }, foldable.map(([entry]) => button(`Fold ${entry}`, () => change(() => joined.add(entry)))), button("Close", () => { panel.hidden = true; })));
  }
  function listen(svg) {
    for (const node of all(".instance", svg)) clickable(node, null, () => pick(node.dataset.name));
  }
  function redraw() {
    const svg = drawGraph(fold(rows, joined), rows, chart.symbols, frame.clientWidth);
    frame.querySelector("svg").replaceWith(svg);
    listen(svg);
    scale();
    sayChips();
  }
  function sayChips() {
    chips.replaceChildren(...[...multiples].slice(0, 80).map(([entry, count]) => button(`${entry} ×${count}`, () => change(() => joined.has(entry) ? joined.delete(entry) : joined.add(entry)), { "aria-pressed": String(!joined.has(entry)), "aria-label": `${joined.has(entry) ? "Unfold" : "Fold"} ${entry}, ${count} members` })));
  }
  bar.append(button("Fold all", () => change(() => { for (const entry of multiples.keys()) joined.add(entry); })), button("Unfold all", () => change(() => joined.clear())),
    button("−", () => { zoom = Math.max(0.25, zoom / 1.25); scale(); }, { "aria-label": "Smaller" }), button("+", () => { zoom = Math.min(2.5, zoom * 1.25); scale(); }, { "aria-label": "Larger" }));
  if (multiples.size) { frame.before(multiples.size > 12 ? make("details", {}, make("summary", {}, `${multiples.size} matrices and scans to fold and unfold`), chips) : chips); sayChips(); }
  bar.after(panel);
  watchers.add(redraw);
  // As it was written it stands in the middle of a wide page: of a narrow one it would show its empty edge.
  if (isUpdated || frame.scrollWidth > frame.clientWidth + 1) redraw(); else listen(frame.querySelector("svg"));
  frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
}
function drawGraph(graph, rows, symbols, room) {
  const labels = graph.nodes.map((node) => labelOf(node, rows, symbols)), name = "600 13px system-ui,sans-serif", status = "11px system-ui,sans-serif";
  const widest = (font, texts) => { pen.font = font; return Math.max(0, ...texts.map((text) => pen.measureText(text).width)); };
  const width = Math.min(190, Math.max(96, 22 + Math.max(widest(name, graph.nodes.map((node) => node.path)), widest(status, labels.map((label) => label.status))))), height = 42;
  const place = (isDown) => {
    const [length, breadth, between, gap] = isDown ? [height, width, 40, 16] : [width, height, 46, 14];
    const plan = layOut(graph, breadth, gap), along = plan.layer.map((layer) => layer * (length + between));
    const boxes = graph.nodes.map((_, node) => isDown ? { x: plan.across[node] - breadth / 2, y: along[node] } : { x: along[node], y: plan.across[node] - breadth / 2 });
    const routes = graph.edges.map(([from, to], index) => [[along[from] + length, plan.across[from]], ...plan.routes[index].flatMap((place) => [[along[place], plan.across[place]], [along[place] + length, plan.across[place]]]), [along[to], plan.across[to]]]);
    return { isDown, boxes, routes, width: Math.max(0, ...boxes.map((box) => box.x + width)), height: Math.max(0, ...boxes.map((box) => box.y + height)) };
  };
  let plan = place(false);
  if (plan.width > Math.max(room, 600) - 28) { const down = place(true); if (down.width < plan.width) plan = down; }
  const left = 14, top = 34;
  let end = left;
  const keys = urgency.filter((state) => rows.some((row) => row.s === state)).map((state) => {
    const text = `${symbols[state] ?? ""} ${state}`.trim(), x = end;
    end += 44 + widest("12px system-ui,sans-serif", [text]);
    return make("svg:g", { class: "key" }, make("svg:rect", { class: "node " + state, x, y: 6, width: 14, height: 12 }), make("svg:text", { x: x + 22, y: 16 }, text));
  });
  const full = Math.max(plan.width + 28, end, 300), low = plan.height + top + (graph.carried.length ? 62 : 32);
  const svg = make("svg:svg", { class: "chart graph", width: full, height: low, viewBox: `0 0 ${full} ${low}`, role: "group", "aria-label": `Graph of ${graph.nodes.length} nodes` });
  const root = make("svg:g", { transform: `translate(${left} ${top})` }), turn = ([along, across]) => (plan.isDown ? [across, along] : [along, across]).map((value) => value.toFixed(1)).join(" ");
  const arrow = (point, name) => { const [x, y] = turn(point).split(" ").map(Number); return make("svg:path", { class: name, d: plan.isDown ? `M${x} ${y}L${x - 4} ${y - 7}L${x + 4} ${y - 7}Z` : `M${x} ${y}L${x - 7} ${y - 4}L${x - 7} ${y + 4}Z` }); };
  const drawEdge = (route, isCritical) => {
    let d = "M" + turn(route[0]);
    for (let index = 1; index < route.length; index++) {
      const [before, point] = [route[index - 1], route[index]], middle = (before[0] + point[0]) / 2;
      d += before[1] === point[1] ? "L" + turn(point) : `C${turn([middle, before[1]])} ${turn([middle, point[1]])} ${turn(point)}`;
    }
    root.append(make("svg:path", { class: isCritical ? "edge critical" : "edge", d }), arrow(route.at(-1), isCritical ? "arrow critical" : "arrow"));
  };
  for (const isCritical of [false, true]) graph.edges.forEach((edge, index) => { if (graph.critical.has(edge.join(" ")) === isCritical) drawEdge(plan.routes[index], isCritical); });
  for (const [from, to] of graph.carried) {
    const [a, b] = [plan.boxes[from], plan.boxes[to]], [x1, y1, x2, y2] = [a.x + width * 0.6, a.y + height, b.x + width * 0.4, b.y + height], depth = Math.max(y1, y2) + 30;
    const more = graph.critical.has(`${from} ${to}`) ? " critical" : "";
    root.append(make("svg:path", { class: "edge carried" + more, d: `M${x1} ${y1}C${x1} ${depth} ${x2} ${depth} ${x2} ${y2 + 7}` }), make("svg:path", { class: "arrow" + more, d: `M${x2} ${y2}L${x2 - 4} ${y2 + 7}L${x2 + 4} ${y2 + 7}Z` }));
  }
  graph.nodes.forEach((node, index) => {
    const label = labels[index], { x, y } = plan.boxes[index], rect = (name, more = {}) => make("svg:rect", { class: name, x, y, width, height, rx: 6, ...more });
    let from = x + 6;
    const shares = label.counts.length < 2 ? [] : label.counts.map(([state, count]) => {
      const share = (width - 12) * count / node.members.length, bar = make("svg:rect", { class: "share " + state, x: from, y: y + height - 5, width: Math.max(share - 1, 0.5), height: 3 });
      from += share;
      return bar;
    });
    root.append(make("svg:g", { class: label.isCritical ? "instance critical" : "instance", "data-name": node.path, "data-state": label.state, "data-members": node.members.length, "data-tip": label.tip, "aria-label": label.tip },
      node.members.length > 1 && rect("node " + label.state, { x: x + 4, y: y + 4 }), rect("ground"), rect("node " + label.state), shares,
      make("svg:text", { class: "strong", x: x + 10, y: y + 18 }, fitted(node.path, width - 18, name)), make("svg:text", { class: "small muted", x: x + 10, y: y + 33 }, fitted(label.status, width - 18, status))));
  });
  svg.append(make("svg:g", { class: "legend" }, keys), root, make("svg:text", { class: "small muted", x: left, y: low - 6 }, "thick: the critical path; ×n: instances of one matrix or scan, joined; dashed or ↻: handed on to the next step of a scan"));
  return svg;
}
// ---- Instances

/** Who draws instances, and whether they stand otherwise than when the page was written. */
const watchers = new Set();
let isUpdated = false;
/** Takes in how instances stand now: `[place, state, seconds, began]`, times null where they are not known. */
function update(changes) {
  const figure = document.getElementById("graph-figure"), symbols = figure ? read(figure).symbols : {};
  const rows = readInstances(), known = changes.filter(([place]) => rows[place]);
  if (!known.length) return;
  for (const [place, state, seconds, began] of known) {
    const row = rows[place], cells = document.getElementById("i" + place)?.cells;
    row.s = state;
    if (seconds != null) row.d = seconds;
    if (began != null) row.b = began;
    if (!cells) continue;
    cells[2].className = "state " + state;
    cells[2].textContent = `${symbols[state] ?? ""} ${state}`.trim();
    cells[3].textContent = duration(row.d);
    cells[4].textContent = row.b == null ? "" : duration(row.b);
  }
  isUpdated = true;
  for (const watcher of watchers) watcher();
}
/** All that is known of one, as elements. */
function details(row, place) {
  const fact = (name, list) => list?.length ? [make("dt", {}, name), make("dd", {}, list.map((text) => make("span", {}, text)))] : [];
  return [make("p", {}, make("strong", {}, row.n), " ", instances.stages[row.g], `, ${row.s}`, row.d == null ? "" : `, ${duration(row.d)}`, row.c ? ", on the critical path" : ""),
    make("dl", { class: "facts small" }, fact("error", row.x), fact("warnings", row.w), fact("why it ran", row.r), fact("parameters", row.a), fact("metrics", row.m), fact("outputs", row.o), fact("key", row.k && [row.k]),
      row.i.length ? [make("dt", {}, "made from"), make("dd", {}, row.i.slice(0, 60).map((need) => make("span", {}, make("a", { href: "#i" + need }, readInstances()[need].n))), row.i.length > 60 && make("span", {}, `and ${row.i.length - 60} more`))] : []),
    row.l && make("pre", { tabindex: 0 }, row.l.join("\n"))].filter(Boolean);
}
function toggleDetails(tr) {
  const next = tr.nextElementSibling, link = tr.querySelector("a");
  const isOpen = next?.classList.contains("detail");
  if (isOpen) next.remove(); else {
    const place = Number(tr.id.slice(1));
    tr.after(make("tr", { class: "detail" }, make("td", { colspan: 6 }, details(readInstances()[place], place))));
  }
  link.setAttribute("aria-expanded", String(!isOpen));
}
function openHash() {
  const target = /^#i\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (!target) return;
  target.hidden = false;
  if (!target.nextElementSibling?.classList.contains("detail")) toggleDetails(target);
  target.scrollIntoView({ block: "center" });
}
function instanceTable(root) {
  const list = root.querySelector("#instance-table"), box = root.querySelector("#instance-filters");
  if (!list || !box || !box.hidden) return;
  box.hidden = false;
  const rows = readInstances(), body = list.tBodies[0], lines = all("tr", body), count = make("span", { class: "count", role: "status" });
  const names = rows.map((row) => `${row.n} ${instances.stages[row.g]}`.toLowerCase());
  let [match, state, descending, sorted] = ["", "", false, -1];
  const apply = () => {
    let shown = 0;
    for (const tr of all(".detail", body)) tr.remove();
    rows.forEach((row, place) => {
      const isShown = names[place].includes(match) && (!state || (state === "critical" ? row.c : row.s === state));
      lines[place].hidden = !isShown;
      shown += isShown;
    });
    count.textContent = `${shown} of ${rows.length}`;
  };
  const states = [...new Set(rows.map((row) => row.s))];
  box.append(search("Name or stage…", (text) => { match = text; apply(); }), select([["", "all"], ...states.map((one) => [one, one]), ["critical", "critical path"]], (value) => { state = value; apply(); }, "state"), count);
  const keys = [(row) => row.n, (row) => instances.stages[row.g], (row) => row.s, (row) => row.d ?? -1, (row) => row.b ?? -1, (row) => row.a?.[0] ?? ""];
  all("thead th", list).forEach((head, column) => {
    const sort = button(head.textContent, () => {
      descending = sorted === column ? !descending : column === 3;
      sorted = column;
      const order = rows.map((_, place) => place).sort((a, b) => {
        const [x, y] = [keys[column](rows[a]), keys[column](rows[b])];
        return ((x < y ? -1 : x > y ? 1 : 0) * (descending ? -1 : 1)) || a - b;
      });
      for (const tr of all(".detail", body)) tr.remove();
      body.append(...order.map((place) => lines[place]));
      all("thead th", list).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    });
    head.replaceChildren(sort);
  });
  body.addEventListener("click", (event) => {
    const link = event.target.closest("th a");
    if (!link) return;
    event.preventDefault();
    toggleDetails(link.closest("tr"));
  });
  apply();
}
// ---- Answers

const perPage = 20;
function answers(root) {
  for (const box of all("details.answers", root)) {
    const open = () => { if (box.open && !box.dataset.ready) { box.dataset.ready = "yes"; answerList(box, read(box)); } };
    box.addEventListener("toggle", open);
    open();
  }
}
function answerList(box, set) {
  if (!set) return;
  const state = { before: set.bases.indexOf(true), after: set.models.length - 1, kind: "all", match: "", shown: perPage };
  if (state.before < 0 || state.before === state.after) state.before = 0;
  const isPair = set.models.length > 1, list = make("ol", { class: "cards" }), count = make("span", { class: "count", role: "status" });
  const more = button("Show more", () => { state.shown += perPage; render(); });
  const is = (row, place, right) => row[3][place]?.[1] === right;
  const kinds = [["all", "all", () => true], ["wrong", "wrong at the end", (row) => is(row, state.after, 0)], ["right", "right at the end", (row) => is(row, state.after, 1)],
    ...(isPair ? [["lost", "right before, wrong after", (row) => is(row, state.before, 1) && is(row, state.after, 0)], ["won", "wrong before, right after", (row) => is(row, state.before, 0) && is(row, state.after, 1)]] : [])];
  const answer = (row, place) => {
    const found = row[3][place];
    if (!found) return make("div", {}, make("h5", {}, set.models[place]), make("p", { class: "small" }, "not asked"));
    const [text, right, complete, extracted] = found;
    return make("div", { class: right ? "right" : "wrong" }, make("h5", {}, make("b", {}, right ? "✓ right " : "✗ wrong "), set.models[place], complete ? "" : ", cut off"), make("pre", {}, text), extracted == null ? null : make("p", { class: "small" }, "taken for the answer: ", make("code", {}, extracted)));
  };
  const render = () => {
    const wanted = kinds.find(([kind]) => kind === state.kind)[2];
    const rows = set.rows.filter((row) => wanted(row) && (!state.match || [row[1], ...row[2], ...row[3].map((one) => one?.[0] ?? "")].some((text) => text.toLowerCase().includes(state.match))));
    list.replaceChildren(...rows.slice(0, state.shown).map((row) => make("li", {},
      make("div", {}, make("h5", {}, `record ${row[0]}`), make("pre", {}, row[1]), make("p", { class: "small" }, "expected: ", make("code", {}, row[2].join(" or ") || "–"))),
      isPair ? answer(row, state.before) : null, answer(row, state.after))));
    more.hidden = rows.length <= state.shown;
    count.textContent = `${rows.length} of ${set.rows.length}` + (set.rows.length < set.records ? `, of ${set.records} in the suite` : "");
  };
  const models = (chosen) => set.models.map((name, place) => [place, name, place === chosen]);
  const change = (name, isNumber) => (value) => { state[name] = isNumber ? Number(value) : value; state.shown = perPage; render(); };
  const columns = ["record", "prompt", "expected", ...set.models.flatMap((name) => [name, name + " right"])];
  const bar = make("div", { class: "filters" }, search("Text in prompt or answer…", change("match")), select(kinds.map(([kind, text]) => [kind, text]), change("kind"), "show"),
    isPair && select(models(state.before), change("before", true), "before"), isPair && select(models(state.after), change("after", true), "after"), count,
    button("CSV", () => download(set.suite + "-answers.csv", csv(columns, set.rows.map((row) => [row[0], row[1], row[2].join(" or "), ...row[3].flatMap((one) => one ? [one[0], one[1]] : [null, null])])))));
  const still = box.querySelector(".static");
  still.replaceChildren(bar, list, more);
  render();
}

// ---- The page

function theme() {
  const root = document.documentElement, toggle = document.getElementById("theme");
  let stored = null;
  try { stored = localStorage.getItem("heirloom-theme"); } catch { /* a page may have no storage */ }
  if (stored) root.dataset.theme = stored;
  if (!toggle) return;
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const say = () => { toggle.textContent = isDark() ? "Light" : "Dark"; toggle.setAttribute("aria-label", `Show in ${isDark() ? "light" : "dark"} colours`); };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("heirloom-theme", root.dataset.theme); } catch { /* then it is not remembered */ }
    say();
  });
  say();
}
function navigation() {
  const links = new Map(all("nav.sections a[href^='#']").map((link) => [link.getAttribute("href").slice(1), link]));
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id);
    const current = [...links.keys()].find((id) => seen.has(id));
    for (const [id, link] of links) id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    const link = links.get(current), bar = link?.closest("nav");
    if (bar && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = link.offsetLeft - bar.clientWidth / 3;
  }, { rootMargin: "-15% 0px -60% 0px" });
  for (const id of links.keys()) { const section = document.getElementById(id); if (section) watcher.observe(section); }
}
const nearby = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { nearby.unobserve(entry.target); prepare(entry.target); }
}, { rootMargin: "600px" });
/** Gives a part of a page, also one that came later, all that the script can do. */
function enhance(root = document) {
  for (const figure of all("figure.plot:not([data-ready])", root)) nearby.observe(figure);
  for (const box of all(".copyable", root)) {
    if (!box.querySelector("button")) box.append(button("Copy", (event) => {
      const pre = box.querySelector("pre");
      getSelection().selectAllChildren(pre);
      navigator.clipboard?.writeText(pre.textContent).then(() => { event.target.textContent = "Copied"; }, () => {});
    }));
  }
  trainingFilters(root);
  instanceTable(root);
  answers(root);
}
document.body.append(tip);
theme();
navigation();
enhance();
/** So that what is printed or looked for is all there. */
function prepareAll() { all("figure.plot").forEach(prepare); }
addEventListener("hashchange", () => openHash());
openHash();
window.Heirloom = { enhance, prepareAll, csv, rowsOf, read, make, duration, short, update };
document.documentElement.dataset.interactive = "yes";
performance.mark("interactive");
})();
