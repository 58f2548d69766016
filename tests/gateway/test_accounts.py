"""Accounts: the provider's defaults, the configuration over them, and the key."""

from decimal import Decimal

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.core.operation import ProviderDefaults, RateLimit
from lumeflow.core.secret import Secret
from lumeflow.gateway import Accounts, AccountSettings, Gateway
from tests.gateway.world import OPERATIONS, Wire

PROVIDERS = {
    "vendor": ProviderDefaults(
        "vendor",
        "https://api.example.com/",
        "VENDOR_API_KEY",
        concurrency=32,
        prices={"credit": Decimal("0.025"), "page": Decimal(1)},
    )
}


def account(settings, secrets=None):
    parsed = {"vendor": AccountSettings.parse("vendor", settings)}
    return Accounts(PROVIDERS, parsed, (secrets or {}).get).resolve("vendor")


def test_without_configuration_the_providers_defaults_hold():
    key = Secret("k")
    found = Accounts(PROVIDERS, find_secret={"VENDOR_API_KEY": key}.get).resolve("vendor")
    assert (found.name, found.provider, found.base_url) == ("vendor", "vendor", "https://api.example.com")
    assert found.key is key
    assert (found.key_name, found.concurrency, found.limits) == ("VENDOR_API_KEY", 32, {})
    assert found.prices == {"credit": Decimal("0.025"), "page": Decimal(1)}


def test_the_configuration_goes_before():
    key = Secret("other")
    found = account(
        {
            "name": "vendor-eu",
            "baseUrl": "http://127.0.0.1:8080/",
            "key": "VENDOR_EU_KEY",
            "concurrency": 4,
            "prices": {"credit": "0.020"},
            "limits": {"vendor/match": [{"calls": 15, "seconds": 1}, {"calls": 500, "seconds": 60}], "*": []},
        },
        {"VENDOR_EU_KEY": key},
    )
    assert (found.name, found.base_url, found.key, found.concurrency) == ("vendor-eu", "http://127.0.0.1:8080", key, 4)
    assert found.prices == {"credit": Decimal("0.020"), "page": Decimal(1)}
    assert found.limits == {"vendor/match": (RateLimit(15, 1.0), RateLimit(500, 60.0)), "*": ()}


def test_an_account_is_made_once():
    accounts = Accounts(PROVIDERS)
    assert accounts.resolve("vendor") is accounts.resolve("vendor")
    assert accounts.resolve("vendor").key is None


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"baseURL": "x"}, "unknown setting 'baseURL'. Did you mean 'baseUrl'"),
        ({"baseUrl": "api.example.com"}, "baseUrl: expected an address"),
        ({"baseUrl": ""}, "baseUrl: expected a text that is not empty"),
        ({"key": 5}, "key: expected a text"),
        ({"concurrency": 0}, "whole number from 1 to 10000"),
        ({"concurrency": True}, "whole number from 1 to 10000"),
        ({"prices": []}, "prices: expected an object, found list"),
        ({"prices": {"credit": "cheap"}}, "price of 'credit': expected a number"),
        ({"prices": {"credit": -1}}, "price of 'credit': expected a number that is not negative"),
        ({"limits": {"*": {"calls": 1}}}, "limits of '*': expected a list"),
        ({"limits": {"*": [{"calls": 1}]}}, 'expected {"calls": …, "seconds": …}'),
        ({"limits": {"*": [{"calls": 0, "seconds": 1}]}}, "'calls' must be a whole number above 0"),
        ({"limits": {"*": [{"calls": 1, "seconds": 0}]}}, "'seconds' must be a number above 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(settings, text):
    with pytest.raises(UsageError) as caught:
        account(settings)
    assert "provider 'vendor'" in str(caught.value)
    assert text in str(caught.value)


def test_unknown_names_are_refused_with_a_suggestion():
    with pytest.raises(UsageError, match=r"there is no provider .vender. to configure\. Did you mean .vendor."):
        Accounts(PROVIDERS, {"vender": AccountSettings()})
    with pytest.raises(UsageError, match="Did you mean 'vendor'"):
        Accounts(PROVIDERS).resolve("vendr")
    accounts = Accounts(PROVIDERS, {"vendor": AccountSettings(limits={"vendor/mach": ()})})
    with pytest.raises(UsageError, match=r"limits for the operation .vendor/mach..* Did you mean .vendor/match."):
        Gateway(OPERATIONS, accounts, Wire())
