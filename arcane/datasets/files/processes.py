"""The processes that read and write files, seen from the backend: bounded in number and time, each gone when done."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import msgspec

from arcane.datasets.files.request import ReadAnswer, ReadRequest, UnreadableFile
from arcane.kit.logging import get_logger
from arcane.kit.problems import BodyTooLarge
from arcane.settings import DatasetSettings

log = get_logger("arcane.datasets")

_READ = "arcane.datasets.files.convert"
_WRITE_PARQUET = "arcane.datasets.files.parquet"
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileProcesses:
    """Temporary folders, and the processes that work in them."""

    limits: DatasetSettings
    at_once: anyio.CapacityLimiter

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Gives a folder that is gone after the block."""
        with tempfile.TemporaryDirectory(prefix="arcane-dataset-") as made:
            yield Path(made)

    async def receive(self, chunks: AsyncIterator[bytes], path: Path) -> None:
        """What arrives stands at `path`; raises BodyTooLarge."""
        most, size = self.limits.file_bytes_max, 0
        async with await anyio.open_file(path, "wb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise BodyTooLarge(f"a file may have {most} bytes", max_bytes=most)
                await file.write(chunk)

    async def read(self, request: ReadRequest) -> ReadAnswer:
        """Returns what the file holds; raises UnreadableFile."""
        try:
            with anyio.fail_after(self.limits.file_s):
                async with self.at_once:
                    command = [sys.executable, "-m", _READ]
                    done = await anyio.run_process(command, input=msgspec.json.encode(request), stderr=None)
        except TimeoutError:
            raise UnreadableFile("reading the file takes too long") from None
        except subprocess.CalledProcessError as exc:
            log.error("dataset_file_not_read", format=request.format.value, code=exc.returncode)
            raise UnreadableFile("the file could not be read") from None
        answer = msgspec.json.decode(done.stdout, type=ReadAnswer)
        if answer.error:
            raise UnreadableFile(answer.error)
        return answer

    @asynccontextmanager
    async def parquet(self, path: Path) -> AsyncIterator[anyio.abc.ByteSendStream]:
        """Gives where lines go that make the Parquet file at `path`; it is there after the block."""
        async with self.at_once:
            command = [sys.executable, "-m", _WRITE_PARQUET, str(path)]
            async with await anyio.open_process(command, stdout=subprocess.DEVNULL, stderr=None) as process:
                if process.stdin is None:
                    raise UnreadableFile("the file could not be written")
                yield process.stdin
                await process.stdin.aclose()
                if await process.wait() != 0:
                    raise UnreadableFile("the file could not be written")


async def chunks_of(path: Path) -> AsyncIterator[bytes]:
    """Yields the file at `path`."""
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(_CHUNK):
            yield chunk
