/** Pop-up menus of overflow buttons and selects: arrows move, typing finds, Enter picks, Escape leaves. */

import { el } from "./dom.js";

let close = () => {};

/** Entries are {label: nodes, text, description?, pick()}. Opening one menu closes the other. */
export function openMenu(anchor, entries) {
  const wasOpen = anchor.getAttribute("aria-expanded") === "true";
  close();
  if (wasOpen) return;
  const label = anchor.getAttribute("aria-label") || anchor.textContent;
  const menu = el("div", { class: "menu", role: "menu", "aria-label": label });
  menu.append(...entries.map((entry) => item(entry, anchor)));
  // Inside a dialog everything outside it is inert, so the menu must live there.
  (anchor.closest("dialog") || document.body).append(menu);
  anchor.setAttribute("aria-expanded", "true");
  place(menu, anchor);
  close = closer(menu, anchor);
  menu.addEventListener("keydown", (event) => keys(event, menu, anchor));
  document.addEventListener("pointerdown", outside, true);
  menu.firstElementChild?.focus();
}

function item(entry, anchor) {
  return el("button", {
    type: "button",
    role: "menuitem",
    tabindex: "-1",
    "data-text": entry.text.toLowerCase(),
    onclick() {
      close();
      anchor.focus();
      entry.pick();
    },
  }, el("span", {}, entry.label), entry.description && el("small", {}, entry.description));
}

function closer(menu, anchor) {
  return () => {
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    close = () => {};
  };
}

function outside(event) {
  if (!event.target.closest(".menu, [aria-expanded=true]")) close();
}

/** Below the anchor, or above it where there is no room. */
function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = at.bottom + 4 + size.height < innerHeight;
  menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - size.height - 4)}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
}

function keys(event, menu, anchor) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
  if (event.key in moves) items.at(moves[event.key] % items.length).focus();
  else if (event.key === "Escape") {
    close();
    anchor.focus();
  } else if (event.key === "Tab") {
    anchor.focus();   // Tab goes on from the button that opened the menu
    close();
    return;
  } else if (event.key.length === 1 && event.key !== " ") {
    items.find((one) => one.dataset.text.startsWith(event.key.toLowerCase()))?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
