"""Write the pages of `.docs` that are made from the catalog: `python -m tests.docs`."""

from __future__ import annotations

from tests.docs.pages import pages

for path, text in pages().items():
    path.write_text(text, encoding="utf-8")
