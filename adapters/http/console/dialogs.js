// Dialogs: the browser's own, which keep the focus and close by Escape.

import { h } from "./dom.js";

let number = 0;

/** Opens a dialog; it is gone from the page once it closes, and `closed` is called. */
export function openDialog(title, content, closed = () => {}) {
  const id = `dialog-${++number}`;
  const close = h("button", { type: "button", class: "quiet close", "aria-label": "Close", onclick: () => dialog.close() }, "✕");
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
  const described = [];
  if (hint) described.push(`${name}-hint`);
  described.push(`${name}-error`);
  control.setAttribute("aria-describedby", described.join(" "));
  return h("div", { class: "field", "data-field": name },
    h("label", { for: control.id }, label),
    control,
    hint && h("p", { class: "hint", id: `${name}-hint` }, hint),
    error);
}

/** Shows what a refused request says of each field, and the rest in `rest`. */
export function showErrors(form, rest, error) {
  const left = new Map(error?.fields ?? []);
  for (const place of form.querySelectorAll("[data-field]")) {
    const names = place.dataset.field.split(" ");
    const key = [...left.keys()].find((key) => names.includes(key.split("/")[0]));
    const said = place.querySelector(".error");
    said.hidden = key === undefined;
    said.textContent = key === undefined ? "" : `It ${left.get(key)}.`;
    place.querySelector("input, textarea, select").setAttribute("aria-invalid", key !== undefined);
    left.delete(key);
  }
  const whole = error && (left.size > 0 || error.fields?.size === 0 || !error.fields);
  rest.hidden = !whole;
  rest.textContent = whole ? error.sentence ?? error.message : "";
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

/** A button that closes the dialog it stands in. */
export function cancelButton(label = "Cancel") {
  return h("button", { type: "button", onclick: (event) => event.target.closest("dialog").close() }, label);
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
