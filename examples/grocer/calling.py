"""The real server in this process, and its clients' side: what is asked over HTTP and what comes back."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import uvicorn

from decisioning.errors import KairosError

Answer = dict[str, Any]


class Server:
    """The real server, on a thread of this process, on a bound socket of 127.0.0.1."""

    def __init__(self, app: Any, bound: socket.socket) -> None:
        self._bound = bound
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [bound]}, daemon=True)

    def __enter__(self) -> "Server":
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise KairosError("the server did not start; its message is above")
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._bound.getsockname()[1]}"

    def ask(self, path: str, body: Answer | None = None, *, method: str | None = None) -> Answer:
        """GET, or POST where there is a body, unless told; an error answer is raised with its problem document."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, headers={"Content-Type": "application/json"}, method=method
        )
        try:
            # the first decision on a machine compiles what later ones run
            with urllib.request.urlopen(request, timeout=300) as answer:
                return json.load(answer)  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            raise KairosError(f"{path} answered {error.code}: {error.read().decode()}") from error

    def decide(self, ask: Answer) -> Answer:
        """One decision, as asked."""
        return self.ask("/v1/decisions", ask)
