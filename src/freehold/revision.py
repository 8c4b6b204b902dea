"""A plan as a revision of Alembic, for teams whose migrations live there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError, rev_id

from freehold.errors import RevisionRefused
from freehold.kernel.names import Sql, ddl, joined, literal
from freehold.kernel.objects import Key
from freehold.kernel.plan import Plan, Step

SETTINGS = {"search_path": "''", "check_function_bodies": "off", "lock_timeout": "'500ms'"}
"""What a revision runs under, as `freehold apply` does."""
_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")
"""What SQLAlchemy's ``text`` would take for a parameter."""


def write_revision(plan: Plan, ini: Path, message: str, *, contract: bool = False) -> Path:
    """Write the due steps of a plan as one revision after the present head.

    Every step commits by itself, as `freehold apply` does it, with short lock waits; batches are loops that commit. The
    downgrade takes the steps back, or says which of them is final.

    Parameters
    ----------
    ini
        ``alembic.ini``.
    contract
        Whether the steps that contract are in it; give them a revision of their own, released later.

    Raises
    ------
    RevisionRefused
        Nothing is due, there is no such environment, or its history has several heads.
    """
    steps = [step for step in plan.steps if step in plan.due(contract=contract)]
    if not steps:
        raise RevisionRefused("Nothing is due, so that there is no revision", hint="freehold plan shows what waits.")
    try:
        script = ScriptDirectory.from_config(Config(str(ini)))
        made = script.generate_revision(
            rev_id(),
            message,
            head="head",
            upgrades=_indented(_upgrade(steps, plan.managed)),
            downgrades=_indented(_downgrade(steps)),
            imports="",
        )
    except CommandError as error:
        raise RevisionRefused(
            f"Alembic refuses a revision in {ini}",
            detail=str(error),
            hint="Mend its history: alembic heads, alembic merge.",
        ) from error
    if made is None:
        raise RevisionRefused(f"Alembic wrote no revision in {ini}", hint="Look at its env.py.")
    return Path(made.path)


def _indented(lines: Iterable[str]) -> str:
    return "\n    ".join(lines)


def _upgrade(steps: Iterable[Step], managed: Iterable[Key]) -> Iterator[str]:
    yield "with op.get_context().autocommit_block():"
    yield from (f"    {_executed(f'SET {name} = {value}')}" for name, value in SETTINGS.items())
    for step in steps:
        yield f"    # {step.number}. {' '.join(step.change.title.split())}"
        for cost in (step.change.weakens, step.change.loses, step.waits):
            if cost:
                yield f"    # attention: {' '.join(cost.split())}"
        texts = step.change.shown
        if step.change.in_block:
            yield f"    {_executed('; '.join(['BEGIN', *(text.rstrip(';') for text in texts), 'COMMIT']))}"
        else:
            yield from (f"    {_executed(text)}" for text in texts)
    yield "    # What Freehold may change and drop from now on."
    yield f"    {_executed(_managing(managed))}"
    yield from (f"    {_executed(f'RESET {name}')}" for name in SETTINGS)


def _downgrade(steps: list[Step]) -> Iterator[str]:
    final = next((step for step in steps if not step.change.reversible), None)
    if final is not None:
        yield f"raise RuntimeError({f'step {final.number} is final: {final.change.title}'!r})"
        return
    yield "with op.get_context().autocommit_block():"
    for step in reversed(steps):
        for undo in step.change.undo:
            yield from (f"    {_executed(text)}" for text in undo.statements)
    yield "    pass"


def _managing(managed: Iterable[Key]) -> Sql:
    rows = joined(
        ddl("({}, ARRAY[{}]::text[])", literal(key.kind), joined(literal(part) for part in key.name))
        for key in sorted(managed)
    )
    return ddl("INSERT INTO freehold.managed_object (kind, name) VALUES {} ON CONFLICT DO NOTHING", rows)


def _executed(text: str) -> str:
    """A call that runs the text as it is, on a connection and offline."""
    return f"op.execute({_BIND.sub(lambda _: chr(92) + ':', text)!r})"
