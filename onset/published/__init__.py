"""The essay's claims and the published figures they rest on, as data and checks."""
