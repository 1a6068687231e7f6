"""Every SQL statement of the job, and the one way to its database."""
