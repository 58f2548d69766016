"""The blocks that come with lumeflow; modules in here are independent of one another."""
