from __future__ import annotations

from fractions import Fraction

import pytest

from titledeed.canonical.yaml_documents import NODES_MAX, YAML_BYTES_MAX, parse_yaml
from titledeed.errors import MalformedDocumentError


def test_scalars_follow_the_core_schema() -> None:
    fields = parse_yaml(
        b"a: [yes, No, on, 2026-01-02, '7', \"true\", 1e3, 0x10, 1:30, .inf]\n"
        b"b: [7, -7, +7, 010]\nc: [0.4, .5, 5., -0.25]\nd: [true, FALSE]\ne: [null, ~, ]\nf:\n",
        what="it",
    ).rest()
    assert fields == {
        "a": ["yes", "No", "on", "2026-01-02", "7", "true", "1e3", "0x10", "1:30", ".inf"],
        "b": [7, -7, 7, 10],
        "c": [Fraction(2, 5), Fraction(1, 2), Fraction(5), Fraction(-1, 4)],
        "d": [True, False],
        "e": [None, None],
        "f": None,
    }


def test_a_block_text_and_a_byte_order_mark_are_read() -> None:
    fields = parse_yaml("\ufeffa: >-\n  one\n  two\n".encode(), what="it")
    assert fields.text("a") == "one two"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"# nothing", "is empty"),
        (b"- 1", "mapping"),
        (b"a: 1\n---\nb: 2", "more than one document"),
        (b"a: &x 1\nb: *x", "anchor"),
        (b"a: *x", "anchor"),
        (b"a: !!python/object:os.system x", "tag"),
        (b"a: !!str 1", "tag"),
        (b"!!map {a: 1}", "tag"),
        (b"&x {a: 1}", "anchor"),
        (b"&k a: 1", "key"),
        (b"a: 1\na: 2", "'a'"),
        (b"{<<: {a: 1}}", "'<<'"),
        (b"[a]: 1", "key"),
        (b"? [a]\n: 1", "key"),
        (b"a: [", "not valid YAML"),
        (b"a: \x00", "not valid YAML"),
        (b"a: \xff", "UTF-8"),
        (b"a: " + b"[" * 50 + b"]" * 50, "nests"),
        (b"a: " + b"{b: " * 50 + b"}" * 50, "nests"),
        (b"a: [" + b"1," * NODES_MAX + b"]", "holds or nests"),
        (b"a: '" + b"1" * YAML_BYTES_MAX + b"'", "larger"),
    ],
)
def test_what_lies_outside_the_subset_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        parse_yaml(data, what="it")
    assert problem in caught.value.message and caught.value.message.startswith("it")
    assert "\n" not in caught.value.message


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    with pytest.raises(MalformedDocumentError):
        parse_yaml("\n".join(lines).encode(), what="it")
