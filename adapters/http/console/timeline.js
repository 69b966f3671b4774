// A satellite's past as bands: online, offline, lost, and before it ever connected.

import { pages } from "./api.js";
import { h, svg } from "./dom.js";
import { segments } from "./parts.js";
import { clock, exact, now, span } from "./time.js";
import { EDGES, plain } from "./words.js";

const HOUR = 3_600_000;
const RANGES = [
  { key: "hour", label: "1 hour", last: "hour", millis: HOUR, tick: 10 * 60_000 },
  { key: "day", label: "24 hours", last: "24 hours", millis: 24 * HOUR, tick: 4 * HOUR },
  { key: "week", label: "7 days", last: "7 days", millis: 7 * 24 * HOUR, tick: 24 * HOUR },
];
/** Edges that are read for one picture at most. */
const MOST_EDGES = 5_000;
const DRAW_MS = 5_000;

/** Height of a band, and where it stands: shape tells them apart as well as colour. */
const SHAPES = {
  online: { top: 6, height: 36 },
  lost: { top: 18, height: 24 },
  offline: { top: 32, height: 10 },
};
const LABELS = { online: "Online", lost: "Lost", offline: "Offline" };
const TICK_LABELS = {
  hour: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }),
  day: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }),
  week: new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "2-digit" }),
};

/** What a state means as a band. */
function bandOf(state) {
  if (!state) return undefined;
  return { connected: "online", heartbeat_lost: "lost" }[state.lastEvent] ?? "offline";
}

/** Bands `{kind, from, to}` of transitions, newest first, within a span of time. */
export function bands(transitions, from, to) {
  const found = [];
  let end = to;
  for (const { occurredAt, next } of transitions) {
    const at = Date.parse(occurredAt);
    const begin = Math.max(at, from);
    const kind = bandOf(next);
    if (kind && begin < end) found.unshift({ kind, from: begin, to: end });
    end = Math.min(end, begin);
    if (at <= from) return found;
  }
  const kind = bandOf(transitions.at(-1)?.previous);
  if (kind && from < end) found.unshift({ kind, from, to: end });
  return found;
}

export class Timeline {
  #id;
  #range = RANGES[0];
  #transitions = [];
  #timer;

  constructor(id) {
    this.#id = id;
    this.picture = h("div", { class: "picture" });
    this.summary = h("p", { class: "hint" });
    const choice = segments("range", "How far back", RANGES.map((range) => [range.key, range.label]), this.#range.key, (key) => this.#choose(RANGES.find((range) => range.key === key)));
    this.node = h("section", { class: "card", "aria-labelledby": "timeline-title" },
      h("div", { class: "card-head" }, h("h2", { id: "timeline-title" }, "Timeline"),
        choice),
      this.picture,
      h("div", { class: "legend" }, ["online", "lost", "offline"].map((kind) => h("span", {},
        svg("svg", { class: "key", viewBox: "0 0 14 14", "aria-hidden": "true" }, svg("rect", { class: `band ${kind}`, width: 14, height: 14, rx: 3 })), LABELS[kind])),
        this.summary));
    this.observer = new ResizeObserver(() => this.#draw());
    this.observer.observe(this.picture);
    this.#timer = setInterval(() => this.#draw(), DRAW_MS);
  }

  close() {
    clearInterval(this.#timer);
    this.observer.disconnect();
  }

  #choose(range) {
    this.#range = range;
    this.load();
  }

  /** Reads the edges within the range, and the one before it. */
  async load() {
    const from = now() - this.#range.millis;
    const found = [];
    await pages(`/satellites/${this.#id}/transitions`, (items) => {
      found.push(...items);
      const oldest = items.at(-1);
      return Boolean(oldest) && Date.parse(oldest.occurredAt) > from && found.length < MOST_EDGES;
    });
    this.#transitions = found;
    this.#draw();
  }

  #draw() {
    const width = this.picture.clientWidth;
    if (!width) return;
    const to = now();
    const from = to - this.#range.millis;
    const x = (at) => ((at - from) / (to - from)) * width;
    const shown = bands(this.#transitions, from, to);
    const edges = this.#transitions.filter(({ occurredAt }) => Date.parse(occurredAt) >= from);
    const said = this.#words(shown, edges, to - from);
    const picture = svg("svg", { class: "timeline", role: "img", "aria-label": said, width, height: 68, viewBox: `0 0 ${width} 68` },
      svg("defs", {}, svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { class: "hatch-ground", width: 6, height: 6 }), svg("rect", { class: "hatch-line", width: 2.4, height: 6 }))),
      svg("rect", { class: "ground", x: 0, y: 6, width, height: 36, rx: 3 }),
      this.#axis(from, to, x),
      shown.map(({ kind, from, to }) => svg("rect", {
        class: `band ${kind}`, x: x(from), y: SHAPES[kind].top, width: Math.max(1, x(to) - x(from)), height: SHAPES[kind].height,
      }, svg("title", {}, `${LABELS[kind]} for ${span(to - from)}, from ${clock(new Date(from))} to ${clock(new Date(to))}`))),
      edges.slice(0, 400).map(({ event, cause, occurredAt }) => svg("g", { class: "edge" },
        svg("line", { x1: x(Date.parse(occurredAt)), x2: x(Date.parse(occurredAt)), y1: 2, y2: 46 }),
        svg("title", {}, `${EDGES[event] ?? event}, ${plain(cause)}\n${exact(occurredAt)}`))));
    this.picture.replaceChildren(picture);
    this.summary.textContent = said;
  }

  #axis(from, to, x) {
    const { tick, key } = this.#range;
    const offset = new Date(from).getTimezoneOffset() * 60_000;
    const first = Math.ceil((from - offset) / tick) * tick + offset;
    const marks = [];
    for (let at = first; at <= to; at += tick) {
      const place = x(at);
      marks.push(svg("line", { class: "tick", x1: place, x2: place, y1: 42, y2: 48 }));
      if (place > 18 && place < x(to) - 18) marks.push(svg("text", { class: "tick-label", x: place, y: 62, "text-anchor": "middle" }, TICK_LABELS[key].format(at)));
    }
    return marks;
  }

  #words(shown, edges, whole) {
    const online = shown.filter(({ kind }) => kind === "online").reduce((sum, { from, to }) => sum + to - from, 0);
    const known = shown.reduce((sum, { from, to }) => sum + to - from, 0);
    if (known === 0) return `Never connected in the last ${this.#range.last}.`;
    const share = Math.floor((1000 * online) / known) / 10;
    const partly = known < whole * 0.99 ? `, of the ${span(known)} since it first connected` : "";
    return `Online ${share} % of the last ${this.#range.last}${partly}; ${edges.length} ${edges.length === 1 ? "edge" : "edges"}.`;
  }
}
