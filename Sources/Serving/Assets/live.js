"use strict";
// Keeps the page of a run that goes on up to date, told by server-sent events. Texts come in as text, never as markup.
(() => {
const { make, duration, short } = Heirloom;
const find = (id) => document.getElementById(id), fact = (name) => document.querySelector(`meta[name="heirloom-${name}"]`)?.content;
/** What moves a cursor or turns the direction of writing is shown by number. */
const plain = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const say = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

function watchRun(path) {
  const run = { seconds: 0, at: performance.now(), state: "running", counts: {} };
  const rows = new Map(), logs = new Map(), curves = new Map(), items = new Map();
  let changed = [], isDue = false;
  const due = () => { if (!isDue) { isDue = true; setTimeout(() => { isDue = false; show(); }, 120); } };
  const source = new EventSource(path + "/events");
  const on = (name, take) => source.addEventListener(name, (event) => { take(JSON.parse(event.data)); due(); });
  on("run", (said) => { Object.assign(run, said); run.at = performance.now(); });
  on("instances", (said) => {
    for (const row of said) {
      const before = rows.get(row.instance);
      rows.set(row.instance, row);
      if (!before || before.state !== row.state || before.seconds !== row.seconds) changed.push([row.instance, row.state, row.seconds ?? null, row.began ?? null]);
    }
  });
  on("points", (said) => {
    if (said.whole || !curves.has(said.instance)) curves.set(said.instance, new Map());
    const known = curves.get(said.instance);
    for (const one of said.series) {
      const points = known.get(one.name) ?? new Map();
      one.steps.forEach((step, place) => points.set(step, one.values[place]));
      known.set(one.name, points);
    }
  });
  on("log", (said) => logs.set(said.instance, said.lines));
  on("end", (said) => { run.state = said.state; source.close(); over(said.state); });
  source.onopen = () => say(find("live-lost"), "");
  source.onerror = () => { if (source.readyState !== EventSource.CLOSED || run.state === "running") say(find("live-lost"), "no connection; trying again"); };

  const line = find("live-line"), meter = find("live-meter"), list = find("live-instances");
  line.after(make("p", { id: "live-lost", class: "small bad", role: "status" }));
  list.replaceChildren();
  const clock = setInterval(() => { if (run.state === "running") sayLine(); else clearInterval(clock); }, 1000);
  const order = ["ran", "cached", "failed", "skipped", "interrupted", "running", "waiting"];
  function sayLine() {
    const seconds = run.state === "running" ? run.seconds + (performance.now() - run.at) / 1000 : run.seconds;
    say(line, `${run.state}, ${duration(seconds)}: ${order.filter((state) => run.counts[state]).map((state) => `${run.counts[state]} ${state}`).join(", ")}`);
  }
  function show() {
    sayLine();
    for (const badge of document.querySelectorAll(".top .badge")) { say(badge, run.state); badge.className = "badge " + run.state; }
    const total = [...Object.values(run.counts)].reduce((sum, count) => sum + count, 0);
    const done = total - (run.counts.waiting ?? 0) - (run.counts.running ?? 0);
    document.title = `${done}/${total} ${find("main").closest("body").querySelector("h1").textContent}`;
    meter.replaceChildren(...order.filter((state) => run.counts[state] && state !== "waiting").map((state) => {
      const part = make("span", { class: state, title: `${run.counts[state]} ${state}` });
      part.style.flex = `0 0 ${100 * run.counts[state] / total}%`;
      return part;
    }));
    window.Heirloom?.update?.(changed);
    changed = [];
    showInstances();
    showCurves();
  }
  /** Those that run, and those that failed, with the end of their logs. */
  function showInstances() {
    const shown = [...rows.values()].filter((row) => row.state === "running" || row.state === "failed").sort((a, b) => (a.state > b.state) - (a.state < b.state) || a.instance - b.instance).slice(0, 60);
    const wanted = new Set(shown.map((row) => row.instance));
    for (const [place, item] of items) if (!wanted.has(place)) { item.root.remove(); items.delete(place); }
    shown.forEach((row, index) => {
      let item = items.get(row.instance);
      if (!item) {
        item = { bar: make("progress", { max: 1, value: 0 }), status: make("span", { class: "small" }), metrics: make("span", { class: "small" }), pre: make("pre", { tabindex: 0 }), error: make("p", { class: "bad" }) };
        item.log = make("details", index < 2 ? { open: true } : {}, make("summary", {}, "Log"), item.pre);
        item.root = make("li", { "data-place": row.instance }, make("div", { class: "head" }, make("a", { href: `${path}/instances/${row.instance}` }, plain(row.name)), make("span", { class: "small" }, plain(row.stage)), item.status, item.metrics), item.bar, item.error, item.log);
        items.set(row.instance, item);
      }
      if (list.children[index] !== item.root) list.insertBefore(item.root, list.children[index] ?? null);
      item.root.className = item.root.dataset.state = row.state;
      const progress = row.progress;
      item.bar.hidden = row.state !== "running";
      if (progress) { item.bar.value = Math.min(1, progress.done / progress.of); item.bar.setAttribute("aria-label", `${progress.done} of ${progress.of}`); } else item.bar.removeAttribute("value");
      say(item.status, row.state === "failed" ? "failed" + (row.seconds == null ? "" : `, ${duration(row.seconds)}`) : [progress && `${progress.done} / ${progress.of}`, row.left != null && `${duration(row.left)} left`].filter(Boolean).join(", ") || "running");
      say(item.metrics, Object.entries(row.metrics ?? {}).slice(0, 4).map(([name, value]) => `${plain(name)} ${short(value)}`).join(" · "));
      say(item.error, row.error ? plain(row.error) : "");
      item.error.hidden = !row.error;
      const lines = logs.get(row.instance) ?? [];
      item.log.hidden = !lines.length;
      const text = lines.map(plain).join("\n");
      if (item.pre.textContent !== text) { item.pre.textContent = text; item.pre.scrollTop = item.pre.scrollHeight; }
    });
  }

  // ---- Curves of what runs

  const first = ["loss", "reward", "kl", "entropy", "grad_norm", "mean_token_accuracy"], figures = new Map();
  function showCurves() {
    const names = new Set();
    for (const known of curves.values()) for (const [name, points] of known) if (points.size > 1) names.add(name);
    const rank = (name) => (first.indexOf(name) + 1) || 99;
    for (const name of [...names].sort((a, b) => rank(a) - rank(b)).slice(0, 4)) {
      let figure = figures.get(name);
      if (!figure) {
        figure = make("figure", { "data-metric": name }, make("h3", {}, plain(name)), make("div", { class: "chart-frame" }));
        figures.set(name, figure);
        find("live-curves").append(figure);
      }
      figure.lastChild.replaceChildren(draw(name));
    }
  }
  function draw(name) {
    const series = [...curves].filter(([, known]) => known.get(name)?.size > 1).slice(-10).map(([place, known]) => [place, [...known.get(name)].sort((a, b) => a[0] - b[0])]);
    const all = series.flatMap(([, points]) => points), values = all.map((point) => point[1]), steps = all.map((point) => point[0]);
    const [low, high, from, to] = [Math.min(...values), Math.max(...values), Math.min(...steps), Math.max(...steps)];
    const x = (step) => 8 + 504 * (step - from) / (to - from || 1), y = (value) => 150 - 130 * (value - low) / (high - low || 1);
    const svg = make("svg:svg", { class: "chart", viewBox: "0 0 528 170", width: 528, height: 170, role: "img", "aria-label": `${plain(name)} by step` });
    svg.append(make("svg:path", { class: "grid", d: "M8 20H512M8 150H512" }),
      make("svg:text", { class: "small muted", x: 8, y: 16 }, short(high)), make("svg:text", { class: "small muted", x: 8, y: 164 }, short(low)),
      make("svg:text", { class: "small muted end", x: 512, y: 164 }, `step ${to}`));
    series.forEach(([place, points], index) => {
      const tip = `${plain(rows.get(place)?.name ?? "")}: ${short(points.at(-1)[1])}`;
      svg.append(make("svg:g", { class: "s" + (index + 1) }, make("svg:path", { class: "line s" + (index + 1), d: "M" + points.map(([step, value]) => `${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("L") }, make("svg:title", {}, tip))));
    });
    return svg;
  }
  function over(state) {
    const text = state === "gone" ? "This run is not in the store any more." : `This run is over: ${state}.`;
    const again = make("button", { type: "button", id: "again" }, "Show the whole report");
    again.addEventListener("click", () => location.reload());
    find("live-title").after(make("p", { class: "over", id: "over", role: "status" }, text, state === "gone" ? null : again));
  }
}

if (find("live")) watchRun(fact("run"));
})();
