/** What the page asks of the workspace, and the stream of what happens there. */

const LOST = "The workspace does not answer. What you wrote is kept; try again in a moment.";
const RETRY_MS = 1500;

export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const answer = await fetch(`page/${path}?${new URLSearchParams(given)}`);
  if (!answer.ok) throw new Error(`${path}: status ${answer.status}`);
  return answer.json();
}

/** Always an answer of the shape {ok, error?, ...}: a lost connection is one more refusal to show. */
export async function post(path, body) {
  try {
    const answer = await fetch(`page/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.ok ? await answer.json() : { ok: false, error: `${LOST} (status ${answer.status})` };
  } catch {
    return { ok: false, error: LOST };
  }
}

/** Follows one person's stream; `opened` runs after every (re)connection, because events may have been missed. */
export function follow(as, { event, opened, lost }) {
  let source = null;
  let timer = null;
  const connect = () => {
    source = new EventSource(`page/stream?as=${encodeURIComponent(as)}`);
    source.onopen = opened;
    source.onmessage = (message) => event(JSON.parse(message.data));
    source.onerror = () => {
      lost();
      // The browser gives up for good on an HTTP error; a workspace that restarts answers again soon.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, RETRY_MS);
    };
  };
  connect();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
