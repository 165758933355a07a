// Sends the access token in the box along with every request of the browsable API. The token is kept for
// this tab alone; one that login or refresh has just answered goes into the box by itself.
(function ($) {
  "use strict";
  const KEPT = "latchkey.access_token";
  const form = document.getElementById("bearer");
  const box = document.getElementById("bearer-token");
  const answered = /"access_token": "([^"]+)"/.exec($(".response-info").text());

  if (answered) sessionStorage.setItem(KEPT, answered[1]);
  box.value = sessionStorage.getItem(KEPT) || "";
  $.ajaxSetup({
    beforeSend: function (request) {
      if (box.value) request.setRequestHeader("Authorization", "Bearer " + box.value);
    },
  });

  function load() {
    sessionStorage.setItem(KEPT, box.value);
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
