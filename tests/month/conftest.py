"""The parts that the worker of the month has."""

from tests.jobs.conftest import parts, settings

__all__ = ["parts", "settings"]
