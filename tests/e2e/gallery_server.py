"""Serve the gallery of components as the app is served: `python -m tests.e2e.gallery_server --port 8502`."""

import sys
from pathlib import Path

from lecture_core.web.app import SCRIPT, create_app

if __name__ == "__main__":
    port = int(sys.argv[sys.argv.index("--port") + 1])
    sys.argv = [str(SCRIPT)]
    create_app(Path(__file__).with_name("gallery.py")).run(config={"server.address": "localhost", "server.port": port})
