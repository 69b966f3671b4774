// Points in time and spans, as people read them.

const EXACT = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  timeZoneName: "short",
});
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY_CLOCK = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The server's time less this machine's, in milliseconds, as its answers tell. */
let ahead = 0;

/** Takes the header `Date` of an answer; it has no milliseconds, so small differences are none. */
export function heardServerTime(header) {
  const at = Date.parse(header ?? "");
  if (Number.isNaN(at)) return;
  const difference = at + 500 - Date.now();
  ahead = Math.abs(difference) > 2_000 ? difference : 0;
}

/** The server's time now, in milliseconds. */
export function now() {
  return Date.now() + ahead;
}

/** `12 s`, `3 min`, `5 h`, `2 d`. */
export function span(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** `just now`, `12 s ago`, … of an RFC 3339 text. */
export function ago(text) {
  const millis = now() - Date.parse(text);
  return millis < 3_000 ? "just now" : `${span(millis)} ago`;
}

/** The exact time here, and in UTC. */
export function exact(text) {
  const at = new Date(text);
  return `${EXACT.format(at)}\n${at.toISOString().replace("T", " ").replace("Z", " UTC")}`;
}

/** Hours, minutes and seconds, with the day where it is not today's. */
export function clock(text) {
  const at = new Date(text);
  const today = new Date(now()).toDateString() === at.toDateString();
  return (today ? CLOCK : DAY_CLOCK).format(at);
}

/** A span that an operator sets: `45 s`, `2 min`, `1 h 30 min`. */
export function exactSpan(millis) {
  const parts = [];
  let rest = millis;
  for (const [name, size] of [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000], ["ms", 1]]) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(`${count} ${name}`);
  }
  return parts.join(" ") || "0 s";
}
