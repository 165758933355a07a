/** Templates and texts. Values get into the page as text alone, never as HTML. */

/** Returns a copy of the content of `<template id="...">`. */
export const clone = (id) => document.getElementById(id).content.cloneNode(true);

/** Sets the text of each `[data-field=name]` below `root`; a value for a `<time>` is a time in ISO 8601. */
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const element of root.querySelectorAll(`[data-field="${name}"]`)) {
      const isTime = element.localName === "time";
      element.textContent = isTime ? describeTime(value) : value;
      if (isTime) [element.dateTime, element.title] = [value, new Date(value).toLocaleString()];
    }
  }
  return root;
}

/** Shows the elements below `root` whose `data-NAME` has one of the words, and hides those with other words. */
export function showOnly(root, name, words) {
  for (const element of root.querySelectorAll(`[data-${name}]`)) {
    element.hidden = !element.dataset[name].split(" ").some((word) => words.includes(word));
  }
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60]];

function describeTime(iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? [];
  return unit ? relative.format(Math.round(seconds / size), unit) : "just now";
}
