"""Start the app: `python -m lecture_core.web [--host 0.0.0.0] [--port 8501]`."""

import argparse
import sys
from functools import partial

import uvicorn

from lecture_core.web.app import SCRIPT, app

LONGEST_ADDRESS = 2**19
"""Bytes of a request's first line and headers: room for the longest text a model takes at twelve a character."""


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m lecture_core.web", description="Serve Lecture Lab.")
    parser.add_argument("--host", default="localhost", help="address to listen on; 0.0.0.0 for all (%(default)s)")
    parser.add_argument("--port", type=int, default=8501, help="port to listen on (%(default)s)")
    options = parser.parse_args()
    # Streamlit finds .streamlit/config.toml beside the launched script, which it takes from here.
    sys.argv = [str(SCRIPT)]
    # Streamlit hands no such setting on; without it a reload of a view with a long text is answered by an empty page.
    uvicorn.Config = partial(uvicorn.Config, h11_max_incomplete_event_size=LONGEST_ADDRESS)  # type: ignore[misc, assignment]
    app.run(config={"server.address": options.host, "server.port": options.port})


if __name__ == "__main__":
    main()
