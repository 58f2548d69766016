"""Helpers that several blocks and providers share; a layer above `lumeflow.plugin`, below the blocks."""
