"""The command `cohort`.

Verbs that need data talk to the running server of the home by its control socket; without one they take the home's
lock and open it themselves.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from api import control_socket
from api.engines import Engines
from api.settings import Settings
from services.kit.errors import CohortError
from services.kit.log import configure_logging

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Cohort: an AI-first marketplace."
)
catalog_app = typer.Typer(no_args_is_help=True, help="Products.")
index_app = typer.Typer(no_args_is_help=True, help="The search index.")
events_app = typer.Typer(no_args_is_help=True, help="Events.")
admin_app = typer.Typer(no_args_is_help=True, help="Operators.")
app.add_typer(catalog_app, name="catalog")
app.add_typer(index_app, name="index")
app.add_typer(events_app, name="events")
app.add_typer(admin_app, name="admin")
out = Console(highlight=False)


def main() -> None:
    """Errors that say what to do are printed as one sentence; Ctrl-C ends quietly."""
    try:
        app()
    except CohortError as error:
        _fail(error.message)
    except OSError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> None:
    Console(stderr=True, highlight=False).print(f"cohort: {message}", style="red", soft_wrap=True, markup=False)
    sys.exit(1)


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        where = f"COHORT_{name.upper()}: " if name else ""
        _fail(f"{where}{str(first['msg']).removeprefix('Value error, ')}")
        raise


@app.command()
def serve(
    demo: Annotated[bool, typer.Option(help="Load the demo shop into an empty home (demo mode only).")] = True,
) -> None:
    """Run everything in one process: services, events, agent, chat, and the embedded engines."""
    settings = _settings()
    configure_logging(settings.log_level)
    engines = Engines(settings).start()
    from api.server import serve as run  # heavy; the engines start meanwhile

    asyncio.run(run(settings, engines, demo=demo, say=lambda line: print(line, flush=True)))


@app.command()
def chat(
    url: Annotated[
        str | None, typer.Option(help="The server; by default the one of COHORT_HOST and COHORT_PORT.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="An account; by default the demo's first buyer.")] = None,
    password: Annotated[str | None, typer.Option(help="Better given as COHORT_CHAT_PASSWORD.")] = None,
    guest: Annotated[bool, typer.Option(help="Look around without an account.")] = False,
) -> None:
    """Shop by chat in this terminal."""
    from api.chat_client import run_chat

    secret = password or os.environ.get("COHORT_CHAT_PASSWORD")
    settings = _settings()
    asyncio.run(run_chat(url or settings.base_url, email, secret, guest=guest))


@app.command()
def demo(
    reset: Annotated[bool, typer.Option(help="Drop the demo home's data first.")] = False,
    yes: Annotated[bool, typer.Option(help="Do not ask before dropping.")] = False,
) -> None:
    """Load the demo shop; repeatable."""
    if reset and not yes:
        typer.confirm("This drops all data of this demo home. Go on?", abort=True)
    _run("demo", reset=reset)


@catalog_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON lines, plain or .gz")],
    mapping: Annotated[Path | None, typer.Option(help="YAML that says which field is what.")] = None,
    seller: Annotated[str | None, typer.Option(help="E-mail or id of the seller they belong to.")] = None,
    wait: Annotated[bool, typer.Option(help="Follow the meaning vectors until all are there.")] = True,
) -> None:
    """Import products; safe to interrupt and to run again."""
    where = None if mapping is None else str(mapping.resolve())
    _run("catalog.import", file=str(file.resolve()), mapping=where, seller=seller, wait=wait)


@index_app.command("status")
def index_status() -> None:
    """How far search is."""
    _run("index.status")


@events_app.command("dead")
def dead_letters(
    replay: Annotated[str | None, typer.Option(help="Give this letter back to its queue.")] = None,
) -> None:
    """Events that queues gave up on."""
    _run("events.dead", replay=replay)


@admin_app.command("create")
def create_admin(
    email: str,
    name: str = "Admin",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
) -> None:
    """Make an operator's account."""
    _run("admin.create", email=email, password=password, name=name)


@admin_app.command("rotate-keys")
def rotate_keys() -> None:
    """Sign access tokens with a new key; nobody is logged out."""
    _run("admin.rotate-keys")


def _run(verb: str, **arguments: Any) -> None:
    asyncio.run(_show(_steps(_settings(), verb, arguments)))


async def _steps(settings: Settings, verb: str, arguments: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """From the running server when there is one, else from the home itself."""
    socket = control_socket.find(settings.home)
    if socket is not None:
        async for step in _remote(socket, verb, arguments):
            yield step
        return
    from api.local import run_here

    configure_logging("WARNING")
    async for step in run_here(settings, verb, arguments):
        yield step


async def _remote(socket: Path, verb: str, arguments: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with (
        httpx.AsyncClient(transport=transport, timeout=None, base_url="http://control") as client,  # noqa: S113 - an import takes its time
        client.stream("POST", "/run", json={"name": verb, "arguments": arguments}) as answer,
    ):
        async for line in answer.aiter_lines():
            yield orjson.loads(line)


async def _show(steps: AsyncIterator[dict[str, Any]]) -> None:
    """Progress bars for stages, plain lines for the rest."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as progress:
        bars: dict[str, TaskID] = {}
        async for step in steps:
            if "stage" in step:
                if step["stage"] not in bars:
                    bars[step["stage"]] = progress.add_task(step["stage"], total=step["of"])
                progress.update(bars[step["stage"]], completed=step["done"], total=step["of"])
            elif "error" in step:
                raise _Told(step["error"])
            else:
                progress.console.print(_line(step), soft_wrap=True, markup=False)


class _Told(CohortError):
    """A refusal the server has put into words."""


def _line(step: dict[str, Any]) -> str:
    if "said" in step:
        return str(step["said"])
    if "accounts" in step:
        return "\n".join(step["accounts"])
    if "report" in step:
        return _report(step["report"])
    return orjson.dumps(step, option=orjson.OPT_INDENT_2).decode()


def _report(report: dict[str, Any]) -> str:
    counts = ", ".join(f"{report[name]} {name}" for name in ("read", "created", "updated", "unchanged", "failed"))
    problems = [f"  line {problem['line']}: {problem['reason']}" for problem in report["problems"]]
    more = report["failed"] - len(problems)
    return "\n".join([counts, *problems, *([f"  and {more} more"] if more > 0 else [])])


if __name__ == "__main__":
    main()
