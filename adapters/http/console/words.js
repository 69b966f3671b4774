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

/** What a cause means, as the end of "It is …, because". */
const CAUSES = {
  authenticated: "its agent connected and authenticated",
  took_over: "a newer connection of its agent took over",
  heartbeat_resumed: "it was silent for too long, and then heard again on the same connection",
  client_closed: "its agent closed the connection",
  connection_lost: "the connection broke without a goodbye: the process died, or the network between",
  idle_timeout: "nothing was heard on the connection for too long, so it was closed",
  protocol_error: "its agent said something that the protocol does not allow",
  slow_consumer: "its agent did not read what it was sent",
  revoked: "its token was revoked, or it was disabled",
  heartbeat_timeout: "its heartbeats stopped for longer than its threshold, though the connection did not end",
};

export function because(cause) {
  return CAUSES[cause] ?? `of ${cause ?? "something that this console does not know"}`;
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
