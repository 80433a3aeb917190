"""A plan as a person reads it in a shell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from arcane.client.show import clean


def show_plan(plan: Mapping[str, Any], console: Console) -> None:
    """The plan of a search stands on the console, a paragraph a datasource."""
    _show_question(plan, console)
    for source in plan["sources"]:
        _show_name(source, console)
        _show_part(source, console)


def show_measuring(plan: Mapping[str, Any], console: Console) -> None:
    """The plan of a metrics query stands on the console: each datasource's measurements, and what is made of them."""
    _show_question(plan, console)
    for source in plan["sources"]:
        _show_name(source, console)
        for part in source["measurements"]:
            where = f"measured here: {part['why']}" if part["hindrance"] else "measured there"
            console.print(Text.assemble("  ", (clean(part["query"]), "bold"), (f" is {clean(where)}.", "dim")))
            _show_part(part, console)
        if not source["measurements"]:
            console.print(Text("  It is asked nothing: no span can match.", style="dim"))
    console.print()
    _show_steps(plan["steps"], console)


def _show_question(plan: Mapping[str, Any], console: Console) -> None:
    console.print(Text(clean(plan["canonical"]), style="bold"))
    if plan["scope"]:
        console.print(Text(clean(f"in this project always also: {plan['scope']}"), style="dim"))
    for hint in plan["hints"]:
        console.print(Text(clean(f"with({hint['hint']}): {hint['effect']}"), style="dim"))


def _show_name(source: Mapping[str, Any], console: Console) -> None:
    console.print(Text.assemble("\n", (clean(source["name"]), "bold"), (f" ({clean(source['kind'])})", "dim")))


def _show_part(part: Mapping[str, Any], console: Console) -> None:
    _show_steps(part["steps"], console)
    for kept in part["kept"]:
        sent = f" It is asked for {kept['sent']} instead." if kept["sent"] else ""
        console.print(Text(clean(f"     {kept['condition']} is evaluated here: {kept['why']}.{sent}"), style="dim"))
    for request in part["requests"]:
        console.print(Text.assemble("\n  ", (request["method"], "bold"), " ", clean(request["target"])))
        for parameter in request["parameters"]:
            console.print(Text.assemble("    ", (clean(parameter["name"]), "dim"), " ", clean(parameter["value"])))
        if request["note"]:
            console.print(Text(f"    {clean(request['note'])}", style="dim"))


def _show_steps(steps: Sequence[str], console: Console) -> None:
    for number, step in enumerate(steps, start=1):
        console.print(Text(f"  {number}. {clean(step)}"))
