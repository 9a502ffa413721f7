// Light, dark, or as the system has it; theme.js sets what was chosen before the page is painted.
import { setText } from "./dom.js";

const KEY = "healthd.theme";
const NEXT = { system: "light", light: "dark", dark: "system" };

export class Theme {
  #button;
  #changed;

  /** `changed` is called when the colours are others, for what is painted by hand. */
  constructor(button, changed) {
    this.#button = button;
    this.#changed = changed;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
    button.addEventListener("click", () => this.#choose(NEXT[chosen()]));
    this.#show();
  }

  #choose(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Storage is forbidden here: it holds until the page is closed.
    }
    this.#show();
    this.#changed();
  }

  #show() {
    setText(this.#button, `Theme: ${chosen()}`);
  }
}

const chosen = () => document.documentElement.dataset.theme ?? "system";
