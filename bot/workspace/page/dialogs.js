/** What stands in front of the page: confirm dialogs, modals, toasts. Native dialogs keep the rest of the page inert. */

import { byId, el } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";

const TOAST_MS = 8000;
const FOCUSABLE = "button:not([disabled]), input, select, textarea, a[href], [tabindex='0']";

/** Shows a sentence for a while; a click puts it away. */
export function toast(text) {
  const put = () => node.remove();
  const node = el("button", { type: "button", class: "toast", title: "Dismiss", onclick: put }, plain(text));
  const box = byId("toasts");
  box.append(node);
  // Shown anew it lies above a dialog that has opened since.
  box.hidePopover();
  box.showPopover();
  setTimeout(put, TOAST_MS);
}

/** Resolves true when there is nothing to ask or the person agrees. */
export function mayAct(confirm, look) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const answer = (yes) => () => {
      dialog.remove();
      resolve(yes);
    };
    const style = confirm.style === "danger" ? "danger" : "primary";
    const dialog = el("dialog", { id: "confirm", "aria-labelledby": "confirm-title", oncancel: answer(false) },
      el("h2", { id: "confirm-title" }, plain(confirm.title.text)),
      el("div", { class: "words" }, textObject(confirm.text, look)),
      el("footer", {},
        el("button", { type: "button", class: "button", onclick: answer(false) }, plain(confirm.deny.text)),
        el("button", { type: "button", class: `button ${style}`, onclick: answer(true) }, plain(confirm.confirm.text))));
    show(dialog);
  });
}

/** Opens as the top layer; Tab goes round inside, focus returns to where it was when the dialog is gone. */
export function show(dialog, first = null) {
  const before = document.activeElement;
  dialog.addEventListener("keydown", trap);
  document.body.append(dialog);
  dialog.showModal();
  (first || dialog.querySelector(FOCUSABLE))?.focus();
  new MutationObserver((_, observer) => {
    if (dialog.isConnected) return;
    observer.disconnect();
    if (before?.isConnected) before.focus();
    else byId("composer")?.focus();
  }).observe(document.body, { childList: true });
}

function trap(event) {
  if (event.key !== "Tab") return;
  const stops = [...event.currentTarget.querySelectorAll(FOCUSABLE)].filter((one) => one.offsetParent);
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? stops.at(-1) : stops[0]).focus();
}
