"""The workflows that come with the package."""

import hashlib

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.workflows import names, source


def test_the_plans_workflow_is_installed_byte_for_byte():
    assert "lead-enrichment-v1" in names()
    digest = hashlib.sha256(source("lead-enrichment-v1")).hexdigest()
    assert digest == "b611fc93d24f60a588f1d2f93bc98c48803ccc62222e9ded4ca520db69f858a7"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'lead-enrichment-v1'"):
        source("lead-enrichment")
    with pytest.raises(UsageError, match="no installed workflow"):
        source("../schemas/workflow-v1")
