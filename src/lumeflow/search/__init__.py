"""The job type `SEARCH`: the six steps from posts to stored contacts, written straight in code, one after the other.

It is what there was before workflows, and is kept for those who still call it. It makes its calls through the gateway,
so ledger, limits, costs, resume and demo mode hold for it as well. What it does, the workflow `lead-enrichment-v1` does
too, with every step at work at once.
"""

from lumeflow.search.definition import SEARCH_ID, is_search, search_definition, search_settings
from lumeflow.search.run import SearchRun, search_tally

__all__ = ["SEARCH_ID", "SearchRun", "is_search", "search_definition", "search_settings", "search_tally"]
