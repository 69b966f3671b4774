// The fleet: how many are what, and a table of all, live.

import { h } from "./dom.js";
import { FleetTable } from "./fleet-table.js";
import { badge, empty, failure, loading } from "./parts.js";
import { newSatellite } from "./satellite-dialogs.js";
import { STANDINGS, count, standing } from "./words.js";

/** Regions that are shown beside the counts; the rest is in the choice. */
const REGIONS_SHOWN = 12;
/** Counts and choices are made again at most this often. */
const COUNT_MS = 300;

export function fleetPage(app, { query }) {
  const filter = {
    text: query.get("q") ?? "",
    standing: query.get("status") ?? "",
    region: query.get("region") ?? "",
    tag: query.get("tag") ?? "",
  };
  const table = new FleetTable(app, filter);
  const standings = h("div", { class: "counts", role: "group", "aria-label": "Filter by status" });
  const regions = h("div", { class: "regions", role: "group", "aria-label": "Filter by region" });
  const search = h("input", { type: "search", id: "search", placeholder: "Name, region or id", value: filter.text, spellcheck: "false", oninput: () => set("text", search.value) });
  const region = h("select", { id: "region", onchange: () => set("region", region.value) });
  const tag = h("input", { type: "search", id: "tag", placeholder: "key or key=value", value: filter.tag, list: "known-tags", spellcheck: "false", oninput: () => set("tag", tag.value) });
  const tags = h("datalist", { id: "known-tags" });
  const clear = h("button", { class: "quiet", onclick: clearAll }, "Clear filters");
  const body = h("div", { class: "fleet-body" });

  const node = h("div", { class: "fleet" },
    h("div", { class: "head" }, h("h1", { tabindex: -1 }, "Fleet"),
      app.manages && h("button", { class: "primary", onclick: () => newSatellite(app) }, "New satellite")),
    h("section", { class: "summary", "aria-label": "Counts" }, standings, regions),
    h("div", { class: "tools", role: "search" },
      h("div", { class: "tool wide" }, h("label", { for: "search" }, "Search"), search),
      h("div", { class: "tool" }, h("label", { for: "region" }, "Region"), region),
      h("div", { class: "tool" }, h("label", { for: "tag" }, "Tag"), tag, tags),
      clear),
    body);

  function set(name, value) {
    filter[name] = value;
    const shown = new URLSearchParams();
    for (const [key, name] of [["q", "text"], ["status", "standing"], ["region", "region"], ["tag", "tag"]]) {
      if (filter[name]) shown.set(key, filter[name]);
    }
    const text = shown.toString();
    history.replaceState(null, "", `#/fleet${text ? `?${text}` : ""}`);
    table.refilter();
    draw();
  }

  function clearAll() {
    search.value = tag.value = "";
    Object.assign(filter, { text: "", standing: "", region: "", tag: "" });
    set("text", "");
    search.focus();
  }

  const chips = new Map();
  /** A button that filters, and is pressed while it does. */
  function chip(place, key, pressed, onclick, ...content) {
    let button = chips.get(key);
    if (!button) {
      button = h("button", { class: "chip", onclick });
      chips.set(key, button);
    }
    button.setAttribute("aria-pressed", pressed);
    const text = content.map((one) => one.textContent + [...one.children].map((part) => part.style.width).join()).join("|");
    if (button.dataset.text !== text) {
      button.dataset.text = text;
      button.replaceChildren(...content);
    }
    if (button.parentNode !== place) place.append(button);
    return button;
  }

  function draw() {
    const { satellites, state } = app.fleet;
    const byStanding = { lost: 0, disconnected: 0, never: 0, online: 0 };
    const byRegion = new Map();
    const known = new Set();
    for (const satellite of satellites.values()) {
      const one = standing(satellite);
      byStanding[one] += 1;
      const place = byRegion.get(satellite.region) ?? { online: 0, lost: 0, all: 0 };
      place.all += 1;
      if (one in place) place[one] += 1;
      byRegion.set(satellite.region, place);
      for (const [key, value] of Object.entries(satellite.tags)) if (known.size < 500) known.add(`${key}=${value}`);
    }
    chip(standings, "all", filter.standing === "", () => set("standing", ""), h("b", {}, count(satellites.size)), h("span", {}, "All"));
    for (const one of ["online", "lost", "disconnected", "never"]) {
      const button = chip(standings, one, filter.standing === one, () => set("standing", filter.standing === one ? "" : one),
        h("b", {}, count(byStanding[one])), badge(one, STANDINGS[one]));
      button.dataset.none = byStanding[one] === 0;
    }
    drawRegions(byRegion);
    drawChoices(region, ["", ...[...byRegion.keys()].sort()], filter.region);
    if (tags.childElementCount !== known.size) tags.replaceChildren(...[...known].sort().map((value) => h("option", { value })));
    clear.hidden = !Object.values(filter).some(Boolean);
    body.dataset.state = state === "ready" || satellites.size > 0 ? "table" : state === "loading" ? "loading" : "error";
    drawBody(state, satellites.size);
  }

  function drawRegions(byRegion) {
    // Where most is wrong comes first.
    const sorted = [...byRegion].sort(([a, x], [b, y]) => (y.all - y.online) - (x.all - x.online) || a.localeCompare(b));
    const shown = new Set();
    for (const [name, { online, lost, all }] of sorted.slice(0, REGIONS_SHOWN).sort(([a], [b]) => a.localeCompare(b))) {
      shown.add(`region ${name}`);
      const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span", { class: "online" }), h("span", { class: "lost" }));
      bar.firstChild.style.width = `${(100 * online) / all}%`;
      bar.lastChild.style.width = `${(100 * lost) / all}%`;
      const button = chip(regions, `region ${name}`, filter.region === name, () => set("region", filter.region === name ? "" : name),
        h("span", { class: "name" }, name), h("span", { class: "of" }, `${count(online)} / ${count(all)}`, h("span", { class: "unseen" }, " online")), bar);
      regions.append(button);
    }
    for (const [key, button] of chips) {
      if (key.startsWith("region ") && !shown.has(key)) {
        button.remove();
        chips.delete(key);
      }
    }
    regions.hidden = byRegion.size < 2;
  }

  function drawChoices(select, values, chosen) {
    const wanted = values.includes(chosen) ? values : [...values, chosen];
    if (select.dataset.values !== wanted.join("\n")) {
      select.dataset.values = wanted.join("\n");
      select.replaceChildren(...wanted.map((value) => h("option", { value }, value || "All regions")));
    }
    select.value = chosen;
  }

  let drawn;
  function drawBody(state, size) {
    const kind = size > 0 ? "table" : state === "ready" ? "empty" : state === "loading" ? "loading" : "error";
    if (drawn === kind && kind !== "error") return;
    drawn = kind;
    if (kind === "table") body.replaceChildren(table.node);
    else if (kind === "loading") body.replaceChildren(loading("Reading the fleet…"));
    else if (kind === "error") body.replaceChildren(failure("The fleet cannot be read", state, () => app.fleet.load()));
    else body.replaceChildren(empty("mark", "No satellites yet",
      h("p", {}, "A satellite is an agent somewhere else. Make one, start its agent with the token that you get, and see it here."),
      app.manages ? h("button", { class: "primary", onclick: () => newSatellite(app) }, "New satellite") : h("p", { class: "hint" }, "Your token may only read.")));
    if (kind === "table") table.shown();
  }

  let waiting;
  function changed(event) {
    table.changed(event.detail);
    waiting ??= setTimeout(() => {
      waiting = undefined;
      draw();
    }, COUNT_MS);
  }
  function slash(event) {
    const typing = event.target.closest("input, textarea, select, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
  }
  app.fleet.addEventListener("changed", changed);
  addEventListener("keydown", slash);
  draw();
  return {
    title: "Fleet",
    node,
    shown: () => table.shown(),
    close() {
      clearTimeout(waiting);
      app.fleet.removeEventListener("changed", changed);
      removeEventListener("keydown", slash);
      table.close();
    },
  };
}
