"""Running JavaScript that users write: without access to anything, within limits, with the same result every time."""
