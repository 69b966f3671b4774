// What is said of satellites: one place for each word.

/** The kinds of status that the console tells apart, in the order of how much they matter. */
export const STANDINGS = {
  lost: "Lost",
  disconnected: "Disconnected",
  never: "Never connected",
  online: "Online",
};

/** Which of them a satellite is. The server says online or offline; its last edge says why. */
export function standing(satellite) {
  if (satellite.status === "online") return "online";
  if (!satellite.lastEvent) return "never";
  // A silence is no edge until it is recorded: without an end it can only be a loss.
  return satellite.lastEvent === "disconnected" ? "disconnected" : "lost";
}

export const EDGES = {
  connected: "Connected",
  disconnected: "Disconnected",
  heartbeat_lost: "Heartbeat lost",
  removed: "Removed",
};

/** The icon and colour of an edge. */
export const EDGE_STANDINGS = {
  connected: "online",
  disconnected: "disconnected",
  heartbeat_lost: "lost",
  removed: "removed",
};

/** What is known of each type of event: its name, icon and colour. */
const EVENTS = new Map([
  ...Object.entries(EDGES).map(([edge, label]) => [`satellite.${edge}`, { label, look: EDGE_STANDINGS[edge] }]),
  ["fleet.region_loss_suspected", { label: "Region loss suspected", look: "lost" }],
  ["alert.firing", { label: "Alert firing", look: "lost" }],
  ["alert.resolved", { label: "Alert resolved", look: "online" }],
]);

/** The types that the event stream carries, as far as this console knows. */
export const STREAMED = [...EVENTS.keys()].filter((type) => !type.startsWith("alert."));

/** How an event of this type is shown; a type that nobody knew when this was written, by itself. */
export function eventLook(type) {
  return EVENTS.get(type) ?? { label: type ?? "unknown", look: "never" };
}

/** `heartbeat_timeout` as words. */
export function plain(name) {
  return (name ?? "–").replaceAll("_", " ");
}

const COUNT = new Intl.NumberFormat("en-GB");

/** `10,000` */
export function count(number) {
  return COUNT.format(number);
}

/** `1 satellite`, `2 satellites` */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}
