"""Stream states, runs, watermarks, allowance, audit, results, tokens and the store's own keys."""

import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from connectors.errors import ConfigError
from connectors.secrets import Secret
from sync.store import state
from sync.store.books import StreamState, Token
from sync.store.engine import Store
from sync.store.meta import hash_key
from sync.store.results import NewResult, current_results, save_results
from sync.store.tokens import Tokens, default_key, open_key
from sync.store.unreadable import all_unreadable, forget_unreadable, note_unreadable
from sync.store.versions import SaveCounts

NOW = datetime(2025, 3, 31, 12, tzinfo=UTC)
DAY = date(2025, 3, 31)


def test_a_stream_never_read_has_a_blank_state(store: Store) -> None:
    with store.reading() as tx:
        found = state.load_state(tx, "sf", "opportunity")

    assert (found.cursor, found.full_done, found.rows, found.resume) == (None, False, 0, None)


def test_a_state_comes_back_as_it_was_saved(store: Store) -> None:
    known = StreamState(
        connection="sf", stream="opportunity", cursor=NOW, window_start=NOW, window_end=NOW + timedelta(hours=1),
        resume="page 2", mapping_hash="m", full_done=True, rows=7, deletions_until=NOW, deletions_at=NOW,
        metadata_at=NOW, pulled_at=NOW, last_error="away", last_error_at=NOW, stopped_reason="empty",
    )  # fmt: skip

    with store.writing() as tx:
        state.save_state(tx, StreamState(connection="sf", stream="opportunity"))
        state.save_state(tx, known)
        state.save_state(tx, StreamState(connection="hs", stream="call"))

    with store.reading() as tx:
        assert state.values_of(state.load_state(tx, "sf", "opportunity")) == state.values_of(known)
        assert [(row.connection, row.stream) for row in state.load_states(tx)] == [
            ("hs", "call"),
            ("sf", "opportunity"),
        ]
        assert [row.stream for row in state.load_states(tx, "hs")] == ["call"]


def test_runs_are_numbered_and_closed_with_a_summary(store: Store) -> None:
    with store.writing() as tx:
        first = state.start_run(tx, "pull", at=NOW, connection="sf", process="host:1")
        second = state.start_run(tx, "score", at=NOW)
        state.end_run(tx, first, at=NOW, status="done", summary={"rows": 3})

    with store.reading() as tx:
        latest, earlier = state.runs(tx, limit=2)
    assert (latest.id, latest.status, latest.ended_at) == (second, "running", None)
    assert (earlier.id, earlier.status, earlier.summary) == (first, "done", {"rows": 3})


def test_a_result_cannot_name_a_run_that_never_was(store: Store) -> None:
    with pytest.raises(IntegrityError), store.writing() as tx:
        save_results(tx, [result()], recorded_at=NOW, run=99)


def test_a_watermark_moves_by_name_and_connection(store: Store) -> None:
    with store.writing() as tx:
        state.set_watermark(tx, "score/opportunity", 5)
        state.set_watermark(tx, "score/opportunity", 9)
        state.set_watermark(tx, "score/opportunity", 3, "sf")

    with store.reading() as tx:
        assert state.get_watermark(tx, "score/opportunity") == 9
        assert state.get_watermark(tx, "score/opportunity", "sf") == 3
        assert state.get_watermark(tx, "other") == 0


def test_an_older_count_of_calls_does_not_lower_the_stored_one(store: Store) -> None:
    with store.writing() as tx:
        state.save_calls(tx, "key", DAY, 10)
        state.save_calls(tx, "key", DAY, 4)

        assert state.used_calls(tx, "key", DAY) == 10
        assert state.used_calls(tx, "key", DAY + timedelta(days=1)) == 0


def test_the_audit_trail_tells_the_latest_first(store: Store) -> None:
    with store.writing() as tx:
        state.note(tx, "admin", "plan_published", at=NOW, details={"plan": "ae", "version": 3})
        state.note(tx, "admin", "parked_retried", at=NOW)

    with store.reading() as tx:
        assert [(line.action, line.details) for line in state.notes(tx)] == [
            ("parked_retried", None),
            ("plan_published", {"plan": "ae", "version": 3}),
        ]


def test_a_fact_about_the_store_can_be_forgotten(store: Store) -> None:
    with store.writing() as tx:
        state.set_meta(tx, "key", "one")
        state.set_meta(tx, "key", "two")
        before = state.get_meta(tx, "key")
        state.set_meta(tx, "key", None)

        assert (before, state.get_meta(tx, "key")) == ("two", None)


def test_the_hashing_key_of_a_store_is_made_once(store: Store) -> None:
    first = hash_key(store)

    assert hash_key(store) == first
    assert len(first) == 32


def test_an_unreadable_row_is_noted_until_it_is_read_well(store: Store) -> None:
    with store.writing() as tx:
        note_unreadable(tx, "sf", "opportunity", {"1": "amount is a list", "2": "no id"}, at=NOW, run=None)
        note_unreadable(tx, "sf", "opportunity", {"1": "amount is a map"}, at=NOW, run=None)
        forget_unreadable(tx, "sf", "opportunity", ["2", "3"])
        forget_unreadable(tx, "hs", "opportunity", ["1"])

        assert [(row.remote_id, row.text) for row in all_unreadable(tx)] == [("1", "amount is a map")]


# results


def result(subject: str = "sf:1", score: int = 80, **changes: Any) -> NewResult:
    known: dict[str, Any] = {
        "kind": "opportunity", "as_of": DAY, "status": "ok", "digest": f"digest {score}", "score": Decimal(score),
        "grade": "A", "plan": "ae", "plan_version": 3, "payload": {"reasons": ["größer"]},
    }  # fmt: skip
    return NewResult(subject=subject, **{**known, **changes})


def save(store: Store, *results: NewResult) -> SaveCounts:
    with store.writing() as tx:
        return save_results(tx, results, recorded_at=NOW, run=None)


def test_a_result_is_stored_again_only_if_it_differs(store: Store) -> None:
    counts = [save(store, result()), save(store, result(as_of=DAY + timedelta(days=1))), save(store, result(score=70))]

    assert counts == [SaveCounts(new=1), SaveCounts(same=1), SaveCounts(changed=1)]
    with store.reading() as tx:
        (now,) = current_results(tx, "opportunity")
    assert (now.score, now.grade, now.payload, now.as_of) == (Decimal(70), "A", {"reasons": ["größer"]}, DAY)


def test_results_of_other_plans_and_periods_stand_beside_each_other(store: Store) -> None:
    save(store, result(), result(period="2025-Q1"), result(plan="sdr"), result(kind="person"), result("sf:2"))

    with store.reading() as tx:
        every = list(current_results(tx, "opportunity"))
        of_plan = [row.plan for row in current_results(tx, "opportunity", plan="sdr")]
        of_period = [row.period for row in current_results(tx, "opportunity", period="2025-Q1")]
        of_subject = [row.subject for row in current_results(tx, "opportunity", subjects=["sf:2", "sf:3"])]
    assert (len(every), of_plan, of_period, of_subject) == (4, ["sdr"], ["2025-Q1"], ["sf:2"])


def test_of_several_results_with_one_key_the_last_wins(store: Store) -> None:
    assert save(store, result(score=1), result(score=2)) == SaveCounts(new=1)


# tokens


@pytest.fixture
def tokens(store: Store, tmp_path: Path) -> Tokens:
    return Tokens(store, open_key(Secret("file:keys/token.key", tmp_path)))


def test_a_token_comes_back_and_only_the_latest(tokens: Tokens) -> None:
    tokens.save("sf", {"refresh_token": "one"})
    tokens.save("sf", {"refresh_token": "two"})

    assert tokens.load("sf") == {"refresh_token": "two"}
    assert tokens.load("hs") is None


def test_a_forgotten_token_is_gone(tokens: Tokens) -> None:
    tokens.save("sf", {"refresh_token": "one"})

    tokens.forget("sf")

    assert tokens.load("sf") is None


def test_a_token_is_not_readable_in_the_database(store: Store, tokens: Tokens) -> None:
    tokens.save("sf", {"refresh_token": "sandbox-secret"})

    with store.reading() as tx:
        ciphertext = tx.db.execute(select(state.book(Token).c.ciphertext)).scalar_one()
    assert "sandbox-secret" not in ciphertext


def test_another_key_is_told_from_a_missing_token(sqlite_store: Store, tmp_path: Path) -> None:
    Tokens(sqlite_store, open_key(Secret("file:one.key", tmp_path))).save("sf", {"refresh_token": "one"})

    with pytest.raises(ConfigError, match="stored under another key"):
        Tokens(sqlite_store, open_key(Secret("file:two.key", tmp_path))).load("sf")


def test_a_key_that_is_none_is_refused_with_advice(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREBACK_TEST_KEY", "sandbox")

    with pytest.raises(ConfigError, match="must be a Fernet key"):
        Tokens(sqlite_store, open_key(Secret("env:SCOREBACK_TEST_KEY"))).save("sf", {})


def test_a_link_in_the_place_of_a_keys_draft_does_not_get_the_key(sqlite_store: Store, tmp_path: Path) -> None:
    spied = tmp_path / "spied"
    spied.write_text("", encoding="utf-8")
    (tmp_path / f"token.key.{os.getpid()}.new").symlink_to(spied)

    Tokens(sqlite_store, open_key(Secret("file:token.key", tmp_path))).save("sf", {"refresh_token": "one"})

    assert spied.read_text(encoding="utf-8") == ""
    assert (tmp_path / "token.key").stat().st_mode & 0o777 == 0o600


def test_the_key_file_is_made_once_and_ours_alone(sqlite_store: Store, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        first = default_key(sqlite_store, tmp_path / "elsewhere").reveal()
        second = default_key(sqlite_store, tmp_path / "elsewhere").reveal()
    finally:
        os.umask(before)

    assert first == second
    assert (tmp_path / "token.key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if "key" in path.name) == ["token.key"]


def test_a_key_that_others_may_read_is_shut(tmp_path: Path) -> None:
    key = Secret("file:token.key", tmp_path)
    before = open_key(key).reveal()
    (tmp_path / "token.key").chmod(0o644)

    assert open_key(key).reveal() == before
    assert (tmp_path / "token.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_made_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="a key file that only its own user may read"):
        open_key(Secret("file:file/token.key", tmp_path))
