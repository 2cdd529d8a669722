"""A world outside of every process: it counts what is done to it, and can strike before or after any deed."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOK, BEFORE, AFTER = "look", "before", "after"


@dataclass
class Effects:
    """What was done, by key. `watch` is told who looks, and who does something, before and after: it may kill them."""

    done: Counter[str] = field(default_factory=Counter)
    values: dict[str, str] = field(default_factory=dict)
    watch: Callable[[str, int], None] = lambda _side, _pid: None
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def do(self, key: str, value: str | None, pid: int) -> dict[str, Any]:
        self.watch(BEFORE, pid)
        with self._lock:
            self.done[key] += 1
            if value is not None:
                self.values[key] = value
        self.watch(AFTER, pid)
        return self.see(key)

    def look(self, key: str, pid: int) -> dict[str, Any]:
        self.watch(LOOK, pid)
        return self.see(key)

    def see(self, key: str) -> dict[str, Any]:
        return {"count": self.done[key], "value": self.values.get(key, "")}


@contextmanager
def effects() -> Iterator[Effects]:
    """Serves on a free port of loopback: GET /key looks, POST /key does, POST /key?value sets."""
    made = Effects()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"       # a connection each: whoever dies leaves nothing half open

        def do_GET(self) -> None:
            self._answer(made.look(self.path.partition("?")[0], self._pid))

        def do_POST(self) -> None:
            key, _, value = self.path.partition("?")
            self._answer(made.do(key, value or None, self._pid))

        @property
        def _pid(self) -> int:
            return int(self.headers.get("X-Pid", 0))

        def _answer(self, content: dict[str, Any]) -> None:
            try:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())
            except OSError:         # whoever asked has died meanwhile
                pass

        def log_message(self, *_said: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        server.daemon_threads = True
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
