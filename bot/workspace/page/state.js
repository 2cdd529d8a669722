/** What the page knows: who acts, what is open, the last fetched view; and the one way to post for that person. */

import { post } from "./api.js";
import { toast } from "./dialogs.js";
import { hashOf } from "./links.js";

export const state = {
  start: null, view: null, me: null, channel: null, thread: null,
  messages: [], freshFrom: null, dismissed: new Set(), hangUp: () => {},
  look: { users: {}, channels: [], strangers: new Set(), me: null, href },   // what drawing functions may know
  hooks: {},                                                                 // what a message may do to the page
};

export function href(channel) { return hashOf(state.me, channel); }

export const channelOf = (id) => state.view?.channels.find((one) => one.id === id);

export const shortcuts = (type) => (state.start.shortcuts || []).filter((one) => one.type === type);

/** Posts as the person who acts; a refusal is shown, unless the caller shows it in its own place. */
export async function send(path, body, { quiet = false } = {}) {
  const answer = await post(path, { as: state.me, ...body });
  if (!answer.ok && !quiet) toast(answer.error);
  return answer;
}
