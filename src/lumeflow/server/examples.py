"""Examples for the OpenAPI document; the tests send them."""

from typing import Any

WORKFLOW: dict[str, Any] = {
    "workflowId": "tidy-contacts",
    "name": "Tidy contacts",
    "nodes": [
        {"id": "contacts", "type": "input", "config": {"source": "api", "collection": "contacts"}},
        {
            "id": "with-email",
            "type": "filter",
            "config": {"conditions": [{"field": "email", "operator": "exists"}]},
        },
        {"id": "file", "type": "output", "config": {"destination": "csv", "path": "contacts.csv"}},
    ],
    "edges": [
        {"source": "contacts", "target": "with-email"},
        {"source": "with-email", "target": "file"},
    ],
}
INPUT: dict[str, Any] = {
    "contacts": [
        {"firstName": "Mira", "email": "mira.holt@example.com"},
        {"firstName": "Jonas"},
    ]
}
TEMPLATE: dict[str, Any] = {
    "name": "Tidy contacts",
    "description": "Keeps those whose field is filled.",
    "category": "basics",
    "definition": {
        "x-placeholders": {"field": {"type": "string", "minLength": 1, "default": "email"}},
        **WORKFLOW,
        "nodes": [
            WORKFLOW["nodes"][0],
            {
                "id": "with-email",
                "type": "filter",
                "config": {"conditions": [{"field": "${field}", "operator": "exists"}]},
            },
            WORKFLOW["nodes"][2],
        ],
    },
}
