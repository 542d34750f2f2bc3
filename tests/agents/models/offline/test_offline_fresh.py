"""Sentences written apart from the training data, each in a situation: the tool, and all it is called with."""

import pytest

from agents.models.offline import OfflinePlanner
from tests.agents.models.offline.fresh import Counted, count, fresh


@pytest.fixture(scope="module")
def counted(planner: OfflinePlanner) -> list[Counted]:
    return [count(planner, case) for case in fresh()]


def test_there_are_enough_fresh_sentences() -> None:
    assert len({(case.situation, case.said) for case in fresh()}) >= 120


def test_the_tool_is_right_for_most_fresh_sentences(counted: list[Counted]) -> None:
    wrong = [one.fresh.said for one in counted if not one.tool]
    assert 1 - len(wrong) / len(counted) >= 0.85, wrong


def test_the_arguments_are_right_for_most_fresh_sentences(counted: list[Counted]) -> None:
    wrong = [f"{one.fresh.said}: {one.got}" for one in counted if not one.whole]
    assert 1 - len(wrong) / len(counted) >= 0.80, wrong
