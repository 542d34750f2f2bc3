"""Any OpenAI-compatible server through langchain-openai."""

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from pydantic import SecretStr


def openai_model(model: str, *, base_url: str | None, api_key: str | None, timeout: float) -> BaseChatModel:
    """A chat model with tool calls and usage in its stream. Retries are the caller's, so that they are counted once."""
    return ChatOpenAI(
        model=model,
        base_url=base_url,
        api_key=SecretStr(api_key or "none"),
        timeout=timeout,
        max_retries=0,
        temperature=0,
        stream_usage=True,
    )
