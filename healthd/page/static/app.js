// The page as a whole: which view is shown, how fresh it is, and who is looking.
import { get, post, setCsrf } from "./api.js";
import { Detail } from "./detail.js";
import { h, setAttribute, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { Live } from "./live.js";
import { login } from "./login.js";
import { Overview } from "./overview.js";
import { Theme } from "./themes.js";
import { Wall } from "./wall.js";
import { duration } from "./words.js";

const at = (id) => document.getElementById(id);

class Page {
  #live = new Live();
  #status = null;
  #view = null;
  #wall = new URLSearchParams(location.search).has("wall") ? new Wall() : null;
  #overview = new Overview();
  #feed = new Feed(at("announcer"));
  #asked = false; // for a token, since the last good answer
  #tokens = false; // whether the daemon knows any
  #place = 0; // where the overview was scrolled to

  run() {
    document.body.classList.toggle("wall", Boolean(this.#wall));
    new Theme(at("theme"), () => this.#view?.repaint?.());
    this.#live.addEventListener("session", ({ detail }) => this.#enter(detail));
    this.#live.addEventListener("status", ({ detail }) => this.#take(detail));
    this.#live.addEventListener("trouble", ({ detail }) => this.#trouble(detail));
    this.#live.addEventListener("event", ({ detail }) => this.#feed.add(detail));
    addEventListener("hashchange", () => this.#route());
    addEventListener("keydown", (event) => this.#key(event));
    at("skip").addEventListener("click", (event) => {
      event.preventDefault(); // the part after # says which view is shown
      at("main").focus();
    });
    at("login").addEventListener("click", () => this.#login());
    at("logout").addEventListener("click", () => this.#logout());
    setInterval(() => this.#tick(), 1000);
    this.#route();
    this.#live.start();
  }

  #enter(you) {
    setCsrf(you.csrf);
    this.#tokens = Boolean(you.login);
    this.#who(you);
  }

  #take(status) {
    const first = !this.#status;
    this.#compare(status);
    this.#status = status;
    this.#asked = false;
    setCsrf(status.you?.csrf);
    setText(at("host"), status.host);
    this.#who(status.you);
    this.#unusual(status.unusual);
    const { down, lost } = status.totals;
    document.title = [lost && `${lost} LOST`, down && `${down} down`, `healthd ${status.host}`].filter(Boolean).join(" · ");
    this.#view.update(status);
    this.#tick();
    if (first) this.#recall();
  }

  /** Another life of the daemon is worth a word, and so is another version: its page may have changed. */
  #compare(status) {
    const before = this.#status;
    if (!before) return;
    if (before.version !== status.version) this.#notice([`healthd is now ${status.version}: reload this page.`]);
    else if (before.started !== status.started) this.#notice(["healthd was started anew."]);
  }

  async #recall() {
    try {
      this.#feed.past((await get("history", { limit: 50 })).events);
    } catch {
      // History is off or in trouble, which the status says: events are shown from now on.
    }
  }

  #who(you) {
    const operates = you?.role === "operate";
    setText(at("who"), you?.role ? `${you.who}, ${operates ? "may act" : "read only"}` : "");
    at("login").hidden = operates || !this.#tokens;
    at("logout").hidden = !you?.csrf;
  }

  #unusual(lines) {
    const box = at("unusual");
    box.hidden = !lines.length;
    if (lines.join("\n") === box.textContent) return;
    box.replaceChildren(h("ul", {}, ...lines.map((line) => h("li", {}, line))));
  }

  #trouble(failure) {
    if (failure.status === 401) this.#stranger();
    this.#tick();
  }

  /** Asks for a token once; who waves that away finds the button. */
  #stranger() {
    if (!this.#wall && !this.#asked) this.#login(this.#status ? "The session has ended." : "");
    this.#asked = true;
  }

  #tick() {
    const { age, trouble, old } = this.#live;
    const pulse = trouble || old ? "lost" : age == null ? "waiting" : "live";
    setAttribute(at("pulse"), "data-pulse", pulse);
    const words = { lost: "not live", waiting: "connecting", live: "live" }[pulse];
    setText(at("pulse-text"), age == null ? words : `${words}, data ${duration(age)} old`);
    document.body.classList.toggle("stale", pulse === "lost" && age != null);
    this.#outage(pulse === "lost" ? outage(trouble, age) : "", age);
    this.#wall?.tick();
  }

  /** Said aloud once; the age goes on counting without a voice. */
  #outage(text, age) {
    const box = at("outage");
    box.hidden = !text;
    if (box.dataset.text !== text) box.replaceChildren(h("strong", {}, text), h("span", { "aria-live": "off" }));
    box.dataset.text = text;
    if (text) setText(box.lastChild, age == null ? "" : ` What you see is ${duration(age)} old.`);
  }

  #route() {
    const [service, server] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
    if (this.#wall) this.#show(this.#wall);
    else if (server) this.#open(new Detail(service, server, (words, failed) => this.#did(words, failed)));
    else this.#show(this.#overview, this.#feed.node);
  }

  #open(detail) {
    if (this.#view === this.#overview) this.#place = scrollY;
    this.#show(detail);
    scrollTo(0, 0);
    detail.title.focus();
  }

  #show(view, ...more) {
    const before = this.#view;
    if (before === view) return;
    before?.close?.();
    this.#view = view;
    at("main").replaceChildren(view.node, ...more);
    this.#notice([]);
    if (this.#status) view.update(this.#status);
    if (before instanceof Detail && view === this.#overview) this.#back(before);
  }

  /** The keyboard goes on where it left the overview. */
  #back(detail) {
    scrollTo(0, this.#place);
    const link = [...this.#overview.table.querySelectorAll("a[data-stop]")].find((a) => a.hash === detail.hash);
    (link ?? at("main")).focus({ preventScroll: true });
  }

  #did(words, failed) {
    this.#notice(words, failed);
    this.#live.soon();
  }

  #notice(words, failed = false) {
    setAttribute(at("notice"), "data-failed", failed || null);
    at("notice").replaceChildren(...words.map((text) => h("p", {}, text)));
  }

  #login(why = "") {
    login(() => this.#live.restart(), why);
  }

  async #logout() {
    try {
      await post("logout");
    } finally {
      this.#live.restart();
    }
  }

  #key(event) {
    const typing = event.target.closest("input, textarea, select, dialog");
    if (event.key === "/" && !typing && this.#view === this.#overview) {
      event.preventDefault();
      this.#overview.search.focus();
    } else if (event.key === "Escape" && event.target === this.#overview.search) {
      this.#overview.clear();
    } else if (event.key === "Escape" && !typing && this.#view instanceof Detail) {
      location.hash = "#/";
    }
  }
}

function outage(trouble, age) {
  if (!trouble) return "The data is old: the daemon has not answered for a while.";
  if (trouble.status === 401) return "Log in to see this director.";
  if (trouble.status === 0) return `healthd cannot be reached (${trouble.message}). This page goes on trying.`;
  return `healthd answers with an error: ${trouble.message}.`;
}

/** A part of the address that is not what encodeURIComponent makes is taken as it is. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

new Page().run();
