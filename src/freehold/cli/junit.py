"""Verdicts as JUnit XML, for tools that show test results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from freehold.errors import InputError
from freehold.kernel.prove import Outcome, Verdict


def write_junit(file: Path, verdicts: Sequence[Verdict]) -> None:
    """One suite a room, one case a promise; broken is a failure, and *not run* an error, since it is not held.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    root = Xml.Element("testsuites", name="freehold prove")
    for room in dict.fromkeys(verdict.room for verdict in verdicts):
        _add_suite(root, room, [verdict for verdict in verdicts if verdict.room == room])
    try:
        Xml.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written", detail=str(error), hint="Give --junit a file in a directory that is there."
        ) from error


def _add_suite(root: Xml.Element, room: str, verdicts: Sequence[Verdict]) -> None:
    counts = {kind: sum(verdict.verdict is kind for verdict in verdicts) for kind in Outcome}
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=room,
        tests=str(len(verdicts)),
        failures=str(counts[Outcome.BROKEN]),
        errors=str(counts[Outcome.NOT_RUN]),
        time=f"{sum(verdict.seconds for verdict in verdicts):.3f}",
    )
    for verdict in verdicts:
        case = Xml.SubElement(
            suite,
            "testcase",
            classname=room,
            name=f"{verdict.promise} [{verdict.subject}]",
            time=f"{verdict.seconds:.3f}",
        )
        if verdict.verdict is not Outcome.HELD:
            kind = "failure" if verdict.verdict is Outcome.BROKEN else "error"
            Xml.SubElement(case, kind, message=verdict.detail, type=verdict.verdict.value)
