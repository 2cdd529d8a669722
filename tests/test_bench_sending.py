"""The load generator loses no request, so that what it measures is what it sent."""

import asyncio

from bench import sending
from bench.sending import Answer, Orders

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_connection_that_closes_in_the_pause_costs_no_request() -> None:
    heard: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(1))
        writer.write(ANSWER)
        await asyncio.sleep(0.01)
        writer.close()

    async def run() -> list[Answer]:
        async with await asyncio.start_server(once, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            orders = Orders(port, [b"x"] * 20, connections=1, gap_s=0.05, patience_s=10)
            return await sending._send(orders)

    answers = asyncio.run(run())

    assert [(each.number, each.status) for each in answers] == [(number, 200) for number in range(20)]
    assert len(heard) == 20
