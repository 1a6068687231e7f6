"""The Partner API emulated on loopback, for demos and tests; a sync meets it over HTTP only."""
