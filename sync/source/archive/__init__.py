"""The archive: a folder that keeps each distinct response as it came, as evidence beside the database."""
