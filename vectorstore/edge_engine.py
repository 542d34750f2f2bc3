"""The engine's module, taken as untyped: its stubs promise wide unions where it gives one type."""

import importlib
from typing import Any

qdrant: Any = importlib.import_module("qdrant_edge")
