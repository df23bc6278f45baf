"""The ``tandem`` command. Each command's module is imported when it is called, so that ``--help`` answers at once."""

import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import click


class _Where(NamedTuple):
    """Where a command lives, and its line in the help (kept here so that help imports nothing)."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "demo": _Where("tandem.commands.demo", "demo", "Play the example athlete through all four services."),
    "load": _Where("tandem.commands.athlete", "load", "Training load per stream: acute, chronic, ratios, bands."),
    "readiness": _Where("tandem.commands.athlete", "readiness", "Today's readiness, its limiting factor, its gate."),
    "season": _Where("tandem.commands.athlete", "season", "The season's weeks: phase, targets, deloads, and why."),
    "check": _Where("tandem.commands.athlete", "check", "Check a proposed calendar against the rules."),
    "week": _Where("tandem.commands.athlete", "week", "Place a week's sessions so that nothing collides."),
    "advice": _Where("tandem.commands.athlete", "advice", "May this run follow this lift?"),
    "rules": _Where("tandem.commands.rules", "rules", "Check, test, explain and compare rule packs."),
    "serve": _Where("tandem.commands.run", "serve", "Run services in this process over a broker."),
    "up": _Where("tandem.commands.run", "up", "Run all four services, each in its own process."),
    "bus": _Where("tandem.commands.bus", "bus", "Declare what Tandem needs on the broker."),
    "tenant": _Where("tandem.commands.tenant", "tenant", "Add, list and remove tenants on the broker."),
    "db": _Where("tandem.commands.db", "db", "Upgrade or check the services' databases."),
    "asyncapi": _Where("tandem.commands.asyncapi", "asyncapi", "The bus as AsyncAPI 3.0, for client generators."),
    "athlete": _Where("tandem.commands.athlete_data", "athlete", "Export or erase all that is held of an athlete."),
    "parked": _Where("tandem.commands.parked", "parked", "List, show, replay and drop messages that were put aside."),
    "doctor": _Where("tandem.commands.doctor", "doctor", "What works on this machine, and what to do."),
}


_told: set[str] = set()


class LazyGroup(click.Group):
    """Looks commands up in ``COMMANDS`` and imports a module only when its command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        command: click.Command = getattr(importlib.import_module(where.module), where.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, where.summary) for name, where in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"no such command '{args[0]}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="tandem")
def tandem() -> None:
    """Plans running and lifting together.

    The commands that take an athlete FILE (YAML or JSON) compute offline: no broker, no database.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. Exit 0 = done, 2 = the input is wrong, 1 = we failed."""
    # nameko needs eventlet; whoever runs a command can do nothing about its notice.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    warnings.formatwarning = _told_plainly
    given = list(arguments) if arguments is not None else None
    try:
        # Outside its standalone mode click returns the code of an Exit; commands themselves return nothing.
        code = tandem.main(args=given, prog_name="tandem", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show(sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader (`| head`) has enough; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last resort, told to the caller with exit code 1
        _report_failure(error)
        sys.exit(1)


def _told_plainly(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Our own warnings are for whoever runs the command, each once; the others' for whoever writes it."""
    if category.__module__.partition(".")[0] not in {"shared", "services", "tandem"}:
        return f"{filename}:{lineno}: {category.__name__}: {message}\n"
    # Python tells each once too, but forgets what it told when a library changes the filters.
    if str(message) in _told:
        return ""
    _told.add(str(message))
    return f"tandem: {message}\n"


def _report_failure(error: Exception) -> None:
    if os.environ.get("TANDEM_TRACEBACK"):
        import traceback

        traceback.print_exc()
    if type(error).__name__ in {"OperationalError", "InterfaceError"} and hasattr(error, "orig"):  # SQLAlchemy's
        told = str(error.orig).partition("\n")[0]
        print(f"tandem: the database does not answer, or refuses: {told}", file=sys.stderr)
        print("tandem: start it, or set TANDEM_DATABASE_URL; tandem doctor says what is found", file=sys.stderr)
        return
    detail: Any = str(error) or "no message"
    print(f"tandem: failed: {type(error).__name__}: {detail}", file=sys.stderr)
    print("tandem: this is our mistake, not yours; TANDEM_TRACEBACK=1 shows where it happened", file=sys.stderr)
