"""The catalog and the costs at past times, from stored values that the caller passes in; changes nothing."""
