from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from code_rows import PlainRows, draw_codes, flip_bits, guaranteed_radius, list_hits
from hypothesis import given, settings
from hypothesis import strategies as st

from titledeed.matching.tables.code_table import CodeTable

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 5), st.integers(1, 60)),
        st.tuples(st.just("remove"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("commit"), st.booleans(), st.just(0)),
        st.tuples(st.just("reopen"), st.just(0), st.just(0)),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=40)
@given(
    steps=STEPS,
    seed=st.integers(0, 2**32 - 1),
    width=st.sampled_from([8, 16, 32]),
    flips=st.integers(0, 2),
)
def test_every_row_within_the_guaranteed_radius_is_found_after_any_history(
    steps: list[tuple[str, int, int]], seed: int, width: int, flips: int
) -> None:
    order = np.random.default_rng(seed).permutation(8 * width).tolist()
    model, committed = PlainRows(), PlainRows()
    with tempfile.TemporaryDirectory() as folder:
        index = CodeTable(Path(folder), code_bytes=width, bit_order=order)
        for number, (step, value, rows) in enumerate(steps):
            if step == "append":
                codes = draw_codes(seed % 97 + value, rows, width=width)
                times_ms = np.arange(rows) + 1000 * number
                for one in (index, model):
                    one.append(value, times_ms, np.full(rows, number), codes)
            elif step == "remove":
                index.remove({value})
                model.remove({value})
            elif step == "commit":
                index.commit(number, compact=bool(value))
                committed = PlainRows(list(model.rows))
            else:
                index = CodeTable(Path(folder), code_bytes=width, bit_order=order)
                model = PlainRows(list(committed.rows))
        radius = guaranteed_radius(width, flips)
        query = np.concatenate(
            [flip_bits(draw_codes(seed % 97 + owner, 5, width=width), radius) for owner in range(6)]
        )
        hits = index.view().search(query, radius=radius, limit=10_000, flips=flips)
        expected, found = model.find(query, radius), list_hits(hits)
        assert set(found) <= set(expected)
        assert [hit for hit in found if hits.complete[hit[0]]] == [
            hit for hit in expected if hits.complete[hit[0]]
        ]


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 20_000), flips=st.integers(0, 2))
def test_the_guarantee_holds_at_every_length_of_substring(
    seed: int, count: int, flips: int
) -> None:
    """Rows that are exactly as far away as is guaranteed, in any bits."""
    codes = np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        index = CodeTable(Path(folder), code_bytes=32, bit_order=range(256))
        index.append(1, np.arange(count), np.zeros(count, np.int64), codes)
        radius = guaranteed_radius(32, flips)
        places = np.random.default_rng(seed).integers(0, count, 50)
        query = flip_bits(codes[places], radius, seed=seed)
        hits = index.view().search(query, radius=radius, limit=1, flips=flips)
    assert hits.complete.all()
    assert hits.time_ms.tolist() == places.tolist()
