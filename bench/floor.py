"""A process of its own: the least endpoint. It parses JSON, writes one durable row with group commit, and answers."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import uvicorn
from sqlalchemy.engine import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Row = tuple[str, str]
Write = Callable[[list[Row]], Awaitable[None]]

TABLE = "CREATE TABLE floor (delivery TEXT PRIMARY KEY, body TEXT NOT NULL)"


class Group:
    """Writes all that has arrived since its last commit; the same idea as the intake's, and nothing else."""

    def __init__(self, write: Write) -> None:
        self.write = write
        self.waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self.go = asyncio.Event()

    async def put(self, row: Row) -> None:
        done = asyncio.get_running_loop().create_future()
        self.waiting.append((row, done))
        self.go.set()
        await done

    async def run(self) -> None:
        while True:
            await self.go.wait()
            self.go.clear()
            held, self.waiting = self.waiting, []
            await self.write([row for row, _ in held])
            for _, done in held:
                done.set_result(None)


async def no_store(_rows: list[Row]) -> None:
    """Nothing is written: what HTTP and JSON alone cost."""


def sqlite(file: str) -> Write:
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", TABLE):
        connection.execute(statement)

    async def write(rows: list[Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO floor VALUES (?, ?)", rows)
        connection.execute("COMMIT")

    return write


async def postgres(url: str) -> Write:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    await connection.execute(TABLE)

    async def write(rows: list[Row]) -> None:
        deliveries, bodies = zip(*rows, strict=True)
        await connection.execute(
            "INSERT INTO floor SELECT * FROM unnest(%s::text[], %s::text[])", (list(deliveries), list(bodies))
        )

    return write


async def writer(url: str) -> Write:
    if url == "none":
        return no_store
    if url.startswith("sqlite"):
        return sqlite(make_url(url).database or "")
    return await postgres(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def main(port: int, url: str) -> None:
    groups: list[Group] = []

    async def take(request: Request) -> Response:
        body = await request.body()
        await groups[0].put((json.loads(body)["id"], body.decode()))
        return JSONResponse({"taken": 1})

    async def ready(_request: Request) -> Response:
        return JSONResponse({})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        groups.append(Group(await writer(url)))
        task = asyncio.create_task(groups[0].run())
        yield
        task.cancel()

    routes = [Route("/health/ready", ready), Route("/{path:path}", take, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes, lifespan=lifespan), port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
