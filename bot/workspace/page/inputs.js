/** The inputs of a modal: each is drawn with its value so far and can be read as Slack's state.values. */

import { el } from "./dom.js";
import { plain } from "./mrkdwn.js";

const NATIVE = {
  plain_text_input: ["text", "value", "initial_value"],
  number_input: ["number", "value", "initial_value"],
  email_text_input: ["email", "value", "initial_value"],
  url_text_input: ["url", "value", "initial_value"],
  datepicker: ["date", "selected_date", "initial_date"],
  timepicker: ["time", "selected_time", "initial_time"],
};

const CHOICES = {
  static_select: { draw: oneOf, key: "selected_option", initial: "initial_option" },
  users_select: { draw: oneOf, key: "selected_user", initial: "initial_user" },
  radio_buttons: { draw: ticks, key: "selected_option", initial: "initial_option", kind: "radio" },
  checkboxes: { draw: ticks, key: "selected_options", initial: "initial_options", kind: "checkbox" },
};

export const isInput = (element) => element.type in NATIVE || element.type in CHOICES;

/** -> {node, read() -> {type, value | selected_...}, group}; `changed(state)` is told of each change, when given. */
export function draw(element, id, given, scene, changed) {
  const choice = CHOICES[element.type];
  const drawn = choice ? choice.draw(element, id, given, scene, choice) : typed(element, id, given);
  drawn.node.dataset.actionId = element.action_id;
  if (changed) drawn.node.addEventListener("change", () => changed(drawn.read()));
  return drawn;
}

function typed(element, id, given) {
  const [type, key, initial] = NATIVE[element.type] || NATIVE.plain_text_input;
  const props = {
    id,
    placeholder: element.placeholder?.text,
    maxlength: element.max_length,
    autocomplete: "off",
    autofocus: element.focus_on_load,
    min: element.min_value,
    max: element.max_value,
    step: type === "number" && element.is_decimal_allowed ? "any" : null,
  };
  const node = element.multiline ? el("textarea", { ...props, rows: 4 }) : el("input", { ...props, type });
  node.value = given ? given[key] ?? "" : element[initial] ?? "";
  return { node, read: () => ({ type: element.type, [key]: node.value === "" ? null : node.value }) };
}

/** The choices as [key, words, what Slack reports]. */
function choices(element, look) {
  if (element.type === "users_select") {
    return Object.entries(look.users).filter(([, user]) => !user.is_bot)
      .map(([id, user]) => [id, [user.real_name, user.title].filter(Boolean).join(" · "), id]);
  }
  const groups = element.option_groups || [{ options: element.options }];
  return groups.flatMap((group) => group.options).map((option) => [option.value, option.text.text, option]);
}

const keyOf = (chosen) => (typeof chosen === "object" && chosen ? chosen.value : chosen);

function oneOf(element, id, given, scene, { key, initial }) {
  const all = choices(element, scene.look);
  const chosen = keyOf(given ? given[key] : element[initial]) ?? "";
  const node = el("select", { id, autofocus: element.focus_on_load },
    el("option", { value: "" }, element.placeholder?.text || "Choose…"),
    all.map(([value, words]) => el("option", { value }, plain(words).map((piece) => piece.textContent ?? piece))));
  node.value = chosen;
  const read = () => ({ type: element.type, [key]: all.find(([value]) => value === node.value)?.[2] ?? null });
  return { node, read };
}

function ticks(element, id, given, scene, { key, initial, kind }) {
  const many = kind === "checkbox";
  const before = [(given ? given[key] : element[initial]) ?? []].flat().map(keyOf);
  const boxes = element.options.map((option) => {
    const checked = before.includes(option.value);
    return { option, box: el("input", { type: kind, name: id, value: option.value, checked }) };
  });
  const node = el("div", { id, class: "ticks", role: many ? "group" : "radiogroup", "aria-labelledby": `${id}-label` },
    boxes.map(({ option, box }) => el("label", {}, box, el("span", {}, plain(option.text.text),
      option.description && el("small", {}, plain(option.description.text))))));
  const read = () => {
    const ticked = boxes.filter(({ box }) => box.checked).map(({ option }) => option);
    return { type: element.type, [key]: many ? ticked : ticked[0] ?? null };
  };
  return { node, read, group: true };
}
