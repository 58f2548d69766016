"""Workflows full of canaries: every way in which a secret goes out."""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

VENDORS = {
    "apollo": "APOLLO_API_KEY",
    "hunter": "HUNTER_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "mixedbread": "MXBAI_API_KEY",
    "apify": "APIFY_TOKEN",
    "meta": "META_ACCESS_TOKEN",
}
PEOPLE = [
    {"email": f"person{n}@example.com", "firstName": "Mira", "lastName": "Holt", "domain": "example.com"}
    for n in range(2)
]


def http(mode: str, **more: Any) -> dict[str, Any]:
    return {
        "provider": "http",
        "url": f"{{{{variables.base}}}}/{mode}/x",
        "method": "POST",
        "saveAs": "said",
        "callTimeout": 0.2,
        "repeat": "booked",
        **more,
    }


def nodes(mode: str) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Type and configuration by name: every way in which a secret goes out."""
    token_url = "{base}/" + ("token/token" if mode == "token" else f"{mode}/token")
    basic = {"type": "basic", "username": "{{secrets.user}}", "password": "{{secrets.password}}"}
    computed = "{{base64(secrets.user + ':' + secrets.password)}}"
    client = {"clientId": "{{secrets.clientId}}", "clientSecret": "{{secrets.clientSecret}}", "tokenUrl": token_url}
    key = {"type": "apiKey", "in": "query", "name": "key", "key": "{{secrets.query}}"}
    hook = {"destination": "webhook", "url": f"{{{{variables.base}}}}/{mode}/hook", "secret": "{{secrets.hook}}"}
    chat = {"prompt": "What of {{input.firstName}}?", "outputField": "need"}
    own = {"baseUrl": "{base}/" + mode, "apiKey": "{{secrets.llm}}", "prices": {"prompt": "1", "completion": "1"}}
    meta = {"adAccountId": "act_1", "audience": {"name": "A", "customerFileSource": "USER_PROVIDED_ONLY"}}
    return {
        "bearer": ("api", http(mode, auth={"type": "bearer", "token": "{{secrets.bearer}}"})),
        "query": ("api", http(mode, auth=key, method="GET")),
        "basic": ("api", http(mode, auth=basic)),
        "oauth-header": ("api", http(mode, auth={"type": "oauth2", **client})),
        "oauth-body": ("api", http(mode, auth={"type": "oauth2", "credentials": "body", **client})),
        "header": ("api", http(mode, headers={"X-Api-Key": "{{secrets.header}}", "X-Both": computed})),
        "body": ("api", http(mode, body={"a": [{"key": "{{secrets.body}}"}], "who": "{{input.email}}"})),
        "form": ("api", http(mode, body={"key": "{{secrets.body}}"}, bodyType="form")),
        "text": ("api", http(mode, auth=basic, answerType="text")),
        "webhook": ("output", {**hook, "callTimeout": 0.2}),
        "api-output": ("output", {**http(mode, auth=basic), "destination": "api", "provider": None, "saveAs": None}),
        "apollo": ("api", {"provider": "apollo", "fieldMapping": {"title": "person.title"}}),
        "hunter": ("api", {"provider": "hunter"}),
        "mixedbread": ("api", {"provider": "mixedbread", "fields": ["firstName"]}),
        "apify": (
            "api",
            {"provider": "apify", "operation": "run-actor", "actor": "a/b", "input": {"q": "x"}, "collection": "items"},
        ),
        "meta": ("output", {"destination": "meta-ads", **meta, "mapping": {"EMAIL": "{{input.email}}"}}),
        "openrouter": ("ai", {"provider": "openrouter", "model": "openai/gpt-5-mini", **chat}),
        "own-model": ("ai", {"provider": "openai", "model": "m", **own, **chat}),
    }


def document(kind: str, config: Mapping[str, Any], base: str, timeout: float = 0.3) -> dict[str, Any]:
    config = {
        name: value
        for name, value in json.loads(json.dumps(config).replace("{base}", base)).items()
        if value is not None
    }
    last = {"id": "out", "type": "output", "config": {"destination": "jsonl", "path": "said.jsonl"}}
    middle = {"id": "node", "type": kind, "config": config, "timeout": timeout}
    chain = [{"id": "in", "type": "input", "config": {"source": "api", "collection": "people"}}, middle]
    chain += [] if kind == "output" else [last]
    edges = [{"source": one["id"], "target": other["id"]} for one, other in pairwise(chain)]
    retries = {"maxRetries": 0, "initialDelay": 1, "backoffMultiplier": 1}
    return {"workflowId": "w", "name": "w", "globals": {"retryPolicy": retries}, "nodes": chain, "edges": edges}
