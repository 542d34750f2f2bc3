"""Foreign product data: a mapping file says which field of a record is what.

A rule is a field's name (dots go down: `attrs.colour`), or an object with `field`, `const`, `default` and, for some
targets, more: `price` takes `unit` (`major` or `cents`), `currency` and `rate` (rupees for one unit of the currency),
`category` takes `under` (a path to put the value below). See docs/import-mapping-example.yaml.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from services.catalog.adapters.ndjson import reason_of
from services.contracts.catalog import ProductIn
from services.kit.errors import Invalid

Record = Mapping[str, Any]
_PAISE = Decimal("0.01")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Strict):
    """Where a value comes from: a field of the record, or always the same."""

    field: str | None = None
    const: Any = None
    default: Any = None

    @model_validator(mode="after")
    def _has_a_source(self) -> "Rule":
        if self.field is None and self.const is None:
            raise ValueError("say `field` or `const`")
        return self

    def value(self, record: Record) -> Any:
        if self.field is None:
            return self.const
        found = _at(record, self.field)
        return self.default if found is None or found == "" else found


class PriceRule(Rule):
    unit: Literal["major", "cents"] = "major"
    currency: str = "INR"
    rate: Decimal = Decimal(1)

    @model_validator(mode="after")
    def _has_a_rate(self) -> "PriceRule":
        if self.rate <= 0 or (self.currency != "INR" and "rate" not in self.model_fields_set):
            raise ValueError("another currency than INR needs `rate`, the rupees for one unit of it")
        return self

    def rupees(self, record: Record) -> str | None:
        """Two decimals, half a paisa rounded up. Raises ValueError for what is no number."""
        found = self.value(record)
        if found is None:
            return None
        try:
            amount = Decimal(str(found)) * self.rate
            return str((amount / 100 if self.unit == "cents" else amount).quantize(_PAISE, ROUND_HALF_UP))
        except InvalidOperation as error:
            raise ValueError(f"{self.field}: {found!r} is no number") from error


class CategoryRule(Rule):
    under: str | None = None

    def path(self, record: Record) -> str | None:
        parts = [part for part in (self.under, self.value(record)) if part]
        return " > ".join(str(part) for part in parts) or None


class AttributesRule(Rule):
    """`strip_prefixes` shortens names: with `t_`, `t_colour` becomes `colour`; underscores become spaces."""

    strip_prefixes: tuple[str, ...] = ()

    def named(self, record: Record) -> dict[str, str | int | float | bool]:
        found = self.value(record) or {}
        if not isinstance(found, Mapping):
            raise ValueError(f"{self.field}: not an object of attributes")  # noqa: TRY004 - one kind of refusal
        return {self._name(str(name)): value for name, value in found.items() if _is_plain(value)}

    def _name(self, name: str) -> str:
        for prefix in self.strip_prefixes:
            if name.startswith(prefix):
                name = name.removeprefix(prefix)
                break
        return " ".join(name.replace("_", " ").split())


def _rule(raw: Any) -> Any:
    return {"field": raw} if isinstance(raw, str) else raw


Source = BeforeValidator(_rule)


class ImportMapping(_Strict):
    external_id: Annotated[Rule, Source]
    title: Annotated[Rule, Source]
    price: Annotated[PriceRule, Source]
    category: Annotated[CategoryRule, Source]
    description: Annotated[Rule | None, Source] = None
    brand: Annotated[Rule | None, Source] = None
    stock: Annotated[Rule | None, Source] = None
    images: Annotated[Rule | None, Source] = None
    attributes: Annotated[AttributesRule | None, Source] = None
    colour: Annotated[Rule | None, Source] = None
    size: Annotated[Rule | None, Source] = None

    def body_of(self, record: Record) -> dict[str, Any]:
        """The record as `POST /products` takes it, not checked yet. Raises ValueError."""
        attributes = self.attributes.named(record) if self.attributes else {}
        for name, rule in (("colour", self.colour), ("size", self.size)):
            value = rule.value(record) if rule else None
            if value is not None:
                attributes[name] = str(value)
        body = {
            "externalId": _text(self.external_id, record),
            "title": _text(self.title, record),
            "price": self.price.rupees(record),
            "category": self.category.path(record),
            "description": _text(self.description, record),
            "brand": _text(self.brand, record),
            "stock": self.stock.value(record) if self.stock else None,
            "images": _images(self.images, record),
            "attributes": attributes,
        }
        return {name: value for name, value in body.items() if value is not None}


def mapping_from(text: str) -> ImportMapping:
    """Raises Invalid that names the rule at fault."""
    try:
        return ImportMapping.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise Invalid(f"the mapping is not YAML: {error}") from error
    except ValidationError as error:
        raise Invalid(f"the mapping is not understood: {reason_of(error)}") from error


def mapped(mapping: ImportMapping, record: Any) -> ProductIn | str:
    """The product, or the reason why the record is none."""
    if not isinstance(record, Mapping):
        return "not a JSON object"
    try:
        return ProductIn.model_validate(mapping.body_of(record))
    except ValidationError as error:
        return reason_of(error)
    except ValueError as error:
        return str(error)


def _at(record: Record, path: str) -> Any:
    value: Any = record
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _text(rule: Rule | None, record: Record) -> str | None:
    value = rule.value(record) if rule else None
    return None if value is None else str(value)


def _images(rule: Rule | None, record: Record) -> list[str] | None:
    value = rule.value(record) if rule else None
    if value is None:
        return None
    return [value] if isinstance(value, str) else list(value)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) and value != ""
