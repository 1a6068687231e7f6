"""What a run is made of, the same for the commands and for ``sync.api``: both come here, and neither knows the other.

Clock, chance, secrets and the way to wait are arguments. Nothing here reads the environment, prints, or handles a
signal.
"""
