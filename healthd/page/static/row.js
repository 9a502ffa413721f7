// One real server in the table. Only the cells whose text has changed are written.
import { h, setAttribute, setText } from "./dom.js";
import { duration, fullMoment, linkTo, milliseconds, serverRank, stateSince, stateWords, weightWords } from "./words.js";

const LABELS = ["State", "Server", "Weight", "Active", "Inactive", "Last check", "ms", "Age", "Since", "Reason"];
const KINDS = ["c-state", "c-server", "c-weight", "c-num", "c-num", "c-code", "c-num", "c-num", "c-since", "c-reason"];

export class Row {
  kept = false;

  constructor(service, name) {
    this.words = h("span");
    this.link = h("a", { href: linkTo(service, name), "data-stop": true, tabindex: "-1" }, name);
    const state = [h("span", { class: "shape", "aria-hidden": "true" }), this.words];
    this.cells = LABELS.map((label, place) =>
      place === 1
        ? h("th", { role: "rowheader", scope: "row", class: KINDS[place], "data-label": label }, this.link)
        : h("td", { role: "cell", class: KINDS[place], "data-label": label }, ...(place ? [] : state)),
    );
    this.node = h("tr", { role: "row", class: "server" }, ...this.cells);
  }

  update(server, at) {
    const check = decidingCheck(server);
    const since = stateSince(server);
    const texts = [
      weightWords(server),
      server.active?.toLocaleString("en") ?? "–",
      server.inactive?.toLocaleString("en") ?? "–",
      check?.last?.code ?? "–",
      milliseconds(check?.last?.seconds),
      duration(check?.age),
      since ? duration(at - since) : "–",
      server.reason,
    ];
    setText(this.words, stateWords(server));
    texts.forEach((text, place) => setText(this.cells[place + 2], text));
    setAttribute(this.node, "data-state", server.state);
    setAttribute(this.node, "data-unsteady", serverRank(server) === 2 ? "" : null);
    setAttribute(this.cells[8], "title", since ? `since ${fullMoment(since)}` : null);
    setAttribute(this.cells[9], "title", server.reason || null);
  }
}

/** The check that speaks against the server, or else its first. */
export function decidingCheck(server) {
  const { checks } = server;
  return checks.find((check) => check.health !== "up") ?? checks.find((check) => check.progress) ?? checks[0];
}
