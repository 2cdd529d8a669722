/** Slack's mrkdwn as nodes: emphasis, code, quotes, lists, links, mentions, dates and emoji; never markup. */

import { timeNode } from "./dates.js";
import { el } from "./dom.js";
import { emojiByName, withEmoji } from "./emoji.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const SAFE_LINK = /^(https?:|mailto:|tel:)/i;
const BULLET = /^\s*([•◦▪‣*-]|\d+[.)])\s+\S/;
const QUOTE = /^(?:>|&gt;)\s?/;

// One alternative each: <...>, `code`, *bold*, _italic_, ~strike~, :emoji:, a bare link.
const INLINE = new RegExp([
  "<([^<>\\n]+)>",
  "`([^`\\n]+)`",
  "(?<![\\w*])\\*(?=[^\\s*])([^*\\n]+?)(?<=\\S)\\*(?![\\w*])",
  "(?<![\\w_])_(?=[^\\s_])([^\\n]+?)(?<=\\S)_(?![\\w_])",
  "(?<![\\w~])~(?=[^\\s~])([^~\\n]+?)(?<=\\S)~(?![\\w~])",
  ":([a-z0-9_+-]+):",
  "(https?:\\/\\/[^\\s<>|]*[^\\s<>|.,;:!?)\\]'\"])",
].join("|"), "g");

export const decode = (text) => text.replace(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity]);

/** A text object of Block Kit: plain_text knows emoji only, mrkdwn knows everything below. */
export function textObject(object, look) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, { ...look, verbatim: object.verbatim }) : plain(object.text);
}

export function plain(text) {
  const pieces = String(text).split(/(:[a-z0-9_+-]+:)/);
  return pieces.flatMap((piece) => emojiByName(piece.slice(1, -1)) || withEmoji(decode(piece)));
}

export function mrkdwn(text, look) {
  const pieces = String(text).split(/```\n?([\s\S]+?)\n?```\n?/);
  return pieces.flatMap((piece, index) => (index % 2 ? el("pre", {}, decode(unlinked(piece))) : lines(piece, look)));
}

/** Inside ``` Slack still shows a link's words, not its angle brackets. */
const unlinked = (text) => text.replace(/<([^<>|\n]+)(?:\|([^<>\n]+))?>/g, (_, url, label) => label || url);

/** Quotes become a block, listed lines hang; other lines flow with their line breaks. */
function lines(text, look) {
  const nodes = [];
  let quoted = [];
  let flowing = [];
  const flush = () => {
    if (quoted.length) nodes.push(el("blockquote", {}, inline(quoted.join("\n"), look)));
    if (flowing.length && (flowing.length > 1 || flowing[0])) nodes.push(...inline(flowing.join("\n"), look));
    quoted = [];
    flowing = [];
  };
  for (const line of text.split("\n")) {
    if (QUOTE.test(line)) {
      if (flowing.length) flush();
      quoted.push(line.replace(QUOTE, ""));
    } else if (BULLET.test(line)) {
      flush();
      nodes.push(el("div", { class: "hang" }, inline(line, look)));
    } else {
      if (quoted.length) flush();
      flowing.push(line);
    }
  }
  flush();
  return nodes;
}

function inline(text, look) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(...withEmoji(decode(text.slice(from, match.index))));
    nodes.push(...token(match, look));
    from = match.index + match[0].length;
  }
  nodes.push(...withEmoji(decode(text.slice(from))));
  return nodes;
}

function token([whole, angle, code, bold, italic, strike, emoji, bare], look) {
  if (angle) return [special(angle, look)];
  if (code) return [el("code", {}, decode(unlinked(code)))];
  if (bold) return [el("strong", {}, inline(bold, look))];
  if (italic) return [el("em", {}, inline(italic, look))];
  if (strike) return [el("s", {}, inline(strike, look))];
  if (emoji) return emojiByName(emoji) || [whole];
  return look?.verbatim ? [decode(bare)] : [link(decode(bare), decode(bare))];     // verbatim: Slack makes no link by itself
}

/** What stands between angle brackets: a mention, a date or a link. */
function special(body, look) {
  const cut = body.indexOf("|");
  const target = cut < 0 ? body : body.slice(0, cut);
  const label = cut < 0 ? "" : decode(body.slice(cut + 1));
  if (target.startsWith("@")) return person(target.slice(1), look, label);
  if (target.startsWith("#")) return channel(target.slice(1), look, label);
  if (target.startsWith("!date^")) return date(target.split("^"), label);
  if (target.startsWith("!subteam^")) return mention(label || `@${target.slice(9)}`, "group");
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`, "group");
  return link(decode(target), label || decode(target));
}

function date([, unix, pattern, url], fallback) {
  if (!/^\d+$/.test(unix) || !pattern) return document.createTextNode(fallback);
  const node = timeNode(Number(unix), decode(pattern));
  return url ? link(url, node) : node;
}

export function mention(text, kind) {
  return el("span", { class: `mention ${kind}` }, text);
}

export function person(id, look, label = "") {
  const user = look.users[id];
  const node = mention(`@${user?.name || label || id}`, id === look.me ? "me" : "person");
  if (user) node.title = [user.real_name, user.title].filter(Boolean).join(" · ");
  return node;
}

export function channel(id, look, label = "") {
  const known = look.channels.find((one) => one.id === id);
  return el("a", { class: "mention", href: look.href(id) }, `#${known?.name || label || id}`);
}

/** Only web, mail and telephone addresses become links; anything else stays words. */
export function link(url, content) {
  if (!SAFE_LINK.test(url)) return el("span", {}, content);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, content);
}
