// The table of satellites. Only the rows in sight exist, so ten thousand cost what forty do.

import { api } from "./api.js";
import { h, icon, setAttr, setText } from "./dom.js";
import { ago, exact } from "./time.js";
import { STANDINGS, count, counted, standing } from "./words.js";

/** Rows beyond what is in sight, so that scrolling and the tab key find them there. */
const MORE_ROWS = 8;
/** Last heartbeats of what is in sight are read this often: they come without an event. */
const HEARD_MS = 10_000;
const TICK_MS = 1_000;
/** Who comes and goes is sorted in at most this often. */
const SORT_MS = 400;

const COLLATOR = new Intl.Collator("en-GB", { numeric: true });
const RANK = { lost: 0, disconnected: 1, never: 2, online: 3 };

/** Column: how it is called, whether it can be sorted by, and by what. */
const COLUMNS = [
  { key: "status", label: "Status", by: (a, b) => RANK[standing(a)] - RANK[standing(b)] },
  { key: "name", label: "Name", by: (a, b) => COLLATOR.compare(a.name, b.name) },
  { key: "region", label: "Region", by: (a, b) => COLLATOR.compare(a.region, b.region) },
  { key: "seen", label: "Last seen", by: (a, b) => (b.lastSeenAt ?? "").localeCompare(a.lastSeenAt ?? "") },
  { key: "version", label: "Version", by: (a, b) => COLLATOR.compare(a.version ?? "", b.version ?? "") },
  { key: "tags", label: "Tags" },
  { key: "work", label: "Work", by: (a, b) => lag(b) - lag(a) },
];

/** By how many revisions an agent is behind. */
function lag(satellite) {
  return (satellite.configRevision ?? 0) - (satellite.appliedRevision ?? 0);
}

export class FleetTable {
  #app;
  #filter;
  #sort = { key: "name", down: false };
  #order = [];
  /** Which rows exist, and from which place on. */
  #sight = { first: 0, ids: [] };
  #rows = new Map();
  #dirty = true;
  #held = false;
  #timers = [];
  #sorting = undefined;
  #frame = undefined;

  constructor(app, filter) {
    this.#app = app;
    this.#filter = filter;
    this.#build();
    this.#timers.push(setInterval(() => this.#tick(), TICK_MS), setInterval(() => this.#hear(), HEARD_MS));
    this.resized = new ResizeObserver(() => this.#draw());
  }

  #build() {
    this.above = h("tbody", { "aria-hidden": "true", class: "space" }, h("tr", {}, h("td", {})));
    this.below = h("tbody", { "aria-hidden": "true", class: "space" }, h("tr", {}, h("td", {})));
    this.body = h("tbody");
    this.heads = COLUMNS.map(({ key, label, by }) => h("th", { scope: "col", class: `c-${key}` },
      by ? h("button", { onclick: () => this.#sortBy(key) }, label) : label));
    this.table = h("table", { class: "fleet-table" },
      h("caption", { class: "unseen" }, "Satellites"),
      h("thead", {}, h("tr", { "aria-rowindex": 1 }, this.heads)), this.above, this.body, this.below);
    this.note = h("p", { class: "table-note" });
    this.waiting = h("button", { class: "small", hidden: true, onclick: () => this.#arrange() });
    this.none = h("div", { class: "empty", hidden: true }, h("h2", {}, "None fits the filters"));
    // Its own scroll: the head stays, and the rest of the page does not move.
    this.scroller = h("div", { class: "scroller", role: "region", "aria-label": "Satellites", tabindex: 0 }, this.table, this.none);
    this.scroller.addEventListener("scroll", () => this.#soon(), { passive: true });
    this.body.addEventListener("pointerenter", () => { this.#held = true; });
    this.body.addEventListener("pointerleave", () => { this.#held = false; this.#arrangeIfFree(); });
    this.body.addEventListener("focusout", () => setTimeout(() => this.#arrangeIfFree()));
    this.body.addEventListener("click", (event) => this.#open(event));
    this.table.addEventListener("keydown", (event) => this.#move(event));
    this.node = h("div", { class: "fleet-table-box" }, h("div", { class: "table-line" }, this.note, this.waiting), this.scroller);
    this.#sortBy("name");
  }

  /** The page is shown, and has a size. */
  shown() {
    this.resized.observe(this.scroller);
    this.#arrange();
    this.#hear();
  }

  close() {
    this.resized.disconnect();
    this.#timers.forEach(clearInterval);
    clearTimeout(this.#sorting);
    cancelAnimationFrame(this.#frame);
  }

  /** The filter is another one. */
  refilter() {
    this.scroller.scrollTop = 0;
    this.#arrange();
  }

  /** These changed, or many did. Rows in sight show it at once; their order waits. */
  changed(ids) {
    for (const id of ids ?? this.#rows.keys()) {
      const satellite = this.#app.fleet.satellites.get(id);
      const row = this.#rows.get(id);
      if (row && satellite) this.#fill(row, satellite, ids !== undefined);
    }
    this.#dirty = true;
    this.#sorting ??= setTimeout(() => {
      this.#sorting = undefined;
      this.#arrangeIfFree();
    }, SORT_MS);
  }

  #sortBy(key) {
    this.#sort = { key, down: this.#sort.key === key && this.rowsSorted ? !this.#sort.down : false };
    this.rowsSorted = true;
    COLUMNS.forEach((column, at) => {
      const here = column.key === key;
      setAttr(this.heads[at], "aria-sort", here ? (this.#sort.down ? "descending" : "ascending") : undefined);
    });
    this.#arrange();
  }

  /** Whether rows would move under the pointer, or away from the keyboard. */
  #busy() {
    return this.#held || this.body.contains(document.activeElement);
  }

  /** Whether another order moves a row that is in sight. */
  #moves(order) {
    const { first, ids } = this.#sight;
    return ids.some((id, at) => order[first + at] !== id);
  }

  #arrangeIfFree() {
    if (!this.#dirty) return;
    const order = this.#wanted();
    const same = order.length === this.#order.length && order.every((id, at) => id === this.#order[at]);
    if (same) {
      this.#dirty = false;
      this.waiting.hidden = true;
    } else if (this.#busy() && this.#moves(order)) {
      this.waiting.hidden = false;
      setText(this.waiting, "Rows have changed places: put them in order");
    } else {
      this.#arrange(order);
    }
  }

  #arrange(order = this.#wanted()) {
    this.#order = order;
    this.#dirty = false;
    this.waiting.hidden = true;
    const all = this.#app.fleet.satellites.size;
    const some = order.length < all ? `${count(order.length)} of ${counted(all, "satellite")}` : counted(all, "satellite");
    setText(this.note, this.#app.fleet.state === "loading" ? `${some}, reading more…` : some);
    this.none.hidden = order.length > 0;
    setAttr(this.table, "aria-rowcount", order.length + 1);
    this.#draw();
  }

  /** The ids that fit the filter, in order. */
  #wanted() {
    const { text, standing: wanted, region, tag } = this.#filter;
    const needle = text.trim().toLowerCase();
    const [key, value] = tag.trim().split(/[=:](.*)/s);
    const fits = (one) => (!wanted || standing(one) === wanted)
      && (!region || one.region === region)
      && (!key || (key in one.tags && (value === undefined || one.tags[key] === value)) || (value === undefined && Object.keys(one.tags).some((has) => has.startsWith(key))))
      && (!needle || one.name.toLowerCase().includes(needle) || one.region.toLowerCase().includes(needle) || one.id.startsWith(needle));
    const found = [...this.#app.fleet.satellites.values()].filter(fits);
    const { by } = COLUMNS.find(({ key }) => key === this.#sort.key);
    const byName = COLUMNS[1].by;
    const turn = this.#sort.down ? -1 : 1;
    found.sort((a, b) => turn * by(a, b) || byName(a, b));
    return found.map(({ id }) => id);
  }

  #soon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  /** Makes the rows that are in sight, and no others. */
  #draw() {
    const height = matchMedia("(max-width: 760px)").matches ? 58 : 36;
    const sight = this.scroller.clientHeight || innerHeight;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / height) - MORE_ROWS);
    const last = Math.min(this.#order.length, Math.ceil((this.scroller.scrollTop + sight) / height) + MORE_ROWS);
    const wanted = this.#order.slice(first, last);
    const keep = new Set(wanted);
    this.#sight = { first, ids: wanted };
    for (const [id, row] of this.#rows) {
      if (!keep.has(id)) {
        row.node.remove();
        this.#rows.delete(id);
      }
    }
    let before = this.body.firstChild;
    wanted.forEach((id, at) => {
      const satellite = this.#app.fleet.satellites.get(id);
      if (!satellite) return;
      let row = this.#rows.get(id);
      if (!row) {
        row = this.#row();
        this.#rows.set(id, row);
        this.#fill(row, satellite, false);
      }
      setAttr(row.node, "aria-rowindex", first + at + 2);
      if (row.node === before) before = before.nextSibling;
      else this.body.insertBefore(row.node, before);
    });
    this.above.firstChild.style.height = `${first * height}px`;
    this.below.firstChild.style.height = `${(this.#order.length - last) * height}px`;
    this.above.hidden = first === 0;
    this.below.hidden = last === this.#order.length;
  }

  #row() {
    const cells = Object.fromEntries(COLUMNS.map(({ key }) => [key, h(key === "name" ? "th" : "td", { class: `c-${key}`, scope: key === "name" ? "row" : undefined })]));
    const link = h("a", {});
    const place = h("span", { class: "under" });
    const time = h("time", {});
    const badge = h("span", { class: "standing" });
    cells.status.append(badge);
    cells.name.append(link, place);
    cells.seen.append(time);
    return { node: h("tr", {}, Object.values(cells)), cells, link, place, time, badge };
  }

  #fill(row, satellite, live) {
    const one = standing(satellite);
    const label = satellite.enabled ? STANDINGS[one] : `${STANDINGS[one]}, disabled`;
    if (row.label !== label) {
      row.badge.dataset.standing = one;
      row.badge.replaceChildren(icon(satellite.enabled ? one : "disabled"), label);
      if (live && row.label) this.#flash(row.node);
      row.label = label;
    }
    setAttr(row.link, "href", `#/satellites/${satellite.id}`);
    setText(row.link, satellite.name);
    setText(row.place, satellite.region);
    setText(row.cells.region, satellite.region);
    setText(row.cells.version, satellite.version ?? "–");
    row.seen = satellite.lastSeenAt ?? satellite.lastEventAt;
    row.clean = !satellite.lastSeenAt;
    this.#age(row);
    const tags = Object.entries(satellite.tags).map(([key, value]) => (value ? `${key}=${value}` : key));
    if (row.tags !== tags.join("\n")) {
      row.tags = tags.join("\n");
      setAttr(row.cells.tags, "title", row.tags || undefined);
      row.cells.tags.replaceChildren(...tags.map((tag) => h("span", { class: "tag" }, tag)));
    }
    this.#work(row, satellite);
  }

  #work(row, { configRevision: told, appliedRevision: applied }) {
    const behind = told > 0 && applied !== undefined && applied < told;
    const text = !told ? "none" : behind ? `revision ${applied}, told ${told}` : `revision ${told}`;
    setText(row.cells.work, text);
    setAttr(row.cells.work, "data-behind", behind);
  }

  #age(row) {
    const text = !row.seen ? "never" : row.clean ? `left ${ago(row.seen)}` : ago(row.seen);
    setText(row.time, text);
    if (row.titled === row.seen) return;
    row.titled = row.seen;
    setAttr(row.time, "datetime", row.seen);
    setAttr(row.time, "title", row.seen && exact(row.seen));
  }

  #flash(node) {
    node.classList.remove("flash");
    void node.offsetWidth;
    node.classList.add("flash");
  }

  #tick() {
    if (document.hidden) return;
    for (const row of this.#rows.values()) this.#age(row);
  }

  async #hear() {
    const ids = [...this.#rows.keys()];
    if (document.hidden || ids.length === 0 || this.#app.stream.state === "stale") return;
    const found = await api("POST", "/connections/batch-get", { ids }).catch(() => undefined);
    if (found) this.#app.fleet.heard(Object.entries(found.states).map(([id, state]) => [id, state.lastSeenAt]));
  }

  #open(event) {
    if (event.target.closest("a") || String(getSelection())) return;
    event.target.closest("tr")?.querySelector("a")?.click();
  }

  /** Arrow keys go from name to name. */
  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest("tbody tr");
    if (!step || !row) return;
    const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (!next) return;
    event.preventDefault();
    next.querySelector("a").focus();
    next.scrollIntoView({ block: "nearest" });
  }
}
