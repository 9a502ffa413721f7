// For a screen on the wall: large, without anything to press; what is wrong first, all services as tiles below.
import { arrange, h, setAttribute, setText } from "./dom.js";
import { count, duration, serverRank, serviceRank, STATES, stateSince, stateWords, timeOfDay } from "./words.js";

const ROWS = 10;
const TILES = 60;

export class Wall {
  #rows = new Map();
  #tiles = new Map();

  constructor() {
    this.verdict = h("h1", { class: "verdict" });
    this.clock = h("time", { class: "clock" });
    this.totals = h("p", { class: "wall-totals" });
    this.trouble = h("ol", { class: "trouble", "aria-label": "Servers in trouble" });
    this.more = h("p", { class: "more" });
    this.tiles = h("ul", { class: "tiles", "aria-label": "Services" });
    this.moreTiles = h("p", { class: "more" });
    this.node = h("div", { class: "wall-board" },
      h("div", { class: "wall-top" }, this.verdict, this.clock), this.totals, this.trouble, this.more, this.tiles, this.moreTiles);
    this.tick();
  }

  tick() {
    setText(this.clock, timeOfDay());
  }

  update(status) {
    const { totals, services } = status;
    const lost = services.filter(({ standing }) => standing === "lost").length;
    const weak = services.filter((service) => serviceRank(service) === -1).length;
    this.#verdict(lost, weak, totals);
    setText(this.totals, [
      count(totals.services, "service"),
      count(totals.servers, "server"),
      ...STATES.filter((state) => totals[state]).map((state) => `${totals[state]} ${state}`),
    ].join(" · "));
    const troubled = services
      .flatMap((service) => service.servers.map((server) => ({ service, server, rank: serverRank(server) })))
      .filter(({ rank }) => rank < 6)
      .sort((a, b) => a.rank - b.rank || stateSince(b.server) - stateSince(a.server));
    arrange(this.trouble, troubled.slice(0, ROWS).map((found) => this.#row(found, status.at)));
    setText(this.more, troubled.length > ROWS ? `and ${count(troubled.length - ROWS, "more server")}` : "");
    const ranked = services.map((service, place) => ({ service, place, rank: serviceRank(service) }));
    ranked.sort((a, b) => a.rank - b.rank || a.place - b.place);
    arrange(this.tiles, ranked.slice(0, TILES).map((found) => this.#tile(found)));
    setText(this.moreTiles, ranked.length > TILES ? `and ${count(ranked.length - TILES, "more service")}` : "");
  }

  #verdict(lost, weak, totals) {
    const [level, text] = lost
      ? ["lost", `${count(lost, "service")} lost`]
      : weak
        ? ["lost", `${count(weak, "service")} short of servers`]
        : totals.down || totals.unknown
          ? ["some", [totals.down && `${totals.down} down`, totals.unknown && `${totals.unknown} unknown`].filter(Boolean).join(", ")]
          : ["well", "All well"];
    setAttribute(this.node, "data-level", level);
    setText(this.verdict, text);
  }

  #row({ service, server }, at) {
    const key = `${service.name}/${server.name}`;
    let row = this.#rows.get(key);
    if (!row) {
      const parts = ["state-words", "name", "since", "reason"].map((kind) => h("span", { class: kind }));
      row = { parts, node: h("li", {}, h("span", { class: "shape", "aria-hidden": "true" }), ...parts) };
      if (this.#rows.size > 1000) this.#rows.clear();
      this.#rows.set(key, row);
    }
    const texts = [stateWords(server), `${service.name} ${server.name}`, stateSince(server) ? duration(at - stateSince(server)) : "", server.reason];
    texts.forEach((text, place) => setText(row.parts[place], text));
    setAttribute(row.node, "data-state", server.state);
    setAttribute(row.node, "data-unsteady", serverRank(server) === 2 ? "" : null);
    return row.node;
  }

  #tile({ service, rank }) {
    let tile = this.#tiles.get(service.name);
    if (!tile) {
      const parts = [h("b"), h("span")];
      tile = { parts, node: h("li", {}, ...parts) };
      if (this.#tiles.size > 1000) this.#tiles.clear();
      this.#tiles.set(service.name, tile);
    }
    setText(tile.parts[0], service.name);
    const word = service.standing === "served" ? "" : `${service.standing}, `;
    setText(tile.parts[1], `${word}${service.available} of ${service.configured}${service.fallback_active ? ", fallback" : ""}`);
    setAttribute(tile.node, "data-level", rank < 0 ? "lost" : rank < 3 ? "some" : "well");
    return tile.node;
  }
}
