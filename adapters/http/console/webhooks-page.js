// Webhooks: who is told of events, and whether that works.

import { pages } from "./api.js";
import { h } from "./dom.js";
import { eventViews } from "./event-views.js";
import { badge, empty, failure, loading, table, when } from "./parts.js";
import { newWebhook } from "./webhook-dialogs.js";
import { hookStanding, wants } from "./webhook-words.js";

/** What others change, and which began to fail, comes without a signal. */
const READ_MS = 10_000;

export function webhooksPage(app) {
  const make = (label) => h("button", { class: "primary", onclick: () => newWebhook(app, read) }, label);
  const rows = h("tbody");
  const scroller = h("div", { class: "scroller", role: "region", "aria-label": "Webhooks", tabindex: 0 },
    table("Webhooks", ["Name", "c-standing:Standing", "Wants", "c-url:URL", "c-made:Made"], rows, "hooks"));
  const body = h("div", { class: "events-body" }, app.manages ? loading() : notForThisToken());
  const node = h("div", { class: "events" }, eventViews("webhooks", app.manages && make("New webhook")), body);

  const leaving = new AbortController();
  let known;
  async function read() {
    const found = [];
    try {
      await pages("/webhooks", (items) => { found.push(...items); });
      known = found;
      draw();
    } catch (error) {
      // What was read stays: that the server is away is said above.
      if (!known) body.replaceChildren(error.status === 403 ? notForThisToken() : failure("Webhooks cannot be read", error, read));
    }
  }

  let drawn;
  function draw() {
    if (!known) return;
    const all = known.map((hook) => ({ ...hook, parts: wants(hook, app.fleet) }));
    const text = JSON.stringify(all);
    if (text === drawn) return;
    drawn = text;
    rows.replaceChildren(...all.map(hookRow));
    const nobody = () => empty("mark", "Nobody is told yet",
      h("p", {}, "A webhook is an address that hears of events as they happen: signed, in order for each satellite, and again until it answers."),
      make("Make the first webhook"));
    body.replaceChildren(all.length > 0 ? scroller : nobody());
  }

  if (app.manages) {
    app.stream.addEventListener("signal", ({ detail }) => detail.type === "webhook.paused" && read(), leaving);
    app.stream.addEventListener("state", () => app.stream.state === "live" && read(), leaving);
    app.fleet.addEventListener("changed", draw, leaving);
    app.stream.every(READ_MS, read, leaving.signal);
    read();
  }
  return { title: "Webhooks", node, close: () => leaving.abort() };
}

function hookRow(hook) {
  const { look, label, short } = hookStanding(hook);
  const [events, ...more] = hook.parts;
  const hint = (text) => h("span", { class: "hint" }, text);
  return h("tr", {},
    h("th", { scope: "row" }, h("a", { href: `#/webhooks/${hook.id}` }, hook.name), h("span", { class: "under" }, hook.url)),
    h("td", { class: "c-standing" }, badge(look, label), short && hint(short)),
    h("td", {}, events, more.map(hint)),
    h("td", { class: "c-url" }, hook.url),
    h("td", { class: "c-made" }, when(hook.createdAt)));
}

/** What stands where a token may read the fleet only. */
function notForThisToken() {
  return empty("disabled", "This token does not show webhooks",
    h("p", {}, "They say where events are sent, so seeing them takes a token that may ", h("code", {}, "satellite.manage"),
      ". Whoever has one can make you another:"),
    h("code", {}, "groundcontrol api-tokens create NAME --scope satellite.manage"));
}
