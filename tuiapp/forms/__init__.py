"""Any spec as a form: its state without Textual, a field for each option kind, a memory."""
