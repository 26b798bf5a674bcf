"""The screen of a merge session: its parts, its dialogs."""
