"""The judge, on catalogs that no test would think of: what it calls safe is safe, and nothing is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freehold.isolation.attacks import attacks, ordinary, title
from freehold.isolation.catalog import PUBLIC, Actor, Exits, Relation, Right, Routine
from freehold.isolation.judge import Entry, Standing, Struck, judge
from freehold.isolation.known import Known
from freehold.kernel.prove import Outcome, Verdict

ROLES = ("app", "reader", "owner", "guest")
WORDS = ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")
SAFE = (Standing.PROVEN, Standing.TESTED, Standing.EXEMPT)
KNOWN = Known(
    owned={("s", "customer"): "tenant_id", ("s", "company"): "id"},
    others={("s", "product"): "every tenant reads it"},
    roles={"app": "the application", "owner": "owns"},
    functions=frozenset({("s", "declared", "")}),
    root=("s", "company"),
)

actors = st.fixed_dictionaries(
    {
        name: st.builds(
            Actor,
            st.just(name),
            enters=st.booleans(),
            superuser=st.booleans(),
            bypasses=st.booleans(),
            replicates=st.booleans(),
            from_=st.sampled_from([(), ("app",), ("guest",)]),
        )
        for name in ROLES
    }
)
relations = st.lists(
    st.builds(
        Relation,
        oid=st.integers(1, 10_000),
        schema=st.just("s"),
        name=st.sampled_from(["customer", "product", "stranger", "other"]),
        kind=st.sampled_from("rpvmfS"),
        child=st.booleans(),
        guarded=st.booleans(),
        invoker=st.booleans(),
        owner=st.sampled_from(ROLES),
        columns=st.sampled_from([("tenant_id", "x"), ("x",)]),
        written=st.just(("x",)),
        reads=st.lists(st.integers(1, 10_000), max_size=2).map(tuple),
    ),
    unique_by=(lambda each: each.oid, lambda each: each.name),
    max_size=4,
)
rights = st.builds(
    Right,
    st.frozensets(st.sampled_from(WORDS), min_size=1),
    st.sampled_from([(), ("own",), ("own", "support")]),
    sees_tenant=st.booleans(),
    updates=st.sampled_from(["", "x"]),
)
routines = st.lists(
    st.builds(
        Routine,
        schema=st.just("s"),
        name=st.sampled_from(["declared", "stranger"]),
        owner=st.sampled_from(ROLES),
        definer=st.booleans(),
        leakproof=st.booleans(),
        trusted=st.booleans(),
        fires=st.booleans(),
        attached=st.booleans(),
        callers=st.lists(st.sampled_from(ROLES), unique=True).map(tuple),
        lifted=st.booleans(),
    ),
    unique_by=lambda each: each.name,
)


@st.composite
def catalogs(draw: st.DrawFn) -> Exits:
    """A catalog with any rights of any role on any relation."""
    made = {**draw(actors), PUBLIC: Actor(PUBLIC)}
    drawn = draw(relations)
    pairs = [(relation.oid, name) for relation in drawn for name in made]
    held = draw(st.dictionaries(st.sampled_from(pairs), rights)) if pairs else {}
    return Exits(made, tuple(drawn), held, tuple(draw(routines)))


def judged(exits: Exits, outcome: Outcome) -> list[Entry]:
    """The ledger where every attack ends alike."""
    struck = [
        Struck(
            attack.exit,
            (attack.role, *attack.alike),
            tuple(Verdict("isolation", "", probe.promise, outcome, "") for probe in attack.probes),
        )
        for attack in attacks(exits, KNOWN)
    ]
    return judge(exits, KNOWN, struck)


@given(catalogs())
def test_every_role_has_one_line_at_every_relation(exits: Exits) -> None:
    lines = [(entry.exit, role) for entry in judged(exits, Outcome.HELD) for role in entry.roles]
    for relation in exits.relations:
        for actor in ordinary(exits, KNOWN):
            assert lines.count((title(relation), actor.name)) == 1


@given(catalogs())
def test_a_right_on_what_nobody_declared_is_never_safe(exits: Exits) -> None:
    strangers = {title(r): r for r in exits.relations if r.kind in "rp" and r.name in {"stranger", "other"}}
    for entry in judged(exits, Outcome.HELD):
        if entry.exit in strangers and any((strangers[entry.exit].oid, role) in exits.rights for role in entry.roles):
            assert entry.standing not in SAFE


@given(catalogs())
def test_no_line_is_proven_without_an_attack_that_held(exits: Exits) -> None:
    for outcome in (Outcome.BROKEN, Outcome.NOT_RUN):
        assert all(entry.standing is not Standing.PROVEN for entry in judged(exits, outcome))
    assert all(entry.probes for entry in judged(exits, Outcome.HELD) if entry.standing is Standing.PROVEN)


@given(catalogs())
def test_an_owned_table_is_safe_only_where_it_is_guarded_and_no_right_goes_past_policies(exits: Exits) -> None:
    owned = {title(r): r for r in exits.relations if r.kind in "rp" and r.table in KNOWN.owned}
    for entry in judged(exits, Outcome.HELD):
        if entry.exit not in owned or entry.standing not in SAFE:
            continue
        relation = owned[entry.exit]
        for role in entry.roles:
            right = exits.rights.get((relation.oid, role))
            if right:
                assert relation.guarded
                assert right.words.isdisjoint({"TRUNCATE", "TRIGGER", "REFERENCES"})
                assert not exits.actors[role].bypasses


@given(catalogs())
def test_what_lends_rights_undeclared_is_never_safe_for_who_may_call_it(exits: Exits) -> None:
    lending = {
        f"function s.{r.name}()": r for r in exits.routines if r.definer and not r.fires and r.name == "stranger"
    }
    plain = {actor.name for actor in ordinary(exits, KNOWN)}
    for entry in judged(exits, Outcome.HELD):
        if entry.exit in lending and plain.intersection(lending[entry.exit].callers):
            assert entry.standing is Standing.UNKNOWN


@given(catalogs())
def test_every_line_that_fails_says_what_to_do(exits: Exits) -> None:
    for outcome in Outcome:
        for entry in judged(exits, outcome):
            if entry.standing not in SAFE:
                assert entry.advice
