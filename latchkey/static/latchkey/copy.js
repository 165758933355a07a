// Buttons that copy a text of the page: data-copy has the id of its element. Without this script they stay hidden.
"use strict";

async function copy(event) {
  const said = document.querySelector("[data-copied]"), element = document.getElementById(event.target.dataset.copy);
  try {
    await navigator.clipboard.writeText(element.textContent);
    said.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(element);
    said.textContent = "Select Copy in the menu of your browser.";
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", copy);
}
