"""Words that stand beside a value, as readers and cohorts know them alike; nothing is imported for them."""

from __future__ import annotations

SPOILED = "unreadable"  # a result that is none
DOUBTED = "comment that puts the value in doubt"
# Words of a comment by which a value may be none of the patient, or none at all; those of a specimen stand in codes.yaml.
DOUBTS = (
    r"(?<!not )(?<!non[ -])(?<!no )(?<!nicht )(?<!keine )\b(?:wrong|mis-?labell?ed|mix(?:ed)?[ -]?up|sibling|brother|sister|twin|"
    r"donor|mother|father|parent|invalid|h(?:a?e|ä)moly[sz]ed|h(?:a?e)molysis|hämoly(?:se|tisch)|clot(?:s|ted)?|contaminat(?:ed|ion)|"
    r"diluted|unreliable|implausible|erroneous|in error|disregard|do not use|falscher?|verwechs(?:elt|lung)|ungültig|geronnen|"
    r"verunreinigt|mutter|vater|bruder|schwester|geschwister|spender)\b"
)
NOT_GIVEN = ("no", "n", "false", "not given", "none", "unchecked")  # of a treatment
NO_DOSE = r"0+([.,]0+)? *([^0-9 /.,]+(/(m2|[^0-9 /.,]+))*)?"
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


def unbracketed(text: str) -> str:
    """A range of the laboratory without the brackets around it."""
    return text.strip().strip("()[]").strip()
