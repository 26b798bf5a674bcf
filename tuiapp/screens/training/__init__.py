"""The screen of a training: its parts, its dialogs."""
