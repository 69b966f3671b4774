// What happens, as it happens, since the console was opened.

import { h, icon, setText } from "./dom.js";
import { eventViews } from "./event-views.js";
import { badge, table, when } from "./parts.js";
import { exactSpan } from "./time.js";
import { STREAMED, count, counted, eventLook, plain } from "./words.js";

/** Rows that are shown at most. */
const SHOWN = 500;

export function eventsPage(app) {
  const hidden = new Set();
  let text = "";
  let paused = false;
  let waiting = 0;
  const rows = h("tbody");
  const note = h("p", { class: "hint", role: "status" });
  const search = h("input", { type: "search", id: "event-search", placeholder: "Name, region or cause", spellcheck: "false", oninput: () => { text = search.value.trim().toLowerCase(); draw(); } });
  const kinds = STREAMED.map((type) => h("button", { class: "chip", "aria-pressed": "true", onclick: (event) => toggle(type, event.currentTarget) }, kindChip(type)));
  const pause = h("button", { onclick: flip }, "Pause");
  const list = table("Events, newest first", ["Time", "Event", "Satellite", "Region", "Cause", "Number", "By"], rows);
  const empty = h("div", { class: "empty" });
  const node = h("div", { class: "events" },
    eventViews("events", pause),
    h("div", { class: "tools" },
      h("div", { class: "tool wide" }, h("label", { for: "event-search" }, "Search"), search),
      h("div", { class: "tool" }, h("span", { class: "label", id: "kinds-label" }, "Kinds"), h("div", { class: "chips", role: "group", "aria-labelledby": "kinds-label" }, kinds))),
    note,
    h("div", { class: "scroller", role: "region", "aria-label": "Events", tabindex: 0 }, list, empty));

  function toggle(type, button) {
    if (!hidden.delete(type)) hidden.add(type);
    button.setAttribute("aria-pressed", !hidden.has(type));
    draw();
  }

  function flip() {
    paused = !paused;
    waiting = 0;
    pause.textContent = paused ? "Resume" : "Pause";
    draw();
  }

  function fits(event) {
    if (hidden.has(event.type)) return false;
    return !text || [event.subject, regionOf(event), event.cause, event.cause && plain(event.cause), event.actor, event.contextkey]
      .some((value) => value?.toLowerCase?.().includes(text));
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
    list.hidden = shown === 0;
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

  const leaving = new AbortController();
  app.stream.addEventListener("event", came, leaving);
  draw();
  return { title: "Events", node, close: () => leaving.abort() };
}

const REGION_LOSS = "fleet.region_loss_suspected";

const kindChip = (type) => {
  const { label, look } = eventLook(type);
  return badge(look, label);
};

function regionOf({ type, subject, data }) {
  return type === REGION_LOSS ? data?.region ?? subject : (data?.next ?? data?.previous)?.region;
}

/** Whose event it is, as a link where there is something to see. */
function whose(event) {
  const { type, subject, contextkey, data } = event;
  const name = subject ?? contextkey ?? "–";
  if (type === REGION_LOSS) {
    return h("a", { href: `#/fleet?${new URLSearchParams({ region: regionOf(event) ?? "" })}` },
      data?.total ? `${count(data.lost)} of ${counted(data.total, "satellite")}` : name);
  }
  if (!type.startsWith("satellite.") || type === "satellite.removed" || !contextkey) return name;
  return h("a", { href: `#/satellites/${contextkey}` }, name);
}

function causeOf({ type, cause, data }) {
  if (type === REGION_LOSS && data?.windowSeconds) return `lost within ${exactSpan(data.windowSeconds * 1_000)}`;
  return plain(cause);
}

function row(event) {
  return h("tr", {},
    h("td", {}, event.time ? when(event.time) : "–"),
    h("td", {}, kindChip(event.type)),
    h("th", { scope: "row" }, whose(event)),
    h("td", {}, regionOf(event) ?? "–"),
    h("td", {}, causeOf(event)),
    h("td", {}, event.seq ?? "–"),
    h("td", {}, event.actor ?? "–"));
}
