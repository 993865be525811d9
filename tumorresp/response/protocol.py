"""A trial's protocol: which parameters every rule is run with. Read from TOML at the edge, checked here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from tumorresp.domain.eligibility import BaselineRules
from tumorresp.domain.errors import InvalidSettings
from tumorresp.response.best_response import BestResponseParameters
from tumorresp.response.criteria import CRITERIA
from tumorresp.response.end_points import EndPointParameters
from tumorresp.response.table.conventions import TableConventions

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Parameters = TypeVar("_Parameters", bound="DataclassInstance")
_NONE_WORDS = frozenset(("", "none"))


def _published() -> Mapping[str, Any]:
    return MappingProxyType({name: criterion.parameters() for name, criterion in CRITERIA.items()})


@dataclass(frozen=True)
class Protocol:
    """Parameters of everything that is computed; without arguments the published defaults.

    Parameters
    ----------
    criteria
        Parameter object by the criterion's name.
    response_after_progression
        Treatment beyond progression is planned: a response after PD is no mistake in the rule audit.
    """

    name: str = ""
    criteria: Mapping[str, Any] = field(default_factory=_published)
    best_response: BestResponseParameters = field(default=BestResponseParameters())
    end_points: EndPointParameters = field(default=EndPointParameters())
    baseline: BaselineRules = field(default=BaselineRules())
    table: TableConventions = field(default=TableConventions())
    response_after_progression: bool = False


def protocol_from(document: Mapping[str, Any]) -> Protocol:
    """Return the protocol that a document changes from the published defaults.

    Parameters
    ----------
    document
        ``name``; a table each for ``best_response``, ``end_points``, ``baseline``, ``table``, and ``criteria`` with a
        table a criterion (``[criteria."recist-1.1"]``). Ratios are texts ("7/10") or numbers, lengths numbers.

    Raises
    ------
    InvalidSettings
        If a name is not known or a value does not fit; the message says where.
    """
    known = tuple(item.name for item in fields(Protocol))
    _refuse_unknown(document, known, "protocol")
    start = Protocol(name=str(document.get("name", "")))
    changed = dict(start.criteria)
    for name, values in _section(document, "criteria").items():
        if name not in changed:
            raise InvalidSettings(
                f"there is no criterion {name!r}.", where="criteria", remedy=f"Known are {', '.join(changed)}."
            )
        changed[name] = _changed(changed[name], _mapping(values, f"criteria.{name}"), f"criteria.{name}")
    return replace(
        start,
        criteria=MappingProxyType(changed),
        best_response=_changed(start.best_response, _section(document, "best_response"), "best_response"),
        end_points=_changed(start.end_points, _section(document, "end_points"), "end_points"),
        baseline=_changed(start.baseline, _section(document, "baseline"), "baseline"),
        table=_changed(start.table, _section(document, "table"), "table"),
        response_after_progression=bool(
            _fitted(bool, document.get("response_after_progression", False), "response_after_progression")
        ),
    )


def protocol_document(protocol: Protocol) -> dict[str, Any]:
    """Return a protocol as plain values, every parameter written out: what ``protocol_from`` reads back."""
    return {
        "name": protocol.name,
        "response_after_progression": protocol.response_after_progression,
        "criteria": {name: _plain(values) for name, values in protocol.criteria.items()},
        "best_response": _plain(protocol.best_response),
        "end_points": _plain(protocol.end_points),
        "baseline": _plain(protocol.baseline),
        "table": _plain(protocol.table),
    }


def _plain(parameters: "DataclassInstance") -> dict[str, Any]:
    return {item.name: _plain_value(getattr(parameters, item.name)) for item in fields(parameters)}


def _plain_value(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(value)
    if isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return str(value.value)
    return "none" if value is None else str(value)


def _changed(parameters: _Parameters, values: Mapping[str, Any], where: str) -> _Parameters:
    hints = get_type_hints(type(parameters))
    _refuse_unknown(values, hints, where)
    changes: dict[str, Any] = {}
    for name, raw in values.items():
        now, place = getattr(parameters, name), f"{where}.{name}"
        if is_dataclass(now) and not isinstance(now, type):
            changes[name] = _changed(now, _mapping(raw, place), place)
        else:
            changes[name] = _fitted(hints[name], raw, place)
    return replace(parameters, **changes)


def _fitted(wanted: Any, raw: object, where: str) -> object:
    """Return a raw value as the type of a parameter."""
    options = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
    if type(None) in options and (raw is None or str(raw).lower() in _NONE_WORDS):
        return None
    kind = next(option for option in options if option is not type(None))
    try:
        return _as_kind(kind, raw)
    except (ValueError, InvalidOperation, ZeroDivisionError, TypeError):
        expected = ", ".join(str(item.value) for item in kind) if issubclass(kind, Enum) else kind.__name__
        raise InvalidSettings(f"{raw!r} does not fit: expected {expected}.", where=where) from None


def _as_kind(kind: Any, raw: object) -> object:
    if kind is bool or isinstance(raw, bool):
        if kind is not bool or not isinstance(raw, bool):
            raise ValueError(raw)
        return raw
    if kind is int:
        if not isinstance(raw, int):
            raise ValueError(raw)
        return raw
    if kind is Decimal:
        number = Decimal(str(raw))
        if not number.is_finite():
            raise ValueError(raw)
        return number
    if kind is Fraction:
        return Fraction(str(raw))
    return kind(raw)


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _mapping(document.get(name, {}), name)


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidSettings("expected a table.", where=where)
    return value


def _refuse_unknown(values: Mapping[str, Any], known: Any, where: str) -> None:
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InvalidSettings(
            f"{', '.join(unknown)} is not known.", where=where, remedy=f"Known are {', '.join(known)}."
        )
