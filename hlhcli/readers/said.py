"""Words that stand beside a value, as readers and cohorts know them alike; nothing is imported for them."""

from __future__ import annotations

SPOILED = "unreadable"  # a result that is none
DOUBTED = "comment that puts the value in doubt"
NOT_GIVEN = ("no", "n", "false", "not given", "none", "unchecked")  # of a treatment
NO_COMPARATOR = "comparator that is not understood"
EQUAL = ("", "=", "==", "eq", "equal", "na", "n/a", "none", "null")  # comparators that add nothing

# The words of a status column, those of HL7 v2 (table 0085) and FHIR among them.
_STATES = {
    "dropped": "entered_in_error entered-in-error error cancelled canceled deleted wrong void voided rejected retracted w x d",
    "corrected": "corrected amended appended correction revised c",
    "preliminary": "preliminary prelim partial provisional p",
    "awaited": "registered pending ordered in_progress in_process received collected awaited i o s",
    "final": "final complete completed verified validated released resulted reported approved done ok f u v",
}
STATUSES = {word.replace("_", " "): state for state, words in _STATES.items() for word in words.split()}


def status(text: str) -> str:
    """The words of a status as they stand in the list."""
    return " ".join(text.casefold().replace("_", " ").split())
