// Why a satellite is what it is. The server explains; where it does not, its last edge does.

import { optional } from "./api.js";
import { h, icon } from "./dom.js";
import { exact, now, span } from "./time.js";
import { because, standing } from "./words.js";

/** What the server says, or nothing where it does not explain. */
export function readExplanation(id) {
  return optional(`/satellites/${id}/explain`);
}

function sentence(text) {
  const end = /[.!?:]$/.test(text) ? "" : ".";
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}

/** The card that says why. */
export function explanationCard(satellite, state, explanation) {
  const one = standing(satellite);
  const content = explanation ? ofServer(explanation) : ofLastEdge(satellite, state, one);
  return h("section", { class: "card why", "data-standing": satellite.enabled ? one : "disabled", "aria-labelledby": "why-title" },
    h("h2", { id: "why-title" }, icon(satellite.enabled ? one : "disabled"), "Why"), content);
}

function ofServer({ summary, because, outlook, advice }) {
  const list = (title, sentences) => sentences?.length > 0
    && h("div", {}, h("h3", {}, title), h("ul", {}, sentences.map((one) => h("li", {}, sentence(one)))));
  return [
    h("p", { class: "summary-line" }, sentence(summary)),
    h("div", { class: "reasons" },
      list("What to do", advice),
      list("What comes next", outlook?.map(({ sentence }) => sentence)),
      // The proof, for who wants it: the page's other parts stay in sight.
      because?.length > 0 && h("details", {}, h("summary", {}, "What it follows from"),
        h("ul", {}, because.map((one) => h("li", {}, sentence(one)))))),
  ];
}

function ofLastEdge(satellite, state, one) {
  const said = [];
  const since = satellite.lastEventAt && span(now() - Date.parse(satellite.lastEventAt));
  if (!satellite.enabled) said.push("It is disabled: its agent is refused until it is enabled again.");
  if (one === "never") said.push("Its agent has never connected. Start it with the token that was shown when the satellite was made; a new token can be made here.");
  else if (one === "online") said.push(`It has been online for ${since}, because ${because(state?.cause)}.`);
  else said.push(`It has been offline for ${since}, because ${because(state?.cause)}.`);
  if (one === "lost") said.push("If the connection still stands, its next heartbeat brings it back. Otherwise look at the machine and the network that it runs on.");
  return h("p", { class: "summary-line", title: satellite.lastEventAt && exact(satellite.lastEventAt) }, said.join(" "));
}
