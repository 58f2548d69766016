"""How a node means one of the tasks that lumeflow has a prompt for."""

from collections.abc import Mapping

PROVIDERS = ("openrouter", "openai", "anthropic")


def task_discriminators(operation: str, prompt: str) -> tuple[Mapping[str, str], ...]:
    """Discriminators of a task's block: by `operation`, or by its prompt in any version; at every provider."""
    by_provider = tuple(
        {"provider": provider, **pair}
        for provider in PROVIDERS
        for pair in ({"operation": operation}, {"promptTemplate": f"{prompt}@*"})
    )
    return ({"operation": operation}, *by_provider)
