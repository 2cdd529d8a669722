/** Addresses: who acts, which channel and which message; in the page's own hash and in permalinks. */

const PERMALINK = /\/archives\/(\w+)\/p(\d+)(\d{6})$/;

/** #as=U0ALICE001&c=C0ALERTS01, so that a link opens the page as somebody, somewhere. */
export function hashOf(as, channel) {
  return `#${new URLSearchParams({ as, c: channel })}`;
}

/** Also a bare #C0ALERTS01, to which the workspace redirects a permalink that was opened elsewhere. */
export function fromHash() {
  const bare = /^#(\w+)$/.exec(location.hash);
  if (bare) return { channel: bare[1] };
  const asked = new URLSearchParams(location.hash.slice(1));
  return { as: asked.get("as"), channel: asked.get("c"), ts: asked.get("ts"), thread: asked.get("thread_ts") };
}

/** Where a permalink of this workspace leads, or null: it opens here, without changing who acts. */
export function fromPermalink(address) {
  const url = new URL(address, location.href);
  const match = url.origin === location.origin && PERMALINK.exec(url.pathname);
  return match ? { channel: match[1], ts: `${match[2]}.${match[3]}`, thread: url.searchParams.get("thread_ts") } : null;
}
