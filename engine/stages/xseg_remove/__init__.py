"""Remove applied masks from faces."""
