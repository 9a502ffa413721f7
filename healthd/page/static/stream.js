// The daemon's events as they happen: Server-Sent Events, read by hand, as EventSource would show neither the pings
// that tell a quiet stream from a dead one nor why it was refused, and forgets where it was when it is begun anew.
import { address } from "./api.js";

const SILENCE = 40_000; // ms: the daemon says something every 15 s
const LONGEST = 1_000_000; // characters without an end of line: this is no event of ours

/** Every line that ends an event hands it over; `rest` is what has not ended yet. */
export class Parser {
  #rest = "";
  #data = [];
  #id = "";

  /** The events, as {id, data}, that `text` completes. */
  feed(text) {
    const lines = (this.#rest + text).split(/\r\n|\n/);
    this.#rest = lines.pop();
    if (this.#rest.length > LONGEST) throw new RangeError("a line without an end");
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line) {
    if (line === "") return this.#end();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "data") this.#data.push(value);
    if (field === "id") this.#id = value;
    return [];
  }

  #end() {
    const data = this.#data.join("\n");
    this.#data = [];
    return data ? [{ id: this.#id, data }] : [];
  }
}

export class Stream {
  #take;
  #abort = null;
  #last = "";

  /** `take` gets each event, as the daemon's record with its `id`. */
  constructor(take) {
    this.#take = take;
  }

  /** Open from now on, if it is not already; it goes on after the last event that was seen. */
  async open() {
    if (this.#abort) return;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      await this.#read(abort);
    } catch {
      // However it ended: it is opened again when the daemon next answers.
    } finally {
      abort.abort();
      if (this.#abort === abort) this.#abort = null;
    }
  }

  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  async #read(abort) {
    const headers = { Accept: "text/event-stream", ...(this.#last && { "Last-Event-ID": this.#last }) };
    const response = await fetch(address("events"), { headers, signal: abort.signal, cache: "no-store" });
    if (!response.ok) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser();
    for (;;) {
      const watch = setTimeout(() => abort.abort(), SILENCE);
      const { value, done } = await reader.read().finally(() => clearTimeout(watch));
      if (done) return;
      for (const event of parser.feed(value)) this.#hand(event);
    }
  }

  #hand({ id, data }) {
    this.#last = id || this.#last;
    const record = JSON.parse(data);
    if (record && typeof record === "object") this.#take({ ...record, id });
  }
}
