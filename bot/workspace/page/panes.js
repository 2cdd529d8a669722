/** The scrolling columns: redraws and resizes never lose the reader's place. */

/** Scrolls and focus survive a redraw: the first row in sight stays where it is, the end stays the end. */
export function keepPlace(pane, change) {
  const atEnd = isAtEnd(pane);
  const top = pane.getBoundingClientRect().top;
  const anchor = [...pane.children].find((row) => row.getBoundingClientRect().bottom > top);
  const before = anchor?.getBoundingClientRect().top;
  const focus = focusWithin(pane);
  change();
  const after = anchor && pane.querySelector(`[data-key="${CSS.escape(anchor.dataset.key)}"]`);
  if (atEnd) toEnd(pane);
  else if (after) pane.scrollTop += after.getBoundingClientRect().top - before;
  if (focus && !document.activeElement?.closest?.(".pane")) refocus(pane, focus);
}

/** The end stays in sight when the column gets narrower or the composer higher. */
export function stayAtEnd(pane) {
  let atEnd = true;
  pane.addEventListener("scroll", () => { atEnd = isAtEnd(pane); });
  new ResizeObserver(() => { if (atEnd) toEnd(pane); }).observe(pane);
}

export function toEnd(pane) { pane.scrollTop = pane.scrollHeight; }

/** Brings a message into sight and marks it for a moment. */
export function point(pane, ts) {
  const row = pane.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
  if (!row) return;
  row.scrollIntoView({ block: "center" });
  row.classList.add("pointed");
  setTimeout(() => row.classList.remove("pointed"), 3000);
}

export const isAtEnd = (pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;

function focusWithin(pane) {
  const active = document.activeElement;
  const row = pane.contains(active) && active.closest("[data-key]");
  return row ? { key: row.dataset.key, action: active.dataset.actionId } : null;
}

function refocus(pane, { key, action }) {
  const row = pane.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const same = action && row?.querySelector(`[data-action-id="${CSS.escape(action)}"]`);
  (same || row || pane).focus({ preventScroll: true });
}
