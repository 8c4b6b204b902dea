"""The review as one HTML page that needs nothing else, and prints well."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from freehold.assess.finding import Area, Finding, Severity
from freehold.assess.review import Review

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { margin-top: 2.2rem; border-bottom: 2px solid #d8dee8; }
.about { color: #566; margin-top: .2rem; } .counts { display: flex; gap: .8rem; margin: 1.2rem 0; }
.count { flex: 1; border: 1px solid #d8dee8; border-radius: .4rem; padding: .5rem .8rem; }
.count b { display: block; font-size: 1.5rem; }
section.finding { margin: .9rem 0; padding: .2rem .9rem; border-left: .3rem solid #c8d0dc; break-inside: avoid; }
.high { border-left-color: #b3261e !important; } .medium { border-left-color: #c77700 !important; }
.low { border-left-color: #4a7ab5 !important; }
h3 { font-size: 1rem; margin: .3rem 0; } .tag { font-size: .8rem; color: #566; font-weight: normal; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { background: #f4f6f9; padding: .5rem; white-space: pre-wrap; }
p { margin: .3rem 0; }
@media print { body { font-size: 11px; margin: 0; max-width: none; } pre, code { font-size: 10px; } }
"""


def as_page(review: Review) -> str:
    """The page."""
    return "\n".join(_lines(review)) + "\n"


def _lines(review: Review) -> Iterator[str]:
    title = escape(f"Review of {review.database}")
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f"<title>{title}</title><style>{STYLE}</style></head>"
    yield f"<body><h1>{title}</h1>"
    tenants = f"; rows of tenants by <code>{escape(review.tenant_column)}</code>" if review.tenant_column else ""
    yield f'<p class="about">PostgreSQL {escape(review.server_version)}{tenants}. Read from the catalog alone.</p>'
    yield '<div class="counts">'
    counts = review.counts()
    yield from (f'<div class="count {s}"><b>{counts[s]}</b>{s}</div>' for s in Severity)
    yield "</div>"
    for area in Area:
        found = review.of(area)
        yield f"<h2>{escape(area.capitalize())}</h2>"
        yield from map(_finding, found)
        if not found:
            yield "<p>Nothing was found.</p>"
    if review.not_looked_at:
        yield "<h2>Not looked at</h2><p>The login may not read what these need.</p><ul>"
        yield from (
            f"<li>{escape(check.code)} {escape(check.title)}: {escape(reason)}</li>"
            for check, reason in review.not_looked_at
        )
        yield "</ul>"
    yield "</body></html>"


def _finding(finding: Finding) -> str:
    mend = f"<pre>{escape(finding.mend)}</pre>" if finding.mend else ""
    prevented = finding.check.prevented_by
    declared = f"<p>Declared, it cannot be: <code>{escape(prevented)}</code></p>" if prevented else ""
    return (
        f'<section class="finding {finding.severity}"><h3>{escape(finding.subject)} '
        f'<span class="tag">{finding.severity} · {finding.check.code} · {escape(finding.check.title)}</span></h3>'
        f"<p>{escape(finding.evidence)}</p>{mend}{declared}</section>"
    )
