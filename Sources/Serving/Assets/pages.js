"use strict";
// The list of runs and a log that grows, asked for again while somebody looks at them. Texts come in as text, never as markup.
(() => {
const { duration } = Heirloom;
const find = (id) => document.getElementById(id), fact = (name) => document.querySelector(`meta[name="heirloom-${name}"]`)?.content;
const plain = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const say = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

// ---- The list of runs, asked for again while somebody looks at it

function watchList() {
  const known = () => [...document.querySelectorAll("tr[data-run]")];
  const ids = () => known().map((row) => row.dataset.run).join();
  async function look() {
    if (!document.hidden) {
      try {
        const runs = await (await fetch("/runs.json")).json();
        const isChosen = document.querySelector("input[name=run]:checked");
        if (runs.map((run) => run.run).join() !== ids() && !isChosen) return location.reload();
        const rows = new Map(known().map((row) => [row.dataset.run, row]));
        for (const run of runs) {
          const row = rows.get(run.run), badge = row?.querySelector(".badge");
          if (!row) continue;
          if (row.dataset.state !== run.state && run.state !== "running" && !isChosen) return location.reload();
          row.dataset.state = run.state;
          say(badge, run.state);
          badge.className = "badge " + run.state;
          say(row.querySelector(".counts"), Object.entries(run.counts).map(([state, count]) => `${count} ${state}`).join(", "));
          if (run.state === "running") say(row.querySelector(".took"), duration(Date.now() / 1000 - run.started));
        }
      } catch { /* the next look may find it again */ }
    }
    setTimeout(look, known().some((row) => row.dataset.state === "running") ? 2000 : 8000);
  }
  setTimeout(look, 200);
  const button = find("compare"), count = () => document.querySelectorAll("input[name=run]:checked").length;
  const check = () => { if (button) button.disabled = count() < 2; };
  document.addEventListener("change", check);
  check();
}

// ---- A log that grows

function watchLog(path, state, from) {
  const pre = find("log"), decoder = new TextDecoder();
  if (!pre || !["running", "waiting"].includes(state)) return;
  async function look() {
    try {
      const reply = await fetch(`${path}?from=${from}`);
      if (reply.ok) {
        const isBelow = innerHeight + scrollY >= document.body.scrollHeight - 60, size = Number(reply.headers.get("Log-Size"));
        if (size < from) pre.textContent = "";
        const text = decoder.decode(await reply.arrayBuffer(), { stream: true });
        if (text) pre.append(text.replace(/[^]*\r(?!\n)/, "").split("\n").map(plain).join("\n"));
        from = size;
        state = reply.headers.get("Instance-State") ?? state;
        say(find("log-state"), state);
        find("log-state").className = "badge " + state;
        if (isBelow && text) scrollTo(0, document.body.scrollHeight);
      }
    } catch { /* tried again */ }
    if (["running", "waiting"].includes(state)) setTimeout(look, 1000);
  }
  setTimeout(look, 500);
}

if (fact("page") === "runs") watchList();
if (fact("page") === "log") watchLog(fact("log"), fact("state"), Number(fact("size")));
})();
