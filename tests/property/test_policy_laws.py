from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from titledeed.models.finding import Fact
from titledeed.models.interval import ShareBounds
from titledeed.policy.evaluation import conjunction, decide, negation
from titledeed.policy.rules import (
    AllOf,
    AnyOf,
    Bound,
    Condition,
    Negation,
    Operator,
    Question,
    Truth,
)

truths: st.SearchStrategy[Truth] = st.sampled_from([True, False, None])
numbers = st.integers(0, 20).map(lambda n: Fraction(n, 20))
orders = st.sampled_from(
    [Operator.EQ, Operator.NE, Operator.LT, Operator.LE, Operator.GT, Operator.GE]
)
names = st.sampled_from(["a", "b", "c"])
questions = st.builds(
    Question, names, orders, numbers, st.sampled_from([None, None, Bound.LOWER, Bound.UPPER])
)
plain_questions = st.builds(Question, names, orders, numbers, st.none())


def conditions(leaves: st.SearchStrategy[Question]) -> st.SearchStrategy[Condition]:
    def grow(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(parts, min_size=1, max_size=3).map(tuple)
        return st.one_of(
            st.builds(AllOf, several), st.builds(AnyOf, several), st.builds(Negation, parts)
        )

    return st.recursive(leaves, grow, max_leaves=8)


shares = st.tuples(numbers, numbers).map(lambda pair: ShareBounds(min(pair), max(pair)))
fact_sets = st.dictionaries(names, shares, max_size=3)


@given(st.lists(truths, min_size=1, max_size=5))
def test_conjunction_is_the_least_in_the_order_false_unknown_true(values: list[Truth]) -> None:
    order: list[Truth] = [False, None, True]
    assert conjunction(values) is order[min(order.index(value) for value in values)]


@given(conditions(questions), conditions(questions), fact_sets)
def test_de_morgan_and_double_negation_hold(
    one: Condition, other: Condition, facts: dict[str, Fact]
) -> None:
    both = decide(Negation(AllOf((one, other))), facts)
    assert both is decide(AnyOf((Negation(one), Negation(other))), facts)
    assert decide(Negation(Negation(one)), facts) is decide(one, facts)
    assert decide(AllOf((one, other)), facts) is decide(AllOf((other, one)), facts)
    assert decide(AnyOf((one, one)), facts) is decide(one, facts)


@given(conditions(plain_questions), fact_sets, st.data())
def test_more_evidence_never_turns_an_answer_into_the_other(
    condition: Condition, facts: dict[str, ShareBounds], data: st.DataObject
) -> None:
    """Narrower bounds, or a fact that was absent, may answer; they never overturn."""
    before = decide(condition, facts)
    narrower: dict[str, Fact] = {}
    for name in ("a", "b", "c"):
        known = facts.get(name, ShareBounds(Fraction(0), Fraction(1)))
        steps = sorted((data.draw(st.integers(0, 20)), data.draw(st.integers(0, 20))))
        width = known.upper - known.lower
        lower, upper = (known.lower + width * Fraction(step, 20) for step in steps)
        narrower[name] = ShareBounds(lower, upper)
    assert before is None or decide(condition, narrower) is before


@given(orders, numbers, shares)
def test_an_interval_answers_when_and_only_when_both_its_ends_and_all_between_agree(
    operator: Operator, number: Fraction, share: ShareBounds
) -> None:
    question = Question("a", operator, number)
    steps = [share.lower + (share.upper - share.lower) * Fraction(n, 20) for n in range(21)]
    points = [*steps, *([number] if share.lower <= number <= share.upper else [])]
    answers = {decide(question, {"a": point}) for point in points}
    assert decide(question, {"a": share}) is (answers.pop() if len(answers) == 1 else None)


@given(questions, truths)
def test_an_absent_fact_is_unknown_to_every_comparison(question: Question, value: Truth) -> None:
    assert decide(question, {}) is None
    assert negation(negation(value)) is value
