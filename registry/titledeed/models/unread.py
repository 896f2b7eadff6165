"""What a signed document holds beside the fields that this release reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unread:
    """One field that is kept because it is signed, and shown because somebody may rely on it.

    Attributes:
        place: keys and positions that lead to it.
        value: its canonical JSON (RFC 8785); hostile text.
    """

    place: tuple[str | int, ...]
    value: str

    @property
    def name(self) -> str:
        """The place as people write it, for example ``holders[0].phone``; hostile text."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place)
        return "".join(parts).removeprefix(".")
