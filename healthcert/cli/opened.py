"""What commands open: the settings, the parts of the service, the database alone."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from healthcert.config import Settings
from healthcert.db import Doors, make_engine, refuse_unready
from healthcert.parts import Parts, ready_parts


def settings() -> Settings:
    """Return the settings of this process."""
    return Settings.from_env(os.environ)


def service() -> AbstractContextManager[Parts]:
    """Give the parts of the service, on a database that is ready for them."""
    return ready_parts(settings())


@contextmanager
def database() -> Iterator[Doors]:
    """Give the database alone, if it is ready; no key is needed."""
    engine = make_engine(settings().database_url)
    try:
        refuse_unready(engine)
        yield Doors(engine)
    finally:
        engine.dispose()
