// What is done to a webhook: make, edit, try, pause, resume, give a new secret, redeliver, remove.

import { api } from "./api.js";
import { responseOf } from "./deliveries.js";
import { choices, confirm, done, field, openDialog, openForm, overlap, regionField, showInstead, showOnce } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { loading } from "./parts.js";
import { clock, now } from "./time.js";
import { MODES } from "./webhook-words.js";
import { STREAMED, counted, eventLook } from "./words.js";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

function describing(app, hook) {
  const { events = [], region, tags } = hook?.filter ?? {};
  const text = (value = "", more = {}) => h("input", { value, spellcheck: "false", ...more });
  const types = [...new Set([...STREAMED, ...events])].map((type) => [type, eventLook(type).label]);
  return [
    field("name", "Name", text(hook?.name, { maxlength: 200, "data-first": true }), "Unique among all webhooks."),
    field("url", "URL", text(hook?.url, { inputmode: "url" }), "Where requests go. Addresses that are not public are refused unless the server allows them."),
    choices("filter/events", "Events", types, events, "None chosen: every event, also of kinds that come with later versions."),
    h("div", { class: "pair" },
      regionField(app, "filter/region", "Only in region", region),
      field("filter/tags", "Only with tags", text(tags), "Such as tier in (edge, core), !lab.")),
    field("mode", "Mode", h("select", {}, Object.entries(MODES).map(([value, label]) => h("option", { value, selected: value === hook?.mode }, label)))),
  ];
}

/** What a form says of a webhook; what it does not ask of the filter stays. */
function described(data, hook) {
  const text = (name) => data.get(name).trim();
  const filter = {
    ...hook?.filter,
    events: data.getAll("filter/events"),
    region: text("filter/region") || undefined,
    tags: text("filter/tags") || undefined,
  };
  return { name: text("name"), url: text("url"), mode: data.get("mode"), filter };
}

/** Makes a webhook, and shows its signing secret once. */
export function newWebhook(app, made) {
  const dialog = openForm("New webhook", describing(app), { label: "Make it" }, async (data) => {
    const { webhook, secret } = await api("POST", "/webhooks", described(data));
    made();
    dialog.querySelector("h2").textContent = webhook.name;
    showSecret(app, dialog, secret, h("a", { href: `#/webhooks/${webhook.id}`, onclick: () => dialog.close() }, "See it"));
  });
}

/** The signing secret in place of the form. */
function showSecret(app, dialog, secret, ...more) {
  showInstead(dialog,
    h("p", {}, "This is its signing secret. It is shown this once; if it is lost, make a new one."),
    showOnce(app, "signing secret", secret),
    h("p", { class: "hint" }, "With it the receiver verifies the header webhook-signature, as Standard Webhooks says."),
    done(...more));
}

/** Changes what a webhook wants, and where it is. */
export function editWebhook(app, hook, took) {
  const dialog = openForm(`Edit ${hook.name}`, describing(app, hook), { label: "Save" }, async (data) => {
    took(await api("PATCH", `/webhooks/${hook.id}`, described(data, hook)));
    app.say("Saved");
    dialog.close();
  });
}

/** Sends a sample, and shows what came of it. */
export function tryWebhook(app, hook) {
  const outcome = h("div", { class: "outcome" });
  const again = h("button", { onclick: send }, "Send another");
  async function send() {
    again.disabled = true;
    outcome.replaceChildren(loading("Waiting for its answer…"));
    try {
      const seen = await api("POST", `/webhooks/${hook.id}/test`);
      const answer = seen.status ? `It answered ${seen.status} after ${seen.latencyMs} ms.` : `There was no answer within ${seen.latencyMs} ms.`;
      outcome.replaceChildren(
        said(seen.accepted ? "online" : "lost", h("strong", {}, seen.accepted ? "It took the sample." : "It did not take the sample."), ` ${answer}`),
        seen.error ? h("p", { class: "error" }, seen.error) : "", responseOf(seen) ?? "");
    } catch (error) {
      outcome.replaceChildren(h("p", { class: "error", role: "alert" }, `${error.sentence ?? error}`));
    }
    again.disabled = false;
  }
  openDialog(`A sample to ${hook.name}`, h("div", {},
    h("p", { class: "hint" }, "A made-up event, signed like a real one. Its id begins with test:."),
    outcome, done(again)));
  send();
}

/** A line that says how something went. */
function said(look, ...words) {
  return h("p", { class: "waiting", role: "status", "data-standing": look }, icon(look), words);
}

/** Pauses a webhook, or resumes it. */
export function switchWebhook(app, hook, took) {
  const off = hook.active;
  const consequence = off
    ? "Nothing is sent until it is resumed. What happens meanwhile is kept, and delivered then, in order."
    : "What happened while it was paused is delivered now, in order, and then whatever happens.";
  confirm(`${off ? "Pause" : "Resume"} ${hook.name}?`, consequence, { label: off ? "Pause it" : "Resume it" }, async () => {
    took(await api("PATCH", `/webhooks/${hook.id}`, { active: !off }));
    app.say(off ? "Paused" : "Resumed");
  });
}

/** Gives a webhook a new signing secret. */
export function rotateSecret(app, hook, took) {
  const ask = overlap("The old secret stops signing", (span) => (span
    ? `For ${span} requests carry a signature of each, so the receiver goes on as it is. Give it the new secret before that.`
    : "From now on requests are signed with the new secret alone. Until the receiver is given it, it refuses them; they are attempted again."));
  const dialog = openForm(`New secret for ${hook.name}`, ask, { label: "Make a new secret", danger: true }, async (data) => {
    const { webhook, secret } = await api("POST", `/webhooks/${hook.id}/rotate-secret`, { overlapSeconds: Number(data.get("overlapSeconds")) });
    showSecret(app, dialog, secret);
    took(webhook);
  });
}

/** Sends everything again that became a delivery since a time. */
export function redeliverSince(app, hook, redelivered) {
  // What failed first was made a little before that.
  const begin = hook.failingSince ? Date.parse(hook.failingSince) - MINUTE_MS : now() - HOUR_MS;
  const since = h("input", { type: "datetime-local", step: 1, "data-first": true, oninput: say, value: local(begin) });
  const consequence = h("p", { class: "consequence", role: "status" });
  function say() {
    const at = new Date(since.value);
    consequence.textContent = !at.getTime() ? "Say since when." : `Every delivery made since ${clock(at)} will be sent again, also those that the receiver took already, in order for each satellite. The receiver knows a repetition by its webhook-id.${hook.active ? "" : " They wait until the webhook is resumed."}`;
  }
  say();
  const dialog = openForm(`Redeliver to ${hook.name}`, [
    field("since", "Everything since", since, "This machine's time. What was delivered is kept for 7 days, what was given up for 30."), consequence,
  ], { label: "Redeliver them" }, async () => {
    const at = new Date(since.value);
    const { deliveries } = await api("POST", `/webhooks/${hook.id}/redeliver`, { since: at.getTime() ? at.toISOString() : "" });
    redelivered();
    const words = deliveries > 0 ? `${counted(deliveries, "delivery", "deliveries")} will be sent again.` : "Nothing was made since then.";
    showInstead(dialog, said(deliveries > 0 ? "online" : "never", words), done());
  });
}

/** A point in time as a field for one wants it, in this machine's time zone. */
function local(millis) {
  return new Date(millis - new Date(millis).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Removes a webhook for good. */
export function removeWebhook(app, hook, took) {
  confirm(`Remove ${hook.name}?`, "Its receiver is told of nothing any more. Its secret and its deliveries go with it for good, also those that wait; events stay on record. To stop it for a while, pause it.",
    { label: "Remove it for good", danger: true }, async () => {
      await api("DELETE", `/webhooks/${hook.id}`);
      took();
    });
}
