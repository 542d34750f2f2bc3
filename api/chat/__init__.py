"""The doors of the chat: WebSocket, Server-Sent Events, approvals and conversations over HTTP."""

from api.chat.door import ChatDoor
from api.chat.routes import routes
from api.chat.socket import Manners

__all__ = ["ChatDoor", "Manners", "routes"]
