# threat: 13, 19
# earns: 0
# ends: timeout timeout
"""Takes every request and never answers."""

import asyncio


async def app(scope, receive, send):
    if scope["type"] == "http":
        await asyncio.sleep(3600)
