// Turns the dark mode of Swagger UI on where the system is dark. Its own switch for that is in a bar that is not shown.
(function () {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
})();
