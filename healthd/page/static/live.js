// Keeps what is shown true: asks for the status again and again, and at once after an event.
import { Failure, get } from "./api.js";
import { Stream } from "./stream.js";

const INTERVAL = 2_000; // ms between two questions, if they are cheap
const SHARE = 20; // an answer that took a second is followed by 20 without a question
const SOONEST = 250; // after an event: what follows within this time is answered together
const PATIENCE = 10_000; // data older than this (and than five intervals) is old

/** Tells of "session" (who asks), "status", "trouble" (a Failure) and "event". */
export class Live extends EventTarget {
  #answered = 0; // performance.now() of the last good answer, 0 before the first
  #cost = 0;
  #timer = 0;
  #admitted = false; // whether the daemon knows who asks, as far as that is known
  #asking = false;
  #again = false;
  #stream = new Stream((event) => this.#happened(event));
  trouble = null;

  start() {
    this.#ask();
    document.addEventListener("visibilitychange", () => !document.hidden && this.soon());
    addEventListener("online", () => this.soon());
    addEventListener("pageshow", (event) => event.persisted && this.soon());
  }

  /** Seconds since the last good answer, null before the first. */
  get age() {
    return this.#answered ? (performance.now() - this.#answered) / 1000 : null;
  }

  get old() {
    return this.age != null && this.age * 1000 > Math.max(PATIENCE, 5 * this.#pause);
  }

  get #pause() {
    return Math.max(INTERVAL, SHARE * this.#cost);
  }

  /** Something has changed, or may have. */
  soon() {
    if (this.#asking) this.#again = true;
    else this.#next(Math.max(SOONEST, (SHARE / 4) * this.#cost));
  }

  /** After a login or a logout: everything anew, as somebody else. */
  restart() {
    this.#admitted = false;
    this.#stream.close();
    this.soon();
  }

  #next(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), delay);
  }

  async #ask() {
    this.#asking = true;
    try {
      if (!this.#admitted) await this.#enter();
      const began = performance.now();
      const status = await get("status");
      this.#cost = performance.now() - began;
      this.#answered = performance.now();
      this.trouble = null;
      this.#stream.open();
      this.#tell("status", status);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.trouble = error;
      this.#admitted = false;
      this.#tell("trouble", error);
    } finally {
      this.#asking = false;
      // Nobody looks at a page in the background: it need not be as new.
      this.#next(this.#again ? SOONEST : this.#pause * (document.hidden ? 5 : 1));
      this.#again = false;
    }
  }

  /** Who is not known is not to be answered, so nothing is asked. */
  async #enter() {
    const you = await get("session");
    this.#tell("session", you);
    if (!you.role) throw new Failure(401, "unauthorized", ["a token is needed"]);
    this.#admitted = true;
  }

  #happened(event) {
    this.#tell("event", event);
    this.soon();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
