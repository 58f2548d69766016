"""The simulated vendors, one file each."""
