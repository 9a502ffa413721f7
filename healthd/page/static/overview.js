// Services and their servers at a glance: one table, a group of rows for each service, trouble first.
import { arrange, h, setAttribute, setText } from "./dom.js";
import { Group } from "./group.js";
import { count, serviceRank, stateWords, STATES } from "./words.js";

const HEADINGS = [
  ["State", "c-state"],
  ["Real server", "c-server"],
  ["Weight", "c-weight"],
  ["Active", "c-num"],
  ["Inactive", "c-num"],
  ["Last check", "c-code"],
  ["ms", "c-num"],
  ["Age", "c-num"],
  ["Since", "c-since"],
  ["Reason", "c-reason"],
];

const MOST_ROWS = 1000; // with more a browser would be slow; the worst are the first, and the filter finds any

export class Overview {
  #status = null;
  #groups = new Map();
  #states = new Set();
  #text = "";
  #body;

  constructor() {
    this.totals = h("div", { class: "totals", role: "group", "aria-label": "Totals, and filters by state" });
    this.search = h("input", {
      type: "search",
      id: "filter",
      placeholder: "Filter: service, server, code, reason",
      "aria-label": "Filter services and servers by text",
      "aria-keyshortcuts": "/",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.#filter(),
    });
    this.found = h("p", { class: "found", role: "status" });
    this.table = h("table", { class: "servers", role: "table", "aria-label": "Services and real servers" }, headings());
    this.empty = h("p", { class: "empty" });
    this.#body = h("div", { class: "tools" }, this.totals, this.search);
    this.node = h("div", { class: "overview" }, h("h1", { class: "unseen" }, "Services and real servers"), this.#body, this.found, this.table, this.empty);
    this.table.addEventListener("keydown", (event) => this.#walk(event));
    this.table.addEventListener("focusin", (event) => this.#stop(event.target.closest("[data-stop]")));
  }

  update(status) {
    this.#status = status;
    this.#showTotals(status);
    const services = status.services.map((service, place) => ({ service, place, rank: serviceRank(service) }));
    services.sort((a, b) => a.rank - b.rank || a.place - b.place);
    const names = new Set(status.services.map((service) => service.name));
    for (const name of this.#groups.keys()) if (!names.has(name)) this.#groups.delete(name);
    let room = MOST_ROWS;
    const groups = services.map(({ service }) => {
      const group = this.#group(service, room);
      room -= group.taken;
      return group;
    });
    arrange(this.table, [this.table.tHead, ...groups.filter((group) => group.matches).map((group) => group.node)]);
    this.#say(groups);
    if (!this.table.querySelector("[data-stop][tabindex='0']")) this.#stop(this.table.querySelector("[data-stop]"));
  }

  #group(service, room) {
    const known = this.#groups.get(service.name) ?? new Group(service.name, () => this.update(this.#status));
    this.#groups.set(service.name, known);
    known.update(service, this.#status.at, this.#filtering ? (server) => this.#wanted(service, server) : null, room);
    return known;
  }

  get #filtering() {
    return Boolean(this.#text || this.#states.size);
  }

  #wanted(service, server) {
    if (this.#states.size && !this.#states.has(server.state)) return false;
    if (!this.#text) return true;
    const codes = server.checks.map((check) => check.last?.code ?? "").join(" ");
    const all = [service.name, service.virtual, server.name, stateWords(server), server.reason, codes].join(" ");
    return this.#text.split(/\s+/).every((word) => all.toLowerCase().includes(word));
  }

  #say(groups) {
    const servers = this.#status.services.reduce((sum, service) => sum + service.servers.length, 0);
    const found = groups.reduce((sum, group) => sum + group.found, 0);
    setText(this.found, this.#filtering ? `${found} of ${count(servers, "server")} match` : "");
    setText(this.empty, this.#status.services.length ? "" : "The configuration has no services.");
  }

  #filter() {
    this.#text = this.search.value.trim().toLowerCase();
    if (this.#status) this.update(this.#status);
  }

  clear() {
    this.search.value = "";
    this.#states.clear();
    this.#filter();
  }

  #showTotals({ totals }) {
    if (!this.totals.firstChild) this.totals.append(...this.#makeTotals());
    const lost = totals.lost ? `, ${totals.lost} lost` : "";
    setText(this.totals.firstChild, `${count(totals.services, "service")}${lost}, ${count(totals.servers, "server")}`);
    setAttribute(this.totals.firstChild, "data-lost", totals.lost ? "" : null);
    for (const button of this.totals.querySelectorAll("button")) {
      const state = button.dataset.state;
      setText(button.querySelector("b"), (totals[state] ?? 0).toLocaleString("en"));
      setAttribute(button, "aria-pressed", this.#states.has(state));
      setAttribute(button, "data-none", totals[state] ? null : "");
    }
  }

  #makeTotals() {
    const toggle = (state) => () => {
      if (!this.#states.delete(state)) this.#states.add(state);
      this.update(this.#status);
    };
    const button = (state) =>
      h(
        "button",
        { type: "button", "data-state": state, onclick: toggle(state) },
        h("span", { class: "shape", "aria-hidden": "true" }),
        h("b"),
        ` ${state}`,
      );
    return [h("span", { class: "sum" }), ...STATES.map(button)];
  }

  /** One stop of the Tab key for the whole table; the arrows go from row to row. */
  #stop(node) {
    if (!node || node.tabIndex === 0) return;
    for (const other of this.table.querySelectorAll("[data-stop][tabindex='0']")) other.tabIndex = -1;
    node.tabIndex = 0;
  }

  #walk(event) {
    const here = event.target.closest("[data-stop]");
    if (!here || event.altKey || event.ctrlKey || event.metaKey) return;
    const stops = [...this.table.querySelectorAll("[data-stop]")];
    const place = stops.indexOf(here);
    const steps = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: stops.length - 1 };
    steps.PageDown = Math.min(place + 15, stops.length - 1);
    steps.PageUp = Math.max(place - 15, 0);
    const next = stops[steps[event.key]];
    if (next) {
      event.preventDefault();
      next.focus();
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const toggle = here.closest("tbody").querySelector("button[aria-expanded]");
      if ((toggle.getAttribute("aria-expanded") === "true") === (event.key === "ArrowLeft")) toggle.click();
      if (event.key === "ArrowLeft") toggle.focus();
    }
  }
}

function headings() {
  const cells = HEADINGS.map(([text, kind]) => h("th", { scope: "col", role: "columnheader", class: kind }, text));
  return h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...cells));
}
