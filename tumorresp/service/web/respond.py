"""``POST /api/respond``: response criteria on a table, without images."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from tumorresp.response.criteria import CRITERIA
from tumorresp.response.table.columns import json_schema
from tumorresp.service.respond.records import respond_records

router = APIRouter(prefix="/api", tags=["response criteria"])


class RespondBody(BaseModel):
    """What is to be evaluated."""

    model_config = ConfigDict(extra="forbid")

    rows: list[dict[str, Any]] = Field(description="Rows of a lesion or response table; /api/respond/schema/lesions")
    criteria: list[str] = Field(default=["recist-1.1"], description="Names; /api/criteria lists them")
    protocol: dict[str, Any] = Field(default={}, description="What differs from the published parameters")


@router.post("/respond")
def respond(body: Annotated[RespondBody, Body()]) -> dict[str, Any]:
    """Evaluate a table: responses with reasons, best responses, end points, calculations, findings."""
    return respond_records(body.rows, body.criteria, body.protocol)


@router.get("/criteria")
def criteria() -> list[dict[str, Any]]:
    """List the criteria."""
    return [
        {"name": item.name, "title": item.title, "source": item.source, "exploratory": item.exploratory}
        for item in CRITERIA.values()
    ]


@router.get("/respond/schema/{table}")
def schema(table: str) -> dict[str, Any]:
    """Give the JSON Schema of the lesions or the responses table."""
    return json_schema(table)
