// The deliveries of a webhook: newest first, kept up to date, each with what its receiver answered.

import { api, get } from "./api.js";
import { copyButton, h, setAttr, setText } from "./dom.js";
import { badge, card, facts, segments, sideways, spinner, table, when } from "./parts.js";
import { DELIVERIES, deliveryStanding } from "./webhook-words.js";
import { eventLook } from "./words.js";

const PAGE_ROWS = 50;
/** The most that the API gives at once. */
const MOST_ROWS = 1_000;
/** Deliveries come and end without an event. */
const READ_MS = 1_500;
const UNREAD = [];
const HEADS = ["State", "Event", "c-who:Satellite", "c-id:Event id", "c-attempts:Attempts", "Answer", "c-latency:Latency", "c-at:Attempted", "c-next:Next", "c-actions:Actions"];

/** `state` is shown at first; `chosen` hears of another one; `since` is what the button for many does. */
export function deliveriesCard(app, id, leaving, { state, chosen, since }) {
  const path = `/webhooks/${encodeURIComponent(id)}`;
  const choice = segments("state", "Which deliveries", [["", "All"], ...Object.entries(DELIVERIES).map(([value, { label }]) => [value, label])], state, choose);
  const fault = h("p", { class: "error", role: "alert", hidden: true });
  const rows = h("tbody");
  const scroller = sideways("deliveries", table("Deliveries, newest first", HEADS, rows, "deliveries"), "sideways tall");
  const none = h("p", { class: "hint", role: "status" }, spinner(), " Loading…");
  const more = h("button", { hidden: true, onclick: () => read(cursor) }, "Show earlier");
  const node = card("deliveries", "Deliveries",
    h("div", { class: "card-head" }, choice, h("button", { onclick: since }, "Redeliver since…")),
    fault, scroller, none, more);
  scroller.hidden = true;

  let items = UNREAD;
  let cursor;
  /** What was asked last: the answer to an older question is left out. */
  let asked;

  function choose(value) {
    state = value;
    items = UNREAD;
    chosen(value);
    read();
  }

  /** Reads as many as are shown, from the newest on; or those after a cursor besides. */
  async function read(after) {
    const mine = {};
    asked = mine;
    const limit = after ? PAGE_ROWS : Math.min(Math.max(PAGE_ROWS, items.length), MOST_ROWS);
    const query = new URLSearchParams({ limit, ...(state && { state }), ...(after && { cursor: after }) });
    try {
      const page = await get(`${path}/deliveries?${query}`);
      if (mine !== asked) return;
      // Those beyond what is read at once stay as they were.
      const all = after ? [...items, ...page.items] : [...page.items, ...items.slice(limit)];
      if (after || items.length <= limit) cursor = page.nextCursor;
      items = [...new Map(all.map((item) => [item.eventId, item])).values()];
      draw();
    } catch (error) {
      if (mine === asked && items.length === 0) setText(none, `${error.sentence ?? error}`);
    }
    if (mine === asked) asked = undefined;
  }

  async function redeliver({ target }) {
    target.disabled = true;
    fault.hidden = true;
    try {
      await api("POST", `${path}/redeliver`, { eventId: target.value });
      app.say("It will be delivered again");
      read();
    } catch (error) {
      fault.hidden = false;
      fault.textContent = `${error.sentence ?? error}`;
    }
    target.disabled = false;
  }

  /** Event id → what is shown of its delivery, and the text that it was drawn from. */
  const shown = new Map();
  function draw() {
    if (items === UNREAD) return;
    const known = new Set(items.map(({ eventId }) => eventId));
    for (const [id, { nodes }] of shown) {
      if (known.has(id)) continue;
      nodes.forEach((node) => node.remove());
      shown.delete(id);
    }
    // Rows that are in their places stay untouched, with whatever is focused in them.
    const nodes = items.flatMap(rowOf);
    let place = rows.firstChild;
    for (const one of nodes) {
      if (one === place) place = place.nextSibling;
      else rows.insertBefore(one, place);
    }
    scroller.hidden = items.length === 0;
    more.hidden = !cursor;
    none.hidden = items.length > 0;
    setText(none, state ? `None is ${DELIVERIES[state].label.toLowerCase()}.` : "Nothing was delivered yet. The next event that it wants shows here.");
  }

  function rowOf(item) {
    const old = shown.get(item.eventId);
    const text = JSON.stringify([item, nameOf(app, item)]);
    if (old?.text === text) return old.nodes;
    const nodes = deliveryRow(app, item, redeliver);
    if (old) {
      const controls = (row) => [...row.querySelectorAll("a, button")];
      const focused = controls(old.nodes[0]).indexOf(document.activeElement);
      if (!old.nodes[1].hidden) nodes[0].querySelector("[aria-expanded]").click();
      old.nodes.forEach((one, at) => one.replaceWith(nodes[at]));
      controls(nodes[0])[focused]?.focus();
    }
    shown.set(item.eventId, { text, nodes });
    return nodes;
  }

  app.fleet.addEventListener("changed", draw, { signal: leaving });
  app.stream.every(READ_MS, () => asked ?? read(), leaving);
  read();
  return { node, read };
}

/** The satellite's name, or the region that an alert is about. */
function nameOf(app, { satelliteId, alert }) {
  if (satelliteId) return app.fleet.satellites.get(satelliteId)?.name ?? satelliteId.slice(0, 8);
  return alert?.region ?? "–";
}

/** A row, and the one below it with all that is known, which opens on demand. */
function deliveryRow(app, item, redeliver) {
  const { eventId, satelliteId, state, attempts, createdAt, attemptedAt, nextAt, last } = item;
  const { label, look } = deliveryStanding(item);
  const event = eventLook(item.type ?? item.event).label;
  const whose = () => (satelliteId ? h("a", { href: `#/satellites/${satelliteId}` }, nameOf(app, item)) : nameOf(app, item));
  const at = (text) => (text ? when(text) : "–");
  const about = `${event}, ${nameOf(app, item)}, ${short(eventId)}`;
  const toggle = h("button", { class: "small quiet", "aria-expanded": "false", "aria-controls": eventId, "aria-label": `Details of ${about}`, onclick: flip }, "Details");
  const again = h("button", { class: "small", value: eventId, "aria-label": `Redeliver ${about}`, onclick: redeliver }, "Redeliver");
  const below = h("tr", { class: "below", id: eventId, hidden: true });
  function flip() {
    below.hidden = !below.hidden;
    setAttr(toggle, "aria-expanded", String(!below.hidden));
    if (!below.firstChild) below.append(h("td", { colspan: HEADS.length }, allOf(app, item)));
  }
  const cells = [
    badge(look, label), [event, h("span", { class: "under" }, whose())], whose(), h("code", { title: eventId }, short(eventId)), attempts,
    last ? h("span", { class: state !== "delivered" && "bad" }, last.status ?? "none") : "–", last ? `${last.latencyMs} ms` : "–",
    at(attemptedAt), at(state === "waiting" && nextAt), h("div", {}, toggle, again),
  ];
  return [h("tr", {}, cells.map((cell, column) => h("td", { class: HEADS[column].split(":").at(-2) }, cell))), below];
}

/** All that is known, for who asks. */
function allOf(app, { eventId, createdAt, attempts, attemptedAt, nextAt, state, last }) {
  return [facts([
    ["Event id", [h("code", {}, eventId), " ", copyButton(eventId, "the event id", app.say)]],
    ["Made", when(createdAt)],
    ["Attempts", attempts],
    attemptedAt && ["Attempted last", when(attemptedAt)],
    state === "waiting" && nextAt && ["Next attempt", when(nextAt)],
    last && ["Answer", `${last.status ? `status ${last.status}` : "none"}, after ${last.latencyMs} ms`],
    last?.error && ["Error", h("span", { class: "error" }, last.error)],
  ]), responseOf(last)];
}

/** The beginning of what a receiver answered, as text. */
export function responseOf(seen) {
  return seen?.response && h("pre", { tabindex: 0, "aria-label": "The beginning of the answer" }, h("code", {}, seen.response));
}

/** An event's id with its satellite's cut short; its number tells it from others. */
function short(eventId) {
  const at = eventId.lastIndexOf(":");
  return at > 8 ? `${eventId.slice(0, 8)}…${eventId.slice(at)}` : eventId;
}
