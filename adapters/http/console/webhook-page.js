// One webhook: how it fares, what it wants, and what became of deliveries to it.

import { get } from "./api.js";
import { deliveriesCard } from "./deliveries.js";
import { copyButton, h, icon, setText } from "./dom.js";
import { whyCard } from "./explanation.js";
import { card, empty, facts, failure, spinner, when } from "./parts.js";
import { clock, now } from "./time.js";
import { editWebhook, redeliverSince, removeWebhook, rotateSecret, switchWebhook, tryWebhook } from "./webhook-dialogs.js";
import { DELIVERIES, MODES, hookStanding, wants } from "./webhook-words.js";

/** That it fails, and what others change, comes without a signal. */
const READ_MS = 5_000;

export function webhookPage(app, { id, query }) {
  const title = h("h1", { tabindex: -1 }, "Webhook");
  const crumb = h("span", { "aria-current": "page" }, "Webhook");
  const standing = h("span", { class: "standing big" }, spinner());
  const button = (label, action, kind) => h("button", { class: kind, onclick: () => action(app, hook, took) }, label);
  const flip = button("Pause", switchWebhook);
  const actions = h("div", { class: "head-actions", hidden: true },
    button("Send a sample", tryWebhook), button("Edit", editWebhook), flip, button("New secret", rotateSecret), button("Remove", removeWebhook, "danger"));
  const under = h("p", { class: "under-title" });
  const why = h("div");
  const settings = h("dl", { class: "facts wide" });
  const body = h("div", { class: "column wide" });
  const node = h("div", { class: "satellite" },
    h("p", { class: "crumbs" }, h("a", { href: "#/webhooks" }, "Webhooks"), " / ", crumb),
    h("div", { class: "head" }, h("div", { class: "head-title" }, title, standing), actions), under, body);
  let hook;
  let drawn;
  const leaving = new AbortController();
  const page = { title: "Webhook", node, close: () => leaving.abort() };

  const asked = query.get("state");
  const deliveries = deliveriesCard(app, id, leaving.signal, {
    state: Object.hasOwn(DELIVERIES, asked ?? "") ? asked : "",
    chosen: (state) => history.replaceState(null, "", `#/webhooks/${id}${state && `?state=${state}`}`),
    since: () => hook && redeliverSince(app, hook, deliveries.read),
  });
  body.append(why, card("settings", "Settings", settings), deliveries.node);

  function draw() {
    if (!hook || leaving.signal.aborted) return;
    const [events, ...more] = wants(hook, app.fleet);
    const { look, label, short, long } = hookStanding(hook);
    const text = JSON.stringify([hook, events, more, short]);
    if (text === drawn) return;
    drawn = text;
    setText(title, hook.name);
    setText(crumb, hook.name);
    document.title = `${hook.name} · Ground Control`;
    standing.dataset.standing = look;
    standing.replaceChildren(icon(look), label, short ? `${hook.active ? " " : ": "}${short}` : "");
    under.replaceChildren(h("code", {}, hook.url), copyButton(hook.url, "the URL", app.say));
    why.replaceChildren(long ? whyCard(look, long) : "");
    const old = hook.secrets.find(({ expiresAt }) => Date.parse(expiresAt) > now())?.expiresAt;
    facts([
      ["Wants", [events, more.length > 0 && h("ul", { class: "plain" }, more.map((part) => h("li", {}, part)))]],
      ["Mode", MODES[hook.mode] ?? hook.mode],
      ["Signed with", old ? `the new secret, and until ${clock(old)} the old one as well` : "one secret"],
      ["Headers", hook.headerNames.length > 0 ? `${hook.headerNames.join(", ")}; values are never shown` : "none besides its own"],
      ["Made", when(hook.createdAt)],
    ], settings);
    setText(flip, hook.active ? "Pause" : "Resume");
    actions.hidden = false;
  }

  /** Takes what the server answered to a change: nothing, once it is removed. */
  function took(changed) {
    if (!changed) {
      app.say(`${hook.name} is removed`);
      location.hash = "#/webhooks";
      return;
    }
    hook = changed;
    draw();
    deliveries.read();
  }

  async function read() {
    try {
      hook = await get(`/webhooks/${encodeURIComponent(id)}`);
      draw();
    } catch (error) {
      if (!hook || error.status === 404) stop(error);
    }
  }

  /** Shows why there is nothing to see. */
  function stop(error) {
    const absent = error.status === 404 || error.status === 422;
    if (absent) leaving.abort();
    for (const part of [actions, under, standing]) part.hidden = true;
    body.replaceChildren(absent
      ? empty("removed", hook ? "It was removed" : "There is no such webhook", h("p", {}, h("a", { href: "#/webhooks" }, "To the webhooks")))
      : failure("It cannot be read", error, () => location.reload()));
  }

  app.stream.addEventListener("signal", ({ detail }) => detail.webhookId === id && read(), leaving);
  app.fleet.addEventListener("changed", draw, leaving);
  app.stream.every(READ_MS, read, leaving.signal);
  read();
  return page;
}
