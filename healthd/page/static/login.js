// A token becomes a session: the daemon keeps it in a cookie that no script can read.
import { Failure, post, setCsrf } from "./api.js";
import { h } from "./dom.js";

/** Asks for a token; `done` is called when the daemon has accepted one. One dialog at a time. */
export function login(done, why = "") {
  if (document.querySelector("dialog.login")) return;
  const trouble = h("div", { class: "refused", role: "alert" }, why);
  const token = h("input", { id: "token", type: "password", autocomplete: "current-password", required: true, maxlength: "512" });
  const submit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    try {
      const answer = await post("login", { token: token.value.trim() });
      setCsrf(answer.csrf);
      dialog.close();
      done();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      trouble.replaceChildren(...error.messages.map((text) => h("p", {}, text)));
      token.select();
    }
  };
  const dialog = h("dialog", { class: "login", "aria-labelledby": "login-title", onclose: () => dialog.remove() },
    h("form", { method: "dialog", onsubmit: submit },
      h("h2", { id: "login-title" }, "Log in"),
      h("p", {}, "A token from the daemon's tokens file: one with the role operate may act, one with the role read may look."),
      h("input", { autocomplete: "username", value: "healthd", hidden: true }), // for password stores
      h("label", { for: "token" }, "Token"),
      token,
      trouble,
      h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
        h("button", { type: "submit", class: "primary" }, "Log in"))));
  document.body.append(dialog);
  dialog.showModal();
}
