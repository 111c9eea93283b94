"""The rules: pure functions over plain values. No clock, no network, no database."""
