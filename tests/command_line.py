"""Runs the command on a home folder, as a person would."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from typer.testing import CliRunner

from titledeed_cli.main import app

COMMAND: Final = Path(sys.executable).with_name("titledeed")
QUESTIONS: Final = (b"Passphrase: ", b"Private key: ", b"[y/N]: ")
HOSTILE: Final = "[red]deed\x1b[31m\u202egpj"


@dataclass(frozen=True)
class Done:
    """How one run ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        (found,) = self.documents
        return found

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Home:
    """A home folder, and the command run on it."""

    path: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        # Wide, so that no table breaks a word that a test looks for.
        wide = {"COLUMNS": "200", "TITLEDEED_HOME": str(self.path)}
        return {**os.environ, **wide, **self.variables}

    def run(self, *arguments: str | Path) -> Done:
        """Run in this process: importing everything anew would cost most of the time."""
        done = CliRunner().invoke(app, list(map(str, arguments)), env=self.environment)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    def run_installed(self, *arguments: str | Path) -> Done:
        """Run the installed command in a process of its own."""
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def run_on_terminal(self, answer: str, *arguments: str | Path) -> Done:
        """Run the installed command with a terminal that answers its one question.

        Standard output is no terminal; everything else goes to it.
        """
        terminal, inside = pty.openpty()
        process = subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            env=self.environment,
            stdin=inside,
            stdout=subprocess.PIPE,
            stderr=inside,
            text=True,
            # Without a controlling terminal the question goes to standard input.
            start_new_session=True,
        )
        os.close(inside)
        shown = b""
        with suppress(OSError):  # the terminal closes with the process
            while chunk := os.read(terminal, 65_536):
                shown += chunk
                if shown.endswith(QUESTIONS):
                    os.write(terminal, f"{answer}\n".encode())
        os.close(terminal)
        out, _ = process.communicate(timeout=60)
        return Done(process.returncode, out, shown.decode())

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
        """A server's address, until the block ends."""
        process = subprocess.Popen(
            [COMMAND, *arguments], env=self.environment, stderr=subprocess.PIPE, text=True
        )
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            yield next(word for word in line.split() if word.startswith("http://")), process
        finally:
            process.kill()
            process.communicate()


@dataclass(frozen=True)
class Studio:
    """A home in which three works are registered, and the files around it."""

    home: Home
    folder: Path
    initialized: dict[str, Any]
    registered: dict[str, dict[str, Any]]
    first: Done
