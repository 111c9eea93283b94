"""What a checkout is built with: the front end and the catalogues. Never installed."""
