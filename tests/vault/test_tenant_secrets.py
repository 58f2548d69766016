"""Whose secrets are used: sources in their order, tenants apart, keys and their rate limits."""

import orjson
import pytest

from lumeflow.app import App, open_app
from lumeflow.core.errors import NodeError, UsageError
from lumeflow.core.findings import InvalidWorkflow
from lumeflow.core.http import HttpResponse
from lumeflow.core.journal import Mode
from lumeflow.core.secret import Secret
from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.plugins import load_registry
from lumeflow.settings import Settings
from lumeflow.storage import Database, open_database
from lumeflow.testing.context import NOON
from lumeflow.vault.keyring import new_key
from lumeflow.vault.vault import Vault, rotate_all
from lumeflow.vendors import Vendors

KEY = new_key()


@pytest.fixture
async def database(tmp_path):
    opened = await open_database("sqlite:///:memory:", data_dir=tmp_path)
    await opened.installation.tenants.create("acme", at=NOON)
    yield opened
    await opened.close()


def settings(tmp_path, lines="", keys=KEY, **environ) -> Settings:
    path = tmp_path / "secrets.env"
    path.write_text(lines)
    return Settings.from_environment(
        {"LUMEFLOW_SECRETS": str(path), "LUMEFLOW_DATA_DIR": str(tmp_path), "LUMEFLOW_SECRET_KEY": keys, **environ}
    )


async def test_the_environment_goes_before_files_and_files_before_the_database(tmp_path, database: Database):
    given = settings(tmp_path, "a=file\nb=file\n", LUMEFLOW_SECRET_a="environment")
    vault = Vault(given, database)
    for name in "abc":
        await vault.put(name, Secret("database"), at=NOON)
    found = await vault.load()
    values = {name: found.find(name).reveal() for name in "abc"}
    assert values == {"a": "environment", "b": "file", "c": "database"} == dict(found.sources())
    assert found.find("d") is None


async def test_a_tenant_sees_its_own_secrets_and_no_others(tmp_path, database: Database):
    given = settings(tmp_path, "a=ours\nacme/b=theirs\n", LUMEFLOW_SECRET_c="ours")
    await Vault(given, database).put("d", Secret("ours"), at=NOON)
    await Vault(given, database.of("acme")).put("e", Secret("theirs"), at=NOON)
    ours, theirs = await Vault(given, database).load(), await Vault(given, database.of("acme")).load()
    assert set(ours.sources()) == {"a", "c", "d"}
    assert set(theirs.sources()) == {"b", "e"}
    assert [theirs.find(name) for name in "acd"] == [None] * 3
    assert [ours.find(name) for name in "be"] == [None] * 2
    assert theirs.find("b").reveal() == theirs.find("e").reveal() == "theirs"


async def test_a_vendors_key_is_the_tenants_own_or_else_the_installations(tmp_path, database: Database):
    environ = {"APOLLO_API_KEY": "ours", "HUNTER_API_KEY": "ours"}
    given = settings(tmp_path, "OPENAI_API_KEY=ours\nacme/HUNTER_API_KEY=theirs\n", **environ)
    acme = Vault(given, database.of("acme"))
    await acme.put("APOLLO_API_KEY", Secret("theirs"), at=NOON)
    found = await acme.load()
    keys = [found.key(f"{vendor}_API_KEY").reveal() for vendor in ("APOLLO", "HUNTER", "OPENAI")]
    assert keys == ["theirs", "theirs", "ours"]
    assert found.key("EXA_API_KEY") is None
    alone = await Vault(settings(tmp_path, LUMEFLOW_SHARE_KEYS="no", **environ), database.of("acme")).load()
    assert alone.key("APOLLO_API_KEY").reveal() == "theirs"
    assert alone.key("HUNTER_API_KEY") is None


async def test_the_key_of_the_database_is_no_secret_of_workflows(tmp_path, database: Database):
    found = await Vault(settings(tmp_path), database).load()
    assert found.find("KEY") is None
    assert "KEY" not in found.sources()


@pytest.mark.parametrize("name", ["KEY", "", "a b", "a/b", "x" * 129, "-a"])
async def test_a_name_that_cannot_be_used_is_refused(tmp_path, database: Database, name):
    with pytest.raises(UsageError, match="cannot be the name of a secret"):
        await Vault(settings(tmp_path), database).put(name, Secret("x"), at=NOON)


async def test_rotation_changes_the_key_and_nothing_else(tmp_path, database: Database):
    for each in (database, database.of("acme")):
        await Vault(settings(tmp_path), each).put("a", Secret(each.tenant), at=NOON)
    new = new_key()
    with pytest.raises(UsageError, match="does not hold: add that key"):
        await rotate_all(settings(tmp_path, keys=new), database)
    both = settings(tmp_path, keys=f"{new},{KEY}")
    assert await rotate_all(both, database) == 2
    assert await rotate_all(both, database) == 0
    for each in (database, database.of("acme")):
        found = await Vault(settings(tmp_path, keys=new), each).load()
        assert found.find("a").reveal() == each.tenant
        assert found.stored["a"].updated_at == NOON


async def test_without_its_key_a_stored_secret_is_told_of_before_the_run_and_in_it(tmp_path):
    given = settings(tmp_path, keys=KEY)
    document = calling("https://api.example.com/")
    async with open_app(given) as app:
        await app.vault.put("crm", Secret("tok-canary"), at=NOON)
    async with open_app(settings(tmp_path, keys=new_key())) as app:
        (finding,) = app.validate(document).errors
        assert finding.code == "unknown-secret"
        assert "the secret 'crm' is stored under the key" in finding.message
        with pytest.raises(InvalidWorkflow):
            await app.execute(document, {"n": 1})
        with pytest.raises(NodeError, match="does not hold"):
            app.vault.latest.find("crm")


class Wire:
    """Answers, and remembers with which keys it was asked."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def send(self, request, *, timeout):  # noqa: ASYNC109 - the port's name
        self.keys.append(request.headers.get("x-api-key") or request.headers.get("Authorization", ""))
        return HttpResponse(200, {}, orjson.dumps({"person": None}))

    async def close(self) -> None:
        """Nothing is open."""


def calling(url):
    config = {
        "provider": "http",
        "url": url,
        "auth": {"type": "bearer", "token": "{{secrets.crm}}"},
        "saveAs": "answer",
    }
    nodes = [
        {"id": "in", "type": "input", "config": {"source": "api"}},
        {"id": "call", "type": "api", "config": config},
    ]
    return {"workflowId": "w", "name": "w", "nodes": nodes, "edges": [{"source": "in", "target": "call"}]}


async def app_on(wire, given, database) -> App:
    registry, _ = load_registry(())
    vendors = await Vendors.open(given, registry)
    vendors = Vendors(given, registry, wire, vendors._accounts)
    return App(given, registry, (), database, vendors)


async def test_each_tenant_calls_with_its_own_secret_and_none_with_anothers(tmp_path, database: Database):
    given = settings(tmp_path, "crm=ours\nacme/crm=theirs\n")
    wire = Wire()
    for each in (database, database.of("acme")):
        app = await app_on(wire, given, each)
        result = await app.execute(calling("https://api.example.com/"), {"n": 1})
        assert result.status == "completed", result.error
    assert wire.keys == ["Bearer ours", "Bearer theirs"]


async def test_keys_have_limits_of_their_own_and_those_who_share_one_share_them(tmp_path, database: Database):
    registry, _ = load_registry(())
    given = settings(tmp_path, "acme/APOLLO_API_KEY=theirs\n", APOLLO_API_KEY="ours", HUNTER_API_KEY="ours")
    vendors = await Vendors.open(given, registry)
    ours = vendors._accounts_of(await Vault(given, database).load())
    theirs = vendors._accounts_of(await Vault(given, database.of("acme")).load())
    assert ours.resolve("apollo").lane != theirs.resolve("apollo").lane
    assert ours.resolve("hunter").lane == theirs.resolve("hunter").lane
    assert ours.resolve("http").lane != theirs.resolve("http").lane, "one that has no key is the tenant's"
    assert ours.resolve("apollo").name == theirs.resolve("apollo").name == "apollo"
    assert "theirs" not in theirs.resolve("apollo").lane
    await vendors.close()


async def test_with_a_simulator_a_delivery_is_verified_by_the_simulators_key_from_the_start(tmp_path):
    nodes = [{"id": "in", "type": "input", "config": {"source": "webhook", "secret": "{{secrets.shop}}"}}]
    nodes.append({"id": "out", "type": "output", "config": {"destination": "jsonl", "path": "leads.jsonl"}})
    document = {"workflowId": "w", "name": "w", "nodes": nodes, "edges": [{"source": "in", "target": "out"}]}

    def delivery(key: str):
        body = orjson.dumps({"contacts": [{"name": "Mira"}]})
        headers = signing_headers(Rules(), Secret(key), body, at=NOON, delivery="d-1")
        return {"headers": {**headers, "Idempotency-Key": "d-1"}, "body": body.decode()}

    given = settings(tmp_path, LUMEFLOW_SECRET_shop="whsec-real")
    async with open_app(given) as real:
        simulated = App(
            Settings(data_dir=tmp_path, environ=given.environ, simulator_url="http://127.0.0.1:9"),
            real.registry,
            (),
            real.database,
            Vendors(
                Settings(data_dir=tmp_path, environ=given.environ, simulator_url="http://127.0.0.1:9"),
                real.registry,
                Wire(),
                real._vendors._accounts,
            ),
        )
        with pytest.raises(UsageError, match="does not fit the body"):
            await simulated.execute(document, delivery("whsec-real"), now=NOON)
        result = await simulated.execute(document, delivery("sim-key"), now=NOON)
        assert result.status == "completed", result.error
        with pytest.raises(UsageError, match="does not fit the body"):
            await real.execute(document, delivery("sim-key"), now=NOON, mode=Mode.LIVE)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("ai", {"provider": "openrouter", "model": "a/b", "prompt": "Say {{secrets.crm}}."}),
        ("api", {"provider": "apollo", "mapping": {"email": "{{secrets.crm}}"}, "fieldMapping": {"title": "title"}}),
    ],
)
async def test_what_is_asked_of_a_vendor_names_no_secret(tmp_path, database: Database, kind, config):
    app = await app_on(Wire(), settings(tmp_path, "crm=ours\n"), database)
    nodes = [{"id": "in", "type": "input", "config": {"source": "api"}}, {"id": "ask", "type": kind, "config": config}]
    document = {"workflowId": "w", "name": "w", "nodes": nodes, "edges": [{"source": "in", "target": "ask"}]}
    (finding,) = (await app.check(document)).errors
    assert "name no secret in it" in finding.message
    assert finding.node == "ask"


@pytest.mark.parametrize(("switch", "kept"), [("no", False), ("yes", True)])
async def test_previews_can_be_switched_off(tmp_path, database: Database, switch, kept):
    app = await app_on(Wire(), settings(tmp_path, "crm=ours\n", LUMEFLOW_PREVIEWS=switch), database)
    result = await app.execute(calling("https://api.example.com/"), {"email": "mira.holt@example.com"})
    rows = await database.journal.nodes(result.execution_id)
    assert [row.output_preview is not None and "mira" in repr(row.output_preview) for row in rows] == [kept, kept]


def test_a_switch_is_yes_or_no(tmp_path):
    with pytest.raises(UsageError, match="LUMEFLOW_SHARE_KEYS: expected yes or no"):
        settings(tmp_path, LUMEFLOW_SHARE_KEYS="maybe")
