// Adds the access token of the box to every request of the browsable API. It is stored for this tab only; a token in
// the response of login or refresh is put into the box automatically.
(function ($) {
  "use strict";
  const STORAGE_KEY = "latchkey.access_token";
  const form = document.getElementById("bearer");
  const box = document.getElementById("bearer-token");
  const match = /"access_token": "([^"]+)"/.exec($(".response-info").text());

  if (match) sessionStorage.setItem(STORAGE_KEY, match[1]);
  box.value = sessionStorage.getItem(STORAGE_KEY) || "";
  $.ajaxSetup({
    beforeSend: function (request) {
      if (box.value) request.setRequestHeader("Authorization", "Bearer " + box.value);
    },
  });

  function load() {
    sessionStorage.setItem(STORAGE_KEY, box.value);
    fetch(location.href, { headers: { Accept: "text/html", Authorization: "Bearer " + box.value } })
      .then((response) => response.text())
      .then(replaceDocument);
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    load();
  });
  if (form.dataset.status === "401" && box.value && /"not_authenticated"/.test($(".response-info").text())) load();
})(jQuery);
