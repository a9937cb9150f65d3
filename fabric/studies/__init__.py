"""Studies: one design from request to estimate, and several of them side by side."""
