// The console: who is signed in, what is kept up to date, and which page is shown.

import { api, onSignedOut } from "./api.js";
import { h, icon, setAttr } from "./dom.js";
import { eventsPage } from "./events-page.js";
import { Fleet } from "./fleet.js";
import { fleetPage } from "./fleet-page.js";
import { loading, lonely } from "./parts.js";
import { satellitePage } from "./satellite-page.js";
import { signInPage } from "./sign-in.js";
import { Stream } from "./stream.js";
import { clock, now, span } from "./time.js";
import { webhookPage } from "./webhook-page.js";
import { webhooksPage } from "./webhooks-page.js";

/** Events that the page remembers. */
const REMEMBERED = 2_000;

const root = document.getElementById("app");
const said = document.getElementById("said");

/** What pages share while somebody is signed in; none while nobody is. */
let app;
let page;

/** Tells those who hear the page rather than see it. */
function say(text) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = text; });
}

function signIn(why) {
  leave();
  document.title = "Sign in · Ground Control";
  root.replaceChildren(signInPage(why, enter));
  root.querySelector("input").focus();
}

function leave() {
  page?.close();
  page = undefined;
  app?.close();
  app = undefined;
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
}

/** Builds what a signed-in person needs, and shows the page that the address names. */
function enter(session) {
  leave();
  const fleet = new Fleet();
  const stream = new Stream();
  const events = [];
  const manages = session.scopes.some((scope) => scope === "satellite.manage" || scope === "admin");
  const bar = stateBar(stream);
  app = { session, fleet, stream, events, manages, say, close };
  stream.addEventListener("event", ({ detail }) => {
    events.push(detail);
    if (events.length > REMEMBERED) events.splice(0, events.length - REMEMBERED);
    fleet.event(detail);
  });
  stream.addEventListener("signal", ({ detail }) => fleet.signal(detail));
  // Once nothing is missed any more, everything is read, so that nothing falls between the two.
  stream.addEventListener("state", () => {
    if (stream.state === "live") fleet.load();
  });
  function close() {
    stream.close();
    bar.stop();
  }
  root.replaceChildren(frame(session, bar));
  stream.follow();
  show();
}

function frame(session, bar) {
  const main = h("main", { id: "main", tabindex: -1 });
  const skip = (event) => {
    event.preventDefault();
    main.focus();
  };
  return h("div", { class: "frame" },
    h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the content"),
    h("header", {},
      h("a", { class: "brand", href: "#/fleet" }, icon("mark"), "Ground Control"),
      h("nav", { "aria-label": "Pages" },
        h("a", { href: "#/fleet", "data-page": "fleet" }, "Fleet"),
        h("a", { href: "#/events", "data-page": "events" }, "Events"),
        h("a", { href: "/docs/" }, "API")),
      bar.badge,
      h("div", { class: "self" },
        themeChoice(),
        h("span", { class: "actor", title: `This token may: ${session.scopes.join(", ")}` }, session.actor),
        h("button", { class: "small", onclick: signOut }, "Sign out"))),
    bar.banner,
    main);
}

async function signOut() {
  await api("DELETE", "/session").catch(() => {});
  signIn();
}

function themeChoice() {
  const root = document.documentElement;
  const select = h("select", { class: "small", "aria-label": "Theme", onchange: choose },
    [["", "System"], ["light", "Light"], ["dark", "Dark"]].map(([value, label]) => h("option", { value }, label)));
  select.value = root.dataset.theme ?? "";
  function choose() {
    if (select.value) root.dataset.theme = select.value;
    else delete root.dataset.theme;
    try {
      localStorage.setItem("groundcontrol.theme", select.value);
    } catch {
      // Without storage it holds until the page is left.
    }
  }
  return select;
}

/** Whether the page is up to date: a badge, and a banner where it is not. */
function stateBar(stream) {
  const badge = h("p", { class: "live", role: "status" });
  const text = h("span", {});
  const banner = h("div", { class: "stale", role: "alert", hidden: true }, icon("lost"), text);
  let announced;
  function draw() {
    const stale = stream.state === "stale";
    const words = { connecting: "Connecting…", live: "Live", stale: `Stale since ${stale ? clock(new Date(stream.since)) : ""}` };
    if (announced !== words[stream.state]) {
      announced = words[stream.state];
      badge.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), announced);
    }
    setAttr(badge, "data-state", stream.state);
    setAttr(document.documentElement, "data-stale", stale);
    banner.hidden = !stale;
    if (stale) {
      const ended = clock(new Date(stream.since));
      const sentence = `Not up to date since ${ended}: the server cannot be reached. What you see may have changed. Trying again`;
      const whole = `${sentence}, for ${span(now() - stream.since)}.`;
      if (text.textContent !== whole) text.textContent = whole;
    }
  }
  stream.addEventListener("state", draw);
  const ticking = setInterval(draw, 5_000);
  draw();
  return { badge, banner, stop: () => { clearInterval(ticking); setAttr(document.documentElement, "data-stale", false); } };
}

/** What the address names: `#/fleet?status=lost`, `#/satellites/ID`, `#/events`, `#/webhooks/ID?state=dead`. */
function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id] = path.split("/");
  return { name: name || "fleet", id: id && decodeURIComponent(id), query: new URLSearchParams(query) };
}

const PAGES = {
  fleet: fleetPage,
  satellites: satellitePage,
  events: eventsPage,
  webhooks: (app, place) => (place.id && app.manages ? webhookPage : webhooksPage)(app, place),
};
/** Pages that are shown under another one. */
const UNDER = { satellites: "fleet", webhooks: "events" };

function show() {
  if (!app) return;
  const { name, id, query } = place();
  const main = document.getElementById("main");
  page?.close();
  for (const link of root.querySelectorAll("header nav a")) {
    const here = link.dataset.page === (UNDER[name] ?? name);
    setAttr(link, "aria-current", here ? "page" : undefined);
  }
  page = (PAGES[name] ?? nothing)(app, { id, query });
  document.title = `${page.title} · Ground Control`;
  main.replaceChildren(page.node);
  main.scrollTop = 0;
  main.className = `page-${name}`;
  // Whoever hears the page learns that it is another one.
  page.node.querySelector("h1")?.focus({ preventScroll: true });
  page.shown?.();
}

function nothing() {
  return {
    title: "Nothing here",
    node: h("div", { class: "empty" }, h("h1", { tabindex: -1 }, "There is nothing here"),
      h("p", {}, h("a", { href: "#/fleet" }, "To the fleet"))),
    close() {},
  };
}

addEventListener("hashchange", show);
onSignedOut(() => {
  if (app) signIn("Your session is over: the token was revoked or has expired.");
});

async function begin() {
  root.replaceChildren(lonely(loading()));
  try {
    enter(await api("GET", "/session"));
  } catch (error) {
    if (error.status === 401 || error.status === 403) return signIn();
    root.replaceChildren(lonely(
      h("h1", { tabindex: -1 }, "Ground Control does not answer"), h("p", { role: "alert" }, error.sentence),
      h("div", { class: "actions" }, h("button", { class: "primary", onclick: begin }, "Try again"))));
  }
}

begin();
