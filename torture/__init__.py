"""Attacks on the runtime at full size: isolation, crashes, retries, and what others promise of lost connections."""
