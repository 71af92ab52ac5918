"""World folders survive the way to disk and back, and refuse what would lose a cell."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.folder import COLUMNS, FolderSink, read_world, write_world


def test_cells_with_quotes_commas_newlines_and_chinese_come_back_as_they_were(tmp_path: Path) -> None:
    odd = ['say "no"', "a, b; c", "two\nlines", "林岚 – Zoë", "", " padded ", "=SUM(A1)"]
    people = [{"id": str(number), "name": name} for number, name in enumerate(odd)]

    write_world(tmp_path, {"people": people})

    assert [person["name"] for person in read_world(tmp_path)["people"]] == odd


def test_a_missing_file_is_an_empty_table(tmp_path: Path) -> None:
    write_world(tmp_path, {"people": [{"id": "1"}]})

    world = read_world(tmp_path)

    assert set(world) == set(COLUMNS)
    assert world["activities"] == []


def test_what_a_row_does_not_say_is_an_empty_cell(tmp_path: Path) -> None:
    write_world(tmp_path, {"accounts": [{"id": "1", "name": "Acme"}]})

    (account,) = read_world(tmp_path)["accounts"]

    assert account == {**dict.fromkeys(COLUMNS["accounts"], ""), "id": "1", "name": "Acme"}


def test_connection_and_other_columns_are_kept(tmp_path: Path) -> None:
    write_world(tmp_path, {"rates": [{"id": "1", "connection": "hubspot", "source": "bank"}]})

    (rate,) = read_world(tmp_path)["rates"]

    assert (rate["connection"], rate["source"]) == ("hubspot", "bank")
    assert list(rate)[:2] == ["id", "connection"]


def test_rows_may_come_from_a_generator(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, str]]:
        for number in range(3):
            yield {"id": str(number), "currency": "USD"}

    write_world(tmp_path, {"rates": rows()})

    assert [row["id"] for row in read_world(tmp_path)["rates"]] == ["0", "1", "2"]


def test_an_empty_table_still_has_its_header(tmp_path: Path) -> None:
    write_world(tmp_path, {"splits": []})

    assert (tmp_path / "splits.csv").read_text("utf-8") == ",".join(COLUMNS["splits"]) + "\n"


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("\ufeffid,name\r\n7,Lin\r\n", encoding="utf-8", newline="")

    assert read_world(tmp_path)["people"] == [{"id": "7", "name": "Lin"}]


def test_a_row_longer_than_its_header_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name\n1,Lin\n2,Tan, Uma\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"people\.csv: row 3 has more cells"):
        read_world(tmp_path)


def test_a_world_that_is_not_there_is_an_error_not_an_empty_company(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        read_world(tmp_path / "nowhere")


def test_a_table_that_no_world_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="deals"):
        write_world(tmp_path, {"deals": [{"id": "1"}]})


def test_a_cell_without_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="surprise"):
        write_world(tmp_path, {"people": [{"id": "1"}, {"id": "2", "surprise": "!"}]})


def test_a_streamed_row_must_fit_its_table(tmp_path: Path) -> None:
    with FolderSink(tmp_path, spread=True) as sink, pytest.raises(ValueError, match="rates"):
        sink.add("rates", ("1", "hubspot", "USD"))
