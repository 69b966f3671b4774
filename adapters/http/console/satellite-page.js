// One satellite: what it is and why, its past, and what it runs.

import { get, optional } from "./api.js";
import { copyButton, h, icon, setText } from "./dom.js";
import { explanationCard, readExplanation } from "./explanation.js";
import { editSatellite, removeSatellite, rotateToken, switchSatellite } from "./satellite-dialogs.js";
import { badge as standingBadge, card, empty, facts as pairs, failure, sideways, spinner, table, when } from "./parts.js";
import { Timeline } from "./timeline.js";
import { ago, exactSpan } from "./time.js";
import { EDGES, EDGE_STANDINGS, STANDINGS, plain, standing } from "./words.js";

const HISTORY_ROWS = 50;
const RESULT_ROWS = 25;
/** Heartbeats and results come without an event. */
const READ_MS = 10_000;
const TICK_MS = 1_000;

export function satellitePage(app, { id }) {
  const title = h("h1", { tabindex: -1 }, app.fleet.satellites.get(id)?.name ?? "Satellite");
  const crumb = h("span", { "aria-current": "page" }, title.textContent);
  const badge = h("span", { class: "standing big" });
  const under = h("p", { class: "under-title" });
  const button = (label, action, kind) => h("button", { class: kind, onclick: () => action(app, satellite, gone) }, label);
  const flip = button("Disable", switchSatellite);
  const actions = h("div", { class: "head-actions", hidden: true },
    button("Edit", editSatellite), button("New token", rotateToken), flip, button("Remove", removeSatellite, "danger"));
  const why = h("div");
  const facts = h("dl", { class: "facts" });
  const timeline = new Timeline(id);
  const history = historyCard(id);
  const results = resultsCard(app, id);
  const lacks = h("div");
  const packages = h("div");
  const body = h("div", { class: "columns" },
    h("div", { class: "column wide" }, why, timeline.node, history.node),
    h("div", { class: "column" },
      card("facts", "Facts", facts),
      packages, lacks, results.node));
  const node = h("div", { class: "satellite" },
    h("p", { class: "crumbs" }, h("a", { href: "#/fleet" }, "Fleet"), " / ", crumb),
    h("div", { class: "head" }, h("div", { class: "head-title" }, title, badge), actions), under, body);

  const page = { title: title.textContent, node, close };
  let satellite;
  let state;
  const leaving = new AbortController();
  const { signal } = leaving;
  let seq;

  /** Shows what is known; `state` and explanation follow where they changed. */
  function draw() {
    const one = standing(satellite);
    setText(title, satellite.name);
    setText(crumb, satellite.name);
    document.title = `${satellite.name} · Ground Control`;
    const label = satellite.enabled ? STANDINGS[one] : `${STANDINGS[one]}, disabled`;
    if (badge.dataset.label !== label) {
      Object.assign(badge.dataset, { label, standing: one });
      badge.replaceChildren(icon(satellite.enabled ? one : "disabled"), label);
    }
    const tags = Object.entries(satellite.tags).map(([key, value]) => h("span", { class: "tag" }, value ? `${key}=${value}` : key));
    under.replaceChildren(h("span", {}, satellite.region), h("code", {}, satellite.id), copyButton(satellite.id, "the id", app.say), ...tags);
    setText(flip, satellite.enabled ? "Disable" : "Enable");
    actions.hidden = !app.manages;
    drawFacts();
  }

  function gone() {
    app.say(`${satellite.name} is removed`);
    location.hash = "#/fleet";
  }

  const times = new Map();
  function drawFacts() {
    const since = (text, words) => {
      if (!text) return words;
      const time = when(text, ago(text));
      times.set(time, text);
      return time;
    };
    times.clear();
    const { configRevision: told, appliedRevision: applied, offlineThresholdMs: own } = satellite;
    const behind = told > 0 && applied !== undefined && applied < told;
    const rows = [
      ["Last seen", since(satellite.lastSeenAt, satellite.lastEvent ? "not since it left" : "never")],
      ["Last edge", satellite.lastEvent ? [EDGES[satellite.lastEvent], " ", since(satellite.lastEventAt)] : "none"],
      state && ["Cause", plain(state.cause)],
      state && ["Session", `number ${state.epoch}`],
      ["Offline after", own === undefined ? "the server's default" : exactSpan(own)],
      ["Agent", satellite.version ?? "not told yet"],
      ["It can", satellite.capabilities.length ? satellite.capabilities.join(", ") : "not told yet"],
      told !== undefined && ["Work", told === 0 ? "none was ever told"
        : behind ? h("span", { class: "behind" }, `runs revision ${applied}, was told ${told}`)
          : applied === undefined ? `was told revision ${told}; its agent does not say what it runs` : `runs revision ${applied}, as told`],
      ["Made", since(satellite.createdAt)],
    ];
    pairs(rows, facts);
  }

  /** What the explanation depends on, beside the time. */
  const grounds = () => [satellite.lastEventAt, satellite.enabled, satellite.offlineThresholdMs].join();
  let explained;

  /** Reads why it is what it is; its past, where there is a new edge. */
  async function readWhy() {
    const mine = grounds();
    explained = mine;
    const [now, explanation] = await Promise.all([
      satellite.lastEvent ? optional(`/satellites/${id}/connection`) : undefined,
      readExplanation(id),
    ]);
    if (signal.aborted || mine !== grounds()) return;
    state = now;
    const opened = why.querySelector("details")?.open;
    why.replaceChildren(explanation ? explanationCard(satellite, explanation) : "");
    why.querySelector("details")?.toggleAttribute("open", Boolean(opened));
    drawFacts();
    if (seq !== state?.seq) {
      seq = state?.seq;
      await Promise.all([timeline.load(), history.load()]);
    }
  }

  async function read() {
    try {
      satellite = await app.fleet.read(id);
      if (signal.aborted) return;
      draw();
      await Promise.all([readWhy(), results.load(), readLacks(), readPackages()]);
      if (seq === undefined) await Promise.all([timeline.load(), history.load()]);
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  }

  function fail(error) {
    if (error.status === 404) return lost();
    if (satellite) return;
    body.replaceChildren(failure("It cannot be read", error, () => location.reload()));
  }

  function lost() {
    actions.hidden = true;
    setText(title, satellite?.name ?? "No such satellite");
    badge.replaceChildren();
    under.replaceChildren();
    body.replaceChildren(empty("removed", satellite ? "It was removed" : "There is no such satellite",
      h("p", {}, "It may have been removed. ", h("a", { href: "#/fleet" }, "To the fleet"))));
  }

  async function readLacks() {
    const found = await optional(`/satellites/${id}/strategy-errors`);
    if (signal.aborted) return;
    lacks.replaceChildren(found?.items.length > 0 ? card("lacks", "What its agent lacks",
      h("ul", { class: "plain" }, found.items.map(({ strategyId, message, at }) => h("li", {}, h("code", {}, strategyId), ` ${message} `,
        when(at, ago(at), "hint"))))) : "");
  }

  async function readPackages() {
    const found = await optional(`/satellites/${id}/script-packages`);
    if (signal.aborted || !found?.status) return packages.replaceChildren();
    const { status, errorMessage, lockfileHash, reportedAt } = found;
    const look = { ready: "healthy", error: "unhealthy" }[status] ?? "never";
    packages.replaceChildren(card("packages", "Script packages",
      h("p", {}, standingBadge(look, plain(status)), " ", when(reportedAt, ago(reportedAt), "hint")),
      errorMessage && h("p", { class: "error" }, errorMessage),
      h("p", { class: "hint" }, lockfileHash ? ["Lockfile ", h("code", { title: lockfileHash }, lockfileHash.slice(0, 12))] : "No packages are wanted.")));
  }

  function changed({ detail }) {
    if (detail && !detail.includes(id)) return;
    const known = app.fleet.satellites.get(id);
    if (!known) return satellite && app.fleet.state === "ready" ? lost() : undefined;
    if (!satellite) return;
    satellite = known;
    draw();
    if (explained !== grounds()) readWhy().catch(() => {});
  }
  const ticking = setInterval(() => {
    for (const [time, text] of times) setText(time, ago(text));
  }, TICK_MS);
  app.stream.every(READ_MS, async () => {
    if (!satellite) return;
    await app.fleet.read(id).catch(() => {});
    if (!signal.aborted) await Promise.all([readWhy(), results.load()]).catch(() => {});
  }, signal);
  app.fleet.addEventListener("changed", changed, { signal });
  badge.replaceChildren(spinner());
  read();

  function close() {
    leaving.abort();
    clearInterval(ticking);
    timeline.close();
  }
  return page;
}

/** The edges on record, newest first. */
function historyCard(id) {
  const rows = h("tbody");
  const more = h("button", { hidden: true, onclick: () => load(cursor) }, "Show earlier");
  const none = h("p", { class: "hint", hidden: true }, "Nothing is on record yet: it never connected.");
  const list = table("History", ["Time", "Edge", "Cause", "Session", "Pod", "From or by"], rows);
  let cursor;
  async function load(after) {
    const page = await get(`/satellites/${id}/transitions?limit=${HISTORY_ROWS}${after ? `&cursor=${encodeURIComponent(after)}` : ""}`);
    cursor = page.nextCursor;
    more.hidden = !cursor;
    const drawn = page.items.map(historyRow);
    if (after) rows.append(...drawn);
    else rows.replaceChildren(...drawn);
    none.hidden = rows.childElementCount > 0;
    list.hidden = !none.hidden;
  }
  list.hidden = true;
  return { node: card("history", "History", sideways("history", list), none, more), load };
}

function historyRow({ occurredAt, event, cause, epoch, seq, pod, actor, remoteAddress }) {
  return h("tr", {},
    h("td", {}, when(occurredAt)),
    h("td", {}, standingBadge(EDGE_STANDINGS[event], EDGES[event] ?? event ?? "unknown")),
    h("td", {}, plain(cause)),
    h("td", { title: `Edge number ${seq}` }, epoch),
    h("td", {}, pod),
    h("td", {}, actor ?? remoteAddress ?? "–"));
}

/** The latest runs of its checks. */
function resultsCard(app, id) {
  const rows = h("tbody");
  const none = h("p", { class: "hint" }, "No results yet.");
  const list = table("Latest results", ["Time", "Result", "Check", "System", "Latency"], rows);
  list.hidden = true;
  let names;
  async function load() {
    const found = await optional(`/results?satelliteId=${id}&limit=${RESULT_ROWS}`);
    const items = found?.items ?? [];
    none.hidden = items.length > 0;
    list.hidden = items.length === 0;
    if (items.length === 0) return;
    names ??= await readNames(app, items);
    rows.replaceChildren(...items.map((run) => resultRow(run, names)));
  }
  return { node: card("results", "Latest results", sideways("results", list), none), load };
}

/** What checks and systems are called, as far as this token may know. */
async function readNames(app, items) {
  const names = new Map();
  if (!app.manages) return names;
  const read = async (kind, ids) => Promise.all([...new Set(ids)].map(async (id) => {
    const found = await optional(`/${kind}/${id}`).catch(() => undefined);
    if (found) names.set(id, found.name);
  }));
  await Promise.all([read("checks", items.map(({ configId }) => configId)), read("systems", items.map(({ systemId }) => systemId))]);
  return names;
}

function resultRow({ executedAt, status, configId, systemId, latencyMs, failedAssertion }, names) {
  const name = (id) => names.get(id) ?? h("code", { title: id }, id.slice(0, 8));
  const failed = failedAssertion && `${failedAssertion.field} ${failedAssertion.operator}: ${failedAssertion.reason ?? JSON.stringify(failedAssertion.actual)}`;
  return h("tr", {},
    h("td", {}, when(executedAt)),
    h("td", {}, standingBadge(status, plain(status), failed)),
    h("td", {}, name(configId)), h("td", {}, name(systemId)),
    h("td", {}, latencyMs === undefined ? "–" : `${Math.round(latencyMs)} ms`));
}
