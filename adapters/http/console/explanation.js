// Why a satellite is what it is, as the server explains it.

import { optional } from "./api.js";
import { h, icon } from "./dom.js";
import { card } from "./parts.js";
import { standing } from "./words.js";

/** What the server says. */
export function readExplanation(id) {
  return optional(`/satellites/${id}/explain`);
}

function sentence(text) {
  const end = /[.!?:]$/.test(text) ? "" : ".";
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}

function sentences(list) {
  return h("ul", {}, list.map((one) => h("li", {}, sentence(one))));
}

/** The card that says why. */
export function explanationCard(satellite, { summary, because = [], outlook = [], advice = [] }) {
  const list = (title, found) => found.length > 0 && h("div", {}, h("h3", {}, title), sentences(found));
  return whyCard(satellite.enabled ? standing(satellite) : "disabled", sentence(summary), h("div", { class: "reasons" },
    list("What to do", advice),
    list("What comes next", outlook.map(({ sentence }) => sentence)),
    // The proof, for who wants it: the page's other parts stay in sight.
    because.length > 0 && h("details", {}, h("summary", {}, "What it follows from"), sentences(because))));
}

/** A card that says why something stands as it does. */
export function whyCard(look, summary, ...more) {
  const node = card("why", [icon(look), "Why"], h("p", { class: "summary-line" }, summary), more);
  node.classList.add("why");
  node.dataset.standing = look;
  return node;
}
