/** The workspace page: moving about as one person or another, and what happens meanwhile. */

import { follow, get, post } from "./api.js";
import { makeComposer } from "./composer.js";
import { refresh } from "./dates.js";
import { toast } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { fromHash, fromPermalink } from "./links.js";
import {
  drawMain, drawSidebar, loadAll, loadHome, loadMessages, loadThread, loadView, lost, offline, reloadHome,
} from "./loads.js";
import { openMenu } from "./menus.js";
import { makeModal } from "./modal.js";
import { isAtEnd, point, stayAtEnd, toEnd } from "./panes.js";
import { loadPhones } from "./phones.js";
import { channelName } from "./sidebar.js";
import { channelOf, href, send, shortcuts, state } from "./state.js";

const NEWER = "New messages ↓";
const SHARED = "shared with another workspace";
const TICK_MS = 15000;
const RETRY_MS = 1500;

const modal = makeModal({ send, look: () => state.look });
const composer = composerFor("composer", "Message", () => null);
const threadComposer = composerFor("thread-composer", "Reply in thread", () => state.thread);

function composerFor(id, label, thread) {
  const place = () => ({ as: state.me, channel: state.channel, thread: thread() });
  return makeComposer({
    id, label, place,
    known: () => ({ commands: state.start.commands, users: state.look.users }),
    say: (text) => post("say", { ...place(), text }),
  });
}

// Moving about: person, channel, thread, message.

async function become(me, channel) {
  state.hangUp();
  closeThread();
  Object.assign(state, { me, channel: null, messages: [] });
  modal.set(null);
  byId("toasts").replaceChildren();
  await loadView();
  const opened = () => {
    offline(false);
    loadAll();
  };
  state.hangUp = follow(me, { event: happened, opened, lost });
  await openChannel(channelOf(channel) ? channel : state.view.channels[0]?.id);
}

async function openChannel(id) {
  const channel = channelOf(id);
  if (!channel) return;
  closeThread();
  Object.assign(state, { channel: id, messages: [], freshFrom: null });
  history.replaceState(null, "", href(id));
  const { me } = state;
  const { unread } = channel;
  Object.assign(channel, { unread: 0, mentions: 0 });
  drawSidebar();
  dress(channel);
  await Promise.all([loadMessages(), loadHome()]);
  if (me !== state.me || id !== state.channel) return;      // left meanwhile
  markFresh(unread);
  toEnd(byId("messages"));
  if (!modal.isOpen()) composer.focus();
}

function dress(channel) {
  const name = `${channel.is_im ? "" : "#"}${channelName(channel, state.look)}`;
  const pane = byId("messages");
  pane.replaceChildren();
  pane.dataset.limit = pane.dataset.last = "";
  byId("newer").hidden = true;
  byId("tabs").hidden = true;
  showTab("messages");
  byId("channel-name").textContent = name;
  byId("channel-note").textContent = channel.shared ? SHARED : "";
  composer.arrive(`Message ${name}`);
}

/** The line "New" stands above the first message that was unread when the channel was opened. */
function markFresh(unread) {
  const others = state.messages.filter((one) => !one.ephemeral && one.user !== state.me);
  state.freshFrom = unread && unread < others.length ? others.at(-unread).ts : null;
  if (state.freshFrom) drawMain();
}

async function openThread(ts) {
  state.thread = ts;
  byId("thread").hidden = false;
  byId("thread-messages").replaceChildren();
  byId("thread-note").textContent = byId("channel-name").textContent;
  threadComposer.arrive("Reply…");
  await loadThread();
  toEnd(byId("thread-messages"));
  threadComposer.focus();
}

function closeThread() {
  state.thread = null;
  byId("thread").hidden = true;
  byId("thread-messages").replaceChildren();
}

function leaveThread() {
  closeThread();
  composer.focus();
}

function showTab(name) {
  for (const id of ["home", "messages"]) byId(id).hidden = id !== name;
  byId("composer-place").hidden = name === "home";
  for (const tab of byId("tabs").children) tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
}

/** Goes where an address says; who is not named there stays who he is. */
async function arrive({ as = null, channel, ts, thread }) {
  const known = state.start.people.find((one) => one.id === as)?.id;
  const me = known || state.me || state.start.people[0].id;
  if (me !== state.me) await become(me, channel);
  else if (channel !== state.channel) await openChannel(channel);
  const within = thread && thread !== ts;
  if (within) await openThread(thread);
  if (ts) point(byId(within ? "thread-messages" : "messages"), ts);
}

/** Permalinks of this workspace open in this page. */
function followLink(event) {
  const place = fromPermalink(event.target.closest?.("a[href]")?.href || "about:blank");
  if (!place || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  arrive(place);
}

// What a message may do to the page.

function dismiss(key) {
  state.dismissed.add(key);
  drawMain();
  loadThread();
}

function openShortcuts(anchor, message) {
  openMenu(anchor, shortcuts("message").map(({ name, callback_id }) => ({
    label: name,
    text: name,
    pick: () => send("shortcut", { callback_id, channel: state.channel, ts: message.ts }),
  })));
}

// What happens meanwhile.

function happened(event) {
  if (event.type === "view") modal.set(event.view);
  else if (event.type === "notice") toast(event.text);
  else if (event.type === "channels") loadView();
  else if (event.type === "message") arrived(event);
  else if (event.type === "home") reloadHome();
  else if (event.type === "phones") loadPhones();
}

/** A page in the background must not mark anything as read: it fetches when it is looked at again. */
function arrived({ channel, ts, thread }) {
  if (channel !== state.channel || document.hidden) return loadView();
  if (state.thread && (thread === state.thread || ts === state.thread)) loadThread();
  return loadMessages();
}

function keys(event) {
  const free = !event.defaultPrevented && !document.querySelector("dialog");
  if (event.key === "Escape" && state.thread && free) leaveThread();
  if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
  event.preventDefault();
  const all = [...document.querySelectorAll("[data-channel]")].map((one) => one.dataset.channel);
  const step = event.key === "ArrowDown" ? 1 : all.length - 1;
  openChannel(all[(all.indexOf(state.channel) + step) % all.length]);
}

// The beginning.

function wire() {
  byId("composer-place").append(composer.node);
  byId("thread-composer-place").append(threadComposer.node);
  byId("as").addEventListener("change", (event) => become(event.target.value, state.channel));
  byId("leave").addEventListener("click", () => send("leave", { left: !state.view.left }));
  byId("thread-close").addEventListener("click", leaveThread);
  byId("tabs").append(...["home", "messages"].map((name) => el("button", {
    type: "button", "data-tab": name, onclick: () => showTab(name),
  }, name[0].toUpperCase() + name.slice(1))));
  wirePanes();
  addEventListener("keydown", keys);
  addEventListener("click", followLink);
  addEventListener("hashchange", () => arrive(fromHash()));
  document.addEventListener("visibilitychange", () => { if (!document.hidden && state.me) loadAll(); });
  setInterval(() => refresh(), TICK_MS);
}

function wirePanes() {
  const newer = byId("newer");
  newer.textContent = NEWER;
  newer.addEventListener("click", () => toEnd(byId("messages")));
  byId("messages").addEventListener("scroll", (event) => { if (isAtEnd(event.target)) newer.hidden = true; });
  for (const id of ["messages", "thread-messages"]) stayAtEnd(byId(id));
}

async function begin() {
  try {
    state.start = await get("start");
    const shortcut = shortcuts("message").length ? openShortcuts : null;
    state.hooks = { open: openChannel, thread: openThread, dismiss, shortcuts: shortcut };
    await arrive(fromHash());
  } catch {
    lost();
    setTimeout(begin, RETRY_MS);
  }
}

wire();
await begin();
