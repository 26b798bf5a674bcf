"""`make bench`: what this machine does per second. Numbers live here, never in timed tests."""
