"""What a WSGI server loads: `granian wsgi:app`."""

import os

from healthcert.app import create_app
from healthcert.config import Settings

app = create_app(Settings.from_env(os.environ))
