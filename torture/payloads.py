"""SQL as an attacker would inject it: a preparation that should widen his view, a read, and a disguise."""

from __future__ import annotations

from collections.abc import Iterator

from torture.reads import Reads


class Attacker(Reads):
    """Draws one injected text after another."""

    def payloads(self, size: int) -> Iterator[str]:
        """This many texts, no two alike."""
        known: set[str] = set()
        while len(known) < size:
            text = self.payload()
            if text not in known:
                known.add(text)
                yield text

    def payload(self) -> str:
        """One text."""
        end = self.one(("", "", "", "COMMIT"))
        text = "; ".join(filter(None, (self.prepare(), self.read(), end)))
        wrapped = self.choice.choice((self.plain, self.out_of_a_literal))
        return self.disguised(wrapped(text))

    def plain(self, text: str) -> str:
        """The whole statement is his."""
        return text

    def out_of_a_literal(self, text: str) -> str:
        """What a query becomes that an application glued together around it."""
        return f"SELECT mark FROM estate.note WHERE mark = '{self.stranger}' OR 1 = 1; {text} --'"

    def disguised(self, text: str) -> str:
        """Other spaces and comments, as against a filter."""
        space = self.one((" ", " ", " ", "\n", "\t", " /**/ ", " /* ' */ "))
        # Inside quotes a comment would be text, so only the joints between statements are dressed.
        return text.replace("; ", f";{space}")
