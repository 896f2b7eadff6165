"""Registers a file again and again, killing the process one step later each time.

    python crash_driver.py HOME CLIP

Every method of every port that changes something counts as two steps: just before it runs and
just after. For step 1, 2, 3 … a forked child registers ``CLIP`` in a copy of ``HOME`` and kills
itself with SIGKILL at that step. A second child then looks at what is left, registers again as a
person would, and looks once more. One JSON object a step goes to standard output, until a run
ends without reaching its step.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from titledeed.bootstrap import Adapters, Registry
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType
from titledeed.models.registration import Visibility
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.acceptance import Statement
from titledeed.services.evidence import check_bundle
from titledeed.services.registration import RegisteredFile, RegisterRequest
from titledeed.settings import Settings

STEPS_MAX = 200
WATCHED = {
    "registrations": ("save_intent", "accept_many"),
    "outbox": ("add_batch",),
    "followed": ("advance",),
    "objects": ("put", "put_many"),
    "signer": ("sign",),
    "ledger": ("sign_call", "broadcast"),
}


class Countdown:
    """Kills this process when it has been asked often enough."""

    def __init__(self, step: int) -> None:
        self._left = step

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """A port whose changing methods count down before and after they run."""

    def __init__(self, port: Any, methods: tuple[str, ...], countdown: Countdown) -> None:
        self._port = port
        self._methods = methods
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name not in self._methods:
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            self._countdown()
            result = member(*args, **kwargs)
            self._countdown()
            return result

        return call


def make_mortal(adapters: Adapters, countdown: Countdown) -> None:
    for name, methods in WATCHED.items():
        port = getattr(adapters, name)
        # Services are built from these on first use.
        adapters.__dict__[name] = Mortal(port, methods, countdown)


def wanted(home: Registry | Adapters) -> Path:
    """The claimant's own folder, where only an intent tells of a copy that no row names."""
    return home.layout.root.with_name(f"{home.layout.root.name}-out")


def register(registry: Registry, clip: Path) -> RegisteredFile:
    statement = Statement(
        disclosure=AssetDisclosure(DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA),
        title=None,
        credits=(),
        visibility=Visibility.PUBLISHED,
        output=wanted(registry),
    )
    (outcome,) = registry.registration.register(RegisterRequest((clip,), statement), registry.owner)
    if not isinstance(outcome, RegisteredFile):
        raise outcome.error
    return outcome


def look(adapters: Adapters) -> dict[str, Any]:
    """What a person would find: how many are accepted, and which signed files lie about."""
    folders = (adapters.layout.signed, wanted(adapters))
    signed = [str(p) for folder in folders for p in folder.rglob("*") if p.is_file()]
    return {
        "accepted": adapters.registrations.count_own(),
        "copies": len(signed),
        "partial": [name for name in signed if ".part" in name],
    }


def recover(home: Path, clip: Path) -> dict[str, Any]:
    adapters = Adapters(Settings(home=home))
    with Registry(Settings(home=home), adapters) as registry:
        before = look(adapters)
        outcome = register(registry, clip)
        again = register(registry, clip)
        bundle_path = Path(outcome.bundle_path or "")
        bundle = read_bundle_file(bundle_path.read_bytes())
        anchor = bundle.own.anchor
        time = adapters.ledger.find_anchor_time(anchor.root, anchor.caller)
        return {
            "before": before,
            "after": look(adapters),
            "id": outcome.registration.registration_id,
            "again": again.registration.registration_id,
            "status": outcome.registration.status,
            "holds": check_bundle(bundle).holds,
            "on_chain": time == anchor.block_timestamp,
            "waiting": len(adapters.outbox.list_waiting(10)),
        }


def in_child(work: Callable[[], dict[str, Any] | None]) -> tuple[int, dict[str, Any] | None]:
    """Run in a fork; its status and what it answered."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            answer = json.dumps(work()).encode()
            os.write(writing, answer)
            status = 0
        except BaseException:  # noqa: BLE001 - os._exit would hide it
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    return status, json.loads(answer) if answer else None


def die_at(step: int, home: Path, clip: Path) -> None:
    adapters = Adapters(Settings(home=home))
    make_mortal(adapters, Countdown(step))
    register(Registry(Settings(home=home), adapters), clip)


def main() -> None:
    home, clip = Path(sys.argv[1]), Path(sys.argv[2])
    for step in range(1, STEPS_MAX):
        copy = home.with_name(f"{home.name}-{step}")
        shutil.copytree(home, copy)
        status, _ = in_child(partial(die_at, step, copy, clip))
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not killed and status != 0:
            sys.exit(f"step {step} failed instead of dying: {status}")
        _, found = in_child(partial(recover, copy, clip))
        sys.stdout.write(json.dumps({"step": step, "killed": killed, **(found or {})}) + "\n")
        sys.stdout.flush()
        shutil.rmtree(copy)
        shutil.rmtree(copy.with_name(f"{copy.name}-out"))
        if not killed:
            return


if __name__ == "__main__":
    main()
