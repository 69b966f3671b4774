// Parts of pages that come again and again.

import { h, icon } from "./dom.js";
import { clock, exact } from "./time.js";

/** A point in time: `words`, and the exact time on demand. */
export function when(text, words = clock(text), name) {
  return h("time", { datetime: text, title: exact(text), class: name }, words);
}

/** Where something stands: a word with its shape and colour. */
export function badge(look, label, title) {
  return h("span", { class: "standing", "data-standing": look, title }, icon(look), label);
}

export function spinner() {
  return h("span", { class: "spinner", "aria-hidden": "true" });
}

export function loading(text = "Loading…") {
  return h("p", { class: "waiting", role: "status" }, spinner(), text);
}

/** A page without the frame around it. */
export function lonely(...content) {
  return h("main", { class: "lonely", id: "main" }, h("div", { class: "brand" }, icon("mark"), "Ground Control"), content);
}

/** What stands where there is nothing to show. */
export function empty(picture, title, ...more) {
  return h("div", { class: "empty" }, icon(picture), h("h2", {}, title), more);
}

/** What stands where something could not be read, and what to do about it. */
export function failure(title, error, again) {
  const part = empty("lost", title, h("p", {}, `${error.sentence ?? error}`), h("button", { onclick: again }, "Try again"));
  part.setAttribute("role", "alert");
  return part;
}

/** A part of a page with a title; `id` tells its title from others. */
export function card(id, title, ...content) {
  return h("section", { class: "card", "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), content);
}

/** A table around `rows`; a head may have a class, as `c-name:Name`. */
export function table(caption, heads, rows, name) {
  const columns = heads.map((head) => head.split(":").reverse()).map(([label, name]) => h("th", { scope: "col", class: name }, label));
  return h("table", { class: name }, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, columns)), rows);
}

/** What is wider than its card is scrolled; it is named by the card's title. */
export function sideways(id, content, name = "sideways") {
  return h("div", { class: name, role: "region", "aria-labelledby": `${id}-title`, tabindex: 0 }, content);
}

/** One of several, of which all are in sight: `options` are value and label of each. */
export function segments(name, label, options, chosen, choose) {
  return h("div", { class: "segments", role: "radiogroup", "aria-label": label }, options.map(([value, label]) => h("label", {},
    h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }), h("span", {}, label))));
}

/** Names and values. */
export function facts(rows, list = h("dl", { class: "facts" })) {
  list.replaceChildren(...rows.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  return list;
}
