"""Which version of a resource holds: the latest by its time or number, else by the order; ids of two people are not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlhcli.readers.fhir_versions import Versions, version


def outdated(*entered):
    """The places (from 0) of what does not hold, of (label, subject, version, corrects)."""
    versions = Versions()
    for each in entered:
        versions.enter(*each)
    return {serial - 1 for serial in versions.outdated()}


@pytest.mark.parametrize(
    ("entered", "old"),
    [
        ([("O/1", "p", 0, False), ("O/2", "p", 0, False)], set()),
        ([("O/1", "p", 0, False), ("O/1", "p", 0, False)], {0}),  # without a time the later in the input
        ([("O/1", "p", 9, False), ("O/1", "p", 5, False)], {1}),  # with one the later in time
        ([("O/1", "p", 9, False), ("O/1", "p", 0, False)], {0}),
        ([("O/1", "p", 1, False), ("O/1", "p", 3, False), ("O/1", "p", 2, False)], {0, 2}),
        ([("O/1", "p", 0, False), ("O/1", "q", 0, False)], set()),  # the same id by chance
        ([("O/1", "p", 0, False), ("O/1", "q", 0, True)], {0}),  # a correction to another person
        ([("O/1", "q", 0, True), ("O/1", "p", 0, False)], set()),
        ([("O/1", "p", 2, False), ("O/1", "", 1, True)], set()),  # deleted before it was written again
    ],
)
def test_the_latest_version_holds(entered, old):
    """One of several holds; a withdrawal takes all before it."""
    assert outdated(*entered) == old


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["p", "q"]), st.integers(0, 3), st.just(False)), max_size=12
    )
)
def test_one_version_of_each_resource_holds(entered):
    """However many there are, in whatever order: one of each, and none that is older than another with a time."""
    old = outdated(*entered)
    holds = [each for place, each in enumerate(entered) if place not in old]
    assert len({each[:2] for each in holds}) == len(holds) == len({each[:2] for each in entered})


def test_versions_are_ordered_by_time_and_then_by_number():
    """Times in any zone compare as moments; a number is below every time."""
    stated = [
        {"meta": {"versionId": "2"}},
        {"meta": {"versionId": "10"}},
        {"meta": {"lastUpdated": "2016-05-02T10:00:00+02:00"}},
        {"meta": {"lastUpdated": "2016-05-02T08:30:00Z", "versionId": "1"}},
        {"meta": {"lastUpdated": "2016-05-02T08:30:00.5Z"}},
    ]
    numbers = [version(each) for each in stated]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(numbers)
    assert [version(each) for each in ({}, {"meta": {"lastUpdated": "soon"}}, {"meta": {"versionId": "x"}}, {"meta": []})] == [
        0
    ] * 4
