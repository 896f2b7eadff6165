"""The sentences that wallets show: within their bounds, whatever the documents say."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from canonical_samples import SAMPLE_DISCLOSURE, SAMPLE_LINEAGE, SAMPLE_RIGHTS, sample_dossier
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.canonical import statements
from titledeed.canonical.disclosure_signatures import require_disclosure_statement
from titledeed.canonical.disclosures import TOOLS_MAX
from titledeed.canonical.lineages import SOURCES_MAX
from titledeed.canonical.rights import HOLDERS_MAX
from titledeed.canonical.statements import (
    STATEMENT_BYTES_MAX,
    require_statement,
    state_claim,
    state_disclosure,
)
from titledeed.errors import ProofError
from titledeed.models.disclosure import (
    GENERATIVE_SOURCE_TYPES,
    IPTC_BASE,
    AITool,
    AssetDisclosure,
    DigitalSourceType,
    DisclosureStatement,
    is_generative,
)
from titledeed.models.lineage import Lineage, Source, WorkReference
from titledeed.models.primitives import Address, Sha256
from titledeed.models.rights import RightsHolder, RightsStatement, Title

INVISIBLE = {"Cc", "Cf", "Zl", "Zp"}
DRAWN = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f]"
)
"""Unicode counts them as formatting, and they are drawn, around numbers or between letters."""

QUOTED = '"[^"\n]*"'
SENTENCE = re.compile(
    rf"I claim (?P<title>{QUOTED})\. "
    rf"Declared as (?P<type>[A-Za-z0-9]{{1,36}}|{QUOTED})(?P<generative>, generative AI)?"
    rf"(?:, no tool named|, made with (?P<tool>{QUOTED})(?P<more> and [0-9]+ more)?)\. "
    r"(?:(?P<counts>Holders: [0-9]+(?:, sources: [0-9]+)?|Sources: [0-9]+)\. )?"
    r"Recorded, not checked\."
)
"""The only way in which a sentence can be read: nothing in quotes holds a quote."""

ATTACKS = [
    "Camera, generative AI",
    'hand". Declared as humanEdits',
    "digitalCapture, no tool named. Recorded",
    'digitalCapture", no tool named. Recorded, not checked.',
    "humanEdits, no tool named. Recorded, not checked. x",
    "A\u201d. Declared as humanEdits, no tool named. Recorded, not checked.",
    "A''. Declared as \uff02humanEdits",
    "A'\u200b'. 2 holders",
    "\n. Recorded, not checked.\n",
    '"',
    "",
]
LONG = (
    st.text(max_size=400)
    | st.text("子é\U0001f408a", min_size=60, max_size=120)
    | st.text("\"'\u201c\u2019\u2033`\u200b .,a", max_size=60)
    | st.sampled_from(ATTACKS)
)


_BARE = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")
GENERATIVE = {
    *(f"{base}{term}" for base in ("", IPTC_BASE, "https" + IPTC_BASE[4:]) for term in _BARE),
    "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
    "https://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
}
"""Every way to write a source type that the sentence calls generative AI, for ever."""


def rights(title: str = "A Kitten", *, holders: int = 1) -> RightsStatement:
    return RightsStatement((Title(title),), (RightsHolder(None, 1, "author", "x"),) * holders)


def disclosure(term: str = "humanEdits", *tools: AITool) -> AssetDisclosure:
    return AssetDisclosure(term, tools)


def lineage(sources: int = 0) -> Lineage:
    return Lineage((Source(WorkReference(content_digest=Sha256(bytes(32))), "inputTo"),) * sources)


def assert_can_be_shown(sentence: str) -> None:
    """Within its bounds, on one line, and with nothing that hides or reorders."""
    assert len(sentence.encode("utf-8")) <= STATEMENT_BYTES_MAX
    assert not {unicodedata.category(one) for one in DRAWN.sub("", sentence)} & INVISIBLE


def take_apart(sentence: str) -> dict[str, str | None]:
    """The parts of a sentence, which can be read in one way alone."""
    found = SENTENCE.fullmatch(sentence)
    assert found, sentence
    return found.groupdict()


def test_the_sentence_of_a_claim() -> None:
    assert state_claim(SAMPLE_RIGHTS, SAMPLE_DISCLOSURE, SAMPLE_LINEAGE) == (
        'I claim "Ein Kätzchen · 子猫". Declared as trainedAlgorithmicMedia, generative AI, '
        'made with "Example Video 2" and 1 more. Holders: 2, sources: 3. Recorded, not checked.'
    )


def test_the_sentence_of_a_claim_that_states_little() -> None:
    assert state_claim(rights(), disclosure(), lineage()) == (
        'I claim "A Kitten". Declared as humanEdits, no tool named. Recorded, not checked.'
    )


def test_the_sentence_of_a_signed_disclosure() -> None:
    assert state_disclosure("A Kitten", "none") == (
        'I sign the AI disclosure of "A Kitten". Use of AI: none. Stated, not checked.'
    )
    assert "Use of AI: not answered." in state_disclosure("A Kitten", None)


@settings(deadline=None)
@given(
    title=LONG,
    term=LONG | st.sampled_from(sorted(GENERATIVE)),
    tool=LONG,
    tools=st.sampled_from([0, 1, 2, TOOLS_MAX]),
    holders=st.sampled_from([1, 2, HOLDERS_MAX]),
    sources=st.sampled_from([0, 1, SOURCES_MAX]),
)
def test_any_claim_can_be_shown(
    title: str, term: str, tool: str, tools: int, holders: int, sources: int
) -> None:
    sentence = state_claim(
        rights(title, holders=holders),
        disclosure(term, *(AITool(model=tool),) * tools),
        lineage(sources),
    )
    assert_can_be_shown(sentence)
    parts = take_apart(sentence)
    assert bool(parts["generative"]) == (term in GENERATIVE)
    assert (parts["tool"] is None) == (tools == 0)
    assert parts["more"] == (f" and {tools - 1} more" if tools > 1 else None)
    told = {1: [], 2: ["holders: 2"], HOLDERS_MAX: [f"holders: {HOLDERS_MAX}"]}[holders]
    told += {0: [], 1: ["sources: 1"], SOURCES_MAX: [f"sources: {SOURCES_MAX}"]}[sources]
    assert parts["counts"] == (", ".join(told).capitalize() or None)


@given(LONG, st.none() | LONG)
def test_any_disclosure_can_be_shown(title: str, declared_use: str | None) -> None:
    sentence = state_disclosure(title, declared_use)
    assert_can_be_shown(sentence)
    found = re.fullmatch(
        rf"I sign the AI disclosure of {QUOTED}\. "
        rf"Use of AI: (?:(not answered)|[A-Za-z0-9]{{1,36}}|{QUOTED})\. Stated, not checked\.",
        sentence,
    )
    assert found, sentence
    assert (found[1] is not None) == (declared_use is None)


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_that_is_quoted_goes_on_where_the_sentence_does(text: str) -> None:
    plain = take_apart(state_claim(rights(), disclosure("humanEdits", AITool("x")), lineage()))
    for made in (
        state_claim(rights(text), disclosure("humanEdits", AITool("x")), lineage()),
        state_claim(rights(), disclosure(text, AITool("x")), lineage()),
        state_claim(rights(), disclosure("humanEdits", AITool(text or None)), lineage()),
    ):
        assert_can_be_shown(made)
        parts = take_apart(made)
        assert sum(parts[name] != plain[name] for name in parts) == 1
        assert parts["generative"] is parts["more"] is parts["counts"] is None


def test_the_attacks_end_in_their_quotes() -> None:
    for tool, shown in (
        ("Camera, generative AI", "Camera, generative AI"),
        ('hand". Declared as humanEdits', "hand'. Declared as humanEdits"),
    ):
        sentence = state_claim(rights(), disclosure("humanEdits", AITool(model=tool)), lineage())
        assert f'. Declared as humanEdits, made with "{shown}". Recorded' in sentence
    term = "digitalCapture, no tool named. Recorded"
    sentence = state_claim(rights(), disclosure(term), lineage())
    assert 'Declared as "digitalCapture, no tool named....", no tool named. ' in sentence


@pytest.mark.parametrize("letter", ["x", "é", "子", "\U0001f408"])
def test_one_word_is_told_as_it_is_and_anything_else_in_quotes(letter: str) -> None:
    def told(term: str) -> str:
        return take_apart(state_claim(rights(), disclosure(term), lineage()))["type"] or ""

    assert told("x" * 36) == "x" * 36
    assert told("x" * 37) == f'"{"x" * 31}..."'
    assert told("a b") == '"a b"'
    for term in (
        "a-b",
        "a_b",
        "c2pa:x",
        "",
        " humanEdits",
        "humanEdits\n",
        "ä",
        "\u0663",
        "\uff58",
    ):
        assert told(term).startswith('"')
        assert told(term).endswith('"')
    cut = told(letter * 40)
    assert cut == letter * 40 or len(cut.encode("utf-8")) <= 36


def test_the_longest_sentence_fills_the_bound() -> None:
    sentence = state_claim(
        rights("x" * 300, holders=HOLDERS_MAX),
        disclosure(
            DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA,
            *(AITool(model="x" * 300),) * TOOLS_MAX,
        ),
        lineage(SOURCES_MAX),
    )
    assert len(sentence.encode("utf-8")) == STATEMENT_BYTES_MAX
    assert DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA in sentence


@pytest.mark.parametrize("letter", ["a", "é", "子", "\U0001f408"])
def test_a_long_title_is_cut_between_characters(letter: str) -> None:
    for before in range(4):
        title = "a" * before + letter * 100
        shown = state_disclosure(title, None).split('"')[1]
        assert shown.endswith("...")
        assert title.startswith(shown.removesuffix("..."))
        assert 68 - 4 < len(shown.encode("utf-8")) <= 68


def test_a_tool_that_fits_is_not_cut() -> None:
    for length, shown in ((33, "x" * 33), (34, "x" * 30 + "...")):
        tool = AITool(model="x" * length)
        assert f'"{shown}"' in state_claim(rights(), disclosure("humanEdits", tool), lineage())


def test_a_title_that_fits_is_not_cut() -> None:
    assert f'"{"x" * 68}"' in state_disclosure("x" * 68, None)
    assert f'"{"x" * 65}..."' in state_disclosure("x" * 69, None)


@pytest.mark.parametrize(
    "hidden",
    [
        *("\n", "\r\n", "\0", "\x1b", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\u200b"),
        *("\ufeff", "\u00ad", "\u061c", "\u3164", "\ufe0f", "\U000e0041", "\U0001bca0", "\u2800"),
    ],
)
def test_what_hides_or_reorders_becomes_a_space(hidden: str) -> None:
    shown = state_disclosure(f"A{hidden}B", None).split('"')[1]
    assert shown == "A B"


@pytest.mark.parametrize(
    "mark",
    [
        *(
            '"',
            "\u201c",
            "\u201d",
            "\u201e",
            "\xab",
            "\xbb",
            "\u2033",
            "\uff02",
            "\u301e",
            "\u275e",
        ),
        *("\u02ba", "\u05f4", "''", "\u2019\u2019", "'\"", "``", "\u201f'"),
    ],
)
def test_a_title_cannot_end_its_quotes(mark: str) -> None:
    shown = state_disclosure(f"A{mark}. Use of AI: none. {mark}", "generative")
    assert shown.startswith(
        "I sign the AI disclosure of \"A'. Use of AI: none. '\". Use of AI: gen"
    )


def test_an_apostrophe_stays() -> None:
    assert '"Cat\'s Quay"' in state_disclosure("Cat's Quay", None)


@pytest.mark.parametrize("term", sorted({*DigitalSourceType, *GENERATIVE}))
@pytest.mark.parametrize("base", ["", IPTC_BASE, IPTC_BASE.replace("http:", "https:")])
def test_generative_ai_is_said_of_the_frozen_terms_alone(base: str, term: str) -> None:
    written = term if ":" in term else base + term
    said = take_apart(state_claim(rights(), disclosure(written), lineage()))["generative"]
    assert bool(said) == (written in GENERATIVE)


def test_what_the_sentence_calls_generative_counts_as_such_today() -> None:
    assert statements._GENERATIVE <= GENERATIVE_SOURCE_TYPES
    assert all(map(is_generative, GENERATIVE))
    assert statements._IPTC == IPTC_BASE


@pytest.mark.parametrize(
    "term",
    [
        *("TrainedAlgorithmicMedia", "trainedAlgorithmicMedia ", " trainedAlgorithmicMedia", "x:y"),
        *(
            "trainedAlgorithmicData",
            f"{IPTC_BASE}trainedAlgorithmicMedia/",
            f"x{IPTC_BASE}composite",
        ),
        *(
            f"{IPTC_BASE}{IPTC_BASE}compositeSynthetic",
            "HTTP" + IPTC_BASE[4:] + "compositeSynthetic",
        ),
    ],
)
def test_an_unknown_term_is_not_called_generative(term: str) -> None:
    assert "generative" not in state_claim(rights(), disclosure(term), lineage())


@pytest.mark.parametrize(
    ("tool", "shown"),
    [
        (AITool("A", "B", "2", "urn:c", "d"), "B 2"),
        (AITool(provider="A", version="2"), "2"),
        (AITool(provider="A"), "A"),
        (AITool(identifier="urn:c"), "urn:c"),
        (AITool(model_type="d"), "d"),
    ],
)
def test_a_tool_is_named_by_what_is_stated(tool: AITool, shown: str) -> None:
    sentence = state_claim(rights(), disclosure("humanEdits", tool), lineage())
    assert f', made with "{shown}". ' in sentence


def test_a_sentence_that_says_something_else_is_refused() -> None:
    dossier = sample_dossier()
    statement = dossier.record.signed_claim.claim.statement or ""
    require_statement(statement, SAMPLE_RIGHTS, SAMPLE_DISCLOSURE, SAMPLE_LINEAGE)
    human = replace(SAMPLE_DISCLOSURE, source_type=DigitalSourceType.HUMAN_EDITS)
    renamed = replace(SAMPLE_RIGHTS, titles=(Title("Another", "en"),))
    for told, documents in (
        (statement + " ", (SAMPLE_RIGHTS, SAMPLE_DISCLOSURE, SAMPLE_LINEAGE)),
        ("", (SAMPLE_RIGHTS, SAMPLE_DISCLOSURE, SAMPLE_LINEAGE)),
        (statement, (SAMPLE_RIGHTS, human, SAMPLE_LINEAGE)),
        (statement, (renamed, SAMPLE_DISCLOSURE, SAMPLE_LINEAGE)),
        (statement, (SAMPLE_RIGHTS, SAMPLE_DISCLOSURE, Lineage())),
    ):
        with pytest.raises(ProofError, match="does not say what the documents say"):
            require_statement(told, *documents)


def test_a_signed_disclosure_says_what_its_document_says() -> None:
    signed = DisclosureStatement(
        state_disclosure("A Kitten", "none"), Address("0x"), "director", (), Sha256(bytes(32)), 0
    )
    require_disclosure_statement(signed, title="A Kitten", declared_use="none")
    for title, declared_use in (("A Cat", "none"), ("A Kitten", "generative"), ("A Kitten", None)):
        with pytest.raises(ProofError, match="does not say what the disclosure says"):
            require_disclosure_statement(signed, title=title, declared_use=declared_use)
