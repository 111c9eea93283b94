"""The outside: each neighbour in one module, each with an offline twin."""
