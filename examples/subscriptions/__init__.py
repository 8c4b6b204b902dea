"""The seed of a subscription business: what most of them need before they need anything of their own."""
