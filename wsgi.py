"""What a WSGI server loads: `granian wsgi:app`."""

import gc
import os

from healthcert import logs
from healthcert.app import create_app
from healthcert.config import Settings

_settings = Settings.from_env(os.environ)
logs.start(_settings.log_level)
app = create_app(_settings)
gc.freeze()  # what was made lasts: looking it through again took 6 % of a busy server's time
