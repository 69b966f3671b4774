// What is said of webhooks and deliveries: one place for each word.

import { clock } from "./time.js";
import { counted, eventLook, plain } from "./words.js";

/** Satellites that are named; where there are more they are counted. */
const NAMED = 3;

const PAUSES = {
  operator: ["by an operator", "What happens meanwhile is kept, and delivered in order once it is resumed."],
  gone: ["the receiver wants no more", "Its receiver answered 410: it wants no more. Mend the receiver or change the URL, then resume it; nothing is lost."],
  failing: ["nothing succeeded for a day", "No attempt succeeded for a day. Mend the receiver, see by a sample that it answers, then resume it; nothing is lost."],
};

/** Whether a webhook is delivered to: a word with its look, and why where it is not as it should be. */
export function hookStanding({ active, pausedReason, failingSince }) {
  if (!active) {
    const [short, long] = PAUSES[pausedReason] ?? [plain(pausedReason)];
    return { look: pausedReason === "operator" ? "disabled" : "lost", label: "Paused", short, long };
  }
  if (!failingSince) return { look: "online", label: "Active" };
  const since = clock(failingSince);
  return {
    look: "degraded", label: "Failing", short: `since ${since}`,
    long: `No attempt has succeeded since ${since}. Each delivery is attempted again for three days, with growing waits; after a day the webhook is paused.`,
  };
}

/** Which events a webhook wants: what is asked of them, in words; at least one part. */
export function wants({ filter, alertsOnly }, fleet) {
  if (alertsOnly) return ["Alerts of rules"];
  const { events = [], region, tags, satelliteIds = [], causes = [] } = filter ?? {};
  const names = satelliteIds.map((id) => fleet.satellites.get(id)?.name ?? id.slice(0, 8));
  return [
    events.length === 0 ? "Every event" : listed(events.map((type) => eventLook(type).label)),
    region && `in ${region}`,
    tags && `with tags ${tags}`,
    names.length > 0 && `of ${names.length > NAMED ? counted(names.length, "satellite") : listed(names)}`,
    causes.length > 0 && `because of ${listed(causes.map(plain))}`,
  ].filter(Boolean);
}

function listed(words) {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** Where deliveries stand. */
export const DELIVERIES = {
  waiting: { label: "Waiting", look: "never" },
  delivered: { label: "Delivered", look: "healthy" },
  dead: { label: "Given up", look: "lost" },
};

/** Where one stands; one that waits because an attempt failed is not as one that nobody attempted yet. */
export function deliveryStanding({ state, attempts }) {
  if (state === "waiting" && attempts > 0) return { label: "Waiting", look: "degraded" };
  return DELIVERIES[state] ?? { label: plain(state), look: "never" };
}

export const MODES = {
  structured: "Structured: the body is the whole event",
  binary: "Binary: the body is the payload, the rest is in headers",
};
