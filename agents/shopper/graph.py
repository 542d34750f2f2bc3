"""The shopping agent's graph: model → propose → consent → act → … → reply.

begin ─▶ model ─▶ reply ─▶ end
           ▲ │
           │ ├─▶ act (one task per READ or WRITE call) ─▶ settle ─┐
           │ └─▶ propose ─▶ consent ══(interrupt)══▶ act ─▶ settle │
           └──────────────────────────────────────────────────────┘
"""

from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.consent import Consents
from agents.models.calling import ChatModels
from agents.shopper.nodes.act import ActNode
from agents.shopper.nodes.begin import BeginNode
from agents.shopper.nodes.consent import ProposeNode, consent
from agents.shopper.nodes.model import ModelNode
from agents.shopper.nodes.reply import reply
from agents.shopper.routing import Routing
from agents.shopper.state import ShopperState
from agents.turn import Turn
from tools.registry import Registry

Graph = CompiledStateGraph[ShopperState, Turn, Any, Any]


async def settle(state: ShopperState) -> dict[str, Any]:
    """Parallel calls meet here, so that what follows runs once."""
    del state
    return {"approval": None}


def build(
    *,
    models: ChatModels,
    registry: Registry,
    consents: Consents,
    prompt: Callable[[], str],
    checkpointer: BaseCheckpointSaver[Any],
) -> Graph:
    routing = Routing(registry)
    graph = StateGraph(ShopperState, context_schema=Turn)
    graph.add_node("begin", BeginNode(registry))
    graph.add_node("model", ModelNode(models, registry, prompt))
    graph.add_node("act", ActNode(registry, consents))
    graph.add_node("propose", ProposeNode(registry, consents))
    graph.add_node("consent", consent)
    graph.add_node("settle", settle)
    graph.add_node("reply", reply)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "model")
    graph.add_edge("act", "settle")
    graph.add_edge("reply", END)
    graph.add_conditional_edges("model", routing.after_model, ["act", "propose", "reply"])
    graph.add_conditional_edges("settle", routing.after_step, ["act", "propose", "model"])
    graph.add_conditional_edges("propose", routing.after_propose, ["consent", "act", "propose", "model"])
    graph.add_conditional_edges("consent", routing.after_consent, ["act", "propose", "model", END])
    return graph.compile(checkpointer=checkpointer)
