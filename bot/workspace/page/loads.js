/** Fetches what is shown and draws it. An answer that comes after the person has moved on is dropped. */

import { get } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { setNow } from "./dates.js";
import { byId, oneAtATime } from "./dom.js";
import { dismissKey, drawMessages } from "./messages.js";
import { isAtEnd } from "./panes.js";
import { loadPhones } from "./phones.js";
import { drawChannels, drawPeople, titleOf } from "./sidebar.js";
import { channelOf, href, send, state } from "./state.js";

const OFFLINE = "Connection lost. Trying again…";

export function offline(is) {
  byId("offline").textContent = is ? OFFLINE : "";
  byId("offline").hidden = !is;
}

/** The stream tells when the workspace is back; then everything is fetched again. */
export const lost = () => offline(true);

export const loadView = oneAtATime(async () => {
  const { me } = state;
  const view = await get("view", { as: me });
  if (me !== state.me) return;
  setNow(view.now);
  state.view = view;
  const strangers = new Set(state.start.people.filter((one) => one.stranger).map((one) => one.id));
  state.look = { users: view.users, channels: view.channels, me, strangers, href };
  drawSidebar();
}, lost);

const readers = new Map();

/** Each channel on its own: to fetch is to have read, so one that was left at once is fetched all the same. */
export async function loadMessages() {
  const { me, channel } = state;
  if (!channel) return;
  const key = `${me} ${channel}`;
  if (!readers.has(key)) readers.set(key, oneAtATime(() => read(me, channel), lost));
  await readers.get(key)();
}

async function read(me, channel) {
  const { messages } = await get("messages", { as: me, channel });
  if (me !== state.me || channel !== state.channel) return;
  announce(messages);
  state.messages = messages;
  drawMain();
}

export const loadThread = oneAtATime(async () => {
  const { me, channel, thread } = state;
  if (!thread) return;
  const { messages } = await get("messages", { as: me, channel, thread });
  if (me !== state.me || channel !== state.channel || thread !== state.thread) return;
  drawMessages(byId("thread-messages"), kept(messages), { ...scene(), root: thread });
}, lost);

export const loadHome = homeLoader({});

/** After the app has published: looking again does not count as opening, or the app would publish for ever. */
export const reloadHome = homeLoader({ again: 1 });

function homeLoader(query) {
  return oneAtATime(async () => {
    const { me, channel } = state;
    if (!channelOf(channel)?.is_im) return;
    const { view } = await get("home", { as: me, ...query });
    if (me !== state.me || channel !== state.channel) return;
    const act = (payload) => send("click", { channel: null, ts: null, view_id: view.id, ...payload });
    byId("tabs").hidden = !view;
    byId("home").replaceChildren(...(view ? drawBlocks(view.blocks, { look: state.look, act }) : []));
  }, lost);
}

export const loadAll = () => Promise.all([loadView(), loadMessages(), loadThread(), loadPhones()]);

function scene() {
  const act = (message, payload) => send("click", { channel: state.channel, ts: message.ts, ...payload });
  return { look: state.look, act, hooks: state.hooks };
}

const kept = (messages) => messages.filter((one) => !state.dismissed.has(dismissKey(one)));

export function drawMain() {
  const pane = byId("messages");
  const last = state.messages.at(-1)?.ts || "";
  const more = pane.dataset.last && pane.dataset.last !== last && !isAtEnd(pane);
  drawMessages(pane, kept(state.messages), { ...scene(), freshFrom: state.freshFrom });
  pane.dataset.last = last;
  if (more) byId("newer").hidden = false;
}

export function drawSidebar() {
  drawPeople(state.start, state.me, state.look, state.view.left);
  drawChannels(state.view.channels, state.channel, state.look, state.hooks.open);
  document.title = titleOf(state);
}

/** A screen reader hears new messages by their text alone, as in Slack; edits stay silent. */
function announce(messages) {
  const before = new Set(state.messages.map((one) => one.ts));
  const fresh = state.messages.length ? messages.filter((one) => !before.has(one.ts)) : [];
  if (fresh.length) byId("spoken").textContent = fresh.map((one) => one.text).join(". ");
}
