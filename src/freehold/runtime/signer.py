"""Signs contexts for the connections of one database."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.runtime.context import LIFETIME, Backend, Context, sign
from freehold.runtime.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Signer:
    """A key ring and the lifetime, in seconds, of what it signs."""

    keys: KeyRing
    lifetime: float = LIFETIME

    def token(self, context: Context, backend: Backend, lifetime: float | None = None) -> str:
        """The context's token for one backend."""
        return sign(self.keys.signing, context, backend, self.lifetime if lifetime is None else lifetime)
