"""A server on this machine that speaks enough of the Hub's protocol to download one repository from it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def handler_for(repo: str, folder: Path, asked: list[str]) -> type[BaseHTTPRequestHandler]:
    files = {p.name: p.read_bytes() for p in folder.iterdir()}

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def _serve(self) -> None:
            path = self.path.partition("?")[0]
            asked.append(path)
            if path.startswith(f"/api/models/{repo}/revision/"):
                siblings = [{"rfilename": n, "size": len(b)} for n, b in files.items()]
                about = {"id": repo, "modelId": repo, "sha": COMMIT, "private": False, "siblings": siblings, "tags": []}
                return self._json(about)
            if path.startswith(f"/api/models/{repo}/tree/"):
                tree = [
                    {"type": "file", "path": n, "size": len(b), "oid": hashlib.sha1(b).hexdigest()}
                    for n, b in files.items()
                ]
                return self._json(tree)
            name = path.rpartition("/")[2]
            if path.startswith(f"/{repo}/resolve/") and name in files:
                etag = hashlib.sha256(files[name]).hexdigest()
                return self._answer(
                    files[name], {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
                )
            return self._answer(b"{}", {"X-Error-Code": "RepoNotFound"}, 404)

        def _json(self, value: object) -> None:
            self._answer(json.dumps(value).encode(), {"Content-Type": "application/json"})

        do_GET = do_HEAD = _serve

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving(repo: str, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve `folder` as `repo`; yields the address and the list of paths asked for."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(repo, folder, asked))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
