"""The six steps as plain functions over aiohttp: what both hand-written contenders are made of."""

import asyncio
import base64
import time
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

KEY = {"Authorization": "Bearer sim-key"}
SYSTEM = "Extract business contacts from the comments, one JSON object a line. Answer with JSON, each id once."
MODEL = "mistralai/mistral-7b-instruct:free"


class Rate:
    """At most `calls` in any `seconds`, first come first served."""

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls = calls
        self.seconds = seconds + 0.01
        self.sent: deque[float] = deque()
        self.turn = asyncio.Lock()

    async def wait(self) -> None:
        async with self.turn:
            if len(self.sent) == self.calls:
                await asyncio.sleep(max(self.sent.popleft() + self.seconds - time.monotonic(), 0))
            self.sent.append(time.monotonic())


@dataclass
class Steps:
    """The vendors' calls, with their rates and nothing else."""

    session: aiohttp.ClientSession
    base: str
    rates: dict[str, Rate]
    first_stored: float | None = None
    started: float = field(default_factory=time.monotonic)

    async def call(self, rate: str | None, method: str, path: str, **options: Any) -> Any:
        body = options.pop("body", None)
        data = orjson.dumps(body) if body is not None else None
        headers = {**KEY, "x-api-key": "sim-key", "Content-Type": "application/json"}
        while True:
            if rate:
                await self.rates[rate].wait()
            async with self.session.request(method, self.base + path, data=data, headers=headers, **options) as answer:
                raw = await answer.read()
                if answer.status < 300:
                    return orjson.loads(raw)
            await asyncio.sleep(1)

    async def start(self, urls: list[str]) -> tuple[str, str]:
        body = {"directUrls": urls, "resultsLimit": 1000}
        run = (await self.call(None, "POST", "/v2/actors/apify~instagram-comment-scraper/runs", body=body))["data"]
        return run["id"], run["defaultDatasetId"]

    async def is_over(self, run: str) -> bool:
        status = (await self.call(None, "GET", f"/v2/actor-runs/{run}?waitForFinish=1"))["data"]["status"]
        return status == "SUCCEEDED"

    async def page(self, dataset: str, offset: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = await self.call(
            None, "GET", f"/v2/datasets/{dataset}/items?offset={offset}&limit=1000"
        )
        return items

    async def extract(self, comments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines = []
        for number, comment in enumerate(comments, 1):
            owner = comment.get("owner") or {}
            line = {"id": f"c{number}", "text": comment.get("text") or ""}
            if owner.get("full_name"):
                line["author"] = owner["full_name"]
            if comment.get("ownerUsername"):
                line["username"] = comment["ownerUsername"]
            lines.append(orjson.dumps(line).decode())
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "\n".join(lines)}]
        form = {"type": "json_schema", "json_schema": {"name": "contacts", "schema": {}}}
        body = {"model": MODEL, "messages": messages, "response_format": form, "max_tokens": 4000}
        answer = await self.call("openrouter", "POST", "/api/v1/chat/completions", body=body)
        items = orjson.loads(answer["choices"][0]["message"]["content"])["items"]
        return [{k: v for k, v in contact.items() if v is not None} for item in items for contact in item["contacts"]]

    async def enrich(self, contact: dict[str, Any]) -> dict[str, Any]:
        names = {"email": "email", "firstName": "first_name", "lastName": "last_name"}
        body = {wanted: contact[name] for name, wanted in names.items() if contact.get(name)}
        if not body:
            return contact
        person = (await self.call("apollo", "POST", "/api/v1/people/match", body=body)).get("person")
        if not person:
            return contact
        job = (person.get("employment_history") or [{}])[0]
        found = {
            "title": person.get("title"),
            "company": job.get("organization_name"),
            "linkedin": person.get("linkedin_url"),
        }
        return {**{k: v for k, v in found.items() if v}, **contact}

    async def find(self, contact: dict[str, Any]) -> dict[str, Any]:
        if contact.get("email") or not (
            contact.get("company") and contact.get("firstName") and contact.get("lastName")
        ):
            return contact
        query = {"first_name": contact["firstName"], "last_name": contact["lastName"], "company": contact["company"]}
        async with asyncio.timeout(30):
            await self.rates["hunter"].wait()
            async with self.session.get(
                self.base + "/v2/email-finder", params=query, headers={"X-API-KEY": "sim-key"}
            ) as answer:
                found = (orjson.loads(await answer.read()).get("data") or {}).get("email")
        return {**contact, "email": found} if found else contact

    async def embed(self, contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        texts = [", ".join(c[k] for k in ("firstName", "lastName", "company", "title") if c.get(k)) for c in contacts]
        body = {"model": "mixedbread-ai/mxbai-embed-large-v1", "input": texts, "encoding_format": "base64"}
        answer = await self.call("mixedbread", "POST", "/v1/embeddings", body=body)
        vectors = sorted(answer["data"], key=lambda entry: entry["index"])
        return [
            {**contact, "embedding": array("f", base64.b64decode(vector["embedding"]))}
            for contact, vector in zip(contacts, vectors, strict=True)
        ]

    def stored(self) -> None:
        if self.first_stored is None:
            self.first_stored = time.monotonic() - self.started


def is_valid(contact: dict[str, Any]) -> bool:
    return bool(contact.get("email") and (contact.get("firstName") or contact.get("lastName")))


STORE = "create table if not exists contacts(position integer, data text, embedding blob)"


def row(contact: dict[str, Any]) -> tuple[str, bytes]:
    rest = {name: value for name, value in contact.items() if name != "embedding"}
    return orjson.dumps(rest).decode(), contact["embedding"].tobytes()
