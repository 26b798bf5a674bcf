"""What this machine, terminal and install offer, and what to do about what is missing."""

from tuiapp.doctor.checks import Finding, Verdict, examine

__all__ = ["Finding", "Verdict", "examine"]
