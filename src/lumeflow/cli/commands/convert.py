"""`lumeflow convert`."""

from enum import StrEnum
from typing import Annotated

import typer

from lumeflow.cli.inputs import json_object, read_document
from lumeflow.cli.options import DbOption, FileArgument, JsonOption, shell_of


class Form(StrEnum):
    """Forms of a workflow."""

    REACT_FLOW = "react-flow"
    WORKFLOW = "workflow"


def convert(
    ctx: typer.Context,
    file: FileArgument,
    *,
    to: Annotated[Form, typer.Option("--to", help="The form to print.")] = Form.REACT_FLOW,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Turn a workflow into the nodes and edges that a React Flow editor draws, or these back, without loss."""
    from lumeflow.core.document import Workflow
    from lumeflow.core.react_flow import from_react_flow, to_react_flow

    shell = shell_of(ctx, db, as_json)
    source = read_document(file)
    if to is Form.REACT_FLOW:
        shell.emit(to_react_flow(Workflow.load(source)))
    else:
        shell.emit(from_react_flow(json_object(source, file, example='{"nodes": [], "edges": []}')).as_json())
    return 0
