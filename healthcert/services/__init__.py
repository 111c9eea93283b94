"""The deeds: one module a goal, plain functions; they flush, never commit."""
