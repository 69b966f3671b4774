// The event stream. It is read with fetch and not with EventSource, which hides the comments by which
// the server shows that a silent stream is still alive: a page must know when it has gone deaf.

import { sessionIsOver } from "./api.js";
import { heardServerTime, now } from "./time.js";

/** The server says something every 15 seconds. */
const SILENCE_MS = 40_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 5_000;

/**
 * Dispatches `event` (a CloudEvent), `signal`, and `state` whenever `state` or `since` changed.
 * It goes on behind the last event whenever it breaks, until it is closed.
 */
export class Stream extends EventTarget {
  /** `connecting`, `live` or `stale` */
  state = "connecting";
  /** When it went stale, in milliseconds. */
  since = undefined;

  #lastId = undefined;
  #delay = FIRST_DELAY_MS;
  #closed = false;
  #abort = undefined;
  #wake = () => {};

  /** Follows until it is closed. */
  async follow() {
    const hurry = () => this.#wake();
    addEventListener("online", hurry);
    while (!this.#closed) {
      await this.#dial();
      if (this.#closed) break;
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, this.#delay);
      });
      this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MS);
    }
    removeEventListener("online", hurry);
  }

  close() {
    this.#closed = true;
    this.#abort?.abort();
    this.#wake();
  }

  async #dial() {
    const abort = new AbortController();
    this.#abort = abort;
    let heard = now();
    const watchdog = setInterval(() => {
      if (now() - heard > SILENCE_MS) abort.abort();
    }, 1_000);
    try {
      const headers = this.#lastId ? { "last-event-id": this.#lastId } : {};
      const answer = await fetch("/api/v1/events", { headers, signal: abort.signal, cache: "no-store" });
      heardServerTime(answer.headers.get("date"));
      if (answer.status === 401) {
        this.close();
        return sessionIsOver();
      }
      // A cursor that the server does not know any more: begin with what happens from now on.
      if (answer.status === 422) this.#lastId = undefined;
      if (!answer.ok) throw new Error(`the answer was ${answer.status}`);
      await this.#read(answer.body, () => { heard = now(); });
      heard = now();
    } catch {
      // It broke, or there was no answer: what to do is the same.
    } finally {
      clearInterval(watchdog);
    }
    this.#becomes("stale", Math.min(heard, now()));
  }

  async #read(body, heard) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block) {
    let id, data;
    for (const line of block.split("\n")) {
      if (line.startsWith("id: ")) id = line.slice(4);
      if (line.startsWith("data: ")) data = line.slice(6);
    }
    if (id) this.#lastId = id;
    // The comment at the beginning: from here on nothing is missed.
    if (this.state !== "live") {
      this.#delay = FIRST_DELAY_MS;
      this.#becomes("live", undefined);
    }
    if (!data) return;
    const detail = JSON.parse(data);
    this.dispatchEvent(new CustomEvent(id ? "event" : "signal", { detail }));
  }

  /** Calls `act` again and again, while somebody looks and the server can be heard, until `signal`. */
  every(millis, act, signal) {
    const timer = setInterval(() => {
      if (!document.hidden && this.state !== "stale") act();
    }, millis);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  #becomes(state, since) {
    if (this.#closed || (this.state === state && state === "stale")) return;
    this.state = state;
    this.since = since;
    this.dispatchEvent(new Event("state"));
  }
}
