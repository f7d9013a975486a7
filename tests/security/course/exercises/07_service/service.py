async def app(scope, receive, send):
    raise NotImplementedError
