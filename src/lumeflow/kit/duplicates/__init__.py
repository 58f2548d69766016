"""Finding records that mean the same, among more of them than memory holds."""
