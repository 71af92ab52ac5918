"""Secrets in any state: marks of editors, wrong encodings, the secret itself where its name should stand."""

from pathlib import Path

import pytest

from connectors.errors import ConfigError
from connectors.secrets import Secret, looks_secret, parse_secret, veiled

TOKEN = "pat-na1-0f3e2d1c-aaaa-bbbb-cccc-1234567890ab"
HEX = "A7F03C19B2D84E6F90A1B2C3D4E5F607"


def test_a_mark_that_an_editor_put_in_front_of_a_secret_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbfvery-secret\r\n")

    assert Secret("file:token", tmp_path).reveal() == "very-secret"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"very-s\xe9cret", "file:token: is not UTF-8 text"),
        (b" \n", "file:token: the file is empty"),
        (b"x" * 70_000, "file:token: holds more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_named_and_not_quoted(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "token").write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        Secret("file:token", tmp_path).reveal()

    assert str(caught.value).startswith(says)
    assert "very" not in str(caught.value)


def test_a_variable_that_is_not_utf_8_is_a_mistake_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very-s\udce9cret")

    with pytest.raises(ConfigError, match="env:TOKEN: is not UTF-8 text"):
        Secret("env:TOKEN").reveal()


@pytest.mark.parametrize("name", [TOKEN, "1TOKEN", "MY TOKEN", "", "TÖKEN"])
def test_what_stands_after_env_must_be_the_name_of_a_variable(name: str) -> None:
    with pytest.raises(ValueError, match="after env: must be the name of a variable") as caught:
        parse_secret(f"env:{name}", Path())

    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("reference", [f"env:{HEX}", f"file:{TOKEN}", f"keyring:{TOKEN}/{HEX}"])
def test_a_secret_in_the_place_of_its_name_is_not_repeated(reference: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Secret(reference).reveal()

    assert HEX not in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("word", [TOKEN, HEX, "3MVG9lKcPoNINVBIPJjdw1J9LLJbP", "eyJhbGciOi", "1000.8cb99d.x"])
def test_credentials_are_seen(word: str) -> None:
    assert looks_secret(word)
    assert veiled(f"a {word}, b") == "a ***, b"


@pytest.mark.parametrize(
    "word",
    ["SF_PROD_CLIENT_SECRET_2024", "hs_v2_date_entered_closedwon", "Scoreback_Score__c", "0055g00000AbCdEfGH",
     "write_back.opportunity.NextStep", "client_credentials", "Deal_Score_2024_Q1__c"],
)  # fmt: skip
def test_names_are_left_alone(word: str) -> None:
    assert veiled(word) == word
