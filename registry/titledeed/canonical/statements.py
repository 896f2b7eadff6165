"""The sentence of a Claim: what its digests stand for, in words that a wallet shows.

It follows from the documents behind the digests and from nothing else; a reader composes it again
and refuses a Claim whose sentence says something else. Once released, a wording stays, and a new
one is added beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from titledeed.errors import ProofError
from titledeed.models.disclosure import AITool, AssetDisclosure
from titledeed.models.lineage import Lineage
from titledeed.models.rights import RightsStatement

STATEMENT_BYTES_MAX: Final = 255
"""What a hardware wallet with a small screen shows of a text; it cuts a longer one silently."""

_TITLE_BYTES: Final = 68
_TERM_BYTES: Final = 36
_TOOL_BYTES: Final = 33
_QUOTED_TERM_BYTES: Final = _TERM_BYTES - 2

# Source types of which the sentence says that they are generative AI: those of today, for ever.
_IPTC: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_GENERATIVE: Final = frozenset(
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
        "compositeSynthetic",
        "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
    }
)
_WORD: Final = re.compile(f"[A-Za-z0-9]{{1,{_TERM_BYTES}}}")

# What could hide, reorder or break a line of a wallet's screen. Listed here, because Unicode's own
# categories grow: controls, soft hyphen, Arabic letter mark, zero-width, bidirectional and
# invisible formatting characters, separators, fillers, variation selectors, annotations, overlaps
# of shorthand, tags.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_SPACE: Final = re.compile("[ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# Double quotes and what looks like one: marks of any kind that stand together do, too.
_DOUBLE: Final = (
    '"\xab\xbb\u02ba\u02dd\u02ee\u05f4\u201c-\u201f\u2033\u2034\u2036\u2037\u275d\u275e\u2e42\u3003'
    "\u301d-\u301f\uff02\U0001f676-\U0001f678"
)
_QUOTES: Final = re.compile(f"[{_DOUBLE}'`\u2018\u2019\u2032\u2035]{{2,}}|[{_DOUBLE}]")


def state_claim(rights: RightsStatement, disclosure: AssetDisclosure, lineage: Lineage) -> str:
    """What a claimant signs, in English, at most ``STATEMENT_BYTES_MAX`` bytes of UTF-8.

    Args:
        rights: its first title is named, and the number of holders where there are several.
        disclosure: its source type and first tool are named.
        lineage: the number of its sources is named.
    """
    declared = _name_source_type(disclosure.source_type) + _name_tools(disclosure.tools)
    counts = [
        f"holders: {len(rights.holders)}" if len(rights.holders) > 1 else "",
        f"sources: {len(lineage.sources)}" if lineage.sources else "",
    ]
    # A number behind a name that is written from the right would be drawn inside its quotes.
    counted = ", ".join(filter(None, counts)).capitalize()
    sentences = [
        f'I claim "{_shown(rights.title, _TITLE_BYTES)}"',
        f"Declared as {declared}",
        counted,
        "Recorded, not checked",
    ]
    return ". ".join(filter(None, sentences)) + "."


def state_disclosure(title: str, declared_use: str | None) -> str:
    """What the signer of a film's disclosure signs, in English, within the same bounds.

    Args:
        title: of the film.
        declared_use: the answer to "was AI used?"; None where it is not given.
    """
    answer = "not answered" if declared_use is None else _quote(declared_use)
    return (
        f'I sign the AI disclosure of "{_shown(title, _TITLE_BYTES)}". Use of AI: {answer}. '
        "Stated, not checked."
    )


def require_statement(
    statement: str, rights: RightsStatement, disclosure: AssetDisclosure, lineage: Lineage
) -> None:
    """Check that the sentence of a Claim says what the documents say.

    Raises:
        ProofError: it says something else.
    """
    if statement != state_claim(rights, disclosure, lineage):
        raise ProofError("the sentence that was signed does not say what the documents say")


def _quote(term: str) -> str:
    """One word as it is, anything else in quotes: it must not go on where the sentence does."""
    return term if _WORD.fullmatch(term) else f'"{_shown(term, _QUOTED_TERM_BYTES)}"'


def _name_source_type(term: str) -> str:
    plain = term.replace("https://", "http://", 1).removeprefix(_IPTC)
    said = _quote(plain)
    return f"{said}, generative AI" if plain in _GENERATIVE else said


def _name_tools(tools: Sequence[AITool]) -> str:
    if not tools:
        return ", no tool named"
    more = f" and {len(tools) - 1} more" if len(tools) > 1 else ""
    return f', made with "{_shown(tools[0].name, _TOOL_BYTES)}"{more}'


def _shown(text: str, bytes_max: int) -> str:
    """Text that stays within its quotes and its line, cut between two characters."""
    plain = _QUOTES.sub("'", _SPACE.sub(" ", _UNSAFE.sub(" ", text))).strip()
    data = plain.encode("utf-8")
    if len(data) <= bytes_max:
        return plain
    return data[: bytes_max - 3].decode("utf-8", "ignore").rstrip() + "..."
