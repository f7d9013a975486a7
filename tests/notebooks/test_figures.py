"""Figures: a plot, its data and its words, the same bytes on every machine."""

import base64
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.notebook import NoAlternativeText, NotebookError, figure, picture
from kit.notebook.scales import number, scale
from kit.notebook.svg import _DARK, _LIGHT, Drawing, shortened, width_of

ALT = "Lazy loading sends a hundred statements, the others two."
ROWS = [("lazy", 101, 4.2), ("selectin", 2, None)]
COLUMNS = ("strategy", "statements", "ms")
SVG = "{http://www.w3.org/2000/svg}"


def drawing(shown):
    """The SVG inside of the image."""
    [encoded] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown.html)
    return ElementTree.fromstring(base64.b64decode(encoded))


def words(svg):
    return [text.text for text in svg.iter(f"{SVG}text")]


def test_a_figure_is_an_image_with_alternative_text_and_its_data_behind_a_disclosure():
    shown = figure(ROWS, COLUMNS, title="Strategies", alt=ALT)
    assert f'<img alt="{ALT}"' in shown.html
    [disclosure] = re.findall(r"<details>(.*)</details>", shown.html)
    assert '<th scope="row">lazy</th><td>101</td><td>4.2</td>' in disclosure
    assert shown.text.startswith(f"Strategies\n{ALT}\nstrategy ")
    assert "lazy      101" in shown.text


def test_the_image_says_what_it_shows_by_itself():
    svg = drawing(figure(ROWS, COLUMNS, title="Strategies", alt=ALT))
    assert svg.get("role") == "img"
    assert svg.find(f"{SVG}title").text == "Strategies"
    assert svg.find(f"{SVG}desc").text == ALT


@pytest.mark.parametrize("kind", ["bars", "lines", "points"])
def test_the_bytes_are_the_same_each_time(kind):
    rows = [(1, 2.5), (3, 1)]
    one, two = (figure(rows, ("x", "y"), kind=kind, title="T", alt=ALT) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("alt", ["", "  ", "a bar chart", "Figure of the statements"])
def test_a_figure_without_words_for_who_does_not_see_it_is_an_error(alt):
    with pytest.raises(NoAlternativeText, match="says what is to be seen"):
        figure(ROWS, COLUMNS, title="Strategies", alt=alt)
    with pytest.raises(NoAlternativeText):
        picture("<svg/>", title="Mine", alt=alt)


def test_what_is_written_is_escaped():
    shown = figure([("<b>&", 1)], ("<i>", "<u>"), title="<script>", alt=f"{ALT} <x> \"'")
    assert not re.search(r"<(b|i|u|script|x)>", shown.html)
    assert "<b>&" in words(drawing(shown))


def test_bars_are_as_long_as_their_values():
    svg = drawing(figure([("a", 10), ("b", 5), ("c", -5)], ("n", "v"), title="T", alt=ALT))
    bars = [r for r in svg.iter(f"{SVG}rect") if r.get("fill") == "var(--s0)"]
    ten, five, minus = (float(bar.get("width")) for bar in bars)
    assert ten == pytest.approx(2 * five, abs=0.2)
    assert minus == pytest.approx(five, abs=0.2)
    assert float(bars[2].get("x")) < float(bars[0].get("x"))


def test_lines_leave_out_what_is_missing():
    rows = [(1, 1, None), (2, None, 2), (3, 3, 3)]
    svg = drawing(figure(rows, ("x", "a", "b"), kind="lines", title="T", alt=ALT))
    marks = [p.get("fill") for p in svg.iter(f"{SVG}path") if p.get("transform")]
    drawn = marks[2:]  # the first two are in the legend
    assert (drawn.count("var(--s0)"), drawn.count("var(--s1)")) == (2, 2)


def test_each_series_has_a_dash_and_a_marker_of_its_own():
    rows = [(x, *range(x, x + 5)) for x in (1, 2)]
    svg = drawing(figure(rows, ("x", *"abcde"), kind="lines", title="T", alt=ALT))
    lines = [p for p in svg.iter(f"{SVG}path") if p.get("stroke-width") == "2"]
    assert len({line.get("stroke-dasharray") for line in lines}) == 5
    assert len({p.get("d") for p in svg.iter(f"{SVG}path") if p.get("transform")}) == 5


@pytest.mark.parametrize(
    ("rows", "columns", "how", "says"),
    [
        ([], ("x", "y"), {}, "rows is empty"),
        ([(1, 2, 3)], ("x", "y"), {}, "has 3 values, and columns names 2"),
        ([(1,)], ("x",), {}, "1 to 5 series"),
        ([(1, *range(6))], ("x", *"abcdef"), {}, "1 to 5 series"),
        ([("a", "b")], ("x", "y"), {}, "'b' in the row"),
        ([("a", True)], ("x", "y"), {}, "is no number"),
        ([("a", 1)], ("x", "y"), {"kind": "lines"}, "'a' in the row"),
        ([("a", 1)], ("x", "y"), {"kind": "pie"}, "choose 'bars'"),
        ([("a", 0)], ("x", "y"), {"log": True}, "no place for 0"),
        ([(1, None)], ("x", "y"), {"kind": "lines"}, "every value is None"),
        ([(str(n), n) for n in range(61)], ("x", "y"), {}, "More than 60 bars"),
    ],
)
def test_what_cannot_be_drawn_is_told(rows, columns, how, says):
    with pytest.raises(NotebookError, match=says):
        figure(rows, columns, title="T", alt=ALT, **how)


def test_a_picture_of_ones_own_has_the_same_duties():
    shown = picture("<svg>mine</svg>", title="Mine", alt=ALT, rows=[("a", 1)], columns=("n", "v"))
    assert f'<img alt="{ALT}"' in shown.html
    assert "<details>" in shown.html


finite = st.floats(-1e9, 1e9, allow_nan=False).filter(lambda v: v == 0 or abs(v) > 1e-6)


@given(st.lists(finite, min_size=1, max_size=20), st.booleans())
def test_every_value_has_a_place_on_its_scale(values, zero):
    found = scale(values, 100, 500, log=False, zero=zero)
    assert all(99.9 <= found(value) <= 500.1 for value in values)
    assert 2 <= len(found.ticks) <= 13


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20))
def test_every_positive_value_has_a_place_on_a_logarithmic_scale(values):
    found = scale(values, 500, 100, log=True, zero=True)
    assert all(99.9 <= found(value) <= 500.1 for value in values)


@given(st.integers(-(10**14), 10**14) | finite)
def test_a_number_that_is_written_is_about_the_number(value):
    written = float(number(value).replace(",", ""))
    assert written == pytest.approx(value, rel=1e-3, abs=1e-6)


def luminance(color):
    def linear(part):
        part /= 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, two):
    """Source: WCAG 2.2, "contrast ratio"."""
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [_LIGHT, _DARK], ids=["light", "dark"])
def test_colors_can_be_seen_on_their_paper(colors):
    for name in ("ink", "quiet", "good", "bad", "wait"):
        assert contrast(colors[name], colors["paper"]) >= 4.5, name
        assert contrast(colors[name], colors["soft"]) >= 4.5, name
    for name in ("line", *(f"s{n}" for n in range(5))):
        assert contrast(colors[name], colors["paper"]) >= 3, name


@given(st.text(max_size=60), st.floats(20, 300))
def test_a_shortened_text_fits(text, most):
    short = shortened(text, most)
    assert width_of(short) <= most
    assert short == text or short.endswith("…")


def test_a_drawing_loads_nothing_from_elsewhere():
    text = str(Drawing(10, 10)).replace("http://www.w3.org/2000/svg", "")
    assert "http" not in text
    assert "url(#" not in text.replace("url(#arrow)", "").replace("url(#h", "")
