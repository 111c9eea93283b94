"""A log that shows when its past was changed: tree, signed heads, proofs, witnesses; all pure."""
