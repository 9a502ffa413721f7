// The latest events, newest first, and a voice for those who do not see them.
import { h } from "./dom.js";
import { fullMoment, linkTo, moment } from "./words.js";

const KEPT = 100;
const SPOKEN = 3; // within a breath; more than these are only counted
const BREATH = 1500; // ms

const MARKS = { critical: "critical", warning: "warning", info: "info" };

export class Feed {
  #seen = new Set();
  #unsaid = [];
  #announcer;

  constructor(announcer) {
    this.#announcer = announcer;
    this.list = h("ol", { class: "feed", reversed: true });
    this.none = h("p", { class: "empty" }, "Nothing has happened since this page was opened.");
    this.node = h("section", { class: "events", "aria-labelledby": "feed-title" },
      h("h2", { id: "feed-title" }, "Latest events"), this.none, this.list);
  }

  /** What happened before the page was opened, newest first: shown, not said. */
  past(events) {
    for (const event of [...events].reverse()) this.#show(event);
  }

  add(event) {
    if (!this.#show(event) || !speaks(event)) return;
    if (!this.#unsaid.length) setTimeout(() => this.#say(), BREATH);
    this.#unsaid.push(event);
  }

  #show(event) {
    const key = `${event.at} ${event.kind} ${event.text}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    this.none.remove();
    this.list.prepend(item(event));
    if (this.list.children.length > KEPT) this.list.lastChild.remove();
    if (this.#seen.size > 10 * KEPT) this.#seen.clear();
    return true;
  }

  #say() {
    const events = this.#unsaid.splice(0);
    const more = events.length - SPOKEN;
    const texts = events.slice(0, SPOKEN).map(brief);
    if (more > 0) texts.push(`and ${more} more events`);
    this.#announcer.replaceChildren(...texts.map((text) => h("p", {}, text)));
  }
}

/** Edits of the table follow from what was said already. */
function speaks(event) {
  return event.kind !== "table_edited";
}

function brief(event) {
  if (event.server && event.new) return `${event.service}: server ${event.server} is ${event.new}`;
  return String(event.text).slice(0, 200);
}

export function item(event) {
  const where = event.server ? h("a", { href: linkTo(event.service, event.server) }, `${event.service} ${event.server}`) : null;
  const kind = String(event.kind ?? "").replaceAll("_", " ");
  return h("li", { "data-severity": MARKS[event.severity] ?? "info" },
    h("span", { class: "when" },
      h("time", { title: fullMoment(event.at) }, moment(event.at)), " ",
      h("b", {}, kind), " ", where),
    h("span", { class: "text" }, String(event.text ?? "")));
}
