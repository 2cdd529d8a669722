/** The person's modal, as the stream gives it: fields, errors beside them, and text that survives a failed save. */

import { drawBlocks } from "./blocks.js";
import { show } from "./dialogs.js";
import { el } from "./dom.js";
import { plain } from "./mrkdwn.js";

const MISSING = "Please complete this required field.";
const TOO_SHORT = (least) => `Please write at least ${least} characters.`;
const GRACE_MS = 600;

/** `send(path, body)` posts for the person who acts; `look()` gives users and channels as they are now. */
export function makeModal({ send, look }) {
  let open = null;           // {view, dialog, fields}
  let shown = 0;             // counts what the stream said, to know whether it answered a submit
  const kept = new Map();    // view id -> values, for a view that comes back when one above it closes

  function set(view) {
    shown += 1;
    const writing = open && whereWriting(open);
    if (open) {
      kept.set(open.view.id, read(open.fields));
      open.dialog.remove();
    }
    if (!view) {
      open = null;
      kept.clear();
      return;
    }
    open = draw(view, kept.get(view.id));
    show(open.dialog, (writing && open.dialog.querySelector(writing)) || firstField(open));
  }

  function draw(view, given) {
    const fields = [];
    const act = (payload) => send("click", { channel: null, ts: null, view_id: view.id, ...payload });
    const scene = { look: look(), act, given, fields };
    const title = el("h2", { id: "modal-title" }, plain(view.title.text));
    const cross = el("button", { type: "button", class: "close", "aria-label": "Close", onclick: leave }, "✕");
    const props = { id: "modal", "aria-labelledby": "modal-title", "data-view-id": view.id, oncancel: leave };
    const dialog = el("dialog", props,
      el("form", { onsubmit: submit, onkeydown: submitByKey, novalidate: true },
        el("header", {}, title, cross),
        el("div", { class: "body" }, drawBlocks(view.blocks, scene)),
        el("p", { class: "error failed", role: "alert", hidden: true }),
        footer(view)));
    return { view, dialog, fields };
  }

  function footer(view) {
    const close = view.close?.text || (view.submit ? "Cancel" : "Close");
    return el("footer", {},
      el("button", { type: "button", class: "button", onclick: leave }, plain(close)),
      view.submit && el("button", { type: "submit", class: "button primary" }, plain(view.submit.text)));
  }

  function leave(event) {
    event.preventDefault();
    const { view } = open;
    set(null);
    send("dismiss", { view_id: view.id });
  }

  async function submit(event) {
    event.preventDefault();
    const { view, dialog, fields } = open;
    if (tell(dialog, fields, mistakes(fields))) return;
    const before = shown;
    const button = dialog.querySelector("[type=submit]");
    button.disabled = true;
    const answer = await send("submit", { view_id: view.id, values: read(fields) }, { quiet: true });
    button.disabled = false;
    if (!answer.ok) failed(dialog, answer.error);
    else if (!tell(dialog, fields, answer.errors || {})) setTimeout(() => shown === before && set(null), GRACE_MS);
  }

  return { set, isOpen: () => Boolean(open) };
}

function submitByKey(event) {
  if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit();
}

/** The field that has the focus, as a selector: a redrawn view must not take the pen away. */
function whereWriting({ dialog }) {
  const field = document.activeElement;
  const block = dialog.contains(field) && field.dataset.actionId && field.closest("[data-block-id]");
  const by = (name, value) => `[data-${name}="${CSS.escape(value)}"]`;
  return block && `${by("block-id", block.dataset.blockId)} ${by("action-id", field.dataset.actionId)}`;
}

function firstField({ dialog }) {
  return dialog.querySelector("[autofocus], .body input, .body select, .body textarea");
}

/** Slack's state.values: {block: {action: {type, ...}}}. */
function read(fields) {
  const values = {};
  for (const { block, read: one } of fields) (values[block.block_id] ??= {})[block.element.action_id] = one();
  return values;
}

/** What Slack's own client refuses before it asks the app. */
function mistakes(fields) {
  const errors = {};
  for (const { block, read: one } of fields) {
    const { type: _, ...state } = one();
    const [value] = Object.values(state);
    const empty = value === null || value.length === 0;
    const least = block.element.min_length || 0;
    if (empty && !block.optional) errors[block.block_id] = MISSING;
    else if (!empty && value.length < least) errors[block.block_id] = TOO_SHORT(least);
  }
  return errors;
}

/** Puts each error under its field; true when there is one. The first field at fault gets the focus. */
function tell(dialog, fields, errors) {
  const known = new Set(fields.map((field) => field.id && field.block.block_id));
  const elsewhere = Object.entries(errors).filter(([id]) => !known.has(id));
  failed(dialog, elsewhere.map(([, text]) => text).join(" "));
  let first = null;
  for (const { block, id } of fields.filter((field) => field.id)) {
    const text = errors[block.block_id] || "";
    const control = dialog.querySelector(`#${CSS.escape(id)}`);
    const note = dialog.querySelector(`#${CSS.escape(id)}-error`);
    note.textContent = text;
    note.hidden = !text;
    control.setAttribute("aria-invalid", Boolean(text));
    control.setAttribute("aria-describedby", text ? note.id : `${id}-hint`);
    if (text) first ??= control;
  }
  const field = first?.matches("input, select, textarea") ? first : first?.querySelector("input");
  field?.focus();
  return Object.keys(errors).length > 0;
}

function failed(dialog, text) {
  const note = dialog.querySelector(".failed");
  note.textContent = text;
  note.hidden = !text;
}
