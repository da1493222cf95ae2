"""HL7 FHIR R4 and R4B: Bundles, single resources and NDJSON, of one patient or many, read one resource after another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hlhcli.readers import codes, jsontext
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Charts, Place
from hlhcli.readers.fhir_element import Json, Local, Reference, moment, obj, reference, spoken, text
from hlhcli.readers.fhir_event import Events
from hlhcli.readers.fhir_genetics import variant
from hlhcli.readers.fhir_observation import NOTHING, Observations
from hlhcli.readers.fhir_versions import Versions, corrects, version
from hlhcli.readers.jsontext import BadJson

_SUBJECTS = ("", "Patient")
_DEEPEST = 20  # Bundles inside of one another
_REFERRED = ("Patient", "Specimen", "Medication")  # of which no version is left out


def bundle(text_: str, source: str) -> Iterator[tuple[Place, Any]]:
    """The resources of a document: the entries of a Bundle with their addresses, or the one resource.

    Entries come one by one, once it is known that they are those of a Bundle, and not of its history, where the latest comes first.
    """
    rest: Json = {}
    held: list[tuple[Place, Any]] = []
    for key, member, place in jsontext.members(text_, source, "entry"):
        if key != "entry":
            rest[key] = member
        elif rest.get("resourceType") == "Bundle" and rest.get("type", "history") != "history":
            yield place, member
        else:
            held.append((place, member))
    if rest.get("resourceType") == "Bundle":
        yield from reversed(held) if rest.get("type") == "history" else held
    else:
        yield Place(), rest


class Reader:
    """Gathers the charts of an input, resource by resource."""

    def __init__(self, source: str, account: Account, local: Local) -> None:
        self.source = source
        self.account = account
        self.charts = Charts()
        self.observations = Observations(account, local)
        self.events = Events(account)
        self._foreign: set[str] = set()
        self._outdated: set[int] = set()
        self._versions = Versions()

    def all(self, resources: Iterable[tuple[Place, Any]]) -> Charts:
        """Every resource of the input. Raises InputError where none of them is one of a patient."""
        for place, resource in resources:
            self.add(place, resource)
        self.events.finish()
        self._outdated |= self._versions.outdated()
        self.charts.join(_last_parts(self.charts))
        return self.charts

    def add(self, place: Place, found: Any, depth: int = 0) -> None:
        """One resource, or an entry of a Bundle that holds one."""
        entry = obj(found)
        if isinstance(found, BadJson) or not entry:
            self._leave("not a resource" if not isinstance(found, BadJson) else str(found), "line", place)
            return
        address = ""
        if "resourceType" not in entry:
            address = text(entry.get("fullUrl"))
            inner = obj(entry.get("resource"))
            asked = obj(entry.get("request"))
            if asked.get("method") == "DELETE" or not inner:
                if asked.get("method") == "DELETE":
                    gone = reference({"reference": text(asked.get("url"))})
                    stamp = version({"meta": {"lastUpdated": obj(entry.get("response")).get("lastModified")}})
                    self._versions.enter(f"{gone.type}/{gone.id.rpartition('/')[2]}", "", stamp, corrects=True)
                self._leave("entry without a resource", "Bundle.entry", place)
                return
            entry = inner
        kind, name = text(entry.get("resourceType")), text(entry.get("id"))
        if kind == "Bundle" and depth > _DEEPEST:
            self._leave("nested too deeply", "Bundle", place)
            return
        if kind == "Bundle":
            found = entry.get("entry")
            inside = found if isinstance(found, list) else []
            for each in reversed(inside) if entry.get("type") == "history" else inside:
                self.add(place, each, depth + 1)
            return
        place = place._replace(label=f"{kind}/{name}" if name else kind)
        subject = _subject(entry, address)
        if name and kind not in _REFERRED:
            number = self._versions.enter(place.label, subject.id, version(entry) if "meta" in entry else 0, corrects(entry))
            place = place._replace(serial=number)
        self._resource(kind, entry, address, subject, place)

    def _resource(self, kind: str, resource: Json, address: str, subject: Reference, place: Place) -> None:
        if kind == "Patient":
            self._person(resource, address, place)
        elif kind == "Specimen":
            self._specimen(resource, address)
        elif kind == "Medication":
            self.events.described(resource, address)
            self._used()
        elif (read := self.events.reader(kind)) is not None or kind == "Observation":
            if subject.type not in _SUBJECTS:
                self._leave("subject is no patient", f"{kind} of a {_type(subject.type)}", place)
                return
            chart = self._chart(subject.id, place)
            if read is not None:
                read(resource, place, chart)
            elif self.observations.is_variant(resource):
                variant(resource, place, chart, self.account)
            else:
                self.observations.add(resource, place, chart)
        else:
            self._leave("resource not read", _type(kind), place)

    def _chart(self, person: str, place: Place) -> Chart:
        chart = self.charts.of(person)
        if chart.foreign is not self._foreign:
            chart.foreign, chart.outdated = self._foreign, self._outdated
            chart.person.id, chart.person.place = person.rpartition("/")[2] if "://" in person else person, place
        return chart

    def _person(self, resource: Json, address: str, place: Place) -> None:
        own = reference({"reference": address}).id
        name = own if "://" in own else text(resource.get("id")) or own
        if resource.get("modifierExtension") or resource.get("implicitRules"):
            self._leave("modified in its meaning by an extension not known here", "Patient", place)
            return
        person = self._chart(name, place).person
        self.account.read += 1
        born = moment(resource.get("birthDate"))
        if born.text and not born.date:
            self.account.remark("date of birth without a day: the age is not known", "Patient", place)
        person.birth_date, person.place, person.known = born.date, place, person.known + 1
        person.sex = text(resource.get("gender")) if text(resource.get("gender")) in ("male", "female", "other") else ""
        if address and "://" not in own:
            self.charts.alias(own, name)

    def _specimen(self, resource: Json, address: str) -> None:
        """A specimen that is not of blood: what was measured in it is no value of the blood."""
        if codes.specimen(spoken(resource.get("type"))) is False:
            self._foreign |= {text(resource.get("id")), reference({"reference": address}).id} - {""}
        self._used()

    def _used(self) -> None:
        self.account.read += 1
        self.account.used += 1

    def _leave(self, reason: str, what: str, place: Place) -> None:
        self.account.read += 1
        self.account.leave(reason, what, place)


def _type(kind: str) -> str:
    """The type of a resource as it is told: what has another form can be anything."""
    return kind if re.fullmatch(r"[A-Z][A-Za-z]{2,40}|contained resource", kind) else "resource of another type"


def _subject(resource: Json, address: str) -> Reference:
    """Whom a resource is about; a relative reference is to the server of its own entry."""
    found = reference(resource.get("subject") or resource.get("patient"))
    if not address.startswith("http"):
        return found
    server = re.match(r"(https?://.+)/[A-Za-z]+/[^/]+$", address.split("/_history/")[0])
    if server and found.id and "://" not in found.id and not found.id.startswith("#") and found.type == "Patient":
        return found._replace(id=f"{server[1]}/Patient/{found.id}")
    return found


def _last_parts(charts: Charts) -> list[tuple[str, str]]:
    """Addresses of another server and the id at their end, where only one of them ends so."""
    ends: dict[str, list[str]] = {}
    for key in charts.keys:
        if "://" in key:
            ends.setdefault(key.rpartition("/")[2], []).append(key)
    return [(keys[0], end) for end, keys in ends.items() if len(keys) == 1]


def read(stream: BinaryIO, source: str, account: Account, many: bool, local: Local = NOTHING) -> Charts:
    """The charts of a document, or (`many`) of NDJSON with one resource on a line. Raises InputError."""
    reader = Reader(source, account, local)
    if many:
        return reader.all((Place(number), found) for number, found in jsontext.lines(stream))
    return reader.all(bundle(jsontext.document(stream, source), source))


def read_files(paths: list[Path], source: str, account: Account, local: Local = NOTHING) -> Charts:
    """The charts of a bulk export: one file of NDJSON for each type of resource."""
    return Reader(source, account, local).all(_lines_of(paths))


def _lines_of(paths: list[Path]) -> Iterator[tuple[Place, Any]]:
    for path in paths:
        with path.open("rb") as stream:
            yield from ((Place(number, file=path.name), found) for number, found in jsontext.lines(stream))
