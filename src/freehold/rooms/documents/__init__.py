"""The documents room: every JSON document in a column satisfies its version's schema, whoever writes it."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.documents.compile import compile_documents
from freehold.rooms.documents.declare import Document, Upgrade
from freehold.rooms.documents.path import Path, Promoted, promote
from freehold.rooms.documents.probes import probe_documents
from freehold.rooms.documents.runtime import DocumentType, upgrade_documents, version_column

ROOM = Room(
    name="documents",
    phase=Phase.SHAPE,
    declaration=Document,
    compile=compile_documents,
    probes=probe_documents,
)

__all__ = [
    "ROOM",
    "Document",
    "DocumentType",
    "Path",
    "Promoted",
    "Upgrade",
    "promote",
    "upgrade_documents",
    "version_column",
]
