// The two views of events: what happens, and who is told of it.

import { h } from "./dom.js";

const VIEWS = { events: "Live log", webhooks: "Webhooks" };

/** The head of a view: the page's title, `more` beside it, and the way to the other view. */
export function eventViews(current, ...more) {
  return h("div", { class: "views" },
    h("div", { class: "head" }, h("h1", { tabindex: -1 }, "Events", h("span", { class: "unseen" }, `: ${VIEWS[current].toLowerCase()}`)), more),
    h("nav", { "aria-label": "Views of events" },
      Object.entries(VIEWS).map(([name, label]) => h("a", { href: `#/${name}`, "aria-current": name === current && "page" }, label))));
}
