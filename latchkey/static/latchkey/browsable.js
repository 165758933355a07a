// Adds the access token of the box to every request of the browsable API. It is stored for this tab only; a token in
// the response of login or refresh is put into the box automatically. A typed body survives an error: the page that
// follows is written into the same window, which keeps the text in memory until the request succeeds.
(function ($) {
  "use strict";
  const STORAGE_KEY = "latchkey.access_token";
  const form = document.getElementById("bearer");
  const box = document.getElementById("bearer-token");
  const bodies = Array.from(document.querySelectorAll("textarea"));
  const failed = Number(form.dataset.status) >= 400;
  const match = /"access_token": "([^"]+)"/.exec($(".response-info").text());

  if (match) sessionStorage.setItem(STORAGE_KEY, match[1]);
  box.value = sessionStorage.getItem(STORAGE_KEY) || "";
  $.ajaxSetup({
    beforeSend: function (request) {
      if (box.value) request.setRequestHeader("Authorization", "Bearer " + box.value);
    },
  });

  function keepTyped(sent) {
    const texts = bodies.length ? bodies.map((body) => body.value) : (window.latchkeyTyped || {}).texts;
    if (texts) window.latchkeyTyped = { path: location.pathname, texts: texts, sent: sent };
  }

  function restoreTyped() {
    const typed = window.latchkeyTyped;
    if (!typed || typed.path !== location.pathname || (typed.sent && !failed)) {
      delete window.latchkeyTyped;
      return;
    }
    bodies.forEach(function (body, index) {
      if (index in typed.texts) body.value = typed.texts[index];
    });
  }

  function load() {
    keepTyped(false);
    sessionStorage.setItem(STORAGE_KEY, box.value);
    fetch(location.href, { headers: { Accept: "text/html", Authorization: "Bearer " + box.value } })
      .then((response) => response.text())
      .then(replaceDocument);
  }

  restoreTyped();
  document.addEventListener("submit", (event) => event.target !== form && keepTyped(true), true);
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    load();
  });
  if (form.dataset.status === "401" && box.value && /"not_authenticated"/.test($(".response-info").text())) load();
})(jQuery);
