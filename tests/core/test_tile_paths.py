"""Each tile has one path, and a path in any other writing names nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.tiles import tile_path as other_tile_path

from consent.core.tiles import MAX_INDEX, parse_tile_path, tile_path


@pytest.mark.parametrize(
    ("path", "level", "index", "width"),
    [
        ("0/000", 0, 0, 256),
        ("0/x001/x234/067", 0, 1_234_067, 256),
        ("0/x001/x234/067.p/5", 0, 1_234_067, 5),
        ("1/999", 1, 999, 256),
        ("1/x001/000", 1, 1000, 256),
        ("2/x001/x000/000.p/255", 2, 1_000_000, 255),
        ("63/000.p/1", 63, 0, 1),
        ("0/x009/x223/x372/x036/x854/x775/807", 0, MAX_INDEX, 256),
    ],
)
def test_a_tile_has_one_path(path, level, index, width):
    assert tile_path(level=level, index=index, width=width) == path
    assert parse_tile_path(path) == (level, index, width)


@given(st.integers(0, 63), st.integers(0, MAX_INDEX), st.integers(1, 256))
def test_a_path_names_the_tile_that_it_was_made_for(level, index, width):
    path = tile_path(level=level, index=index, width=width)
    assert parse_tile_path(path) == (level, index, width)
    assert path.split("/") == other_tile_path(level, index, width % 256)[1:]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/",
        "/0/000",
        "0/000/",
        "0/000\n",
        "0/0",
        "0/00",
        "0/0000",
        "00/000",
        "01/000",
        "64/000",
        "100/000",
        "-1/000",
        "+1/000",
        "0/-01",
        "0/x000/000",
        "0/x000/x001/000",
        "0/001/000",
        "0/x001",
        "0/x001/x000",
        "0/X001/000",
        "0/x1/000",
        "0//000",
        "0/../000",
        "0/000.p",
        "0/000.p/",
        "0/000.p/0",
        "0/000.p/05",
        "0/000.p/256",
        "0/000.p/999",
        "0/000.p/-1",
        "0/000.p5",
        "0/x001.p/5/000",
        "0/x009/x223/x372/x036/x854/x775/808",
        "0/x999/x999/x999/x999/x999/x999/999",
        "0/" + "x999/" * 2000 + "999",
        "0/٠٠٠",
        "٠/000",
        "0/000.p/٥",
        "entries/000",
        "entries/x001/000.p/5",
        "tile/0/000",
        "0/000?x",
        "0/000 ",
    ],
)
def test_a_path_in_any_other_writing_names_nothing(path):
    assert parse_tile_path(path) is None


@given(st.text(alphabet="0126x/.p٣ ", max_size=16))
def test_what_is_read_as_a_path_is_the_path_that_is_written(text):
    found = parse_tile_path(text)
    if found is not None:
        level, index, width = found
        assert tile_path(level=level, index=index, width=width) == text


@pytest.mark.parametrize(
    ("level", "index", "width"),
    [
        (-1, 0, 256),
        (64, 0, 256),
        (0, -1, 256),
        (0, MAX_INDEX + 1, 256),
        (0, 0, 0),
        (0, 0, 257),
    ],
)
def test_a_tile_that_cannot_be_has_no_path(level, index, width):
    with pytest.raises(ValueError, match="no tile"):
        tile_path(level=level, index=index, width=width)
