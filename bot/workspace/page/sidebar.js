/** The left column: who acts, and the channels with what is unread in them. */

import { byId, el } from "./dom.js";
import { face } from "./faces.js";
import { count } from "./messages.js";

const EXTERNAL = "external";
const DEACTIVATED = "deactivated";
const DEACTIVATE = "Deactivate this account";
const ACTIVATE = "Activate this account";

export function drawPeople(start, me, look, left) {
  const select = byId("as");
  if (!select.options.length) {
    select.append(...groups(start).map(([label, people]) => el("optgroup", { label }, people.map(choice))));
  }
  select.value = me;
  const person = start.people.find((one) => one.id === me);
  byId("team").textContent = start.team.name;
  byId("as-face").replaceChildren(face(me, look));
  byId("as-note").replaceChildren(...[
    person.stranger && el("span", { class: "badge outside" }, EXTERNAL),
    left && el("span", { class: "badge outside" }, DEACTIVATED),
    el("span", {}, person.title),
  ].filter(Boolean));
  byId("leave").textContent = left ? ACTIVATE : DEACTIVATE;
  byId("leave").hidden = person.stranger;
}

/** Members of the workspace first, strangers apart: what they may do differs most. */
function groups({ team, people }) {
  const inside = people.filter((one) => !one.stranger);
  const outside = people.filter((one) => one.stranger);
  return [[team.name, inside], [`Other workspaces (${EXTERNAL})`, outside]].filter(([, some]) => some.length);
}

function choice({ id, real_name: name, title, stranger }) {
  return el("option", { value: id }, [name, title, stranger && EXTERNAL].filter(Boolean).join(" · "));
}

export function drawChannels(channels, current, look, open) {
  const nav = byId("channels");
  const focused = document.activeElement?.dataset?.channel;
  const rooms = channels.filter((one) => !one.is_im);
  const talks = channels.filter((one) => one.is_im);
  const list = (title, some) => section(title, some, (one) => entry(one, current, look, open));
  nav.replaceChildren(...list("Channels", rooms), ...list("Direct messages", talks));
  if (focused) nav.querySelector(`[data-channel="${CSS.escape(focused)}"]`)?.focus();
}

function section(title, channels, draw) {
  if (!channels.length) return [];
  return [el("h2", {}, title), el("ul", {}, channels.map((one) => el("li", {}, draw(one))))];
}

function entry(channel, current, look, open) {
  const here = channel.id === current;
  const unread = here ? 0 : channel.unread;
  const mentions = here ? 0 : channel.is_im ? channel.unread : channel.mentions;
  const name = channelName(channel, look);
  const called = mentions && count(mentions, "mention", "mentions");
  const spoken = [name, unread && `${unread} unread`, called, channel.shared && "shared"];
  return el("button", {
    type: "button",
    class: unread ? "unread" : null,
    "data-channel": channel.id,
    "aria-current": here ? "page" : null,
    "aria-label": spoken.filter(Boolean).join(", "),
    onclick: () => open(channel.id),
  },
  channel.is_im ? el("span", { class: "tiny" }, face(appOf(look), look)) : el("span", { class: "hash" }, "#"),
  el("span", { class: "name" }, name),
  channel.shared && el("span", { class: "shared", title: "Shared with another workspace" }, "shared"),
  mentions ? el("span", { class: "count mentions" }, mentions) : unread ? el("span", { class: "count" }, unread) : null);
}

/** Direct messages here are with the app. */
const appOf = (look) => Object.keys(look.users).find((id) => look.users[id].is_bot);

export function channelName(channel, look) {
  return channel.is_im ? look.users[appOf(look)].real_name : channel.name;
}

/** The tab of the browser: mentions elsewhere, the open channel, the team. */
export function titleOf({ start, view, channel, look }) {
  const mentions = view.channels.reduce((sum, one) => sum + (one.id === channel ? 0 : one.mentions), 0);
  const here = view.channels.find((one) => one.id === channel);
  return `${mentions ? `(${mentions}) ` : ""}${here ? channelName(here, look) : "Workspace"} · ${start.team.name}`;
}
