"""From the engine's events to what screens show: rules without any Textual in them."""
