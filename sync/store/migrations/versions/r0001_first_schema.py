"""First schema: versions of every record kind, and the service's own books.

Columns are spelled ``name:type``, a trailing ``!`` for NOT NULL. Nothing here imports our tables: a revision describes the
schema of its day, whatever the tables become.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "moment": sa.DateTime(timezone=True),
    "date": sa.Date(),
    "bool": sa.Boolean(),
    "int": sa.Integer(),
    "big": _BIG,
}

_VERSION = (
    "connection:text! recorded_at:moment! content_hash:text! current:bool! first_load:bool! run:big stamped_at:moment"
)
_RECORD = "remote_id:text! modified_at:moment deleted:bool!"
_RECORDS = {
    "person": """name:text email:text active:bool manager_id:text team:text territory:text region:text role:text
        started_on:date ended_on:date""",
    "account": "name:text parent_id:text owner_id:text industry:text region:text created_at:moment",
    "stage": "pipeline:text stage:text! label:text position:big outcome:text probability:text qualified:bool",
    "opportunity": """name:text account_id:text owner_id:text pipeline:text stage:text outcome:text amount:text currency:text
        created_at:moment close_on:date closed_at:moment type:text source:text product:text probability:text
        forecast_category:text next_step:text discount:text external_id:text merged_into:text extra:text""",
    "change": "record:text! record_id:text! field:text! old:text new:text at:moment by:text",
    "activity": """kind:text! owner_id:text opportunity_id:text account_id:text contact_ids:text participant_ids:text
        direction:text two_way:bool auto_logged:bool created_at:moment planned_at:moment completed_at:moment
        duration_seconds:big subject_hash:text""",
    "split": "opportunity_id:text! person_id:text! percentage:text kind:text!",
    "line_item": "opportunity_id:text! product:text quantity:text amount:text",
    "target": """subject_kind:text! subject_id:text metric:text! period_start:date! period_end:date! amount:text
        currency:text""",
    "forecast": """owner_id:text! period_start:date! period_end:date! layer:text! category:text amount:text currency:text
        reason:text at:moment""",
    "survey": """person_id:text account_id:text opportunity_id:text scale:text! answer:text sent_at:moment
        answered_at:moment""",
    "payment": "opportunity_id:text amount:text currency:text paid_on:date kind:text!",
    "contract": "account_id:text! recurring_amount:text currency:text start_on:date end_on:date",
    "absence": "person_id:text! start_on:date! end_on:date! paid:bool",
    "rate": "currency:text! to:text! rate:text on:date! until:date",
    "rating": "subject_id:text! rater_id:text! item:text! rating:text note:text rated_at:moment",
}
# table: name, columns, condition
_LOOKUPS = {
    "person": [("modified", "connection modified_at", "current")],
    "account": [
        ("modified", "connection modified_at", "current"),
        ("parent", "connection parent_id", "current AND parent_id IS NOT NULL"),
    ],
    "opportunity": [
        ("modified", "connection modified_at", "current"),
        ("owner", "connection owner_id", "current"),
        ("account", "connection account_id", "current"),
        ("external", "external_id", "current AND external_id IS NOT NULL"),
    ],
    "change": [
        ("record", "connection record record_id", "current"),
        ("to_owner", "connection new", "current AND field = 'owner_id'"),
        ("from_owner", "connection old", "current AND field = 'owner_id'"),
    ],
    "activity": [
        ("modified", "connection modified_at", "current"),
        ("opportunity", "connection opportunity_id", "current"),
        ("owner", "connection owner_id", "current"),
    ],
    "split": [("opportunity", "connection opportunity_id", "current"), ("person", "connection person_id", "current")],
    "line_item": [("opportunity", "connection opportunity_id", "current")],
    "payment": [("opportunity", "connection opportunity_id", "current")],
}
# table: (primary key, or "" for a number of its own; columns)
_BOOKS = {
    "stream_state": (
        "connection stream",
        """connection:text! stream:text! cursor:moment window_start:moment window_end:moment resume:text mapping_hash:text
        full_done:bool! rows:int! deletions_until:moment deletions_at:moment metadata_at:moment pulled_at:moment
        last_error:text last_error_at:moment stopped_reason:text""",
    ),
    "run": (
        "id",
        """command:text! connection:text started_at:moment! ended_at:moment status:text! summary:text process:text""",
    ),
    "result": (
        "seq",
        """kind:text! subject:text! plan:text! plan_version:int period:text! as_of:date! score:text grade:text status:text!
        payload:text! digest:text! recorded_at:moment! run:big current:bool!""",
    ),
    "outbox": (
        "id",
        """connection:text! record:text! target:text! remote_id:text! fields:text! digest:text! created_at:moment! run:big
        attempts:int! next_try_at:moment state:text! code:text text:text""",
    ),
    "pushed": (
        "connection record target remote_id",
        "connection:text! record:text! target:text! remote_id:text! fields:text! accepted_at:moment! run:big",
    ),
    "held": (
        "connection record target remote_id",
        "connection:text! record:text! target:text! remote_id:text! fields:text!",
    ),
    "push_log": (
        "id",
        """run:big connection:text! record:text! target:text! remote_id:text! before:text after:text! digest:text!
        accepted:bool! code:text text:text at:moment!""",
    ),
    "unreadable": (
        "connection stream remote_id",
        "connection:text! stream:text! remote_id:text! text:text! at:moment! run:big",
    ),
    "watermark": ("name connection", "name:text! connection:text! seq:big!"),
    "baseline": ("name period day", "name:text! period:text! day:date! payload:text! digest:text! version:int!"),
    "plan_version": (
        "plan version",
        """plan:text! version:int! digest:text! text:text! effective_from:date! effective_to:date published_at:moment!""",
    ),
    "token": ("connection", "connection:text! ciphertext:text!"),
    "allowance": ("key day", "key:text! day:date! calls:int!"),
    "audit": ("id", "at:moment! who:text! action:text! details:text"),
    "meta": ("key", "key:text! value:text!"),
}
_NUMBERED_FOREVER = ("result", "outbox", "push_log", "audit")
_OF_A_RUN = ("result", "outbox", "pushed", "push_log")


def _columns(spelling: str) -> list[sa.Column[object]]:
    columns: list[sa.Column[object]] = []
    for word in spelling.split():
        name, _, kind = word.partition(":")
        columns.append(sa.Column(name, _TYPES[kind.rstrip("!")], nullable=not kind.endswith("!")))
    return columns


def _index(table: str, name: str, columns: str, where: str, *, unique: bool = False) -> None:
    label = f"{'uq' if unique else 'ix'}_{table}_{name}"
    condition = sa.text(where)
    op.create_index(label, table, columns.split(), unique=unique, sqlite_where=condition, postgresql_where=condition)


def _create_book(name: str, key: str, spelling: str) -> None:
    parts: list[sa.schema.SchemaItem] = list(_columns(spelling))
    if key in ("id", "seq"):
        parts.insert(0, sa.Column(key, _BIG, primary_key=True, nullable=False))
    else:
        parts.append(sa.PrimaryKeyConstraint(*key.split()))
    if name in _OF_A_RUN:
        parts.append(sa.ForeignKeyConstraint(["run"], ["run.id"]))
    if name == "outbox":
        parts.append(sa.UniqueConstraint("connection", "record", "remote_id", "target", name="uq_outbox_record"))
    op.create_table(name, *parts, sqlite_autoincrement=name in _NUMBERED_FOREVER)


def upgrade() -> None:
    """Creates every table."""
    for name, spelling in _RECORDS.items():
        number = sa.Column("seq", _BIG, primary_key=True, nullable=False)
        op.create_table(name, number, *_columns(f"{_VERSION} {_RECORD} {spelling}"))
        _index(name, "current", "connection remote_id", "current", unique=True)
        _index(name, "past", "connection remote_id", "NOT current")
        for lookup in _LOOKUPS.get(name, ()):
            _index(name, *lookup)
    for name, (key, spelling) in _BOOKS.items():
        _create_book(name, key, spelling)
    _index("result", "current", "kind subject plan period", "current", unique=True)
    _index("result", "past", "kind subject plan period", "NOT current")
    op.create_index("ix_outbox_next", "outbox", ["connection", "record", "target", "state", "id"])
    op.create_index("ix_push_log_run", "push_log", ["run"])
    op.create_index("ix_push_log_record", "push_log", ["connection", "record", "remote_id"])


def downgrade() -> None:
    """Takes every table away."""
    for name in (*reversed(_BOOKS), *reversed(_RECORDS)):
        op.drop_table(name)
