/** Where a person writes: Enter sends, Tab completes, the arrow up brings back the last line; drafts wait per place. */

import { el } from "./dom.js";
import { suggest } from "./suggest.js";

const history = new Map();   // person -> lines said, oldest first
const drafts = new Map();    // person, channel, thread -> text

/** `place()` says {as, channel, thread}; `known()` what to suggest from; `say(text)` resolves to {ok, error?}. */
export function makeComposer({ id, label, place, known, say }) {
  const list = el("div", {
    id: `${id}-list`, class: "suggestions", role: "listbox", "aria-label": "Suggestions", hidden: true,
  });
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const field = el("textarea", {
    id, rows: 1, "aria-label": label, role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false",
    "aria-controls": list.id, autocomplete: "off", oninput: typed, onkeydown: keys, onblur: hide,
  });
  const button = el("button", {
    type: "button", class: "send", "aria-label": "Send", title: "Send (Enter)", onclick: send,
  }, "➤");
  const node = el("div", { class: "composer" }, list, error, el("div", { class: "box" }, field, button));
  let items = [];
  let active = 0;
  let chosen = false;        // an arrow has been used: Enter takes the suggestion even where it could send
  let back = 0;              // how far the arrow up has gone into the history
  let key = "";

  function typed() {
    drafts.set(key, field.value);
    back = 0;
    chosen = false;
    active = 0;
    tell("");
    grow();
    items = suggest(field.value, { ...known(), inThread: Boolean(place().thread) });
    drawList();
  }

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 220)}px`;
    button.disabled = !field.value.trim();
  }

  function drawList() {
    list.hidden = !items.length;
    field.setAttribute("aria-expanded", String(Boolean(items.length)));
    list.replaceChildren(...items.map((item, index) => el("div", {
      id: `${id}-option-${index}`, role: "option", "aria-selected": String(index === active),
      // The press must not take the focus from the field, or the list would go before the click arrives.
      onpointerdown: (event) => { event.preventDefault(); take(item); },
    }, el("strong", {}, item.label), el("span", {}, item.description))));
    field.setAttribute("aria-activedescendant", items.length ? `${id}-option-${active}` : "");
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }

  function hide() {
    items = [];
    drawList();
  }

  function put(text) {
    field.value = text;
    field.setSelectionRange(text.length, text.length);
    drafts.set(key, text);
    grow();
  }

  function take(item) {
    put(item.becomes);
    typed();
  }

  function keys(event) {
    if (event.isComposing) return;
    const handled = (items.length && listKeys(event)) || fieldKeys(event);
    if (handled) event.preventDefault();
  }

  function listKeys({ key: pressed, shiftKey }) {
    if (pressed === "ArrowDown" || pressed === "ArrowUp") {
      active = (active + (pressed === "ArrowDown" ? 1 : items.length - 1)) % items.length;
      chosen = true;
      drawList();
      return true;
    }
    const item = items[active];
    const completes = item.becomes !== field.value;
    const byEnter = pressed === "Enter" && (chosen ? completes : !item.done);
    const takes = !shiftKey && (byEnter || (pressed === "Tab" && completes));
    if (takes) take(item);
    if (pressed === "Escape") hide();
    return takes || pressed === "Escape";
  }

  function fieldKeys({ key: pressed, shiftKey }) {
    if (pressed === "Enter" && !shiftKey) {
      send();
      return true;
    }
    if (pressed === "ArrowUp" && (!field.value || back)) return recall(back + 1);
    if (pressed === "ArrowDown" && back) return recall(back - 1);
    return false;
  }

  function recall(steps) {
    const lines = history.get(place().as) || [];
    if (steps > lines.length) return true;
    put(steps ? lines.at(-steps) : "");
    back = steps;
    return true;
  }

  async function send() {
    const text = field.value.trim();
    if (!text) return;
    const from = key;
    const { as } = place();
    hide();
    put("");
    const answer = await say(text);
    if (answer.ok) history.set(as, [...(history.get(as) || []), text]);
    else if (from === key) {
      if (!field.value) put(text);
      tell(answer.error);
    } else drafts.set(from, text);
    back = 0;
  }

  function tell(text) {
    error.textContent = text;
    error.hidden = !text;
  }

  /** The place has changed: the draft that waits there comes back. */
  function arrive(words) {
    const { as, channel, thread } = place();
    key = [as, channel, thread].join(" ");
    field.placeholder = words;
    tell("");
    hide();
    put(drafts.get(key) || "");
    back = 0;
  }

  return { node, arrive, focus: () => field.focus() };
}
