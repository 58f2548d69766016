"""How a node means one of the tasks that lumeflow has a prompt for."""

from collections.abc import Mapping

PROVIDERS = ("openrouter", "openai", "anthropic")


def task_discriminators(operation: str, prompt: str) -> tuple[Mapping[str, str], ...]:
    """Discriminators of a task's block: by `operation`, or by its prompt in any version; at every provider."""
    ways = ({"operation": operation}, {"promptTemplate": f"{prompt}@*"})
    # With the provider as well: a single pair would be worth no more than that of the provider's own block.
    return (*ways, *({"provider": provider, **way} for provider in PROVIDERS for way in ways))
