"""The deeds: one module a goal; plain functions that flush and never commit."""
