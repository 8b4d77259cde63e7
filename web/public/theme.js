// Runs before the first paint. The same rule lives in src/app/theme.ts.
(function () {
  var stored = null;
  try {
    stored = localStorage.getItem("obera.theme");
  } catch (_) {
    stored = null;
  }
  var dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
