"""lumeflow: a deterministic workflow engine for lead enrichment."""
