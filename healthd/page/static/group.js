// One service: its heading, and its servers below it. Many servers that are simply up are folded into one line.
import { arrange, h, setAttribute, setText } from "./dom.js";
import { Row } from "./row.js";
import { count, serverRank, serviceRank, STATES } from "./words.js";

const FEW = 24; // up to so many servers are all shown
const UP = 6; // the rank of a server that nothing is to be said of

export class Group {
  #rows = new Map();
  #open = null; // null until somebody has chosen
  #service = null;
  #changed;
  found = 0; // servers that are to be seen
  taken = 0; // and the rows of them
  matches = true;

  /** `changed` is called when more or less is to be seen of it. */
  constructor(name, changed) {
    this.#changed = changed;
    this.title = h("span", { class: "name" }, name);
    this.toggle = h(
      "button",
      { type: "button", "data-stop": true, tabindex: "-1", "aria-expanded": "true", onclick: () => this.#turn() },
      h("span", { class: "fold", "aria-hidden": "true" }),
      this.title,
    );
    this.virtual = h("span", { class: "virtual" });
    this.standing = h("span", { class: "standing" });
    this.chips = h("span", { class: "chips" });
    const words = h("div", { class: "service" }, this.toggle, this.virtual, this.standing, this.chips);
    this.head = h("tr", { role: "row", class: "head" }, h("th", { scope: "rowgroup", colspan: "10", role: "rowheader" }, words));
    this.folded = h("button", { type: "button", "data-stop": true, tabindex: "-1", onclick: () => this.#turn() });
    this.rest = h("tr", { role: "row", class: "rest" }, h("td", { colspan: "10", role: "cell" }, this.folded));
    this.node = h("tbody", { role: "rowgroup" }, this.head);
  }

  /** `wanted` says which servers to show, null if nobody is looking for anything; there is `room` for so many rows. */
  update(service, at, wanted, room) {
    this.#service = service;
    this.#heading(service);
    const placed = service.servers.map((server, place) => ({ server, place, rank: serverRank(server) }));
    placed.sort((a, b) => a.rank - b.rank || a.place - b.place);
    const chosen = placed.filter(({ server, rank }) => (wanted ? wanted(server) : this.#shows(rank)));
    const shown = chosen.slice(0, room);
    this.found = chosen.length;
    this.taken = shown.length;
    this.matches = !wanted || chosen.length > 0;
    const rows = shown.map(({ server }) => this.#row(server, at));
    for (const [name, row] of this.#rows) if (!row.kept) this.#rows.delete(name);
    for (const row of rows) row.kept = false;
    const crowded = shown.length < chosen.length;
    const hidden = (wanted ? chosen : placed).length - shown.length;
    setText(this.folded, `${count(hidden, "more server")}${crowded ? ": filter to find them" : " up: show"}`);
    this.folded.disabled = crowded;
    arrange(this.node, [this.head, ...rows.map((row) => row.node), ...(hidden && chosen.length ? [this.rest] : [])]);
    setAttribute(this.toggle, "aria-expanded", wanted || hidden === 0 || (this.#open === null && shown.length > 0));
  }

  #shows(rank) {
    if (this.#open !== null) return this.#open;
    return this.#service.servers.length <= FEW || rank < UP;
  }

  /** From what stands there to all or nothing. */
  #turn() {
    this.#open = this.found < this.#service.servers.length;
    this.#changed();
    if (!this.folded.isConnected && document.activeElement === document.body) this.toggle.focus();
  }

  #row(server, at) {
    const row = this.#rows.get(server.name) ?? new Row(server.service, server.name);
    this.#rows.set(server.name, row);
    row.kept = true;
    row.update(server, at);
    return row;
  }

  #heading(service) {
    const rank = serviceRank(service);
    setAttribute(this.node, "data-trouble", rank < 0 ? "lost" : rank < 3 ? "some" : null);
    setText(this.virtual, [service.virtual, service.scheduler].filter(Boolean).join(" · "));
    setText(this.standing, standing(service));
    const chips = chipsOf(service);
    if (chips.join() !== [...this.chips.children].map((chip) => chip.textContent).join()) {
      this.chips.replaceChildren(...chips.map((text) => h("span", { class: "chip" }, text)));
    }
  }
}

function standing(service) {
  const words = service.standing === "lost" ? "LOST: " : service.standing === "starting" ? "starting: " : "";
  return `${words}${service.available} of ${service.configured} available`;
}

function chipsOf(service) {
  const chips = [];
  for (const state of STATES.slice(0, -1)) {
    const number = service.servers.filter((server) => server.state === state).length;
    if (number) chips.push(`${number} ${state}`);
  }
  if (service.fallback_active) chips.push(`fallback ${service.fallback} active`);
  if (service.standing === "lost" && service.fail_open) chips.push("fail open");
  if (service.standing === "served" && service.available < service.min_available) {
    chips.push(`below its minimum of ${service.min_available}`);
  }
  return chips;
}
