"""The emulator's SOQL: what it finds, in which order, and what it refuses in which words."""

# ruff: noqa: S608 - SOQL for an emulator that has no database

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.sandbox.salesforce.ids import base62, checksum, new_id, to_18, world_id
from connectors.sandbox.salesforce.objects import standard_objects
from connectors.sandbox.salesforce.query import Engine
from connectors.sandbox.salesforce.soql_tree import SoqlError
from connectors.sandbox.salesforce.store import Org, Row, Table
from connectors.sandbox.salesforce.wire import java_number

NOW = datetime(2026, 3, 2, tzinfo=UTC)
OWNER = new_id("005", 1)


def stamped(day: int, second: int = 0) -> str:
    return f"2026-02-{day:02d}T08:00:{second:02d}.000+0000"


@pytest.fixture
def engine() -> Engine:
    org = Org(standard_objects())
    org.tables["User"].put(Row(Id=OWNER, Name="Ann", IsActive=True))
    rows: list[Mapping[str, Any]] = [
        {"Name": "Alpha", "Amount": 100.0, "CloseDate": "2026-03-01", "IsWon": True, "OwnerId": OWNER},
        {"Name": "beta", "Amount": 2.5e7, "CloseDate": "2026-04-01", "StageName": 'It\'s "new"'},
        {"Name": "Gamma_1", "CloseDate": "2026-05-01", "IsDeleted": True},
        {"Name": "100% sure", "Amount": 100.0},
    ]
    for number, row in enumerate(rows, 1):
        made = {"SystemModstamp": stamped(number), "CreatedDate": stamped(1)}
        org.tables["Opportunity"].put(Row(Id=new_id("006", number), **made, **row))
    return Engine(org)


def found(engine: Engine, where: str, *, everything: bool = False) -> list[str]:
    """Names of the opportunities, in the order of the answer."""
    query = f"SELECT Id FROM Opportunity {where}"
    _, answer = engine.run(query, everything=everything, base="", now=NOW)
    return [str(row["Name"]) for row in answer.rows]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("WHERE Amount = 100", ["Alpha", "100% sure"]),
        ("WHERE Amount != 100", ["beta"]),
        ("WHERE Amount = null", []),
        ("WHERE CloseDate != 2026-03-01", ["beta", "100% sure"]),
        ("WHERE CloseDate = null", ["100% sure"]),
        ("WHERE CloseDate != NULL", ["Alpha", "beta"]),
        ("WHERE Amount > 100", ["beta"]),
        ("WHERE Amount >= 1e2 AND Amount < 1000", ["Alpha", "100% sure"]),
        ("WHERE name = 'ALPHA'", ["Alpha"]),
        ("WHERE Name > 'alpha' AND Name <= 'BETA'", ["beta"]),
        ("WHERE StageName = 'It\\'s \"new\"'", ["beta"]),
        ("WHERE Name IN ('alpha', 'Beta')", ["Alpha", "beta"]),
        ("WHERE Name NOT IN ('alpha')", ["beta", "100% sure"]),
        ("WHERE StageName NOT IN ('x')", ["Alpha", "beta", "100% sure"]),
        ("WHERE Name LIKE 'AL%'", ["Alpha"]),
        ("WHERE Name LIKE '_eta'", ["beta"]),
        ("WHERE Name LIKE '100\\% %'", ["100% sure"]),
        ("WHERE NOT Name LIKE '%a'", ["100% sure"]),
        ("WHERE IsWon = true", ["Alpha"]),
        ("WHERE IsWon = false", ["beta", "100% sure"]),
        ("WHERE IsWon != TRUE", ["beta", "100% sure"]),
        ("WHERE CloseDate >= 2026-03-02", ["beta"]),
        ("WHERE SystemModstamp >= 2026-02-02T08:00:00Z AND SystemModstamp < 2026-02-04T08:00:00Z", ["beta"]),
        ("WHERE SystemModstamp = 2026-02-02T09:00:00+01:00", ["beta"]),
        ("WHERE SystemModstamp > 2026-02-02T08:00:00.000Z", ["100% sure"]),
        ("WHERE Owner.Name = 'Ann'", ["Alpha"]),
        ("WHERE Owner.IsActive = true", ["Alpha"]),
        ("WHERE Opportunity.Name = 'Alpha'", ["Alpha"]),
        (f"WHERE OwnerId = '{OWNER[:15]}'", ["Alpha"]),
        ("WHERE Amount = 100 AND (Name = 'Alpha' OR Name = 'beta')", ["Alpha"]),
        ("WHERE Name = 'Alpha' OR Name = 'beta' OR Amount = 100", ["Alpha", "beta", "100% sure"]),
        (f"WHERE Id IN ('{new_id('006', 2)}', '{new_id('006', 1)[:15]}', '{new_id('006', 9)}')", ["beta", "Alpha"]),
        (f"WHERE Id = '{new_id('006', 1)}' AND Amount = 5", []),
        ("WHERE Name = 'Alpha' limit 0", []),
    ],
)
def test_conditions_find(engine: Engine, where: str, names: list[str]) -> None:
    result = found(engine, where)

    assert result == names


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("ORDER BY Name", ["100% sure", "Alpha", "beta"]),
        ("ORDER BY Name DESC", ["beta", "Alpha", "100% sure"]),
        ("ORDER BY CloseDate", ["100% sure", "Alpha", "beta"]),
        ("ORDER BY CloseDate DESC", ["100% sure", "beta", "Alpha"]),
        ("ORDER BY CloseDate ASC NULLS LAST", ["Alpha", "beta", "100% sure"]),
        ("ORDER BY CloseDate DESC NULLS LAST", ["beta", "Alpha", "100% sure"]),
        ("ORDER BY Amount DESC NULLS LAST, Name ASC", ["beta", "100% sure", "Alpha"]),
        ("ORDER BY SystemModstamp, Id", ["Alpha", "beta", "100% sure"]),
        ("ORDER BY SystemModstamp DESC, Id DESC", ["100% sure", "beta", "Alpha"]),
        ("ORDER BY SystemModstamp DESC, Id ASC", ["100% sure", "beta", "Alpha"]),
        ("ORDER BY Owner.Name NULLS LAST, Name", ["Alpha", "100% sure", "beta"]),
        ("ORDER BY Name LIMIT 2", ["100% sure", "Alpha"]),
        ("ORDER BY Name LIMIT 2 OFFSET 1", ["Alpha", "beta"]),
    ],
)
def test_order_holds(engine: Engine, order: str, names: list[str]) -> None:
    result = found(engine, order)

    assert result == names


def test_deleted_rows_show_only_when_everything_is_asked(engine: Engine) -> None:
    result = found(engine, "WHERE Name LIKE 'gamma\\_1'"), found(engine, "WHERE IsDeleted = true", everything=True)

    assert result == ([], ["Gamma_1"])


def test_equal_stamps_are_ordered_by_id_both_ways(engine: Engine) -> None:
    table = engine.org.tables["Opportunity"]
    for row in list(table.rows.values()):
        table.put(Row({**row, "SystemModstamp": stamped(9)}))

    upwards, downwards = (
        found(engine, f"ORDER BY SystemModstamp {way}, Id {way}", everything=True) for way in ("ASC", "DESC")
    )

    assert upwards == ["Alpha", "beta", "Gamma_1", "100% sure"]
    assert downwards == upwards[::-1]


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        (
            "SELECT Id FORM Opportunity",
            "MALFORMED_QUERY",
            "\n          ^\nERROR at Row:1:Column:11\nunexpected token: 'FORM'",
        ),
        ("SELECT FROM Opportunity", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Opportunity WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Opportunity WHERE Name = 'x", "MALFORMED_QUERY", "unexpected token"),
        ('SELECT Id FROM Opportunity WHERE Name = "x"', "MALFORMED_QUERY", "unexpected token: '\"'"),
        ("SELECT Id FROM Opportunity WHERE Name == 'x'", "MALFORMED_QUERY", "unexpected token: '='"),
        ("SELECT Id FROM Opportunity GROUP BY Name", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
        ("SELECT Id FROM Opportunity LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT COUNT(Id) FROM Opportunity", "MALFORMED_QUERY", "unexpected token: 'COUNT(Id)'"),
        ("SELECT Id FROM Opportunity WHERE Amount = 1 AND Amount = 2 OR Amount = 3", "MALFORMED_QUERY", "token: 'OR'"),
        ("SELECT COUNT() FROM Opportunity ORDER BY Name", "MALFORMED_QUERY", "Ordered field must be grouped"),
        ("SELECT FIELDS(ALL) FROM Opportunity", "MALFORMED_QUERY", "LIMIT of at most 200"),
        (
            "SELECT Id, Foo__c FROM Opportunity",
            "INVALID_FIELD",
            "Column:12\nNo such column 'Foo__c' on entity 'Opportunity'",
        ),
        ("SELECT Owner.Foo FROM Opportunity", "INVALID_FIELD", "No such column 'Foo' on entity 'User'"),
        ("SELECT Chief.Name FROM Opportunity", "INVALID_FIELD", "Didn't understand relationship 'Chief'"),
        ("SELECT Id, ID FROM Opportunity", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported."),
        ("SELECT Id FROM Opportunity WHERE Foo = 1", "INVALID_FIELD", "No such column 'Foo'"),
        (
            "SELECT Id FROM Opportunity WHERE Amount = '1'",
            "INVALID_FIELD",
            "must be of type double and should not be enclosed",
        ),
        ("SELECT Id FROM Opportunity WHERE Name = 1", "INVALID_FIELD", "must be of type string and should be enclosed"),
        ("SELECT Id FROM Opportunity WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2026-01-01T00:00:00Z", "INVALID_FIELD", "must be of type date "),
        ("SELECT Id FROM Opportunity WHERE IsWon = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Opportunity WHERE OwnerId = 'Ann'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: Ann"),
        ("SELECT Id FROM Opportunity WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Opportunity WHERE Amount LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Opportunity WHERE IsWon > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM OpportunityFieldHistory ORDER BY NewValue", "MALFORMED_QUERY", "can not be sorted"),
    ],
)
def test_what_the_vendor_refuses_is_refused_in_its_words(engine: Engine, query: str, code: str, says: str) -> None:
    with pytest.raises(SoqlError) as refused:
        engine.run(query, everything=False, base="", now=NOW)

    assert refused.value.code == code
    assert says in refused.value.text


def test_row_and_column_count_from_one_and_over_lines(engine: Engine) -> None:
    with pytest.raises(SoqlError, match="ERROR at Row:2:Column:1\nNo such column 'Foo'"):
        engine.run("SELECT Id,\nFoo FROM Opportunity", everything=False, base="", now=NOW)


def test_json_has_the_selected_fields_in_order_with_nulls_and_parents(engine: Engine) -> None:
    query = "SELECT name, Amount, owner.name, IsWon, NextStep FROM Opportunity WHERE Name IN ('Alpha', 'beta')"

    _, answer = engine.run(query, everything=False, base="/services/data/v64.0", now=NOW)
    first, second = map(answer.write, answer.rows)

    url = "/services/data/v64.0/sobjects/"
    assert first == (
        f'{{"attributes":{{"type":"Opportunity","url":"{url}Opportunity/{new_id("006", 1)}"}},"Name":"Alpha","Amount":100.0,'
        f'"Owner":{{"attributes":{{"type":"User","url":"{url}User/{OWNER}"}},"Name":"Ann"}},"IsWon":true,"NextStep":null}}'
    )
    assert '"Amount":2.5E7,"Owner":null,"IsWon":false' in second


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0"), (5e4, "50000.0"), (9999999.0, "9999999.0"), (1e7, "1.0E7"), (12345678.9, "1.23456789E7"), (-2.5e9, "-2.5E9"),
     (0.001, "0.001"), (0.0005, "5.0E-4"), (1.086957, "1.086957"), (123456789012.34, "1.2345678901234E11")],
)  # fmt: skip
def test_doubles_look_as_java_prints_them(value: float, text: str) -> None:
    assert java_number(value) == text
    assert float(text) == value


@pytest.mark.parametrize("text", ["Zürich", "a\nb", 'say "hi"', "\\", "\u2028", "名"])
def test_odd_texts_survive_as_json(engine: Engine, text: str) -> None:
    engine.org.tables["Opportunity"].put(Row(Id=new_id("006", 1), Name=text, SystemModstamp=stamped(1)))

    _, answer = engine.run("SELECT Name FROM Opportunity LIMIT 1", everything=False, base="", now=NOW)

    assert json.loads(answer.write(answer.rows[0]))["Name"] == text


def test_ids_have_the_vendors_checksum() -> None:
    # Salesforce's own example: 001A0000006Vm9r becomes 001A0000006Vm9rIAC.
    assert checksum("001A0000006Vm9r") == "IAC"
    assert to_18("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert to_18("not an id") is None


def test_world_ids_are_kept_where_they_are_ids_and_made_from_the_text_alone_elsewhere() -> None:
    own, number, word = world_id("006", "006A0000006Vm9r"), world_id("006", "4711"), world_id("006", "deal-1")

    assert own == "006A0000006Vm9r" + checksum("006A0000006Vm9r")
    assert number == f"006Sb0{base62(4711)}" + checksum(f"006Sb0{base62(4711)}")
    assert base62(4711) == "0000001Dz"
    assert len({own, number, word, world_id("006", "deal-2"), world_id("006", "04711")}) == 5
    assert all(to_18(one) == one and one.startswith("006") for one in (own, number, word))


def test_the_index_follows_every_change() -> None:
    table = Table(standard_objects()["Opportunity"])
    ids = [new_id("006", number) for number in range(4)]
    for number, key in enumerate(ids):
        table.put(Row(Id=key, SystemModstamp=stamped(number + 1)))
    assert [row["Id"] for row in table.between(stamped(2), stamped(3))] == ids[1:3]

    table.put(Row(Id=ids[0], SystemModstamp=stamped(5)))
    table.put(Row(Id=ids[3], SystemModstamp=stamped(2, 30)))
    table.purge(ids[2])

    assert [row["Id"] for row in table.between(None, None)] == [ids[1], ids[3], ids[0]]
    assert [row["Id"] for row in table.between(stamped(2), stamped(3))] == [ids[1], ids[3]]
