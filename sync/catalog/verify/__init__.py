"""The rules of the stored rows, checked on rows that the caller passes in; reports findings, repairs nothing."""
