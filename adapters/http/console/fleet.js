// All satellites, as the server told them last, kept up to date by events.

import { get, pages } from "./api.js";

/** Changes that come together are read together. */
const TOGETHER_MS = 150;
/** More changes than this at once, and the whole list is read instead of each satellite. */
const ONE_BY_ONE = 25;
/** The whole list is read at most this often. */
const READ_ALL_MS = 5_000;

/** What an edge changes of a satellite. */
const OF_EDGES = ["status", "lastSeenAt", "lastEvent", "lastEventAt"];

/** Dispatches `changed`, with the ids that changed in `detail`, or none where many did. */
export class Fleet extends EventTarget {
  satellites = new Map();
  /** `loading`, `ready`, or an error where nothing could be read yet. */
  state = "loading";

  #changed = new Set();
  #timer = undefined;
  #reading = undefined;
  #again = false;
  #readAt = 0;

  /** Reads the whole list; what is read already stays until it is read again. */
  async load() {
    if (this.#reading) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#readAll();
    await this.#reading;
    this.#reading = undefined;
    if (this.#again) {
      this.#again = false;
      await this.load();
    }
  }

  async #readAll() {
    const found = new Set();
    try {
      await pages("/satellites", (items) => {
        for (const satellite of items) {
          found.add(satellite.id);
          this.#put(satellite);
        }
        this.#tell();
      });
      for (const id of this.satellites.keys()) {
        if (!found.has(id)) this.satellites.delete(id);
      }
      this.state = "ready";
    } catch (error) {
      if (this.state !== "ready") this.state = error;
    }
    this.#readAt = performance.now();
    this.#tell();
  }

  /** Takes an event of the stream. */
  event(event) {
    // There are events of regions too, and there may be others.
    if (!event.type.startsWith("satellite.")) return;
    const id = event.contextkey;
    if (event.type === "satellite.removed") {
      this.satellites.delete(id);
      return this.#tell([id]);
    }
    const known = this.satellites.get(id);
    const next = event.data.next;
    if (known && next && !(known.lastEventAt > next.lastEventAt)) {
      for (const name of OF_EDGES) known[name] = next[name] ?? undefined;
      this.#tell([id]);
    }
    // Its agent may be another version now.
    if (!known || event.type === "satellite.connected") this.readSoon(id);
  }

  /** Takes a signal of the stream. What it says of edges, events have said. */
  signal(signal) {
    if (signal.type === "satellite.config_changed") this.readSoon(signal.satelliteId);
  }

  /** Reads one satellite again, together with what else changes in this moment. */
  readSoon(id) {
    this.#changed.add(id);
    this.#timer ??= setTimeout(() => this.#readChanged(), TOGETHER_MS);
  }

  async #readChanged() {
    const since = performance.now() - this.#readAt;
    if (this.#changed.size > ONE_BY_ONE && since < READ_ALL_MS) {
      this.#timer = setTimeout(() => this.#readChanged(), READ_ALL_MS - since);
      return;
    }
    this.#timer = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    if (changed.length > ONE_BY_ONE) return this.load();
    await Promise.all(changed.map((id) => this.read(id).catch(() => {})));
  }

  /** Reads one satellite now. */
  async read(id) {
    try {
      const satellite = await get(`/satellites/${id}`);
      this.#put(satellite);
      return satellite;
    } catch (error) {
      if (error.status === 404) this.satellites.delete(id);
      throw error;
    } finally {
      this.#tell([id]);
    }
  }

  /** Takes a satellite that the server answered. */
  put(satellite) {
    this.#put(satellite);
    this.#tell([satellite.id]);
  }

  /** Takes newer times of last heartbeats: id → RFC 3339. */
  heard(times) {
    for (const [id, at] of times) {
      const known = this.satellites.get(id);
      if (known && at && !(known.lastSeenAt > at)) known.lastSeenAt = at;
    }
    this.#tell(times.map(([id]) => id));
  }

  #put(satellite) {
    const known = this.satellites.get(satellite.id);
    // An event may have overtaken this answer.
    if (known && known.lastEventAt > satellite.lastEventAt) {
      for (const name of OF_EDGES) satellite[name] = known[name];
    }
    this.satellites.set(satellite.id, satellite);
  }

  #tell(ids) {
    this.dispatchEvent(new CustomEvent("changed", { detail: ids }));
  }
}
