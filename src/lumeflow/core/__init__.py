"""Pure types and rules of lumeflow: no I/O, no clock, no imports from the layers above."""
