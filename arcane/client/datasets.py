"""`arcane datasets list`, `import` and `export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from arcane.client.commands import HERE, ApiKey, Url, instance_of, print_answer, told
from arcane.client.errors import ClientError, Exit
from arcane.client.instance import Instance
from arcane.client.listing import Column, Holds, print_table
from arcane.client.show import clean
from arcane.kit.whole import written_whole

datasets = typer.Typer(help="Datasets of a project: what there is, and files in and out.", no_args_is_help=True)

_ENDINGS = {"csv": "csv", "tsv": "csv", "txt": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}
_CHUNK = 256 * 1024
_PAGE = 200
_COLUMNS = (
    Column("name"),
    Column("rows", Holds.FIGURES),
    Column("version", Holds.FIGURES, spare=1),
    Column("columns", spare=2),
    Column("id", Holds.WHOLE),
)
Given = Annotated[str | None, typer.Option("--format", help="csv, jsonl or parquet; by default as the name ends.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer of the API.")]


@datasets.command("list")
def list_datasets(as_json: AsJson = False, url: Url = HERE, api_key: ApiKey = "") -> None:
    """Prints the datasets of the project. Exit code 4: refused."""
    with told():
        found = list(_all(instance_of(url, api_key)))
        print_answer({"items": found}, as_json=as_json, show=_show)


@datasets.command("import")
def import_dataset(
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet.", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(help="Name of the new dataset; by default the file's.")] = None,
    into: Annotated[str | None, typer.Option(help="A dataset, by name or id, that gets the rows.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="With --into: in place of the rows there.")] = False,
    type: Annotated[list[str] | None, typer.Option(help="A column's type: name:text, number, json, messages.")] = None,
    format: Given = None,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Imports a file whole, or not at all. Exit code 4: refused, with the first bad rows by line."""
    with told():
        instance = instance_of(url, api_key)
        asked: dict[str, Any] = {"format": _format(format, file), "type": type or []}
        if into is None:
            path, asked["name"] = "/datasets/imports", name or file.stem
        else:
            path = f"/datasets/{_id(instance, into)}/imports"
            asked["mode"] = "replace" if replace else "append"
        made = instance.upload(path, asked, _chunks(file))
        print_answer({"items": [made]}, as_json=False, show=_show)


@datasets.command("export")
def export_dataset(
    dataset: Annotated[str, typer.Argument(help="A dataset, by name or id.")],
    output: Annotated[Path | None, typer.Option(help="Where the file goes; by default to standard output.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="By default the newest.")] = None,
    split: Annotated[str | None, typer.Option(help="One split; by default all rows.")] = None,
    format: Given = None,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Writes a version of a dataset to a file, whole or not at all. Exit code 4: refused."""
    with told():
        instance = instance_of(url, api_key)
        asked = {"format": _format(format, output or Path("x.csv")), "version": version, "split": split}
        params = {key: value for key, value in asked.items() if value is not None}
        path = f"/datasets/{_id(instance, dataset)}/export"
        if output is None:
            instance.download(path, params, sys.stdout.buffer.write)
            return
        try:
            with written_whole(output) as out:
                instance.download(path, params, out.write)
        except OSError as exc:
            raise ClientError(f"cannot write {output}: {exc.strerror}", Exit.REFUSED) from exc


def _format(given: str | None, file: Path) -> str:
    found = given or _ENDINGS.get(file.suffix.lower().removeprefix("."))
    if found is None:
        raise ClientError(f"{file.name} does not say what it is: say --format", Exit.REFUSED)
    return found


def _all(instance: Instance) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = instance.get("/datasets", {"limit": _PAGE, **({"cursor": cursor} if cursor else {})})
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _id(instance: Instance, named: str) -> str:
    """Returns the id of the dataset that a person names."""
    for one in _all(instance):
        if named in (one["id"], one["name"]):
            return str(one["id"])
    raise ClientError(f"there is no dataset {named}", Exit.REFUSED)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as given:
        while chunk := given.read(_CHUNK):
            yield chunk


def _show(answer: dict[str, Any], console: Console) -> None:
    rows = []
    for one in answer["items"]:
        names = ", ".join(column["name"] for column in one["columns"])
        said = (clean(one["name"]), str(one["row_count"]), f"v{one['version']}", clean(names), one["id"])
        rows.append([Text(text) for text in said])
    print_table(_COLUMNS, rows, console)
