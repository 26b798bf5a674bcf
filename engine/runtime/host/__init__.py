"""The engine side of a run: the process that executes one stage from its run folder."""
