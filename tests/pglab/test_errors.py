from __future__ import annotations

from pglab import errors


def test_every_error_has_one_base_and_is_named_in_the_drawing() -> None:
    assert sorted(errors.__all__) == errors.__all__
    defined = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert set(defined) == set(errors.__all__)
    for name, value in defined.items():
        assert issubclass(value, errors.PglabError)
        assert value.__doc__
        assert name in (errors.__doc__ or "")
