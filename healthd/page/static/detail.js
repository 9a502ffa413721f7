// One real server: what it is doing, why, since when, what was found, and what can be done.
import { Failure, get } from "./api.js";
import { LatencyChart } from "./charts.js";
import { act } from "./dialog.js";
import { h, setAttribute, setText } from "./dom.js";
import { DUTIES } from "./duties.js";
import { item } from "./feed.js";
import { duration, fullMoment, linkTo, milliseconds, stateSince, stateWords, weightWords } from "./words.js";

const REFRESH = 60_000; // ms between two questions about the past, if nothing happens

export class Detail {
  #asked = "";
  #askedAt = 0;

  /** `done` is called with the words of what was done or refused. */
  constructor(service, name, done) {
    this.service = service;
    this.name = name;
    this.hash = linkTo(service, name);
    this.done = done;
    this.chart = new LatencyChart(service, name);
    this.words = h("span");
    this.title = h("h1", { tabindex: "-1" }, h("span", { class: "of" }, service), " ", name);
    this.state = h("p", { class: "state" }, h("span", { class: "shape", "aria-hidden": "true" }), this.words);
    this.reason = h("p", { class: "reason" });
    this.facts = h("dl", { class: "facts" });
    this.buttons = Object.entries(DUTIES).map(([duty, { title }]) =>
      h("button", { type: "button", "data-duty": duty, onclick: () => this.#act(duty) }, title));
    this.acts = h("div", { class: "acts", role: "group", "aria-label": "Acts" }, ...this.buttons);
    this.readOnly = h("p", { class: "read-only" }, "You are looking on: to act, log in with a token whose role is operate.");
    this.why = h("div", { class: "why" });
    this.checks = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Checks" });
    this.past = h("ol", { class: "feed" });
    this.node = h("article", { class: "detail" },
      h("p", { class: "back" }, h("a", { href: "#/" }, "← All services")),
      h("div", { class: "summary" }, this.title, this.state, this.reason, this.facts, this.acts, this.readOnly),
      section("Why", this.why),
      section("Latency and state", this.chart.node),
      section("Checks", this.checks),
      section("Its past", this.past));
  }

  update(status) {
    const service = status.services.find(({ name }) => name === this.service);
    const server = service?.servers.find(({ name }) => name === this.name);
    if (!server) return this.#gone(service);
    this.server = server;
    this.at = status.at;
    this.chart.state = server.state;
    setAttribute(this.node, "data-state", server.state);
    setText(this.words, stateWords(server));
    setText(this.reason, server.reason);
    this.#listFacts(service, server, status.at);
    this.#offer(server, status.you?.role === "operate");
    this.#listChecks(server.checks);
    this.#ask(server, status.at);
  }

  #gone(service) {
    setAttribute(this.node, "data-state", "unknown");
    setText(this.words, "not configured");
    setText(this.reason, service ? `${this.service} has no server ${this.name}.` : `There is no service ${this.service}.`);
    this.acts.hidden = true;
  }

  #listFacts(service, server, at) {
    const { override } = server;
    const since = stateSince(server);
    const facts = [
      ["Since", since ? `${duration(at - since)} (${fullMoment(since)})` : "–"],
      ["Transitions", String(server.transitions)],
      ["Weight", weightWords(server)],
      ["Connections", server.active == null ? "–" : `${server.active} active, ${server.inactive ?? 0} inactive, ${server.persistent ?? 0} persistent`],
      ["Service", `${service.virtual}, ${service.available} of ${service.configured} available`],
    ];
    if (override) {
      const weight = override.weight ? `weight ${override.weight}` : "";
      const held = override.cut ? "cut" : override.admin;
      const set = override.admin === "ready" ? weight : held;
      facts.push(["Set", `${set} by ${override.who || "somebody"}, ${fullMoment(override.since)}`]);
      facts.push(["Until", override.until ? `${fullMoment(override.until)} (in ${duration(override.until - at)})` : "somebody ends it"]);
      if (override.reason) facts.push(["Why", override.reason]);
      if (set !== weight && weight) facts.push(["Afterwards", weight]);
    }
    const flat = facts.flat().join("\n");
    if (flat === this.flat) return;
    this.flat = flat;
    this.facts.replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  #offer(server, mayAct) {
    this.acts.hidden = !mayAct;
    this.readOnly.hidden = mayAct;
    const held = server.state === "drain" || server.state === "maintenance";
    for (const button of this.buttons) {
      const { duty } = button.dataset;
      button.disabled = (duty === "ready" && !held) || duty === server.state;
    }
  }

  #listChecks(checks) {
    const rows = checks.map((check) => [
      check.name,
      check.kind,
      [check.health, check.progress].filter(Boolean).join(" "),
      check.last?.code ?? "–",
      milliseconds(check.last?.seconds),
      duration(check.age),
      check.last?.detail ?? "nothing found yet",
      check.cause ? [check.cause.code, check.cause.detail].filter(Boolean).join(": ") : "–",
    ]);
    const flat = JSON.stringify(rows);
    if (flat === this.flatChecks) return;
    this.flatChecks = flat;
    this.checks.replaceChildren(table(["Check", "Kind", "Health", "Code", "ms", "Age", "Found", "Decided by"], rows));
  }

  /** The past and the reasons: at once when something has changed, and now and then. */
  #ask(server, at) {
    const key = [server.state, server.health, server.since, server.transitions, JSON.stringify(server.override)].join(" ");
    const now = performance.now();
    if (key === this.#asked && now - this.#askedAt < REFRESH) return;
    [this.#asked, this.#askedAt] = [key, now];
    const where = [this.service, this.name].map(encodeURIComponent).join("/");
    this.chart.refresh(at);
    this.#fill(this.why, get(`explain/${where}`), explained);
    const past = get("history", { service: this.service, server: this.name, limit: 30 });
    this.#fill(this.past, past, ({ events }) => events.map(item));
  }

  async #fill(node, asked, show) {
    try {
      node.replaceChildren(...show(await asked));
      if (!node.firstChild) node.append(h(node.tagName === "OL" ? "li" : "p", {}, "Nothing on record."));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      node.replaceChildren(h(node.tagName === "OL" ? "li" : "p", { class: "missing" }, `Not to be had: ${error.message}`));
    }
  }

  async #act(duty) {
    const answer = await act(duty, this.server);
    if (!answer) return;
    this.done(answer.failed ?? answer.done ?? [], Boolean(answer.failed));
    if (document.activeElement === document.body) this.title.focus();
  }

  /** The theme is another one. */
  repaint() {
    this.chart.refresh(this.at);
  }

  close() {
    this.chart.close();
  }
}

function section(title, ...content) {
  return h("section", {}, h("h2", {}, title), ...content);
}

function table(titles, rows) {
  const head = h("tr", {}, ...titles.map((title) => h("th", { scope: "col" }, title)));
  const body = rows.map((row) => h("tr", {}, ...row.map((text, place) => (place ? h("td", {}, text) : h("th", { scope: "row" }, text)))));
  return h("table", { class: "checks" }, h("thead", {}, head), h("tbody", {}, ...body));
}

function explained({ text = [], rule, edits = [] }) {
  const lines = text.map((line) => h("p", {}, line));
  if (rule && !text.includes(rule)) lines.push(h("p", {}, h("b", {}, "Rule: "), rule));
  const untold = edits.filter((edit) => !text.some((line) => line.includes(edit)));
  if (untold.length) lines.push(h("p", {}, h("b", {}, "Table: ")), h("pre", { tabindex: "0" }, untold.join("\n")));
  return lines;
}
