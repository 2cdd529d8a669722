/** Slack's rich_text, the part a bot sends: sections, lists, quotes, preformatted text. */

import { timeNode } from "./dates.js";
import { el } from "./dom.js";
import { emojiByName } from "./emoji.js";
import { channel, link, mention, person, plain } from "./mrkdwn.js";

const STYLES = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]];

const PIECES = {
  text: (one) => el("span", {}, one.text),
  link: (one) => link(one.url, one.text || one.url),
  emoji: (one) => emojiByName(one.name) || `:${one.name}:`,
  user: (one, look) => person(one.user_id, look),
  usergroup: (one) => mention(`@${one.usergroup_id}`, "group"),
  channel: (one, look) => channel(one.channel_id, look),
  broadcast: (one) => mention(`@${one.range}`, "group"),
  date: (one) => timeNode(one.timestamp, one.format),
};

const PARTS = {
  rich_text_section: (part, look) => el("div", {}, pieces(part.elements, look)),
  rich_text_quote: (part, look) => el("blockquote", {}, pieces(part.elements, look)),
  rich_text_preformatted: (part, look) => el("pre", {}, pieces(part.elements, look)),
  rich_text_list: (part, look) => el(part.style === "ordered" ? "ol" : "ul", { class: `indent-${part.indent || 0}` },
    part.elements.map((item) => el("li", {}, pieces(item.elements, look)))),
};

export function richText(elements, look) {
  return elements.map((part) => PARTS[part.type]?.(part, look) ?? plain(`(${part.type})`));
}

function pieces(elements, look) {
  return elements.map((one) => {
    const node = PIECES[one.type]?.(one, look) ?? `(${one.type})`;
    return STYLES.reduce((inner, [style, tag]) => (one.style?.[style] ? el(tag, {}, inner) : inner), node);
  });
}
