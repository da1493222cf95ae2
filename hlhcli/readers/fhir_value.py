"""What a FHIR Observation says of its observable: a number, a finding, a word, or why nothing is known."""

from __future__ import annotations

from typing import Any, NamedTuple

from hlhcli import observables
from hlhcli.observations import PENDING, answered, missing
from hlhcli.readers import cells, codes
from hlhcli.readers.fhir_element import Json, amount, codings, items, limits, named, obj, status, text

UNKNOWN = "unknown"
ABSENT = {"temp-unknown": PENDING, "not-performed": "not done", "error": "unreadable", "not-a-number": "unreadable"}
INTERPRETED = {"H": "elevated", "HH": "elevated", "HU": "elevated", "L": "low", "LL": "low", "LU": "low", "N": "normal"}
OTHER = ("valueRatio", "valueSampledData", "valueTime", "valueDateTime", "valuePeriod", "valueAttachment", "valueReference")
_OFF_SCALE = (">", "<")  # interpretations that say the same as a comparator


class Named(NamedTuple):
    """What an Observation is of: the observable, the kind of unit that its code states, the value that `true` stands for.

    `whole` is False for a code of one form of the finding, whose absence does not say that there is none.
    """

    observable: str
    kind: str = ""
    value: str = ""
    whole: bool = True
    unit: str = ""  # of a number without one, as a mapping says


class Said(NamedTuple):
    """One value on its way to a fact. `unread`: there is one that cannot be read, and so is not known; `wrong`: there is none."""

    value: str = ""
    unit: str = ""
    reference: str = ""
    note: str = ""
    unread: str = ""
    wrong: str = ""
    doubt: str = ""


def _unread(reason: str, note: str = "") -> Said:
    return Said(UNKNOWN, note=note or reason, unread=reason)


def values(holder: Json, of: Named) -> list[Said]:
    """What is said of the observable: one value, or several in one text."""
    keys = [key for key in holder if key.lstrip("_").startswith("value") and (not key.startswith("_") or key[1:] not in holder)]
    if len(keys) > 1:
        return [_unread("several values in one element")]
    if not keys:
        return [_absent(holder["dataAbsentReason"]) if holder.get("dataAbsentReason") is not None else _judged(holder, of)]
    if holder.get("dataAbsentReason") is not None and not keys[0].startswith("_"):
        return [_unread("a value, and a reason why there is none")]
    key, value = keys[0], holder[keys[0]]
    if key.startswith("_"):
        return [_extended(value) or _unread("value that cannot be read")]
    is_finding = observables.get(of.observable).family is None
    if key == "valueString":
        return _from_text(text(value), of, is_finding)
    if key in ("valueQuantity", "valueRange", "valueInteger") and is_finding:
        return [_unread("a number where a finding is expected")]
    if key == "valueBoolean" and isinstance(value, bool):
        return [_finding("yes" if value else "no", of)]
    read = {"valueQuantity": _quantity, "valueRange": _range, "valueInteger": _integer, "valueCodeableConcept": _coded}.get(key)
    return [read(holder, of) if read else _unread(f"{key if key in OTHER else 'value of another kind'} is not read")]


def _quantity(holder: Json, of: Named) -> Said:
    quantity = holder["valueQuantity"]
    found = amount(quantity, of.observable)
    if found.wrong == "no value" and isinstance(quantity, dict) and "value" not in quantity:
        return _extended(quantity) or _extended(quantity.get("_value")) or Said(UNKNOWN, note="no value is stated")
    if found.wrong:
        return _unread(found.wrong)
    off = {status(each) for each in items(holder.get("interpretation"))} & set(_OFF_SCALE)
    if len(off) == 1 and found.value[0] not in "<>":
        found = found._replace(value=f"{off.pop()}{found.value}")
    return _limited(found.value, found.unit, holder, of)


def _limited(value: str, unit: str, holder: Json, of: Named) -> Said:
    reference = limits(holder, of.observable)
    doubt = "" if reference or not holder.get("referenceRange") else "reference range that does not clearly apply"
    return Said(value, unit, reference, doubt=doubt)


def _range(holder: Json, of: Named) -> Said:
    low, high = (amount(obj(holder["valueRange"]).get(end), of.observable) for end in ("low", "high"))
    if low.value and high.value and low.unit == high.unit:
        return _limited(f"{low.value}-{high.value}", low.unit, holder, of)
    if bool(low.value) is not bool(high.value):
        known = low if low.value else high
        return _limited(f"{'>=' if low.value else '<='}{known.value}", known.unit, holder, of)
    return _unread("a range that cannot be read") if holder["valueRange"] else Said(UNKNOWN, note="no value is stated")


def _integer(holder: Json, of: Named) -> Said:
    return Said(text(holder["valueInteger"])) if text(holder["valueInteger"]) else _unread("value that cannot be read")


def _coded(holder: Json, of: Named) -> Said:
    concept = holder["valueCodeableConcept"]
    answers = {codes.answer(each.system, each.code) for each in codings(concept)} - {None}
    words = named(concept).partition(" (")[0]
    if _has_words_of_its_own(of):  # `absent` of NK activity is no `no`: it is what the word says
        return Said(words) if words else _unread("answer not known here")
    if said := answered({"true": "yes", "false": "no"}.get(words.casefold(), words)):
        answers.add(said)
    if len(answers) > 1:
        return _unread("answers that contradict one another")
    if answers:
        return _finding(str(answers.pop()), of)
    return Said(words) if words else _unread("answer not known here")


def _finding(word: str, of: Named) -> Said:
    """A finding: `yes` is what the code stands for, and `no` its contrary, where the code is of all of it."""
    observable = observables.get(of.observable)
    if observable.family is not None and not of.value:
        return _unread("yes or no where a number is expected")
    if word == "no" and not of.whole:
        return Said(wrong="absent, but only one form of the finding")
    if observable.family is not None:
        return Said(of.value if word == "yes" else "normal")
    if word == "no":
        return Said(observable.negative)
    named_values = not of.value and observable.negative != "no"  # present or not says nothing of them
    return _unread("answer not known here") if named_values else Said(of.value or "yes")


def _has_words_of_its_own(of: Named) -> bool:
    """True where words such as absent do not say that there is none: absent NK activity."""
    return not of.value and observables.get(of.observable).negative != "no"


def _from_text(written: str, of: Named, is_finding: bool) -> list[Said]:
    if not written:
        return [Said(wrong="no value")]
    if is_finding:
        said = None if _has_words_of_its_own(of) else answered(written)
        return [_finding(said, of) if said else Said(written)]
    try:
        found = [Said(piece.value, piece.unit, piece.reference, piece.note) for piece in cells.pieces(written)]
    except cells.Unclear as error:
        return [_unread("text that is not understood", f"'{written[:60]}': {error}")]
    return found or [Said(wrong="no value")]


def _absent(found: Any) -> Said:
    """Why there is no value: by the code, or by words such as hemolyzed."""
    reason = next((each.code for each in codings(found)), text(found))
    if reason:
        return Said(ABSENT.get(reason, UNKNOWN), note=f"absent: {reason}")
    said = missing(named(found))
    return Said(said.text if said and named(found) else UNKNOWN, note="absent")


def _judged(holder: Json, of: Named) -> Said:
    """No number: at least how the laboratory judged it."""
    judged = {INTERPRETED.get(status(each), "") for each in items(holder.get("interpretation"))} - {""}
    if len(judged) == 1 and observables.get(of.observable).family is not None:
        return Said(judged.pop(), note="the laboratory's judgement")
    return Said(wrong="no value")


def _extended(element: Any) -> Said | None:
    """The reason that an extension gives for a value that is not there."""
    extensions = items(obj(element).get("extension"))
    reasons = (text(each.get("valueCode")) for each in extensions if str(each.get("url")).endswith("data-absent-reason"))
    reason = next(reasons, "")
    return Said(ABSENT.get(reason, UNKNOWN), note=f"absent: {reason}") if reason else None
