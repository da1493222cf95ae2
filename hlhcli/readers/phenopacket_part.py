"""What the readers of the parts of one phenopacket share: the books, the chart, and facts that wait for their order."""

from __future__ import annotations

from typing import Any

from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Fact, Place, Remark
from hlhcli.readers.phenopacket_element import Json, Time, fields, shown_key, text, time

FORM = "not in the form of a phenopacket"
_FREE_TEXT = "description"


class Part:
    """One phenopacket on its way into a chart."""

    def __init__(self, account: Account, chart: Chart, path: str, subject: str, packet: Json) -> None:
        self.account = account
        self.chart = chart
        self.path = path
        self.subject = subject
        self.facts: list[tuple[Time, Fact]] = []
        self.onsets: list[Time] = []  # of HLH or MAS
        samples, diseases = ([fields(each) for each in _list(packet.get(key))] for key in ("biosamples", "diseases"))
        self.samples = {text(sample.get("id")): sample for sample in samples}
        self.diseases = {text(fields(disease.get("term")).get("id")) for disease in diseases}

    def add(self, fact: Fact, when: Time) -> None:
        self.facts.append((when, fact))

    def diagnosed(self, words: str, when: Time, place: Place) -> None:
        name = "" if when.date or not when.stated else when.timepoint
        self.chart.remarks.append(Remark(words, when.date, timepoint=name, place=place))

    def when(self, node: Any, what: str, place: Place) -> Time:
        """A TimeElement; what cannot be read of it is told."""
        found = time(node)
        if found.bad:
            self.account.remark("time that cannot be read", what, place)
        return found

    def unknown(self, found: Json, known: set[str], what: str, place: Place) -> None:
        """Fields of something used that are not known here, and text that nobody reads."""
        for key in found:
            if key not in known:
                self.account.remark("field not known here", f"{what}.{shown_key(key)}", place)
            elif key == _FREE_TEXT and found[key]:
                self.account.remark("free text is not read", f"{what}.{key}", place)


def _list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []
