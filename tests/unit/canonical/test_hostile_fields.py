"""Fields that somebody bent: each is refused, and its nearest neighbour is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from canonical_documents import PARSERS, SAMPLES, Document, Place, read, refuse, without
from canonical_formats import FORMATS
from json_places import at, put

from titledeed.canonical.disclosure_signatures import COVERS_MAX
from titledeed.canonical.disclosures import HINTS_MAX, PROMPTS_MAX, TOOLS_MAX
from titledeed.canonical.documents import TERM_LENGTH_MAX, TEXT_LENGTH_MAX
from titledeed.canonical.evidence.bundles import BUNDLE_ANCHORS_MAX, LOGS_MAX, STORED_WORDS_MAX
from titledeed.canonical.evidence.chains import PROOF_NODES_MAX
from titledeed.canonical.evidence.words import KEYS_MAX, SLOT_MAX
from titledeed.canonical.fingerprints import ALGORITHMS_MAX
from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.canonical.lineages import SOURCE_SEGMENTS_MAX, SOURCES_MAX
from titledeed.canonical.merkle import PATH_LENGTH_MAX
from titledeed.canonical.openings import OPENINGS_MAX
from titledeed.canonical.rights import (
    CONSENTS_MAX,
    CONTRIBUTORS_MAX,
    HOLDERS_MAX,
    INPUTS_MAX,
    MINING_MAX,
    TITLE_LENGTH_MAX,
    TITLES_MAX,
)
from titledeed.canonical.statements import STATEMENT_BYTES_MAX
from titledeed.models.rights import SHARES_TOTAL

DIGEST: Final = "ab" * 32
WORD: Final = "0x" + DIGEST
ID: Final = "td1" + "a" * 32


def numbered(make: Callable[[int], Any]) -> Callable[[int], list[Any]]:
    return lambda size: [make(number) for number in range(size)]


def word(number: int) -> str:
    return f"0x{number:064x}"


def share(total: int) -> list[Any]:
    """So many holders, whose shares add up."""
    first = {"name": "a", "role": "author", "share_ppm": SHARES_TOTAL - total + 1}
    return [first, *({"name": "b", "role": "author", "share_ppm": 1} for _ in range(total - 1))]


def tag(number: int) -> str:
    return f"en-x{number}"


WORK: Final = {"content_sha256": DIGEST}
LISTS: Final[dict[tuple[str, Place], tuple[int, Callable[[int], list[Any]]]]] = {
    ("disclosure-2", ("tools",)): (TOOLS_MAX, numbered(lambda _: {"model": "x"})),
    ("disclosure-2", ("prompts",)): (
        PROMPTS_MAX,
        numbered(lambda _: {"role": "x", "commitment": WORD}),
    ),
    ("disclosure-2", ("hints",)): (
        HINTS_MAX,
        numbered(lambda _: {"origin": "x", "name": "x", "value": ""}),
    ),
    ("rights-2", ("titles",)): (TITLES_MAX, numbered(lambda n: {"text": "x", "language": tag(n)})),
    ("rights-2", ("holders",)): (HOLDERS_MAX, share),
    ("rights-2", ("contributors",)): (CONTRIBUTORS_MAX, numbered(lambda _: {"name": "x"})),
    ("rights-2", ("inputs",)): (
        INPUTS_MAX,
        numbered(lambda _: {"work": WORK, "kind": "x", "basis": "x"}),
    ),
    ("rights-2", ("consents",)): (CONSENTS_MAX, numbered(word)),
    ("rights-2", ("training_mining",)): (
        MINING_MAX,
        numbered(lambda n: {"label": str(n), "use": "x"}),
    ),
    ("lineage-1", ("sources",)): (
        SOURCES_MAX,
        numbered(lambda _: {"work": WORK, "relation": "x"}),
    ),
    ("lineage-1", ("sources", 0, "segments")): (
        SOURCE_SEGMENTS_MAX,
        numbered(lambda _: {"start_ms": 0, "end_ms": 1, "source_start_ms": 0, "source_end_ms": 1}),
    ),
    ("dossier-2", ("fingerprints",)): (
        ALGORITHMS_MAX,
        numbered(lambda number: {"algorithm": "x", "version": 1 + number, "code": ""}),
    ),
    ("bundle-2", ("anchors",)): (
        BUNDLE_ANCHORS_MAX,
        numbered(lambda _: SAMPLES["bundle-2"]["anchors"][0]),
    ),
    ("bundle-2", ("logs",)): (LOGS_MAX, numbered(lambda _: SAMPLES["log-1"])),
    ("bundle-2", ("words",)): (STORED_WORDS_MAX, numbered(lambda _: SAMPLES["word-1"])),
    ("word-1", ("keys",)): (KEYS_MAX, numbered(word)),
    ("bundle-2", ("anchors", 0, "proof", "path")): (PATH_LENGTH_MAX, numbered(word)),
    ("bundle-2", ("anchors", 0, "state_proof", "account_proof")): (
        PROOF_NODES_MAX,
        numbered(lambda _: "0xab"),
    ),
    ("openings-1", ("openings",)): (
        OPENINGS_MAX,
        numbered(lambda _: SAMPLES["openings-1"]["openings"][0]),
    ),
    ("disclosure-signature-1", ("covers",)): (COVERS_MAX, numbered(str)),
}


@pytest.mark.parametrize(("name", "place"), LISTS, ids=str)
def test_a_list_may_be_so_long_and_no_longer(name: str, place: Place) -> None:
    size, make = LISTS[name, place]
    read(name, put(SAMPLES[name], place, make(size)))
    refuse(name, put(SAMPLES[name], place, make(size + 1)), f"at most {size} items")


@pytest.mark.parametrize(
    ("name", "place", "length"),
    [
        ("rights-2", ("titles", 0, "text"), TITLE_LENGTH_MAX),
        ("rights-2", ("holders", 0, "role"), TERM_LENGTH_MAX),
        ("rights-2", ("terms", "url"), TEXT_LENGTH_MAX),
        ("disclosure-2", ("hints", 0, "value"), TEXT_LENGTH_MAX),
        ("disclosure-2", ("tools", 0, "model"), TEXT_LENGTH_MAX),
        ("lineage-1", ("sources", 0, "kind"), TERM_LENGTH_MAX),
        ("record-2", ("media", "media_type"), TERM_LENGTH_MAX),
        ("disclosure-signature-1", ("covers", 0), TERM_LENGTH_MAX),
    ],
)
def test_a_text_may_be_so_long_and_no_longer(name: str, place: Place, length: int) -> None:
    read(name, put(SAMPLES[name], place, "子" * length))
    refuse(name, put(SAMPLES[name], place, "x" * (length + 1)), f"{length} characters")


@pytest.mark.parametrize("name", ["claim-2", "disclosure-signature-1"])
@pytest.mark.parametrize(("letter", "size"), [("x", 1), ("é", 2), ("子", 3), ("\U0001f408", 4)])
def test_a_sentence_is_bounded_in_bytes(name: str, letter: str, size: int) -> None:
    whole, rest = divmod(STATEMENT_BYTES_MAX, size)
    longest = letter * whole + "x" * rest
    read(name, SAMPLES[name] | {"statement": longest})
    refuse(name, SAMPLES[name] | {"statement": longest + "x"}, f"{STATEMENT_BYTES_MAX}")


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("wrong", [1.5, True, [[]], {"a": {}}, None], ids=str)
def test_no_field_takes_a_value_of_the_wrong_type(name: str, wrong: object) -> None:
    first = name.endswith("-1")
    for field in SAMPLES[name]:
        if not (wrong is None and first):
            refuse(name, SAMPLES[name] | {field: wrong}, rf"\b{field}\b")


@pytest.mark.parametrize("right", ["en", "zh-Hans", "de-CH-1996", "und", "a" * 8])
def test_a_language_tag_is_read(right: str) -> None:
    title = {"text": "x", "language": right}
    assert read("rights-2", SAMPLES["rights-2"] | {"titles": [title]}).titles[0].language == right


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "e",
        "en_GB",
        "en-",
        "-en",
        "en\n",
        " en",
        "ën",
        "en-abcdefghi",
        "a" * 9,
        "12",
        "x-own",
        "i-default",
    ],
)
@pytest.mark.parametrize(
    ("name", "place"),
    [("rights-2", ("titles", 0, "language")), ("lineage-1", ("sources", 0, "language"))],
)
def test_what_is_no_language_tag_is_refused(name: str, place: Place, wrong: str) -> None:
    refuse(name, put(SAMPLES[name], place, wrong), "language tag")


@pytest.mark.parametrize("off", [-1, 1])
@pytest.mark.parametrize("name", ["rights-1", "rights-2"])
def test_shares_add_up(name: str, off: int) -> None:
    own = SAMPLES[name]["holders"][0]["share_ppm"]
    refuse(name, put(SAMPLES[name], ("holders", 0, "share_ppm"), own + off), "add up|from 1 to")


def test_a_share_is_neither_nothing_nor_less() -> None:
    def two(first: int) -> Document:
        listed = [
            {"name": "a", "role": "author", "share_ppm": first},
            {"name": "b", "role": "author", "share_ppm": SHARES_TOTAL - first},
        ]
        return SAMPLES["rights-2"] | {"holders": listed}

    read("rights-2", two(1))
    refuse("rights-2", two(0), "from 1")
    refuse("rights-2", two(-1), "from 1")


def test_nothing_is_said_twice_of_the_same() -> None:
    sample = SAMPLES["rights-2"]
    twice = [{"text": "x", "language": "en"}, {"text": "y", "language": "EN"}]
    refuse("rights-2", sample | {"titles": twice}, "titles.*same twice")
    read("rights-2", put(sample | {"titles": twice}, ("titles", 1, "language"), "en-GB"))
    labels = [{"label": "a", "use": "allowed"}, {"label": "a", "use": "notAllowed"}]
    refuse("rights-2", sample | {"training_mining": labels}, "training_mining.*same twice")
    read(
        "rights-2", put(sample | {"training_mining": labels}, ("training_mining", 1, "label"), "A")
    )
    refuse("rights-2", sample | {"consents": [WORD, WORD]}, "consents.*same twice")
    read("rights-2", sample | {"consents": [WORD, word(1)]})


def test_a_holder_is_somebody() -> None:
    place = ("holders", 0)
    nobody = {"role": "author", "share_ppm": 750_000}
    refuse("rights-2", put(SAMPLES["rights-2"], place, nobody), "or an account")
    for more in ({"name": "a"}, {"account": ZERO_ADDRESS}, {"lei": "later"}):
        read("rights-2", put(SAMPLES["rights-2"], place, nobody | more))


def test_a_tool_is_something() -> None:
    refuse("disclosure-2", put(SAMPLES["disclosure-2"], ("tools", 0), {}), "another field")
    for tool in ({"provider": "a"}, {"later": 1}):
        read("disclosure-2", put(SAMPLES["disclosure-2"], ("tools", 0), tool))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"registration_id": ID, "content_sha256": DIGEST, "commitment": WORD},
        {"content_sha256": DIGEST, "commitment": WORD},
        {"registration_id": ID, "commitment": WORD, "later": 1},
        {"registration_id": None, "content_sha256": DIGEST},
        {"registration_id": "td1"},
        {"content_sha256": WORD},
        {"commitment": DIGEST},
        {"commitment": None},
    ],
)
@pytest.mark.parametrize(
    ("name", "place"),
    [("lineage-1", ("sources", 0, "work")), ("rights-2", ("inputs", 0, "work"))],
)
def test_a_reference_names_a_work_or_hides_it(name: str, place: Place, wrong: Document) -> None:
    refuse(name, put(SAMPLES[name], place, wrong), "registration id|must")


@pytest.mark.parametrize(
    "right",
    [
        {"registration_id": ID},
        {"content_sha256": DIGEST},
        {"registration_id": ID, "content_sha256": DIGEST},
        {"commitment": WORD},
        {"commitment": WORD, "later": 1},
        {"doi": "10.1/later"},
        {"registration_id": ID, "chain_id": 1},
    ],
)
@pytest.mark.parametrize(
    ("name", "place"),
    [("lineage-1", ("sources", 0, "work")), ("rights-2", ("inputs", 0, "work"))],
)
def test_a_reference_is_read_whole(name: str, place: Place, right: Document) -> None:
    document = put(SAMPLES[name], place, right)
    assert FORMATS[name].encode(read(name, document)) == document


@pytest.mark.parametrize(
    "wrong", [(5, 5, 0, 1), (6, 5, 0, 1), (0, 1, 5, 5), (0, 1, 6, 5), (-1, 5, 0, 1)]
)
def test_segments_run_forwards(wrong: tuple[int, ...]) -> None:
    names = ("start_ms", "end_ms", "source_start_ms", "source_end_ms")
    place = ("sources", 1, "segments", 0)
    refuse(
        "lineage-1", put(SAMPLES["lineage-1"], place, dict(zip(names, wrong, strict=True))), "_ms'"
    )
    right = dict(zip(names, (5, 6, 0, 1), strict=True))
    read("lineage-1", put(SAMPLES["lineage-1"], place, right))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"hash": WORD, "kind": "Withdrawn", "data": "0xab"},
        {"hash": WORD, "data": "0xab"},
        {"hash": WORD, "kind": "Withdrawn"},
        {"data": "0xab"},
        {"kind": "Withdrawn"},
    ],
)
def test_an_event_is_opened_or_closed(wrong: Document) -> None:
    place, when = ("events", 0), {"block_timestamp": 1}
    refuse("log-1", put(SAMPLES["log-1"], place, when | wrong), "'hash' must be there")
    for right in ({"hash": WORD}, {"kind": "Withdrawn", "data": "0xab"}):
        read("log-1", put(SAMPLES["log-1"], place, when | right))


def test_a_log_holds_events_after_a_whole_head() -> None:
    refuse("log-1", without("log-1", "events"), "'events' is missing")
    refuse("log-1", SAMPLES["log-1"] | {"head": "0x" + "ab" * 19}, "'head'")
    refuse("log-1", SAMPLES["log-1"] | {"head": "0x" + "ab" * 21}, "'head'")
    read("log-1", SAMPLES["log-1"] | {"head": "0x" + "ab" * 20})


@pytest.mark.parametrize(
    ("field", "wrong", "right"),
    [
        ("base", [-1, SLOT_MAX + 1, None], [0, SLOT_MAX]),
        ("offset", [-1, 0, SLOT_MAX + 1], [1, SLOT_MAX]),
        ("version", [0, 65_536], [1, 65_535]),
        ("keys", [["0x"], [DIGEST], [WORD[:-2]], [WORD + "00"], WORD], [[WORD], [WORD, WORD]]),
        ("value", ["0x", "0x00", DIGEST, 0, WORD + "00"], [WORD, word(0)]),
    ],
)
def test_a_word_of_a_storage_is_one(field: str, wrong: list[Any], right: list[Any]) -> None:
    for value in wrong:
        refuse("word-1", SAMPLES["word-1"] | {field: value}, f"'{field}'")
    for value in right:
        read("word-1", SAMPLES["word-1"] | {field: value})


@pytest.mark.parametrize("field", ["chain", "contract", "version", "base", "value", "state_proof"])
def test_a_word_of_a_storage_is_whole(field: str) -> None:
    refuse("word-1", without("word-1", field), f"'{field}' is missing")


@pytest.mark.parametrize("length", [1, 64, 66])
def test_a_snapshot_is_signed_with_65_bytes(length: int) -> None:
    refuse("snapshot-trailer", {"signature": "0x" + "ab" * length}, "65 bytes")
    read("snapshot-trailer", {"signature": "0x" + "ab" * 65})


def test_a_bundle_is_anchored() -> None:
    refuse("bundle-2", without("bundle-2", "anchors"), "'anchors' is missing")
    read("bundle-2", SAMPLES["bundle-2"] | {"anchors": SAMPLES["bundle-2"]["anchors"][:1]})
    refuse("bundle-1", put(SAMPLES["bundle-1"], ("timestamp_token",), None), "base64")
    read("bundle-1", put(SAMPLES["bundle-1"], ("timestamp_token",), ""))


def test_a_snapshot_holds_no_more_bundles_than_lines() -> None:
    refuse("snapshot-header-2", SAMPLES["snapshot-header-2"] | {"registrations": 4}, "more than")
    read("snapshot-header-2", SAMPLES["snapshot-header-2"] | {"registrations": 3})


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("claim-2", ("claimant",)),
        ("rights-2", ("holders", 0, "account")),
        ("bundle-2", ("anchors", 0, "anchor", "caller")),
        ("snapshot-header-2", ("exporter",)),
    ],
)
def test_an_address_that_is_none_is_refused_by_name(name: str, place: Place) -> None:
    right = at(SAMPLES[name], place)
    for wrong in (right.lower(), right[:-1], right[2:], ""):
        refuse(name, put(SAMPLES[name], place, wrong), f"'{place[-1]}' is not an address")


@pytest.mark.parametrize("name", ["dossier-1", "dossier-2", "openings-1"])
def test_a_registration_id_has_its_form(name: str) -> None:
    for wrong in ("", "td1", "../" + "a" * 32, ID + "\n"):
        refuse(name, SAMPLES[name] | {"registration_id": wrong}, "not a registration id")
    read(name, SAMPLES[name] | {"registration_id": ID})
