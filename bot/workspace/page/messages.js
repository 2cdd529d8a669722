/** A list of messages, redrawn row by row: what has not changed keeps its node, its scroll place and its focus. */

import { drawBlocks } from "./blocks.js";
import { ago, dayKey, dayName, timeNode } from "./dates.js";
import { el } from "./dom.js";
import { emojiByName } from "./emoji.js";
import { face, nameOf } from "./faces.js";
import { mrkdwn } from "./mrkdwn.js";
import { keepPlace } from "./panes.js";

const EPHEMERAL = "Only visible to you";
const FRESH = "New";
const EMPTY = "Nothing has been said here yet.";
const EARLIER = "Show earlier messages";
const MESSAGE_SHORTCUTS = "More message shortcuts";
const TOGETHER_S = 300;    // messages of one author within five minutes stand under one name
const WINDOW = 200;        // rows drawn at first; a storm must not make the page slow

const when = (message) => Number(message.ts);
const keyOf = (message) => (message.ephemeral ? `only-${message.ts}` : message.ts);

/**
 * The scene: `look`, `act(message, payload)`, `hooks` {thread(ts), dismiss(message), shortcuts(button, message)}, and
 * where it applies `freshFrom` (ts of the first unread message) and `root` (in a thread pane).
 */
export function drawMessages(pane, messages, scene) {
  const limit = Number(pane.dataset.limit) || WINDOW;
  const rows = rowsOf(messages.slice(-limit), scene);
  if (messages.length > limit) rows.unshift(earlier(pane, () => drawMessages(pane, messages, scene)));
  if (!messages.length) rows.push({ key: "empty", signature: "", draw: () => el("p", { class: "empty" }, EMPTY) });
  keepPlace(pane, () => reconcile(pane, rows));
}

function earlier(pane, again) {
  const more = () => {
    pane.dataset.limit = (Number(pane.dataset.limit) || WINDOW) + WINDOW;
    again();
  };
  return {
    key: "earlier",
    signature: pane.dataset.limit || "",
    draw: () => el("div", { class: "earlier" }, el("button", { type: "button", class: "button", onclick: more }, EARLIER)),
  };
}

function rowsOf(messages, scene) {
  const rows = [];
  let before = null;
  for (const message of messages) {
    const newDay = !before || dayKey(when(before)) !== dayKey(when(message));
    if (newDay && !scene.root) rows.push(divider(`day-${dayKey(when(message))}`, dayName(when(message)), "day"));
    if (message.ts === scene.freshFrom) rows.push(divider("fresh", FRESH, "fresh"));
    const follows = !newDay && message.ts !== scene.freshFrom && sameBreath(before, message);
    rows.push(row(message, follows, scene));
    if (message.ts === scene.root && messages.length > 1) {
      rows.push(divider("replies", count(messages.length - 1, "reply", "replies"), "count"));
      before = null;
    } else before = message;
  }
  return rows;
}

export const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

function sameBreath(before, message) {
  return before && before.user === message.user && before.ephemeral === message.ephemeral
    && !before.reply_count && when(message) - when(before) < TOGETHER_S;
}

function divider(key, text, kind) {
  const draw = () => el("div", { class: `divider ${kind}`, role: "separator" }, el("span", {}, text));
  return { key, signature: text, draw };
}

function row(message, follows, scene) {
  const author = scene.look.users[message.user] || {};
  return {
    key: keyOf(message),
    // Who reads it belongs to the signature: a mention of oneself looks different.
    signature: JSON.stringify([message, follows, author, scene.look.me]),
    draw: () => drawMessage(message, follows, scene),
  };
}

/** Makes the pane hold exactly these rows, touching only those whose signature differs. */
function reconcile(pane, rows) {
  const known = new Map([...pane.children].map((node) => [node.dataset.key, node]));
  let previous = null;
  for (const { key, signature, draw } of rows) {
    let node = known.get(key);
    known.delete(key);
    if (node?.signature !== signature) {
      const fresh = draw();
      fresh.dataset.key = key;
      fresh.signature = signature;
      node?.replaceWith(fresh);
      node = fresh;
    }
    const place = previous ? previous.nextSibling : pane.firstChild;
    if (node !== place) pane.insertBefore(node, place);
    previous = node;
  }
  for (const node of known.values()) node.remove();
}

function drawMessage(message, follows, scene) {
  const { look } = scene;
  const name = nameOf(message.user, look);
  const kinds = ["message", follows && "follows", message.ephemeral && "ephemeral"].filter(Boolean).join(" ");
  const label = `${name}: ${message.text || ""}`;
  return el("article", { class: kinds, "data-ts": message.ts, tabindex: "-1", "aria-label": label },
    el("div", { class: "gutter" }, follows ? timeNode(when(message), "{time}", "small-time") : face(message.user, look)),
    el("div", { class: "content" },
      message.ephemeral && only(message, scene),
      !follows && heading(message, name, look),
      content(message, scene),
      files(message),
      reactions(message),
      message.reply_count && !scene.root && replies(message, scene)),
    tools(message, scene));
}

function heading(message, name, look) {
  const user = look.users[message.user] || {};
  return el("div", { class: "heading" },
    el("strong", { title: user.title || null }, name),
    user.is_bot && el("span", { class: "badge" }, "APP"),
    look.strangers.has(message.user) && el("span", { class: "badge outside" }, "external"),
    timeNode(when(message), "{time}", "small-time"));
}

function content(message, scene) {
  const edited = message.edited && el("span", { class: "edited" }, " (edited)");
  if (!message.blocks?.length) return el("div", { class: "words" }, mrkdwn(message.text || "", scene.look), edited);
  const act = (payload) => scene.act(message, payload);
  return el("div", { class: "card" }, drawBlocks(message.blocks, { look: scene.look, act }), edited);
}

function only(message, { hooks }) {
  return el("div", { class: "only" },
    el("span", {}, EPHEMERAL),
    el("button", { type: "button", class: "plain", onclick: () => hooks.dismiss(keyOf(message)) }, "Dismiss"));
}

export const dismissKey = keyOf;

function files(message) {
  if (!message.files?.length) return null;
  return el("div", { class: "files" }, message.files.map(({ name, url }) => {
    const address = new URL(url, location.href);
    const ours = address.origin === location.origin;
    return ours && el("a", { href: address.href, target: "_blank", rel: "noopener", class: "file" },
      /\.(png|svg|jpe?g|gif|webp)$/i.test(name) ? el("img", { src: address.href, alt: name }) : name);
  }));
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return el("div", { class: "reactions" }, message.reactions.map(({ name, count: times }) =>
    el("span", { class: "reaction", title: `:${name}:` }, emojiByName(name) || `:${name}:`, ` ${times}`)));
}

function replies(message, { hooks }) {
  const last = message.latest_reply && el("span", { class: "last" }, `Last reply ${ago(Number(message.latest_reply))}`);
  return el("button", { type: "button", class: "replies", onclick: () => hooks.thread(message.ts) },
    el("strong", {}, count(message.reply_count, "reply", "replies")), last);
}

function tools(message, { hooks, root }) {
  if (message.ephemeral) return null;
  const reply = !root && el("button", { type: "button", class: "plain reply", "aria-label": "Reply in thread",
    title: "Reply in thread", onclick: () => hooks.thread(message.ts) }, "↳ Reply");
  const more = hooks.shortcuts && el("button", { type: "button", class: "plain", "aria-label": MESSAGE_SHORTCUTS,
    "aria-haspopup": "menu", onclick: (event) => hooks.shortcuts(event.currentTarget, message) }, "⋮");
  return (reply || more) && el("div", { class: "tools" }, reply, more);
}
