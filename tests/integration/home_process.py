"""Processes of ``test_shared_home``: each opens the home named by its second argument.

    python home_process.py register HOME SOURCE... [--publish]
    python home_process.py serve HOME PORT

``register`` says ``ready`` once it is half through its first file and goes on when it is answered,
so that several can be brought to the same point; then it prints a JSON object a file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import homes
import uvicorn

from titledeed.settings import Settings
from titledeed_api.documents import registered_document


class Meeting:
    """Pauses once, in the middle of a file, until it is told to go on."""

    def __init__(self) -> None:
        self._over = False

    def __call__(self, label: str, fraction: float) -> None:
        if fraction >= 0.5 and not self._over:
            self._over = True
            say("ready")
            sys.stdin.readline()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def register(settings: Settings, sources: list[str], *, publish: bool) -> None:
    with homes.opened(settings) as home:
        said = homes.statement(publish=publish)
        for outcome in home.register(*map(Path, sources), said=said, progress=Meeting()):
            say(json.dumps(registered_document(homes.accepted(outcome))))


def serve(settings: Settings, port: int) -> None:
    from titledeed_api import create_app

    uvicorn.run(create_app(settings), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    if command == "serve":
        serve(Settings(home=Path(folder)), int(rest[0]))
    else:
        names = [name for name in rest if name != "--publish"]
        register(Settings(home=Path(folder)), names, publish="--publish" in rest)
