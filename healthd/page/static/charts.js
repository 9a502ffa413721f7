// The latency of a server's checks over time, with its state as a band below. Drawn by uPlot, fetched when first needed.
import { get } from "./api.js";
import { h, setText } from "./dom.js";
import { milliseconds } from "./words.js";

export const RANGES = {
  "1 h": { seconds: 3600, step: "minute", width: 60 },
  "24 h": { seconds: 86400, step: "minute", width: 60 },
  "30 d": { seconds: 30 * 86400, step: "hour", width: 3600 },
};
const BAND = 17; // CSS pixels

/** A colour of the style sheet as the canvas needs it. */
function colour(name) {
  const probe = h("span", { class: `ink-${name}`, hidden: true });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export class LatencyChart {
  #plot = null;
  #range = "1 h";
  #asked = 0;

  constructor(service, server) {
    this.path = `latency/${encodeURIComponent(service)}/${encodeURIComponent(server)}`;
    this.service = service;
    this.server = server;
    this.spans = [];
    this.canvas = h("div", { class: "plot", role: "img", "aria-label": "Latency and state over time" });
    this.words = h("figcaption", { "aria-live": "polite" });
    this.buttons = Object.keys(RANGES).map((name) =>
      h("button", { type: "button", "aria-pressed": String(name === this.#range), onclick: () => this.#choose(name) }, name));
    this.node = h("figure", { class: "latency" },
      h("div", { class: "ranges", role: "group", "aria-label": "Time shown" }, ...this.buttons), this.canvas, this.words);
  }

  #choose(name) {
    this.#range = name;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.textContent === name));
    this.#forget();
    this.refresh();
  }

  /** Asks again and draws. `now` is the daemon's time, and so are all points. */
  async refresh(now = Date.now() / 1000) {
    const asked = ++this.#asked;
    const { seconds, step, width } = RANGES[this.#range];
    try {
      const query = { since: now - seconds, until: now, step };
      const [{ points }, past] = await Promise.all([
        get(this.path, query),
        get("history", { service: this.service, server: this.server, since: query.since, until: now, limit: 500 }),
        import("./vendor/uplot/uPlot.esm.js").then((module) => (this.uPlot = module.default)),
      ]);
      if (asked !== this.#asked || !this.canvas.isConnected) return;
      this.canvas.hidden = false;
      this.spans = spansOf(past.events, query.since, now, this.state ?? "unknown");
      this.#draw(columns(points, width), query.since, now);
      this.#describe(points);
    } catch (error) {
      this.#forget();
      this.canvas.hidden = true;
      setText(this.words, `No past to show: ${error.message}.`);
    }
  }

  #describe(points) {
    const checks = points.reduce((sum, point) => sum + point.count, 0);
    const fails = points.reduce((sum, point) => sum + point.fails, 0);
    const mean = checks ? points.reduce((sum, point) => sum + point.mean * point.count, 0) / checks : null;
    const max = points.reduce((most, point) => Math.max(most, point.max), 0);
    const text = checks
      ? `${checks.toLocaleString("en")} checks in ${this.#range}, ${fails.toLocaleString("en")} failed; mean ${milliseconds(mean)} ms, longest ${milliseconds(max)} ms`
      : `No check is on record in the last ${this.#range}.`;
    setText(this.words, text);
    this.canvas.setAttribute("aria-label", `Latency and state over time: ${text}`);
  }

  #draw(data, since, until) {
    const key = `${document.documentElement.dataset.theme} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
    if (this.#plot && this.key !== key) this.#forget();
    this.key = key;
    this.range = [since, until];
    if (this.#plot) return this.#plot.setData(data);
    this.inks = Object.fromEntries(["mean", "max", "fails", "axis", "grid", "up", "down", "unknown", "drain", "maintenance", "ground"].map((name) => [name, colour(name)]));
    this.#plot = new this.uPlot(options(this), data, this.canvas);
    this.watching = new ResizeObserver(() => this.#plot?.setSize(sizeOf(this.canvas)));
    this.watching.observe(this.canvas);
  }

  #forget() {
    this.watching?.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  close() {
    this.#asked++;
    this.#forget();
  }
}

const sizeOf = (node) => ({ width: Math.max(200, node.clientWidth), height: 190 });

/** Where nothing was measured there is a gap, not a line across it. */
function columns(points, width) {
  const [at, mean, max, fails] = [[], [], [], []];
  for (const point of points) {
    if (at.length && point.at - at.at(-1) > 1.5 * width) add(at.at(-1) + width, null);
    add(point.at, point);
  }
  function add(time, point) {
    at.push(time);
    mean.push(point?.count ? point.mean * 1000 : null);
    max.push(point?.count ? point.max * 1000 : null);
    fails.push(point?.fails ? point.max * 1000 : null);
  }
  return [at, mean, max, fails];
}

const HOLDS = { maintenance_began: "maintenance", drain_began: "drain" };

/** The server's states as {from, to, state}, out of its events, of which those of health say what was before them. */
export function spansOf(events, since, until, now) {
  const turns = events.filter(({ kind, old, ["new"]: next }) => HOLDS[kind] || ends(kind) || (old && next)).sort((a, b) => a.at - b.at);
  let health = turns.find(({ old }) => old)?.old ?? "";
  let held = "";
  const spans = [];
  let from = since;
  for (const turn of turns) {
    if (turn.at > from) spans.push({ from, to: turn.at, state: held || health || now });
    from = Math.max(from, turn.at);
    if (turn.kind === "maintenance_ended") health = "unknown";
    if (HOLDS[turn.kind]) held = HOLDS[turn.kind];
    else if (ends(turn.kind)) held = turn.cause === "ready" || turn.kind === "maintenance_ended" ? "" : held;
    else health = turn.new;
  }
  return [...spans, { from, to: until, state: now }];
}

const ends = (kind) => kind === "maintenance_ended" || kind === "drain_ended";

function options(chart) {
  const { inks } = chart;
  const line = (label, ink, more = {}) => ({
    label, stroke: ink, width: 1.5, points: { show: false }, value: (_, value) => (value == null ? "–" : `${value.toFixed(1)} ms`), ...more,
  });
  const axis = { stroke: inks.axis, grid: { stroke: inks.grid, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    ...sizeOf(chart.canvas),
    padding: [8, 8, BAND + 2, 0],
    scales: { x: { range: () => chart.range }, y: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
    axes: [{ ...axis, size: 26, values: (_, ticks, __, ___, step) => ticks.map((tick) => label(tick, step)) }, { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => `${tick} ms`) }],
    series: [
      { value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
      line("mean", inks.mean),
      line("longest", inks.max, { width: 1, dash: [4, 3] }),
      line("with failures", inks.fails, { width: 0, paths: () => null, points: { show: true, size: 6, fill: inks.fails } }),
    ],
    hooks: { draw: [(plot) => band(plot, chart)] },
  };
}

/** In the words of the day where the ticks are hours apart, else the time. */
function label(tick, step) {
  const time = new Date(tick * 1000);
  if (step >= 86400) return time.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** Below the axis: each state in its colour, and in its word where there is room. */
function band(plot, { spans, inks }) {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const top = ctx.canvas.height - BAND * scale;
  ctx.save();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const { from, to, state } of spans) {
    const [left, right] = [from, to].map((time) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(time, "x", true))));
    ctx.fillStyle = inks[state] ?? inks.unknown;
    ctx.fillRect(left, top, Math.max(right - left, 2 * scale), BAND * scale);
    ctx.fillStyle = inks.ground;
    if (ctx.measureText(state).width + 12 * scale < right - left) ctx.fillText(state, left + 6 * scale, top + (BAND * scale) / 2);
  }
  ctx.restore();
}
