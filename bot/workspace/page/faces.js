/** How people look: initials on a colour of their own, the bot's eye, and names. */

import { el, svg } from "./dom.js";

const HUES = 8;

export const nameOf = (id, look) => look.users[id]?.real_name || look.users[id]?.name || id;

export function face(id, look) {
  if (look.users[id]?.is_bot) return el("span", { class: "face bot", "aria-hidden": "true" }, eye());
  const words = nameOf(id, look).split(/\s+/);
  const initials = (words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
  return el("span", { class: `face hue-${hue(id)}`, "aria-hidden": "true" }, initials);
}

function hue(id) {
  return [...String(id)].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % HUES;
}

function eye() {
  return svg("svg", { viewBox: "0 0 36 36" },
    svg("path", { d: "M4 18c4-6 9-9 14-9s10 3 14 9c-4 6-9 9-14 9S8 24 4 18z", fill: "#fff" }),
    svg("circle", { cx: 18, cy: 18, r: 6, fill: "#e8912d" }),
    svg("circle", { cx: 18, cy: 18, r: 2.6, fill: "#12395b" }));
}
