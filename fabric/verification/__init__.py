"""The fabric as it was built beside its plan: which cables are wrong, and the fewest moves that fix them."""
