// The theme that was chosen, set before anything is painted: a classic script, as modules run later.
(() => {
  const KEY = "healthd.theme";
  let chosen = new URLSearchParams(location.search).get("theme");
  try {
    chosen ??= localStorage.getItem(KEY);
  } catch {
    // Storage is forbidden here: the system's theme will do.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
