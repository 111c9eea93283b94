"""A month of the country, day by day, through the services."""
