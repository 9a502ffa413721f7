// What an operator can do with a server: the words, what can be asked along with it, and what it looks like to the API.
import { seconds } from "./words.js";

const DURATION = "Such as 90s, 5m, 2h or 1h30m; empty: ";

export const DUTIES = {
  drain: {
    title: "Drain",
    means: "Weight 0: it keeps the connections it has and gets no new ones. Checks go on. “Ready” brings it back at once.",
    field: { name: "limit", label: "Cut what is left after", hint: `${DURATION}never.`, read: duration },
  },
  maintenance: {
    title: "Maintenance",
    means: "It stands like a server that is down, and nobody is alarmed about it. It comes back through its checks.",
    field: { name: "ttl", label: "Ends by itself after", hint: `${DURATION}when somebody ends it.`, read: duration, value: "2h" },
  },
  ready: {
    title: "Ready",
    means: "Ends a drain or maintenance. After a drain it is back at once if its checks are well; after maintenance its checks decide.",
  },
  weight: {
    title: "Set weight",
    means: "A weight in place of the configured one, until it is set to 100%.",
    field: { name: "weight", label: "Weight", hint: "A number from 0 to 65535, or a share of the configured weight such as 50%.", read: weight },
  },
  "check-now": { title: "Check now", means: "Its checks are done at once, out of turn.", atOnce: true },
};

/** Each reads what was typed: a value for the API, undefined for nothing, or throws what is wrong with it. */
function duration(text) {
  if (!text.trim()) return undefined;
  const value = seconds(text);
  if (!value) throw new RangeError(`“${text}” is not a duration: write for example 5m or 2h`);
  return value;
}

function weight(text) {
  const plain = text.trim();
  if (/^\d{1,5}%?$/.test(plain)) return plain;
  throw new RangeError(`“${text}” is not a weight: write for example 0, 3 or 50%`);
}
