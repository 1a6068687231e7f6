"""One model's JSON text as a record and its table rows; uses that text alone, never another model or a stored row."""
