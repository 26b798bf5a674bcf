"""What reading and writing an SQLite file may raise."""

from __future__ import annotations

import sqlite3

# Where a message of SQLite quotes text of a damaged file that is no UTF-8, Python fails to tell it.
DATABASE_ERRORS: tuple[type[Exception], ...] = (sqlite3.Error, UnicodeDecodeError)
