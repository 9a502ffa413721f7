// Asks before it acts: why, and is it meant. A refusal is shown in the daemon's words, with the choice to insist.
import { Failure, post } from "./api.js";
import { h, setText } from "./dom.js";
import { DUTIES } from "./duties.js";

/** Resolves with the daemon's answer once it is done, or with null if it was called off. */
export function act(duty, server) {
  const { promise, resolve } = Promise.withResolvers();
  const body = { servers: [`${server.service}/${server.name}`] };
  if (DUTIES[duty].atOnce) post(duty, body).then(resolve, (error) => resolve({ failed: messagesOf(error) }));
  else new ActDialog(duty, server, body, resolve).open();
  return promise;
}

export const messagesOf = (error) => {
  if (!(error instanceof Failure)) throw error;
  if (error.status === 401) return ["You are not logged in, or no longer: log in and try again."];
  return error.status === 403 ? [...error.messages, "This token may look, not act."] : error.messages;
};

class ActDialog {
  #duty;
  #body;
  #resolve;

  constructor(duty, server, body, resolve) {
    this.#duty = duty;
    this.#body = body;
    this.#resolve = resolve;
    const { title, means, field } = DUTIES[duty];
    this.reason = h("input", { id: "act-reason", name: "reason", maxlength: "200", autocomplete: "off" });
    this.field = field && h("input", { id: "act-field", name: field.name, value: field.value, autocomplete: "off", "aria-describedby": "act-hint" });
    this.trouble = h("div", { class: "refused", role: "alert" });
    this.confirm = h("button", { type: "submit", class: "primary" }, title);
    const form = h("form", { method: "dialog", onsubmit: (event) => this.#submit(event) },
      h("h2", { id: "act-title" }, `${title}: ${server.service} ${server.name}`),
      h("p", { id: "act-means" }, means),
      field && h("label", { for: "act-field" }, field.label),
      this.field,
      field && h("p", { class: "hint", id: "act-hint" }, field.hint),
      h("label", { for: "act-reason" }, "Reason, for the audit trail"),
      this.reason,
      this.trouble,
      h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => this.node.close() }, "Cancel"), this.confirm));
    this.node = h("dialog", { class: "act", "aria-labelledby": "act-title", "aria-describedby": "act-means", onclose: () => this.#closed() }, form);
  }

  open() {
    document.body.append(this.node);
    this.node.showModal();
    (this.field ?? this.reason).focus();
  }

  #closed() {
    this.node.remove();
    this.#resolve(null); // without effect if it was answered before
  }

  async #submit(event) {
    event.preventDefault();
    const { field } = DUTIES[this.#duty];
    this.trouble.replaceChildren();
    try {
      if (field) this.#body[field.name] = field.read(this.field.value);
    } catch (error) {
      return this.#show([error.message]);
    }
    this.confirm.disabled = true;
    try {
      this.#resolve(await post(this.#duty, { ...this.#body, reason: this.reason.value.trim() }));
      this.node.close();
    } catch (error) {
      this.#refused(error);
    } finally {
      this.confirm.disabled = false;
    }
  }

  #refused(error) {
    this.#show(messagesOf(error));
    if (error.status !== 409 || this.#body.force) return;
    this.#body.force = true;
    setText(this.confirm, `${DUTIES[this.#duty].title} all the same`);
    this.confirm.classList.add("force");
  }

  #show(messages) {
    this.trouble.replaceChildren(...messages.map((text) => h("p", {}, text)));
  }
}
