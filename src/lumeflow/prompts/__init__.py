"""Prompt files: instructions to language models with variables, few-shot examples and versions."""

from lumeflow.prompts.library import BUILT_IN, PromptLibrary

__all__ = ["BUILT_IN", "PromptLibrary"]
