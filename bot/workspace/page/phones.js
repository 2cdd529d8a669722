/** Telephones beside the workspace, where it has some: who was rung when, and what was said. */

import { get } from "./api.js";
import { byId, el, oneAtATime } from "./dom.js";

const SHOWN = 8;
const TITLE = "Phones";

export const loadPhones = oneAtATime(async () => {
  const { rings } = await get("phones");
  byId("phones").hidden = !rings.length;
  byId("phones").replaceChildren(el("h2", {}, TITLE), el("ul", {}, rings.slice(0, SHOWN).map(ring)));
}, () => {});

function ring({ person, at, text }) {
  const time = new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return el("li", { title: text }, el("span", { class: "ring" }, `${time} ${person}`), el("span", { class: "said" }, text));
}
