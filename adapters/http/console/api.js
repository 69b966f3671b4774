// The HTTP API. The browser adds the session's cookie by itself; no script can read it.

import { heardServerTime } from "./time.js";

/** No answer takes longer. */
const PATIENCE_MS = 20_000;
/** The most that the API gives at once. */
const PAGE = 1_000;

/** A request that was refused, or not answered: `status` is 0 then. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title);
    this.status = status;
    this.type = (problem.type ?? "").replace("urn:groundcontrol:problem:", "");
    this.title = problem.title;
    /** Field → what is wrong with it. */
    this.fields = new Map((problem.errors ?? []).map(({ pointer, detail }) => [pointer.replace(/^\//, "").replaceAll("~1", "/").replaceAll("~0", "~"), detail]));
  }

  /** Title and detail in a sentence. */
  get sentence() {
    return this.title && this.title !== this.message ? `${this.title}: ${this.message}.` : `${this.message}.`;
  }
}

/** Called when the session is over. */
let signedOut = () => {};

export function onSignedOut(callback) {
  signedOut = callback;
}

/** Reports an answer that says that the session is over. */
export function sessionIsOver() {
  signedOut();
}

/** Sends a request; answers the JSON of the answer, or undefined where it has none. */
export async function api(method, path, body) {
  const answer = await fetch(`/api/v1${path}`, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
    cache: "no-store",
  }).catch(() => {
    throw new ApiError(0, { title: "The server cannot be reached", detail: "it is stopped, or the network to it is down" });
  });
  heardServerTime(answer.headers.get("date"));
  if (answer.status === 204) return undefined;
  const json = await answer.json().catch(() => ({ title: `The answer was ${answer.status}`, detail: "it is no JSON" }));
  if (answer.ok) return json;
  const error = new ApiError(answer.status, json);
  if (answer.status === 401 && path !== "/session") signedOut();
  throw error;
}

export const get = (path) => api("GET", path);

/** Reads a list page by page, and hands each page to `take`, which may stop it by answering false. */
export async function pages(path, take) {
  const join = path.includes("?") ? "&" : "?";
  let cursor;
  do {
    const page = await get(`${path}${join}limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    if (take(page.items) === false) return;
    cursor = page.nextCursor;
  } while (cursor);
}

/** Reads what this server may not offer: undefined where it does not, or where this token may not. */
export async function optional(path) {
  try {
    return await get(path);
  } catch (error) {
    if ([403, 404, 501].includes(error.status)) return undefined;
    throw error;
  }
}
