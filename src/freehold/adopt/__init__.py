"""Take over a database as it is: models, a layer, and a first plan that is empty."""

from freehold.adopt.adopt import Adoption, adopt

__all__ = ["Adoption", "adopt"]
