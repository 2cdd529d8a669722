/** Block Kit drawn as Slack draws it: one function a block, one a clickable element. */

import { mayAct } from "./dialogs.js";
import { el } from "./dom.js";
import { draw as drawInput, isInput } from "./inputs.js";
import { openMenu } from "./menus.js";
import { link, mrkdwn, plain, textObject } from "./mrkdwn.js";
import { richText } from "./rich.js";

/**
 * A scene says where blocks stand: `look` (users, channels, me, href), `act(payload)` sends a click and resolves when
 * it is taken; a modal adds `given` (values so far) and `fields` (a list to collect its inputs in).
 */
export function drawBlocks(blocks, scene) {
  return blocks.map((block, index) => {
    const node = (BLOCKS[block.type] || unknown)(block, scene);
    node.dataset.blockId = block.block_id || `block-${index}`;
    return node;
  });
}

const BLOCKS = {
  section(block, scene) {
    const words = el("div", { class: "words" }, textObject(block.text, scene.look));
    const fields = block.fields && el("div", { class: "fields" },
      block.fields.map((field) => el("div", {}, textObject(field, scene.look))));
    const accessory = block.accessory && el("div", { class: "accessory" }, element(block.accessory, block, scene));
    return el("div", { class: "block section" }, el("div", { class: "grow" }, block.text && words, fields), accessory);
  },
  header: (block) => el("h3", { class: "block header" }, plain(block.text.text)),
  divider: () => el("hr", { class: "block" }),
  context: (block, scene) => el("div", { class: "block context" },
    block.elements.map((one) => (one.type === "image" ? picture(one) : el("span", {}, textObject(one, scene.look))))),
  actions: (block, scene) => el("div", { class: "block actions" },
    block.elements.map((one) => element(one, block, scene))),
  input,
  image: (block) => el("figure", { class: "block" },
    block.title && el("figcaption", {}, plain(block.title.text)), picture(block)),
  rich_text: (block, scene) => el("div", { class: "block words" }, richText(block.elements, scene.look)),
  markdown: (block) => el("div", { class: "block words" }, plain(block.text)),
  table,
};

function unknown(block) {
  return el("div", { class: "block context" }, `(a block of type ${block.type}, which this page does not draw)`);
}

/** A picture from elsewhere would need the network, so only our own are shown; the others are told and linked. */
function picture({ image_url: url = "", alt_text: alt = "" }) {
  const ours = url.startsWith("data:image/") || (url && new URL(url, location.href).origin === location.origin);
  return ours ? el("img", { src: url, alt }) : link(url, [el("span", { class: "tag" }, "image"), alt]);
}

function table(block, scene) {
  const [head, ...rows] = block.rows;
  const align = (index) => `align-${block.column_settings?.[index]?.align || "left"}`;
  const cell = (tag) => (one, index) => el(tag, { class: align(index), scope: tag === "th" ? "col" : null },
    one.type === "rich_text" ? richText(one.elements, scene.look) : plain(one.text ?? ""));
  return el("div", { class: "block table", tabindex: "0", role: "group", "aria-label": "Table" }, el("table", {},
    el("thead", {}, el("tr", {}, head.map(cell("th")))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell("td")))))));
}

function input(block, scene) {
  const id = `field-${block.block_id}`;
  const told = block.dispatch_action ? (state) => scene.act(payload(block.element, block, state)) : null;
  const drawn = drawInput(block.element, id, scene.given?.[block.block_id]?.[block.element.action_id], scene, told);
  scene.fields?.push({ block, read: drawn.read, id });
  const optional = block.optional && el("span", { class: "optional" }, " (optional)");
  const label = drawn.group
    ? el("span", { class: "label", id: `${id}-label` }, plain(block.label.text), optional)
    : el("label", { for: id }, plain(block.label.text), optional);
  return el("div", { class: "block input" }, label, drawn.node,
    el("p", { class: "error", id: `${id}-error`, hidden: true }),
    block.hint && el("p", { class: "hint", id: `${id}-hint` }, plain(block.hint.text)));
}

function payload(one, block, more) {
  const { type: _, ...state } = more;
  return { block_id: block.block_id, action_id: one.action_id, ...state };
}

/** Asks first when the element has a confirm dialog, and is inert until the workspace has taken the click. */
async function send(one, block, scene, node, more) {
  const confirm = more.selected_option?.confirm || one.confirm;
  if (!(await mayAct(confirm, scene.look))) return;
  node.setAttribute("aria-disabled", "true");
  await scene.act(payload(one, block, more));
  node.removeAttribute("aria-disabled");
}

function element(one, block, scene) {
  if (one.type === "button" || one.type === "workflow_button") return button(one, block, scene);
  if (one.type === "overflow") return overflow(one, block, scene);
  if (one.type === "static_select" || one.type === "users_select") return select(one, block, scene);
  if (one.type === "image") return picture(one);
  if (one.type === "mrkdwn" || one.type === "plain_text") return el("span", {}, textObject(one, scene.look));
  if (isInput(one)) return loneInput(one, block, scene);
  return el("span", { class: "context" }, `(${one.type})`);
}

function clickable(one, label, props = {}) {
  return el("button", { type: "button", "data-action-id": one.action_id, ...props }, label);
}

function button(one, block, scene) {
  const style = ["primary", "danger"].includes(one.style) ? one.style : "";
  const node = clickable(one, plain(one.text.text), {
    class: `button ${style}`,
    "aria-label": one.accessibility_label,
    "aria-haspopup": one.confirm ? "dialog" : null,
    onclick() {
      if (node.getAttribute("aria-disabled")) return;
      if (one.url && /^https?:/i.test(one.url)) window.open(one.url, "_blank", "noopener");
      send(one, block, scene, node, { value: one.value });
    },
  });
  return node;
}

function overflow(one, block, scene) {
  const node = clickable(one, "⋯", {
    class: "button more",
    "aria-label": "More actions",
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    onclick: () => openMenu(node, one.options.map((option) => ({
      label: plain(option.text.text),
      text: option.text.text,
      description: option.description && plain(option.description.text),
      pick: () => send(one, block, scene, node, { selected_option: option }),
    }))),
  });
  return node;
}

/** In a message a select is a button with a menu: the choice acts at once, so arrow keys must not choose by passing. */
function select(one, block, scene) {
  const entries = one.type === "users_select" ? people(scene.look) : options(one);
  const chosen = one.initial_option?.text.text || scene.look.users[one.initial_user]?.real_name;
  const label = chosen || one.placeholder?.text || "Choose…";
  const node = clickable(one, [el("span", {}, plain(label)), el("span", { "aria-hidden": "true" }, " ▾")], {
    class: "button select",
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    onclick: () => openMenu(node, entries.map((entry) => ({
      ...entry,
      pick: () => send(one, block, scene, node, entry.state),
    }))),
  });
  return node;
}

function options(one) {
  const groups = one.option_groups || [{ options: one.options || [] }];
  return groups.flatMap((group) => group.options.map((option) => ({
    label: plain(option.text.text),
    text: option.text.text,
    description: option.description && plain(option.description.text),
    state: { selected_option: option },
  })));
}

function people(look) {
  return Object.entries(look.users).filter(([, user]) => !user.is_bot).map(([id, user]) => ({
    label: [user.real_name],
    text: `${user.real_name} ${user.name}`,
    description: user.title && [user.title],
    state: { selected_user: id },
  }));
}

/** Radio buttons, check boxes, dates outside an input block act when they change. */
function loneInput(one, block, scene) {
  const drawn = drawInput(one, `field-${block.block_id}-${one.action_id}`, scene.given?.[block.block_id]?.[one.action_id],
    scene, (state) => send(one, block, scene, drawn.node, state));
  scene.fields?.push({ block: { ...block, element: one, optional: true }, read: drawn.read });
  return drawn.node;
}
