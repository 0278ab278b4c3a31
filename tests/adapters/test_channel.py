"""What travels through verl's reward_extra_info: flat, the same keys in every sample, and all of the credit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.adapters.verl import channel
from egca_plugin.types import Credit, Divergence, FailedTest, Mode, Outcome, Span, TokenSpan

TEXT = st.text(max_size=20)
CREDIT = st.builds(
    Credit,
    mode=st.sampled_from(Mode),
    reward=st.floats(0, 1),
    outcome=st.sampled_from(Outcome),
    tests_passed=st.integers(0, 9),
    tests_total=st.integers(0, 9),
    spans=st.lists(st.builds(Span, st.integers(0, 99), st.integers(0, 99)), max_size=3).map(tuple),
    verified=st.booleans(),
    confidence=st.floats(0, 1),
    stage=TEXT,
    reason=TEXT,
    divergence=st.none() | st.builds(Divergence, message=TEXT, line=st.integers(1, 9), variable=st.none() | TEXT),
    reference=TEXT,
    patch=TEXT,
    ms=st.dictionaries(TEXT, st.floats(0, 1e6), max_size=3),
    anomalies=st.lists(TEXT, max_size=2).map(tuple),
    restarts=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
    decision=st.none() | st.builds(Span, st.integers(0, 9), st.integers(0, 9)),
    failed=st.none() | st.builds(FailedTest, st.integers(0, 9), call=TEXT, got=TEXT),
)
ROW = st.builds(
    channel.Row,
    credit=CREDIT,
    task_id=TEXT,
    spans=st.lists(st.builds(TokenSpan, st.integers(0, 99), st.integers(0, 99)), max_size=3).map(tuple),
    tokens=st.integers(0, 99),
    fallback=TEXT,
    thinking=st.lists(st.builds(TokenSpan, st.integers(0, 99), st.integers(0, 99)), max_size=2).map(tuple),
    placing=st.builds(
        channel.Placing,
        st.booleans(),
        st.sampled_from(["span", "decision"]),
        st.sampled_from(["conserve", "unit"]),
        st.floats(0, 1),
    ),
    scorer=TEXT,
    instead=st.none() | st.integers(0, 99),
    ticket=st.none() | st.builds(channel.Ticket, TEXT, TEXT, st.integers(0, 99)),
)


@given(ROW)
def test_a_row_comes_back_as_it_was_sent(row: channel.Row) -> None:
    assert channel.unpack(channel.pack(row)) == row


@given(ROW, ROW)
def test_extras_are_flat_and_their_keys_never_change(one: channel.Row, other: channel.Row) -> None:
    packed = channel.pack(one)
    assert list(packed) == list(channel.pack(other))
    assert {type(value) for value in packed.values()} <= {float, str}


def test_extras_of_another_reward_manager_carry_no_credit() -> None:
    assert channel.unpack({"acc": 1.0}) is None
    assert channel.unpack_batch([{}, None, {"reward_extra_info": {"score": 1.0}}]) == [None, None, None]
