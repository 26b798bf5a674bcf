"""Runs: how an engine process is started, followed, steered and recognised as dead."""
