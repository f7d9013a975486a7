from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from tracker.identifiers import uuid7, uuid7_from

nanoseconds = st.integers(min_value=0, max_value=(1 << 48) * 1_000_000 - 1)
random_bits = st.integers(min_value=0, max_value=(1 << 62) - 1)


@given(nanoseconds, random_bits)
def test_every_identifier_has_the_version_and_variant_of_rfc_9562(moment: int, bits: int) -> None:
    made = uuid7_from(moment, bits)
    assert made.version == 7
    assert made.variant == RFC_4122


def test_the_example_of_rfc_9562_comes_out_as_printed_there() -> None:
    # Appendix A.6: 2022-02-22 14:22:22.00 -05:00, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    fraction = -(-0xCC3 * 1_000_000 // 4096)
    made = uuid7_from(1645557742000 * 1_000_000 + fraction, 0x18C4DC0C0C07398F)
    assert made == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@given(nanoseconds, nanoseconds, random_bits, random_bits)
def test_an_identifier_made_a_microsecond_later_sorts_later(
    first: int, second: int, bits: int, other_bits: int
) -> None:
    earlier, later = sorted((first, second))
    if later - earlier >= 1_000:
        assert uuid7_from(earlier, bits) < uuid7_from(later, other_bits)


def test_two_identifiers_of_one_moment_differ_in_62_random_bits() -> None:
    made = {uuid7().int & (1 << 62) - 1 for _ in range(1000)}
    assert len(made) == 1000
    for bit in range(62):
        assert len({value >> bit & 1 for value in made}) == 2, f"bit {bit} never changes"
