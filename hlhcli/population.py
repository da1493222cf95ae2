"""Whether a set of criteria was made for this patient, as far as a patient file can tell."""

from __future__ import annotations

from hlhcli import observables
from hlhcli.evaluate import evaluate
from hlhcli.observations import Observation, Quantity
from hlhcli.rules import CriteriaSet
from hlhcli.snapshot import Snapshot
from hlhcli.status import Status


def applicable(criteria: CriteriaSet, snapshot: Snapshot) -> tuple[bool | None, str | None]:
    """Whether the set was made for this patient, and why not or why that is not known."""
    population = criteria.population
    if population is None:
        return True, None
    cannot_say = f"Made for {population.text}: whether this patient is one, a patient file cannot say"
    if population.when is None:
        return None, cannot_say
    known = dict(snapshot.known)
    age = known.get(observables.AGE)
    if age and snapshot.last_age and isinstance(age.value, Quantity) and age.value.interval.hi is None:
        known[observables.AGE] = Observation(snapshot.last_age)  # how much later is not stated: the patient is who came
    found = evaluate(population.when, known, {})
    if found.status is Status.MET:
        return (True, None) if population.sufficient else (None, cannot_say)
    lines = [
        line for line in found.evidence if line.status is not Status.MET and (line.value is None or line.status is found.status)
    ]
    here = "; ".join(
        dict.fromkeys(f"{observables.get(line.observable).title}: {line.value or line.note or 'not stated'}" for line in lines)
    )
    if found.status is Status.NOT_MET:
        return False, f"Not made for this patient, but for {population.text}. Here {here}"
    return None, f"Made for {population.text}; whether this patient is one is open. Here {here}"
