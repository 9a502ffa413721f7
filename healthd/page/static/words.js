// How things are called and counted, and in which order they are shown.

/** Trouble first. */
export const STATES = ["down", "unknown", "maintenance", "drain", "up"];

const RANK = { down: 0, unknown: 1, maintenance: 3, drain: 4, up: 6 };

/** The smaller, the sooner somebody should look. */
export function serverRank(server) {
  if (server.state === "up") return server.progress ? 2 : server.override ? 5 : 6;
  return RANK[server.state] ?? 1;
}

export function serviceRank(service) {
  if (service.standing === "lost") return -2;
  if (service.fallback_active || service.available < service.min_available) return -1;
  return service.servers.reduce((worst, server) => Math.min(worst, serverRank(server)), 7);
}

/** Such as "down", "up, failing 1/3", "drain, down". */
export function stateWords(server) {
  const worse = server.health !== "up" ? server.health : server.degraded ? "degraded" : "";
  const words = worse && worse !== server.state ? `${server.state}, ${worse}` : server.state;
  if (!server.progress) return words;
  return `${words}, ${server.health === "up" ? "failing" : "passing"} ${server.progress}`;
}

/** Since when it is so: held by an operator, or as its checks find it. */
export function stateSince({ override, since }) {
  return override && override.admin !== "ready" ? override.since : since;
}

export function weightWords(server) {
  if (server.weight == null) return "out";
  const weight = String(server.weight);
  return weight === String(server.configured_weight) ? weight : `${weight} of ${server.configured_weight}`;
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Seconds as people say them: two units at most. */
export function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) return pair(whole, 3600, "h", 60, "min");
  return pair(whole, 86400, "d", 3600, "h");
}

function pair(whole, large, name, small, smallName) {
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)} ${name}${rest ? ` ${rest} ${smallName}` : ""}`;
}

export function milliseconds(seconds) {
  if (seconds == null) return "–";
  const value = seconds * 1000;
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MOMENT = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });

/** The time of day if it is today, else with the date. */
export function moment(epoch) {
  const then = new Date(epoch * 1000);
  return then.toDateString() === new Date().toDateString() ? TIME.format(then) : MOMENT.format(then);
}

export const fullMoment = (epoch) => MOMENT.format(new Date(epoch * 1000));

export const timeOfDay = () => TIME.format(new Date());

/** "90", "90s", "5m", "2h", "1d" or "1h30m" in seconds; null if it is none of them. */
export function seconds(text) {
  const UNITS = { s: 1, m: 60, h: 3600, d: 86400 };
  const plain = text.trim().toLowerCase();
  if (!/^(\d+[smhd]?|(\d+[smhd])+)$/.test(plain)) return null;
  return [...plain.matchAll(/(\d+)([smhd]?)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * UNITS[unit || "s"], 0);
}

/** The address of a server's own view within this page. */
export const linkTo = (service, server) => `#/${encodeURIComponent(service)}/${encodeURIComponent(server)}`;
