// Dialogs: the browser's own, which keep the focus and close by Escape.

import { copyButton, h } from "./dom.js";
import { exactSpan } from "./time.js";

let number = 0;

/** Opens a dialog; it is gone from the page once it closes, and `closed` is called. */
export function openDialog(title, content, closed = () => {}) {
  const id = `dialog-${++number}`;
  const close = h("button", { class: "quiet close", "aria-label": "Close", onclick: () => dialog.close() }, "✕");
  const dialog = h("dialog", { "aria-labelledby": id },
    h("div", { class: "dialog-head" }, h("h2", { id }, title), close),
    content);
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  (dialog.querySelector("[data-first]") ?? dialog.querySelector("input, textarea, select, .actions button"))?.focus();
  return dialog;
}

/** A labelled field. `hint` says what may stand in it. */
export function field(name, label, control, hint) {
  const error = h("p", { class: "error", id: `${name}-error`, hidden: true });
  control.id = `field-${name}`;
  control.name = name;
  control.setAttribute("aria-describedby", `${hint ? `${name}-hint ` : ""}${name}-error`);
  return h("div", { class: "field", "data-field": name },
    h("label", { for: control.id }, label),
    control,
    hint && h("p", { class: "hint", id: `${name}-hint` }, hint),
    error);
}

/** A field for a region, which knows those that there are. */
export function regionField(app, name, label, value, hint) {
  const regions = [...new Set([...app.fleet.satellites.values()].map((one) => one.region))].sort();
  const part = field(name, label, h("input", { value, maxlength: 200, required: name === "region", list: "known-regions" }), hint);
  part.append(h("datalist", { id: "known-regions" }, regions.map((value) => h("option", { value }))));
  return part;
}

/** Labelled boxes to tick, of which any number may be: `options` are value and label of each. */
export function choices(name, label, options, ticked, hint) {
  const boxes = options.map(([value, label], index) => h("label", {},
    h("input", { type: "checkbox", name, value, checked: ticked.includes(value), "aria-describedby": index === 0 && `${name}-error` }), label));
  return h("fieldset", { class: "field choices", "data-field": name },
    h("legend", { class: "label" }, label), h("div", {}, boxes),
    hint && h("p", { class: "hint" }, hint),
    h("p", { class: "error", id: `${name}-error`, hidden: true }));
}

/** Shows what a refused request says of each field, and the rest in `rest`. */
function showErrors(form, rest, error) {
  const left = new Map(error?.fields ?? []);
  for (const place of form.querySelectorAll("[data-field]")) {
    const names = place.dataset.field.split(" ");
    const key = [...left.keys()].find((key) => names.some((name) => key === name || key.startsWith(`${name}/`)));
    const said = place.querySelector(".error");
    said.hidden = key === undefined;
    said.textContent = key === undefined ? "" : `It ${left.get(key)}.`.replace("It at ", "It is wrong at ");
    place.querySelector("input, textarea, select").setAttribute("aria-invalid", key !== undefined);
    left.delete(key);
  }
  const whole = error && (left.size > 0 || error.fields?.size === 0 || !error.fields);
  rest.hidden = !whole;
  const others = [...left].map(([name, what]) => ` ${name || "It"} ${what}.`).join("");
  rest.textContent = whole ? (error.sentence ?? error.message) + others : "";
  form.querySelector("[aria-invalid=true]")?.focus();
}

/**
 * A form whose button does `submit`; it is disabled meanwhile, and what is refused is shown.
 * Answers the form.
 */
export function form(fields, button, submit, more = []) {
  const rest = h("p", { class: "error", role: "alert", hidden: true });
  const send = h("button", { type: "submit", class: button.danger ? "danger" : "primary" }, button.label);
  const element = h("form", { novalidate: true, onsubmit: sent },
    fields, rest, h("div", { class: "actions" }, more, send));
  async function sent(event) {
    event.preventDefault();
    send.disabled = true;
    showErrors(element, rest, undefined);
    try {
      await submit(new FormData(element));
    } catch (error) {
      showErrors(element, rest, error);
    } finally {
      send.disabled = false;
    }
  }
  return element;
}

/** Opens a dialog with a form and a way out. */
export function openForm(title, fields, button, submit, closed) {
  return openDialog(title, form(fields, button, submit, [cancelButton()]), closed);
}

/** Asks before something is done: what follows from it, and a button that does it. */
export function confirm(title, consequence, button, act) {
  const dialog = openForm(title, [h("p", { class: "consequence" }, consequence)], button, async () => {
    await act();
    dialog.close();
  });
}

/** How long an old secret goes on beside a new one; `consequence` says what follows, by the span in words. */
export function overlap(label, consequence) {
  const options = [[0, "At once"], [3_600, "1 hour"], [86_400, "1 day"], [604_800, "7 days"]];
  const select = h("select", { "data-first": true, onchange: say }, options.map(([seconds, label]) => h("option", { value: seconds }, label)));
  const text = h("p", { class: "consequence" });
  function say() {
    const seconds = Number(select.value);
    text.textContent = consequence(seconds > 0 && exactSpan(seconds * 1_000));
  }
  say();
  return [field("overlapSeconds", label, select), text];
}

/** Shows what came of a form in its place. */
export function showInstead(dialog, ...content) {
  dialog.querySelector("form").replaceWith(h("div", {}, content));
  dialog.querySelector(":is(.secret, .actions) button").focus();
}

/** What is shown this once, with a button that copies it. */
export function showOnce(app, what, secret) {
  const name = what.charAt(0).toUpperCase() + what.slice(1);
  return h("div", { class: "secret" }, h("code", { tabindex: 0, "aria-label": name }, secret), copyButton(secret, `the ${what}`, app.say));
}

/** The end of a dialog that has nothing more to ask. */
export function done(...more) {
  return h("div", { class: "actions" }, more, cancelButton("Done"));
}

/** A button that closes the dialog it stands in. */
function cancelButton(label = "Cancel") {
  return h("button", { onclick: (event) => event.target.closest("dialog").close() }, label);
}

/** Tags as a person writes them, `key=value` a line; answers an object. */
export function readTags(text) {
  const tags = {};
  for (const line of text.split(/[\n,]/).map((line) => line.trim()).filter(Boolean)) {
    const at = line.indexOf("=");
    const [key, value] = at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    tags[key] = value;
  }
  return tags;
}

/** Tags as a person reads them. */
export function writeTags(tags) {
  return Object.entries(tags).map(([key, value]) => `${key}=${value}`).join("\n");
}

/** Seconds as a person writes them, as milliseconds; null for none. */
export function readSeconds(text) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  return Math.round(Number(trimmed) * 1_000);
}
