"""GA4GH phenopackets, version 2 of the schema, in JSON: a Phenopacket, the proband of a Family, each member of a Cohort.

An entry is the subject, one element of a list (a phenotypic feature, a quantity of a measurement, a disease, a genomic
interpretation, a dose of a treatment), or a field that is not known here. A feature that is excluded was looked for and not found;
one that is not listed is unknown. Time is mostly stated as an age: facts come in the order of age, those without a time first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hlhcli import observables
from hlhcli.errors import InputError, Problem
from hlhcli.readers import codes
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Chart, Charts, Fact, Place
from hlhcli.readers.phenopacket_clinical import action, measurement
from hlhcli.readers.phenopacket_element import Json, Term, Time, camel, fields, moment, shown_key, term, text, time
from hlhcli.readers.phenopacket_genetics import interpretation
from hlhcli.readers.phenopacket_part import FORM, Part

_SIGNS = {"phenotypicFeatures", "subject", "proband", "members", "metaData"}
_OTHERS = {"resourceType", "timepoints", "patient"}  # of FHIR and of patient files
_OF_VERSION_1 = {"htsFiles", "genes", "variants"}
_SEXES = {  # by name or number
    "UNKNOWN_SEX": "", "FEMALE": "female", "MALE": "male", "OTHER_SEX": "other", "0": "", "1": "female", "2": "male", "3": "other",
}  # fmt: skip
_SUBJECT = {"id", "alternateIds", "dateOfBirth", "timeAtLastEncounter", "vitalStatus", "sex", "karyotypicSex", "gender", "taxonomy"}
_HUMAN = ("", "NCBITaxon:9606")
_FEATURE = {"type", "excluded", "severity", "modifiers", "onset", "resolution", "evidence", "description"}
_DISEASE = {"term", "excluded", "onset", "resolution", "diseaseStage", "clinicalTnmFinding", "primarySite", "laterality"}
_NOT_READ = {
    "biosamples": "biosamples are not read",
    "files": "files are not read",
    "relatives": "a relative: the proband alone is read",
    "pedigree": "a pedigree is not read",
    "consanguinousParents": "not read",
    "description": "free text is not read",
}


def is_phenopacket(tree: Any) -> bool:
    """True for what looks like a Phenopacket, Family or Cohort, of any version."""
    if not isinstance(tree, dict):
        return False
    keys = {camel(key) for key in tree}
    if keys & _OTHERS or not keys & _SIGNS:
        return False
    found = fields(tree)
    meta = fields(found.get("metaData"))
    return (
        any(isinstance(found.get(key), dict) for key in ("subject", "proband"))
        or any(isinstance(found.get(key), list) for key in ("phenotypicFeatures", "members"))
        or bool(meta.keys() & {"phenopacketSchemaVersion", "resources"})
    )


def read(tree: Any, source: str, account: Account) -> Charts:
    """The persons in a parsed file. Raises InputError for what is no phenopacket, or one of another version."""
    names, found = _Names(account), fields(tree)
    if not is_phenopacket(tree):
        raise InputError([Problem(source, "expected a phenopacket: keys such as 'subject' and 'phenotypicFeatures'", 1, 1)])
    if "proband" in found or "members" in found:
        _check_version(found, source)
    if "proband" in found:
        _packet(found["proband"], "proband.", "", source, names)
    elif "members" in found:
        members = found["members"]
        if not isinstance(members, list) or not members:
            raise InputError([Problem(source, "a cohort without members", 1, 1)])
        for index, member in enumerate(members):
            _packet(member, f"members[{index}].", f"member {index + 1}", source, names)
    else:
        _packet(tree, "", "", source, names)
        return names.charts
    _rest(found, {"id", "proband" if "proband" in found else "members", "metaData"}, "", account)
    return names.charts


def _check_version(packet: Json, source: str) -> None:
    """Version 1 says `negated` where version 2 says `excluded`, and more: it is not read as if it were the same."""
    stated = text(fields(packet.get("metaData")).get("phenopacketSchemaVersion"))
    number = re.match(r"v?(\d{1,3})(?!\d)", stated, re.ASCII)
    features = packet.get("phenotypicFeatures")
    negated = isinstance(features, list) and any("negated" in fields(each) for each in features)
    old = negated or (not number and bool(packet.keys() & _OF_VERSION_1))
    if old or (number and int(number[1]) != 2):
        version = number[1] if number and not (old and int(number[1]) == 2) else "1"
        message = f"a phenopacket of schema version {version}; convert it to version 2, which is the one that is read"
        raise InputError([Problem(source, message, 1, 1)])


class _Names:
    """Charts of their own for each phenopacket: the same id in two of them is not known to be the same person."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.charts = Charts()
        self._taken: dict[str, int] = {}

    def chart(self, person: str, place: Place) -> Chart:
        name, number = person, self._taken.get(person, 0)
        if number:
            self.account.remark("the same id in several phenopackets: kept apart", "subject", place)
        while name in self._taken:
            number += 1
            name = f"{person} ({number})"
        self._taken[person] = max(number, 1)
        self._taken.setdefault(name, 1)
        return self.charts.of(name)


def _packet(tree: Any, path: str, name: str, source: str, names: _Names) -> None:
    """One Phenopacket; `name` stands for a person who has no id, where there are several."""
    packet = fields(tree)
    if not isinstance(tree, dict):
        raise InputError([Problem(source, f"expected a phenopacket under '{path.rstrip('.')}'", 1, 1)])
    _check_version(packet, source)
    own = text(fields(packet.get("subject")).get("id"))
    chart = names.chart(own or (text(packet.get("id")) or name if name else ""), Place(label=path + "subject"))
    _Reader(Part(names.account, chart, path, own, packet), source).read(packet)


def _rest(found: Json, known: set[str], path: str, account: Account) -> None:
    """Every other field: left, each element of a list for itself."""
    for key, value in found.items():
        if key in known:
            continue
        count = len(value) if isinstance(value, list) else 0 if value in (False, "") else 1
        if count:
            account.read += count
            reason = _NOT_READ.get(key, "field not known here")
            account.leave(reason, shown_key(key), Place(label=path + shown_key(key)), count)


class _Reader:
    """Reads the parts of one Phenopacket."""

    def __init__(self, part: Part, source: str) -> None:
        self.part = part
        self.begun: list[tuple[Time, Fact]] = []  # findings that go on
        self.source = source
        self.account = part.account
        self.chart = part.chart

    def read(self, packet: Json) -> None:
        parts: dict[str, Callable[[Json, Place], None]] = {
            "phenotypicFeatures": self._feature,
            "measurements": lambda found, place: measurement(found, place, self.part),
            "diseases": self._disease,
            "interpretations": lambda found, place: interpretation(found, place, self.part),
            "medicalActions": lambda found, place: action(found, place, self.part),
        }
        encounter = self._subject(packet.get("subject")) if "subject" in packet else Time()
        for key, function in parts.items():
            elements = packet.get(key, [])
            for index, each in enumerate(elements if isinstance(elements, list) else [elements]):
                place = Place(label=f"{self.part.path}{key}[{index}]")
                self.account.read += 1
                if isinstance(each, dict) and isinstance(elements, list):
                    function(fields(each), place)
                else:
                    self.account.leave(FORM, key, place)
        _rest(packet, {"id", "subject", "metaData", *parts}, self.part.path, self.account)
        self._finish(encounter)

    def _subject(self, node: Any) -> Time:
        """Who; gives the time of the last encounter."""
        place, person = Place(label=self.part.path + "subject"), self.chart.person
        self.account.read += 1
        if not isinstance(node, dict):
            self.account.leave(FORM, "subject", place)
            return Time()
        found = fields(node)
        self.part.unknown(found, _SUBJECT, "subject", place)
        if term(found.get("taxonomy")).id not in _HUMAN:
            raise InputError([Problem(self.source, "the subject of a phenopacket is not human (see its taxonomy)", 1, 1)])
        person.place, person.known = place, 1
        sex = _SEXES.get(text(found.get("sex")))
        if "sex" in found and sex is None:
            self.account.remark("sex that cannot be read", "subject.sex", place)
        person.sex = sex or ""
        if "dateOfBirth" in found:
            born = moment(found["dateOfBirth"])
            person.birth_date = born.date if born else ""
            if born is None:
                self.account.remark("date of birth that cannot be read", "subject.dateOfBirth", place)
            elif born.date.endswith("-01"):
                message = "a birth on the first of a month: may stand for the month, or the year, alone"
                self.account.remark(message, "subject.dateOfBirth", place)
        if text(fields(found.get("vitalStatus")).get("status")) in ("DECEASED", "2"):
            self.account.remark("not read: died", "subject.vitalStatus", place)
        return self.part.when(found.get("timeAtLastEncounter"), "subject.timeAtLastEncounter", place)

    def _feature(self, found: Json, place: Place) -> None:
        """A PhenotypicFeature."""
        of = term(found.get("type"))
        excluded = found.get("excluded", False)
        stated = of.known(codes.findings)
        wrong = self._refused(of, excluded) or ("" if stated else "term not known here")
        if not wrong and excluded:
            stated, wrong = _excluded(of, stated)
        if wrong:
            self.account.leave(wrong, of.told, place)
            return
        self.part.unknown(found, _FEATURE, "phenotypicFeatures", place)
        self.account.read += len(stated) - 1
        when = self.part.when(found.get("onset"), "phenotypicFeatures.onset", place)
        for name, value in stated:
            self._finding(name, value, of, found, when, place)

    def _refused(self, of: Term, excluded: Any) -> str:
        if not isinstance(excluded, bool):
            return "neither excluded nor not: true or false is expected"
        return "" if of.id else "no term"

    def _finding(self, name: str, value: str, of: Term, found: Json, when: Time, place: Place) -> None:
        observable = observables.get(name)
        over, until = time(found.get("resolution")), ""
        excluded = bool(found.get("excluded"))
        notes = [f"{of.label or of.id} excluded" if excluded else _said(of, name)]
        if name == "hemophagocytosis" and value == "yes":
            notes.append("site not stated")
        modifiers = found.get("modifiers")
        labels = [term(each).label for each in (found.get("severity"), *(modifiers if isinstance(modifiers, list) else []))]
        notes.append(", ".join(filter(None, labels)))
        if "resolution" in found:
            if over.date and when.date and over.date >= when.date and observable.family is None and not excluded:
                until = over.date
            else:
                notes.append(f"resolved {over.told}" if over.stated else "resolved")
        fact = Fact(name, value, note="; ".join(filter(None, (*notes, when.note))), until=until, place=place)
        self.part.add(fact, when)

    def _disease(self, found: Json, place: Place) -> None:
        """A Disease: a diagnosis is a remark, and decides nothing; some others are findings that last."""
        of = term(found.get("term"))
        excluded = found.get("excluded", False)
        title, stated = of.known(codes.diagnosis), of.known(codes.findings)
        wrong = self._refused(of, excluded) or ("" if title or stated else "term not known here")
        if wrong:
            self.account.leave(wrong, of.told, place)
            return
        self.part.unknown(found, _DISEASE, "diseases", place)
        self.account.read += len(stated) + bool(title) - 1
        when = self.part.when(found.get("onset"), "diseases.onset", place)
        if title:
            self.part.diagnosed(f"diagnosis{' excluded' if excluded else ''}: {title}", when, place)
            if not excluded and when.age:
                self.part.onsets.append(when)
        if excluded and stated:
            self.account.leave("excluded, but only one form of the finding", of.told, place, len(stated))
            return
        for name, value in stated:
            onset = f"onset {when.told}" if when.stated and not when.date else ""
            note = "; ".join(filter(None, (_said(of, name), onset, when.note)))
            if name in codes.lasting() and "resolution" not in found:
                self.begun.append((when, Fact(name, value, note=note, date=when.date, time=when.text, place=place)))
            else:
                self._finding(name, value, of, found, when, place)

    def _lasting(self, begun: Time, fact: Fact) -> None:
        """What goes on holds at every time point, or at those from its age on where another lies before it."""
        times = {when.timepoint: when for when, _ in self.part.facts if not when.date}
        if not begun.age or all(when.age and when.order >= begun.order for when in times.values()):
            self.chart.always.append(fact)
            return
        after = [when for when in times.values() if when.age and when.order >= begun.order]
        self.account.read += len(after) - 1
        self.part.facts += [(when, fact) for when in after]
        if not after:
            self.account.read += 1
            self.account.leave("began after the last time point", fact.observable, fact.place)

    def _finish(self, encounter: Time) -> None:
        """Facts in the order of time, and the age that they have in common."""
        part, person = self.part, self.chart.person
        for begun, fact in self.begun:
            self._lasting(begun, fact)
        part.facts.sort(key=lambda pair: pair[0].order)
        for when, fact in part.facts:
            self.chart.facts.add(fact._replace(date=when.date, timepoint="" if when.date else when.timepoint, time=when.text))
        if part.onsets:
            person.onset = min(part.onsets, key=lambda when: when.order).age
        if not person.birth_date:
            # What is not placed comes first; all that is reported was observed before the last encounter, or at it.
            aged = part.facts and all(when.age for when, _ in part.facts)
            person.age = part.facts[0][0].age if aged else encounter.before


def _excluded(of: Term, stated: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], str]:
    """What the absence of a term says for sure, or why it says nothing."""
    if len(stated) > 1:
        return [], "excluded as a whole, which excludes none of its parts"
    if not codes.is_whole("hpo", of.id):
        return [], "excluded, but only one form of the finding"
    name = stated[0][0]
    observable = observables.get(name)
    return [(name, "normal" if observable.family is not None else observable.negative)], ""


def _said(of: Term, name: str) -> str:
    """The label of a term, where it says more than the name of the finding."""
    own = {each.casefold() for each in (observables.get(name).title, name)}
    return "" if of.label.casefold() in own or (observables.get(name).family and len(of.known(codes.findings)) == 1) else of.label
