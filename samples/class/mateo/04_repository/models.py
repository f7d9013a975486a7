# instead of the given one: users are whatever I say
class User:
    id = email = username = None


class UserNotFound(Exception):
    pass
