// What is done to a satellite: make, edit, give a new token, enable, disable, remove.

import { api } from "./api.js";
import { commands, warning } from "./commands.js";
import { confirm, done, field, openForm, overlap, readSeconds, readTags, regionField, showInstead, showOnce, writeTags } from "./dialogs.js";
import { copyButton, h, icon, setAttr } from "./dom.js";
import { spinner } from "./parts.js";
import { ago } from "./time.js";

/** The fields that a new satellite and an old one have in common. */
function describing(app, satellite) {
  const seconds = satellite?.offlineThresholdMs === undefined ? "" : satellite.offlineThresholdMs / 1_000;
  return [
    field("name", "Name", h("input", { value: satellite?.name ?? "", maxlength: 200, required: true, "data-first": true }),
      "Unique among all satellites."),
    regionField(app, "region", "Region", satellite?.region ?? "", "Where it runs, such as eu-north."),
    field("tags", "Tags", h("textarea", { rows: 3, spellcheck: "false" }, satellite ? writeTags(satellite.tags) : ""),
      "key=value, one a line. Checks can be assigned by them."),
    field("offlineThresholdMs", "Offline after", h("input", { value: seconds, inputmode: "decimal" }),
      "Seconds of silence; empty for the server's default."),
  ];
}

function described(data) {
  return {
    name: data.get("name").trim(),
    region: data.get("region").trim(),
    tags: readTags(data.get("tags")),
    offlineThresholdMs: readSeconds(data.get("offlineThresholdMs")),
  };
}

/** Makes a satellite, shows its token once, and waits until its agent connects. */
export function newSatellite(app) {
  let stop = () => {};
  const dialog = openForm("New satellite", describing(app), { label: "Make it" }, async (data) => {
    const wanted = described(data);
    if (wanted.offlineThresholdMs === null) delete wanted.offlineThresholdMs;
    const { satellite, token } = await api("POST", "/satellites", wanted);
    app.fleet.put(satellite);
    dialog.querySelector("h2").textContent = satellite.name;
    stop = showToken(app, dialog, satellite, token);
  }, () => stop());
}

/** The token, the commands that use it, and a line that turns green once they did; answers what ends the waiting. */
function showToken(app, dialog, satellite, token) {
  const waiting = h("p", { class: "waiting", role: "status" });
  const since = Date.now();
  const show = () => {
    const known = app.fleet.satellites.get(satellite.id);
    const connected = known?.status === "online" && Date.parse(known.lastEventAt) >= since - 60_000;
    setAttr(waiting, "data-standing", connected ? "online" : "waiting");
    waiting.replaceChildren(...(connected
      ? [icon("online"), h("strong", {}, "Connected"), ` ${known.name} is online${known.version ? `, version ${known.version}` : ""}. `,
          h("a", { href: `#/satellites/${satellite.id}`, onclick: () => dialog.close() }, "See it")]
      : [spinner(), "Waiting for its agent to connect…"]));
    return connected;
  };
  const watch = (event) => {
    if ((!event.detail || event.detail.includes(satellite.id)) && show()) stop();
  };
  const stop = () => app.fleet.removeEventListener("changed", watch);
  app.fleet.addEventListener("changed", watch);
  show();
  showInstead(dialog,
    h("p", {}, "This is its token. It is shown this once: only a fingerprint of it is kept."),
    showOnce(app, "token", token),
    h("dl", { class: "pairs" }, h("dt", {}, "Id"), h("dd", {}, h("code", {}, satellite.id), copyButton(satellite.id, "the id", app.say))),
    ways(app, commands(satellite, token)),
    warning() && h("p", { class: "note" }, warning()),
    waiting, done());
  return stop;
}

/** Tabs with one command each. */
function ways(app, list) {
  const tabs = list.map(({ name }, index) => h("button", {
    role: "tab", id: `way-${index}`, "aria-controls": "way", onclick: () => choose(index), onkeydown: moved,
  }, name));
  const panel = h("div", { role: "tabpanel", id: "way", class: "way" });
  function choose(index) {
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", at === index);
      tab.tabIndex = at === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `way-${index}`);
    const { where, name, text } = list[index];
    panel.replaceChildren(
      h("div", { class: "way-head" }, h("p", { class: "hint" }, where), copyButton(text, `the ${name} commands`, app.say)),
      h("pre", { tabindex: 0, "aria-label": `${name} commands` }, h("code", {}, text)));
  }
  function moved(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (tabs.indexOf(event.target) + step + tabs.length) % tabs.length;
    choose(next);
    tabs[next].focus();
  }
  choose(0);
  return h("div", { class: "ways" }, h("div", { role: "tablist", "aria-label": "How the agent is started", class: "tabs" }, tabs), panel);
}

/** Changes name, region, tags and threshold. */
export function editSatellite(app, satellite) {
  const dialog = openForm(`Edit ${satellite.name}`, describing(app, satellite), { label: "Save" }, async (data) => {
    app.fleet.put(await api("PATCH", `/satellites/${satellite.id}`, described(data)));
    app.say("Saved");
    dialog.close();
  });
}

/** Gives a satellite a new token. */
export function rotateToken(app, satellite) {
  const ask = overlap("The old token stops working", (span) => (span
    ? `Both tokens work for ${span}. Give its agent the new one before that: then the old one stops working, and a connection that still uses it is shut down.`
    : `The token that its agent uses now stops working at once. ${connectionOf(satellite)} Its agent must be given the new token.`));
  let stop = () => {};
  const dialog = openForm(`New token for ${satellite.name}`, ask, { label: "Make a new token", danger: true }, async (data) => {
    const rotated = await api("POST", `/satellites/${satellite.id}/rotate-token`, { overlapSeconds: Number(data.get("overlapSeconds")) });
    app.fleet.readSoon(satellite.id);
    stop = showToken(app, dialog, rotated.satellite, rotated.token);
  }, () => stop());
}

function connectionOf(satellite) {
  return satellite.status === "online" ? "Its connection is shut down, and its agent stops for good." : "It is not connected now.";
}

/** Disables a satellite, or enables it again. */
export function switchSatellite(app, satellite) {
  const off = satellite.enabled;
  const consequence = off
    ? `${connectionOf(satellite)} It is refused until it is enabled again; its history, its tags and its work stay.`
    : "Its agent may connect again, with the token that it has. An agent that was told to stop must be started.";
  confirm(`${off ? "Disable" : "Enable"} ${satellite.name}?`, consequence, { label: off ? "Disable it" : "Enable it", danger: off }, async () => {
    app.fleet.put(await api("PATCH", `/satellites/${satellite.id}`, { enabled: !off }));
    app.say(off ? "Disabled" : "Enabled");
  });
}

/** Removes a satellite for good, once its name was typed. */
export function removeSatellite(app, satellite, removed) {
  const seen = satellite.lastSeenAt ? ` It was last heard ${ago(satellite.lastSeenAt)}.` : "";
  const dialog = openForm(`Remove ${satellite.name}?`, [
    h("p", { class: "consequence" },
      `${connectionOf(satellite)}${seen} Its token stops working, and it can never be brought back: a new satellite of the same name has another id and another token. Its history stays on record.`),
    field("confirmation", "Type its name to go on", h("input", { spellcheck: "false", "data-first": true })),
  ], { label: "Remove it for good", danger: true }, async (data) => {
    if (data.get("confirmation").trim() !== satellite.name) {
      throw Object.assign(new Error(), { fields: new Map([["confirmation", `must be “${satellite.name}”`]]) });
    }
    await api("DELETE", `/satellites/${satellite.id}`);
    dialog.close();
    removed();
  });
}
