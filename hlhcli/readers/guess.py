"""A first mapping for a table, from the text of its header and its first rows; what is not certain is said, and never filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hlhcli import observables
from hlhcli.errors import InputError, Problem, printable
from hlhcli.patient import MAX_TIMEPOINTS
from hlhcli.readers import cells, dates, redcap
from hlhcli.readers.account import Account
from hlhcli.readers.delimited import Row, Table
from hlhcli.readers.frame import Frame
from hlhcli.readers.headings import MAX_NAME, heading, key
from hlhcli.readers.mapping import DELIMITERS, Column, Guess, Mapping
from hlhcli.readers.meanings import Meaning, meaning
from hlhcli.readers.said import STATUSES, status
from hlhcli.readers.wide import Wide
from hlhcli.readers.yaml_writer import scalar
from hlhcli.yamltree import JsonNumber

_MOST_TESTS = 200  # names of tests that are listed because they are not known
_SHORT = 60
_LONGEST = 180  # characters of a comment

# The names of columns by role, as `key` writes them; the first that a table has is taken.
_NAMES = {
    "patient": "patient_id patientid patient person_id personid subject_id subjectid subject usubjid participant_id "
    "participant mrn record_id study_id pat_id patid pid patient_no patient_nr patient_number pat_no pat_nr patnr "
    "patienten_nr patientennr patientennummer patienten_id patientenid subject_no subject_number study_no study_number "
    "case_id case_no case pseudonym id",
    "sex": "sex gender geschlecht sexe",
    "birth_date": "birth_date birthdate date_of_birth dob birthday geburtsdatum geb_datum",
    "age": "age age_at_diagnosis age_at_onset",
    "time": "collected collection_date collection_datetime collection_time collected_at date_collected sample_date "
    "sampling_date sampled sampled_at date_of_sample specimen_date draw_date drawn charttime chart_time lab_date "
    "labs_date blood_date cbc_date test_date date_of_test measurement_datetime measurement_date observation_date "
    "observed effective_date effective_datetime exam_date assessment_date visit_date date_of_visit date datetime "
    "date_time timestamp lbdtc abnahmedatum entnahmedatum datum result_date resulted time",
    "day": "day study_day course_day day_of_course hospital_day treatment_day days lbdy",
    "timepoint": "timepoint time_point visit visit_name event phase stage redcap_event_name event_name",
    "analyte": "analyte observable loinc loinc_code code test_code test test_name lab lab_test lab_name parameter component "
    "investigation assay analysis item itemid label lbtestcd lbtest measurement observation exam",
    "value": "value result result_value test_result value_text valuenum value_as_number lborres lbstresc",
    "comparator": "comparator operator qualifier",
    "unit": "unit units unit_of_measure uom valueuom unit_source_value result_unit result_units lborresu lbstresu",
    "reference": "reference reference_range ref_range ref_interval reference_interval normal_range normal_values",
    "reference_low": "reference_low ref_low ref_range_lower ref_range_low range_low normal_low lower_limit lbornrlo lbstnrlo",
    "reference_high": "reference_high ref_high ref_range_upper ref_range_high range_high normal_high upper_limit lbornrhi lbstnrhi",
    "specimen": "specimen specimen_type sample_type fluid material matrix sample_material lbspec",
    "status": "status result_status",
    "note": "comment comments note notes remark remarks",
}
_ROLES = {role: names.split() for role, names in _NAMES.items()}
_LONG = ("analyte", "value", "comparator", "unit", "reference", "reference_low", "reference_high", "specimen", "status", "note")
_PERSON = ("patient", "sex", "birth_date", "day", "timepoint")
_PERSONS = "patient", "pat", "person", "subject", "case", "fall", "fallnummer", "mrn", "record", "name", "id", "nr", "no", "number"
_NO_TIME = re.compile(rf"{redcap.BORN}|death|died|consent|follow")  # dates of something else
_AGE = re.compile(r"(.+?)[ _.,]*[(\[ _.](?:in[ _])?([A-Za-z]+)[)\]]?")  # with its unit
_MOST_SAID = 100  # lines of comments


def guess(table: Table, samples: Sequence[Row], fields: dict[str, redcap.Field] | None = None, certain: bool = False) -> Mapping:
    """The mapping that the header suggests. What it does not know stands in it without an observable.

    With `certain`, a table is to be read by it: what only the cells suggest, and a person has to check, is left out.
    """
    is_redcap = bool(fields) or redcap.is_redcap(table.header, samples)
    names = {key(name): name for name in reversed(table.header)}
    columns = dict(zip(table.header, zip(*(row.cells for row in samples), strict=True), strict=True)) if samples else {}
    found = {role: named for role in (*_PERSON, *_LONG) if (named := _first(role, names))}
    is_long = not is_redcap and _is_long(table, found, columns)
    if not is_long:
        found = {role: name for role, name in found.items() if role in _PERSON}
    words = {status(word) for word in columns.get(found.get("status", ""), ())} - {""}
    if words and words.isdisjoint(STATUSES):
        found.pop("status")  # of something else; one known word makes it that of the results, and rows with others are left
    if is_redcap:
        found["patient"] = table.header[0]
    elif key(found.get("patient", "")) == "id" and _is_row_number(table.header, columns.get(found["patient"], ()), is_long):
        del found["patient"]
    if "day" in found and any(map(_is_date, columns.get(found["day"], ()))):
        found.pop("day")
    times = _times(names, columns, "day" in found)
    times = times if is_redcap else times[:1]
    beside = Guess()
    if not certain:
        times = _more_times(times, found, columns, (fields or {}) if is_redcap else {}, beside)
    settings: dict[str, object] = {**found, "layout": "long" if is_long else "wide", "time": times}
    used = {*found.values(), *times}
    settings |= _age(table.header, used)
    if is_long:
        tests = list(dict.fromkeys(map(str, columns.get(found["analyte"], ()))))
        settings["analytes"] = {name: Column() for name in tests[:_MOST_TESTS] if _listable(name) and not meaning(name, None).known}
        numbers = [found["value"]]
        if others := Frame(table, Mapping.validate(settings), Account("", ""), samples).unlisted():
            beside.said.append(f"columns that are not read: {others}")
    else:
        settings["columns"], numbers = _wide(
            table, Mapping.validate(settings), (fields or {}) if is_redcap else None, samples, beside
        )
    if samples:
        written = [text for name in numbers for text in columns.get(name, ()) if text]
        texts = [text for text in written if not isinstance(text, JsonNumber)]
        settings["decimal"] = cells.decimal_mark(texts, table.delimiter)[0] if written else None
        settings["dates"] = dates.order_of(text for name in (*times, found.get("birth_date", "")) for text in columns.get(name, ()))
    if table.delimiter in DELIMITERS.values() and table.delimiter != ",":
        settings["delimiter"] = table.delimiter
    return Mapping.validate(settings).with_guess(beside)


def _first(role: str, names: dict[str, str]) -> str:
    return next((names[name] for name in _ROLES[role] if name in names), "")


def _is_row_number(header: Iterable[str], ids: Sequence[str], is_long: bool) -> bool:
    """True where a column `id` may number rows and not patients: another seems to name them, or each value has one of its own."""
    others = any(word in key(name) for name in header for word in ("patient", "person", "subject", "participant"))
    return others or (is_long and len(ids) > 2 and len(set(ids)) == len(ids))


def _is_long(table: Table, found: dict[str, str], columns: dict[str, tuple[str, ...]]) -> bool:
    """One column for the test and one for its value; a table with columns of observables is one only if its tests are known."""
    if "analyte" not in found or "value" not in found:
        return False
    tests = set(columns.get(found["analyte"], ()))
    return any(meaning(name, None).known for name in tests) or not any(meaning(name, None).known for name in table.header)


def _times(names: dict[str, str], columns: dict[str, tuple[str, ...]], has_days: bool) -> list[str]:
    """The columns of dates. One that only is named so counts if there is no other: its rows are left then, and told."""
    named = [names[role] for role in _ROLES["time"] if role in names]
    found = [name for name in named if any(map(_is_date, columns.get(name, ()))) or not any(columns.get(name, ()))]
    return found or ([] if has_days else named[:1])


def _more_times(
    times: list[str], found: dict[str, str], columns: dict[str, tuple[str, ...]], fields: dict[str, redcap.Field], beside: Guess
) -> list[str]:
    """The columns of dates, with those that the dictionary or, where there is no other, the cells suggest."""
    read = {field.form for name in columns if (field := fields.get(name.casefold().partition("___")[0])) and field.observable}
    dated = [
        name for name in columns if (field := fields.get(name.casefold())) and field.is_date and (field.form in read or not read)
    ]
    if dated := [name for name in dated if name not in (*times, *found.values())]:
        beside.reasons["time"] = "guess: date fields of the dictionary"
        return [*times, *dated]
    if times or "day" in found:
        return times
    likely = [
        name
        for name, texts in columns.items()
        if name not in found.values()
        and not _NO_TIME.search(name.replace("_", " ").casefold())
        and not meaning(name, None).known
        and (filled := [text for text in texts if text])
        and all(map(_is_date, filled))
    ]
    if len(likely) == 1:
        beside.reasons["time"] = "guess: all of its cells are dates"
    return likely if len(likely) == 1 else []


def _is_date(text: str) -> bool:
    try:
        return bool(dates.read(text, "day-first").date)
    except dates.BadDate:
        try:
            return bool(dates.read(text, "month-first").date)
        except dates.BadDate:
            return False


def _age(header: Iterable[str], used: set[str]) -> dict[str, str]:
    """The column of the age, and its unit where the name states one."""
    units = observables.get("age").units
    for name in header:
        if name in used:
            continue
        if key(name) in _ROLES["age"]:
            return {"age": name}
        parts = _AGE.fullmatch(name) if len(name) <= _SHORT else None  # it takes the square of the length
        if parts and key(parts[1]) in _ROLES["age"] and (unit := units.find(parts[2])):
            return {"age": name, "age_unit": unit.name}
    return {}


def _wide(
    table: Table, mapping: Mapping, fields: dict[str, redcap.Field] | None, samples: Sequence[Row], beside: Guess
) -> tuple[dict[str, Column], list[str]]:
    """The columns that are left, as far as they are known without a dictionary; and the names of those that hold numbers."""
    frame = Frame(table, mapping, Account("", ""), samples)
    reader = Wide(frame) if fields is None else redcap.Records(frame, fields)
    known: dict[str, Column] = {}
    for number, name in enumerate(table.header):
        if number in reader.structure or not _listable(name) or reader.left.get(number, ("",))[0] == redcap.IDENTIFIER:
            continue
        of = reader.meanings.get(number, Meaning())
        told = number in reader.boxes or (fields is not None and name.casefold() in fields)
        if told and of.known:
            beside.said.append(f"from the dictionary: {name}: {_told(of, reader.boxes.get(number, ''))}")
        elif isinstance(reader, redcap.Records):
            beside.hints[name] = reader.hint(name)
        if not (told and of.known) or (_is_measured(of.observable) and not of.unit and not of.disputed):
            known[name] = Column(observable=of.observable, unit=of.unit, drug=of.drug)
    return known, [table.header[number] for number, of in reader.meanings.items() if _is_measured(of.observable)]


def _told(of: Meaning, ticked: str) -> str:
    """What the dictionary says of a column."""
    codes = "" if ticked else ", ".join(f"{code} = {label}" for code, label in of.choices.items())
    unit = "" if not _is_measured(of.observable) else f" in {of.unit}" if of.unit else ", no unit stated"
    return f"{of.observable}{unit}" + f": {ticked}" * bool(ticked) + f" ({codes})" * bool(codes)


def _is_measured(observable: str) -> bool:
    return bool(observable) and observables.get(observable).family is not None


def _listable(name: str) -> bool:
    return 0 < len(name) <= _SHORT and name.isprintable() and len(name) <= MAX_NAME


def refuse_uncertain(mapping: Mapping, table: Table, samples: Sequence[Row], source: str) -> None:
    """Raises InputError where a guess is too little to read a table by."""
    unknown = [name for name, column in mapping.columns.items() if not column.observable and not column.drug]
    advice = "; write a mapping file (hlhcli convert --guess begins one)"
    if not mapping.is_long and len(unknown) == len(mapping.columns) and not any(heading(name).observable for name in table.header):
        turned = " It seems to have its tests in rows and its moments in columns: turn it around." if _is_turned(table) else ""
        # without a header, what stands there is the data of a person
        message = f"no column is known here ({len(table.header)} columns){advice}.{turned}"
        raise InputError([Problem(source, message, table.header_line, 1)])
    if not mapping.patient and (unknown or mapping.is_long):
        shown = _persons(mapping, unknown or table.header)
        message = f"no column is known to name the patient{shown}{advice}, with 'patient: COLUMN' or 'patient: one'"
        raise InputError([Problem(source, message, table.header_line, 1)])
    if not mapping.patient and len(samples) > 1 and not _is_one(mapping, table, samples):
        message = f"no column names the patient, and the rows may be of several{advice}, with 'patient: COLUMN' or 'patient: one'"
        raise InputError([Problem(source, message, table.header_line, 1)])


def _is_one(mapping: Mapping, table: Table, samples: Sequence[Row]) -> bool:
    """True where the rows can only be time points of one person: each has its own, and nothing said of the person differs."""
    frame = Frame(table, mapping, Account("", ""), samples)
    seen: set[tuple[str, str, str]] = set()
    for row in samples:
        when, name = frame.moment(row), frame.cell(row, "timepoint")
        if isinstance(when, str):
            continue  # it is left
        own = when.date, when.day, name
        if own in seen or not any(own):
            return False
        seen.add(own)
        frame.chart("", row, when)
    frame.settle_ages()
    persons = [frame.roles[role] for role in ("sex", "birth_date") if role in frame.roles]
    texts = [{row.cells[number].casefold() for row in samples} - {""} for number in persons]
    if "age" in frame.roles:
        texts.append({text for row in samples if (text := row.cells[frame.roles["age"]]) and not frame.age(text)})
    return len(samples) <= MAX_TIMEPOINTS and not frame.contradicted and all(len(each) < 2 for each in texts)


def refuse_nobody(mapping: Mapping, table: Table, source: str) -> None:
    """Raises InputError: a mapping that names no patient would make one person of all rows."""
    shown = _persons(mapping, table.header)
    message = f"write 'patient:' with the column that tells the patients apart{shown}, or 'patient: one' if all rows are of one"
    raise InputError([mapping.problem(message, source, "patient")])


def _persons(mapping: Mapping, names: Sequence[str]) -> str:
    """The columns that could name the patient: by a word in their names, else those that nothing is known of.

    None are shown of a table that seems to have no header: where it should stand is a date or a number.
    """
    if any(_is_date(name) or not re.search(r"[^\W\d]", name) for name in names):
        return ""
    of_time = {*mapping.time, mapping.day, mapping.birth_date, mapping.analyte, mapping.value, mapping.unit}
    free = [name for name in names if name not in of_time and not heading(name).observable and name not in mapping.columns]
    likely = [name for name in free if not {*re.split(r"[^a-z]+", name.casefold())}.isdisjoint(_PERSONS)]
    return f" (columns: {', '.join(printable(name, 40) for name in (likely or free or names)[:8])})"


def _is_turned(table: Table) -> bool:
    return heading(table.header[0]).observable == "" and any(
        _is_date(name) or key(name) in _ROLES["day"] for name in table.header[1:]
    )


_BY_NAME = "guess: by the name of the column"
_WHY = {
    "layout": "guess: by the names of the columns",
    "delimiter": "guess: by the first rows",
    "decimal": "guess: by how the numbers are written",
    "dates": "guess: by the dates above 12",
}
_BLANK = {
    "patient": "write the column that tells the patients apart, or: one",
    "time": "not found: name the column of dates, if there is one",
    "decimal": "not certain: write point (9.2) or comma (9,2)",
    "dates": "02/05/2016 would not be certain: write day-first or month-first, if there are such dates",
}
_ORDER = (
    "layout",
    "delimiter",
    "decimal",
    "dates",
    "patient",
    "sex",
    "birth_date",
    "age",
    "age_unit",
    "time",
    "day",
    "timepoint",
    *_LONG,
)


def text(mapping: Mapping) -> str:
    """The mapping as a file to be checked: every guess is marked as one, and what could not be guessed is there to be filled in."""
    lines = [
        "# A mapping: what the columns of a table mean. It was guessed from the header and the first rows: check every line.",
        "# A column is named by the text of its header. What is wrong, correct; what shall not be read, put under ignore: [A, B].",
    ]
    titles = {mark: name for name, mark in DELIMITERS.items()}
    for role in _ORDER:
        value = getattr(mapping, role)
        value = titles.get(value, value) if role == "delimiter" else value
        why = mapping.guess.reasons.get(role) or _WHY.get(role, _BY_NAME)
        if isinstance(value, list) and len(value) > 1:
            lines.append(f"{role}: [{', '.join(map(scalar, value))}]  # {why}")
        elif value:
            lines.append(f"{role}: {scalar(value if isinstance(value, str) else value[0])}  # {why}")
        elif role in _BLANK:
            lines.append(f"{role}:  # {_BLANK[role]}")
    if mapping.age and not mapping.age_unit:
        lines.append("age_unit:  # not stated in the file: write d, wk, mo or y, if the ages are bare numbers")
    lines += [f"# {printable(said, _LONGEST)}" for said in mapping.guess.said[:_MOST_SAID]]
    for title, meanings in (("columns", mapping.columns), ("analytes", mapping.analytes)):
        if meanings:
            lines.append(f"{title}:")
            lines += [line for name, column in meanings.items() for line in _lines(name, column, mapping.guess.hints.get(name, ""))]
    return "\n".join(lines) + "\n"


def _lines(name: str, column: Column, hint: str) -> list[str]:
    shown = f"  {scalar(name)}:"
    if column.drug:
        return [f"{shown} {{drug: {scalar(column.drug)}}}  # guess: by its name"]
    if not column.observable:
        example = printable(hint, _LONGEST) or "not known: write an observable (such as ferritin)"
        return [f"{shown}  # {example}, or put the name under ignore"]
    family = observables.get(column.observable).family
    lines = [f"{shown}  # guess: by its name", f"    observable: {column.observable}"]
    if column.unit:
        lines.append(f"    unit: {scalar(column.unit)}")
    elif family is None:
        lines.append('    choices:  # what codes in the cells stand for, if there are any: {"1": yes, "0": no}')
    else:
        example = observables.get(column.observable).conventional
        lines.append(f"    unit:  # not stated in the file: write it, for example {scalar(example)}")
    return lines
