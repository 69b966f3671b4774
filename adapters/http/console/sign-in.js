// The sign-in page.

import { api } from "./api.js";
import { field, form } from "./dialogs.js";
import { h } from "./dom.js";
import { lonely } from "./parts.js";

/** The page; `why` says why one has to sign in again, and `done` is called with the session. */
export function signInPage(why, done) {
  const token = h("input", { type: "password", autocomplete: "current-password", spellcheck: "false", required: true, "data-first": true });
  const element = form([
    field("token", "API token", token, "It begins with gcapi_. The first one is in the file admin-token in the server's data folder."),
  ], { label: "Sign in" }, async (data) => {
    try {
      const session = await api("POST", "/session", { token: data.get("token") });
      token.value = "";
      done(session);
    } catch (error) {
      if (error.status === 401) error.fields = new Map([["token", "is unknown, revoked or expired"]]);
      throw error;
    }
  });
  return lonely(
    h("h1", { tabindex: -1 }, "Sign in"),
    why && h("p", { class: "note", role: "alert" }, why),
    element,
    h("p", { class: "hint" }, "The token stays in this browser for a week, where no script can read it. Make one of your own with ",
      h("code", {}, "groundcontrol api-tokens create"), "."));
}
