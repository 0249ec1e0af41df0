"""The parts of a plan (`hcc_recurrence.plan`): sheets are read, then checked; then rules ask, and compare hashes."""
