// What happens, as it happens, since the console was opened.

import { h, icon, setText } from "./dom.js";
import { clock, exact } from "./time.js";
import { EDGES, EDGE_STANDINGS, counted, plain } from "./words.js";

/** Rows that are shown at most. */
const SHOWN = 500;

const kindOf = (event) => event.type.replace("satellite.", "");

export function eventsPage(app) {
  const wanted = new Set(Object.keys(EDGES));
  let text = "";
  let paused = false;
  let waiting = 0;
  const rows = h("tbody");
  const note = h("p", { class: "hint", role: "status" });
  const search = h("input", { type: "search", id: "event-search", placeholder: "Name, region, cause or pod", autocomplete: "off", spellcheck: "false", oninput: () => { text = search.value.trim().toLowerCase(); draw(); } });
  const kinds = Object.entries(EDGES).map(([kind, label]) => h("button", { type: "button", class: "chip", "aria-pressed": true, onclick: (event) => toggle(kind, event.currentTarget) },
    h("span", { class: "standing", "data-standing": EDGE_STANDINGS[kind] }, icon(EDGE_STANDINGS[kind]), label)));
  const pause = h("button", { type: "button", onclick: flip }, "Pause");
  const table = h("table", {}, h("caption", { class: "unseen" }, "Events, newest first"),
    h("thead", {}, h("tr", {}, ["Time", "Event", "Satellite", "Region", "Cause", "Number", "By"].map((name) => h("th", { scope: "col" }, name)))), rows);
  const empty = h("div", { class: "empty" });
  const node = h("div", { class: "events" },
    h("div", { class: "head" }, h("h1", { tabindex: -1 }, "Events"), pause),
    h("div", { class: "tools" },
      h("div", { class: "tool wide" }, h("label", { for: "event-search" }, "Search"), search),
      h("div", { class: "tool" }, h("span", { class: "label", id: "kinds-label" }, "Kinds"), h("div", { class: "chips", role: "group", "aria-labelledby": "kinds-label" }, kinds))),
    note,
    h("div", { class: "scroller", role: "region", "aria-label": "Events", tabindex: 0 }, table, empty));

  function toggle(kind, button) {
    if (wanted.has(kind)) wanted.delete(kind);
    else wanted.add(kind);
    button.setAttribute("aria-pressed", wanted.has(kind));
    draw();
  }

  function flip() {
    paused = !paused;
    waiting = 0;
    pause.textContent = paused ? "Resume" : "Pause";
    draw();
  }

  function fits(event) {
    if (!wanted.has(kindOf(event))) return false;
    const state = event.data.next ?? event.data.previous;
    return !text || [event.subject, state?.region, event.cause, plain(event.cause), event.actor, event.contextkey]
      .some((value) => value?.toLowerCase().includes(text));
  }

  let frozen;
  function draw() {
    // While it is paused, filters look at what was there.
    const all = paused ? (frozen ??= [...app.events]) : ((frozen = undefined), app.events);
    const found = [];
    for (let at = all.length - 1; at >= 0 && found.length < SHOWN; at -= 1) if (fits(all[at])) found.push(all[at]);
    rows.replaceChildren(...found.map(row));
    tell(all.length);
  }

  function tell(all) {
    const shown = rows.childElementCount;
    setText(note, paused ? `Paused. ${counted(waiting, "event")} came since.` : `${counted(shown, "event")} of ${all} since this page was opened.`);
    table.hidden = shown === 0;
    empty.hidden = shown > 0;
    if (shown > 0) return;
    empty.replaceChildren(icon("mark"), h("h2", {}, all === 0 ? "Nothing has happened yet" : "No event fits the filters"),
      h("p", {}, all === 0 ? "Whatever satellites do from now on shows here at once." : "Others are hidden by what you chose above."));
  }

  function came({ detail }) {
    if (paused) {
      waiting += 1;
      return tell(frozen.length);
    }
    if (!fits(detail)) return tell(app.events.length);
    const first = row(detail);
    first.classList.add("flash");
    rows.prepend(first);
    while (rows.childElementCount > SHOWN) rows.lastChild.remove();
    tell(app.events.length);
  }

  app.stream.addEventListener("event", came);
  draw();
  return { title: "Events", node, close: () => app.stream.removeEventListener("event", came) };
}

function row(event) {
  const kind = kindOf(event);
  const state = event.data.next ?? event.data.previous;
  const name = event.subject ?? event.contextkey;
  return h("tr", {},
    h("td", {}, h("time", { datetime: event.time, title: exact(event.time) }, clock(event.time))),
    h("td", {}, h("span", { class: "standing", "data-standing": EDGE_STANDINGS[kind] }, icon(EDGE_STANDINGS[kind]), EDGES[kind] ?? kind)),
    h("th", { scope: "row" }, kind === "removed" ? name : h("a", { href: `#/satellites/${event.contextkey}` }, name)),
    h("td", {}, state?.region ?? "–"),
    h("td", {}, plain(event.cause)),
    h("td", { class: "number" }, event.seq),
    h("td", {}, event.actor ?? "–"));
}
