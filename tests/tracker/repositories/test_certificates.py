from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tracker.models import Track, User
from tracker.repositories import certificates
from tracker.repositories.certificates import NUMBER_ALPHABET, certificate_number, is_well_formed

bodies = st.text(NUMBER_ALPHABET, min_size=9, max_size=9)


@given(bodies)
def test_every_number_is_well_formed_in_whatever_way_it_is_written(body: str) -> None:
    number = certificate_number(body)
    assert is_well_formed(number)
    assert is_well_formed(number.lower().replace("-", ""))


@given(bodies, st.integers(0, 9), st.sampled_from(NUMBER_ALPHABET))
def test_any_one_wrong_character_is_noticed(body: str, place: int, letter: str) -> None:
    plain = certificate_number(body).replace("-", "").removeprefix("LT")
    wrong = plain[:place] + letter + plain[place + 1 :]
    assert is_well_formed(f"LT{wrong}") is (wrong == plain)


def test_a_certificate_is_issued_once_and_found_by_its_number(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    user, track = make_user(), make_track()
    issued = certificates.issue(session, user.id, track)
    assert certificates.issue(session, user.id, track).id == issued.id
    assert certificates.find_by_number(session, issued.number.lower()) is issued
    assert certificates.find_by_number(session, certificate_number("000000000")) is None
    assert certificates.find_by_number(session, "nonsense") is None
    assert certificates.of_user(session, user.id) == [issued]


def test_a_certificate_outlives_its_track(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    user, track = make_user(), make_track()
    number = certificates.issue(session, user.id, track).number
    session.delete(track)
    session.flush()
    session.expire_all()
    found = certificates.find_by_number(session, number)
    assert found is not None
    assert (found.track_id, found.track_title) == (None, "SQL 101")
