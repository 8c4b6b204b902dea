"""Two applies at once: one runs, the other says so; and a plan that was overtaken does not run."""

from __future__ import annotations

import json
from collections.abc import Callable

from freehold.kernel.apply import exclusive
from freehold.testing.database import Database
from tests.bad_input.ground import Ground, refusal
from tests.bad_input.test_killed import start

EMAIL = "    email: Mapped[str | None]"

ALLOWED = ("--yes", "--allow-weaker-guard", "a test", "--approved-by", "somebody")


def test_the_second_is_told(ground: Ground) -> None:
    ground.write("models.py", EMAIL, f"{EMAIL}\n    city: Mapped[str | None]")
    before = ground.contents()
    with ground.database.connect(autocommit=True) as other, exclusive(other):
        error = refusal(ground.command, "apply", "--yes")
    assert error["code"] == "apply.busy"
    assert ground.contents() == before
    assert ground.command("apply", "--yes").status == 0


def test_two_commands_at_once(ground: Ground, make_database: Callable[..., Database]) -> None:
    made = make_database("race")
    here = Ground(ground.name, ground.folder, made, ground.binaries)
    racing = [start(here.command, "apply", *ALLOWED, "--json") for _ in range(3)]
    told = [process.communicate(timeout=120) for process in racing]
    statuses = [process.returncode for process in racing]
    assert 0 in statuses, told
    for status, (_, err) in zip(statuses, told, strict=True):
        assert status in {0, 2}, err
        if status == 2:
            assert json.loads(err)["error"]["code"] in {"apply.busy", "plan.stale"}
    assert here.command("apply", *ALLOWED).status == 0
    assert here.command("plan").status == 0
    assert here.contents("--schema-only") == ground.contents("--schema-only")
