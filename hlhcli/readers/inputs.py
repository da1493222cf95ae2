"""Any input that is no patient file: charts are read from it, and each becomes a document like that of a patient file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hlhcli.errors import InputError, Problem
from hlhcli.readers import jsontext
from hlhcli.readers.account import Account
from hlhcli.readers.chart import Charts, Place
from hlhcli.readers.detect import Form, Source
from hlhcli.readers.draft import NoTimepoint, draft
from hlhcli.readers.placing import Plan
from hlhcli.readers.yaml_json import Document, read_tree

if TYPE_CHECKING:
    from hlhcli.readers.fhir_element import Local

DAILY = Plan()


@dataclass(frozen=True)
class Options:
    """How an input is to be read, as far as it is not found out."""

    form: Form | None = None
    mapping: Path | None = None
    dictionary: Path | None = None  # of a REDCap project
    plan: Plan = DAILY
    key: bytes | None = None  # of the pseudonyms; None: the patients keep their ids and dates


def read(source: Source, form: Form, options: Options) -> tuple[Charts, Account]:
    """What the input says of each person, and the books about it. Raises InputError."""
    if form is Form.PATIENT and options.mapping is not None:
        form = Form.CSV
    if form in (Form.FHIR, Form.NDJSON) and options.form in (Form.FHIR, Form.NDJSON):
        options = replace(options, form=form)  # whichever of the two was named, the input shows which it is
    form = options.form or form
    if form is Form.CSV and options.form is None and source.path is not None and _is_omop(source.head):
        form = Form.OMOP
    if options.mapping is not None and form not in (Form.CSV, Form.XLSX, Form.FHIR, Form.NDJSON):
        raise InputError([Problem(source.name, f"a mapping is for tables and for codes of FHIR, and this is {form}")])
    account = Account(source.name, str(form))
    charts = _charts(source, form, account, options)
    if (
        form is Form.NDJSON
        and source.path
        and not any(chart.person.known for chart in charts)
        and len(_exported(source.path.parent)) > 1
    ):
        said = "no Patient is in this file: age and sex are not known; files of one bulk export are read together, as their folder"
        account.remark(said, "", Place())
    return charts, account


def _is_omop(head: bytes) -> bool:
    from hlhcli.readers import omop

    first = re.split(r"[\r\n]", head.decode("utf-8-sig", "replace"), maxsplit=1)[0]
    try:
        return omop.is_omop(next(csv.reader([first]), [])) is not None
    except csv.Error:
        return False


def _charts(source: Source, form: Form, account: Account, options: Options) -> Charts:
    if form in (Form.FHIR, Form.NDJSON):
        from hlhcli.readers import fhir

        return fhir.read(source.stream, source.name, account, form is Form.NDJSON, _local(source.name, options))
    if form is Form.PHENOPACKET:
        from hlhcli.readers import phenopacket

        return phenopacket.read(jsontext.parse(jsontext.document(source.stream, source.name), source.name), source.name, account)
    if form is Form.OMOP:
        from hlhcli.readers import omop

        if source.path is None:
            raise InputError(
                [Problem(source.name, "OMOP tables are read from a folder, for they refer to one another; give its path")]
            )
        return omop.read(source.path, source.name, account)
    from hlhcli.readers import mapping, table

    known = mapping.load(options.mapping) if options.mapping else None
    if known is not None and known.codes:
        raise InputError([Problem(source.name, "'codes:' is for FHIR; in a table, tests by their codes stand under 'analytes:'")])
    return table.read(source.stream, source.name, account, known, form is Form.XLSX, options.dictionary)


def _local(source: str, options: Options) -> Local:
    """What the mapping says of codes. Raises InputError for one that is of a table."""
    from hlhcli.readers import mapping
    from hlhcli.readers.fhir_element import Local

    known = mapping.load(options.mapping) if options.mapping else mapping.Mapping()
    if options.mapping and not known.codes and not known.ignore:
        message = "this mapping says nothing of codes; write codes: {'SYSTEM|CODE': ferritin}, and ignore: [CODE]"
        raise InputError([Problem(source, message)])
    names = {key: (column.observable, column.unit) for key, column in known.codes.items() if column.observable}
    return Local(names, frozenset(known.ignore))


def _exported(path: Path) -> list[Path]:
    """The files of FHIR bulk data in a folder."""
    return sorted(each for each in path.iterdir() if each.suffix.lower() == ".ndjson" and each.is_file())


def folder(path: Path, options: Options) -> tuple[Charts, Account] | None:
    """A folder that is one input: FHIR bulk data (*.ndjson), or the tables of an OMOP CDM. None for any other."""
    files = _exported(path)
    if files:
        from hlhcli.readers import fhir

        account = Account(str(path), str(Form.NDJSON))
        return fhir.read_files(files, str(path), account, _local(str(path), options)), account
    if any(each.name.lower() in ("measurement.csv", "condition_occurrence.csv") for each in path.iterdir()):
        from hlhcli.readers import omop

        account = Account(str(path), str(Form.OMOP))
        return omop.read(path, str(path), account), account
    return None


def documents(found: Charts, account: Account, options: Options) -> Iterator[Document]:
    """Each patient; one that cannot be assessed is told in the account.

    Raises InputError, after the others, where patients with values could not be assessed, or none was.
    """
    refused: dict[str, tuple[int, Place]] = {}
    problems: list[Problem] = []
    made = 0
    for chart in found:
        place, plan = chart.person.place, options.plan
        if options.key is not None:
            from hlhcli.readers.pseudonym import pseudonymized

            chart, plan = pseudonymized(chart, options.key, plan)
        try:
            document = read_tree(draft(chart, plan, account, options.key is not None), account.source)
        except NoTimepoint as error:
            number, first = refused.get(str(error), (0, place))
            refused[str(error)] = number + 1, first
            if error.lost:
                problems = [each for each in problems if not each.message.endswith(str(error))]
                problems.append(_refused(account, number + 1, str(error), first))
            continue
        except InputError:  # a last resort: what the readers let through is still no patient file
            problems.append(_refused(account, 1, "what is said of this patient makes no patient file", place))
            continue
        made += 1
        yield document
    if not made and not problems:
        problems = [_refused(account, number, why, first) for why, (number, first) in refused.items()]
        problems = problems or [Problem(account.source, "nothing about a patient was found")]
    for why, (number, first) in refused.items() if made else ():
        account.remark("patients not assessed", why, first, number)
    if problems:
        raise InputError(problems)


def _refused(account: Account, number: int, why: str, first: Place) -> Problem:
    return account.problem(f"{number} patient{'s' * (number > 1)} not assessed: {why}", first)
