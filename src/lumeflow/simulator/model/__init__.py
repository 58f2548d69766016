"""The simulated language model: it really reads the prompt, by rules instead of weights."""
