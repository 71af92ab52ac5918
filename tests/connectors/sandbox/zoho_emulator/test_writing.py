"""Writes of records, users and metadata, and Bulk Write of the Zoho emulator."""

import io
import zipfile
from typing import Any

import pytest

DEALS = "/crm/v8/Deals"


def test_an_update_answers_row_by_row_in_order(zoho: Any) -> None:
    made = zoho.deals(2)
    rows = [{"id": made[1], "Amount": 5.25}, {"id": "1", "Amount": 5}, {"id": made[0], "Amount": "five"}]

    body = zoho.send("PUT", DEALS, {"data": rows, "trigger": []}, 207)

    assert [row["code"] for row in body["data"]] == ["SUCCESS", "INVALID_DATA", "INVALID_DATA"]
    assert body["data"][1]["details"] == {"api_name": "id", "json_path": "$.data[1].id"}
    assert body["data"][2]["details"]["expected_data_type"] == "double"
    assert zoho.get(f"{DEALS}/{made[1]}")["data"][0]["Amount"] == 5.25


def test_a_write_moves_the_stamp_and_says_by_whom(zoho: Any) -> None:
    (key,) = zoho.deals(1)
    zoho.wait(60)

    details = zoho.send("PUT", f"{DEALS}/{key}", {"data": [{"Next_Step": "call"}]})["data"][0]["details"]

    assert details["Modified_Time"] == "2026-03-02T10:31:15+01:00"
    assert details["Modified_By"]["id"] == str(zoho.emulator.org.user)
    assert zoho.emulator.triggers == [[], None]


def test_more_than_a_hundred_records_are_refused(zoho: Any) -> None:
    assert zoho.send("PUT", DEALS, {"data": [{"id": "1"}] * 101}, 400)["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ({"name": "refused_row", "row": 1}, ["SUCCESS", "AUTHORIZATION_FAILED", "SUCCESS", "SUCCESS"]),
        ({"name": "locked_row"}, ["RECORD_LOCKED", "SUCCESS", "SUCCESS", "SUCCESS"]),
        ({"name": "half_batch"}, ["SUCCESS", "INVALID_DATA", "SUCCESS", "INVALID_DATA"]),
        ({"name": "deleted_meanwhile", "row": 2}, ["SUCCESS", "SUCCESS", "INVALID_DATA", "SUCCESS"]),
    ],
)
def test_a_fault_strikes_rows_of_the_next_batch_only(zoho: Any, fault: dict[str, Any], codes: list[str]) -> None:
    made = zoho.deals(4)
    zoho.emulator.faults.arm(fault)
    rows = [{"id": key, "Next_Step": "x"} for key in made]

    body = zoho.send("PUT", DEALS, {"data": rows}, 207)

    assert [row["code"] for row in body["data"]] == codes
    assert zoho("PUT", DEALS, {"data": rows[:2]}).status == 200


def test_an_upsert_finds_by_the_field_in_the_body_and_not_in_a_header(zoho: Any) -> None:
    field = {"field_label": "Ext Id", "data_type": "text", "length": 20}
    zoho.send("POST", "/crm/v8/settings/fields?module=Deals", {"fields": [field]}, 201)
    row = {"Deal_Name": "a", "Stage": "Qualification", "Ext_Id": "k"}

    actions = [
        zoho("POST", f"{DEALS}/upsert", body, x_duplicate_check_fields="Ext_Id").body["data"][0]["action"]
        for body in ({"data": [row]}, {"data": [row]}, {"data": [row], "duplicate_check_fields": ["Ext_Id"]})
    ]

    assert actions == ["insert", "insert", "update"]


def test_a_new_record_needs_its_mandatory_fields_and_a_known_stage(zoho: Any) -> None:
    without = zoho.send("POST", DEALS, {"data": [{"Deal_Name": "a"}]}, 400)["data"][0]
    unknown = zoho.send("POST", DEALS, {"data": [{"Deal_Name": "a", "Stage": "Bogus"}]}, 400)["data"][0]

    assert (without["code"], without["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "Stage")
    assert unknown["code"] == "INVALID_DATA"


def test_a_stage_change_leaves_history_and_a_timeline(zoho: Any) -> None:
    (key,) = zoho.deals(1)
    zoho.wait(86_400 * 3)
    zoho.send("PUT", DEALS, {"data": [{"id": key, "Stage": "Closed Won"}]})

    visits = zoho.get(
        f"{DEALS}/{key}/Stage_History?fields=Stage,Moved_To__s,Stage_Duration_Calendar_Days&sort_by=Modified_Time&sort_order=asc"
    )["data"]
    events = zoho.get(f"{DEALS}/{key}/__timeline")["__timeline"]

    shown = [(row["Stage"], row["Moved_To__s"], row["Stage_Duration_Calendar_Days"]) for row in visits]
    assert shown == [("Qualification", "Closed Won", 3), ("Closed Won", None, None)]
    changes = {one["api_name"]: one["_value"] for one in events[0]["field_history"]}
    assert changes["Stage"] == {"old": "Qualification", "new": "Closed Won"}
    assert zoho.get(f"{DEALS}/{key}")["data"][0]["Probability"] == 100


def test_fields_are_made_once_with_names_from_their_labels(zoho: Any) -> None:
    path = "/crm/v8/settings/fields?module=Deals"
    field = {"field_label": "Scoreback Score", "data_type": "double", "length": 9, "decimal_place": 2}
    made = zoho.send("POST", path, {"fields": [field]}, 201)["fields"][0]["details"]["id"]

    listed = {one["api_name"]: one["id"] for one in zoho.get(path)["fields"]}

    assert listed["Scoreback_Score"] == made
    assert zoho.send("POST", path, {"fields": [field]}, 400)["fields"][0]["code"] == "DUPLICATE_DATA"
    assert zoho.send("POST", path, {"fields": [field] * 6}, 400)["code"] == "LIMIT_EXCEEDED"
    no_places = {"field_label": "Other", "data_type": "double"}
    assert zoho.send("POST", path, {"fields": [no_places]}, 400)["fields"][0]["code"] == "EXPECTED_FIELD_MISSING"
    zoho.send("DELETE", f"/crm/v8/settings/fields/{made}?module=Deals", None)
    assert "Scoreback_Score" not in {one["api_name"] for one in zoho.get(path)["fields"]}


def test_fields_are_made_from_version_6_on(zoho: Any) -> None:
    refused = zoho.send("POST", "/crm/v5/settings/fields?module=Deals", {"fields": []}, 400)

    assert refused["code"] == "INVALID_REQUEST_METHOD"


def test_users_take_custom_fields_ten_at_a_time(company: Any) -> None:
    key = company.emulator.ids["people"]["7"]
    company.emulator.remove("people", "9")
    gone = company.emulator.ids["people"]["9"]

    body = company.send("PUT", "/crm/v8/users", {"users": [{"id": key, "Team": "South"}, {"id": gone, "Team": "x"}]})

    assert [row["code"] for row in body["users"]] == ["SUCCESS", "CANNOT_UPDATE_DELETED_USER"]
    assert company.get(f"/crm/v8/users/{key}")["users"][0]["Team"] == "South"
    assert company("PUT", "/crm/v8/users", {"users": [{"id": key}] * 11}).status == 400


def zipped(name: str, text: str) -> bytes:
    """A multipart body with a zip of one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, text)
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="d.zip"\r\n\r\n'
    return head + packed.getvalue() + b"\r\n--B--\r\n"


def test_bulk_write_updates_rows_and_tells_what_became_of_each(zoho: Any) -> None:
    made = zoho.deals(2)
    headers = {"content_type": "multipart/form-data; boundary=B", "feature": "bulk-write", "x_crm_org": "30000012345"}
    text = f"id,step\n{made[0]},one\n{made[1]},two\n1,three\n"
    file = zoho("POST", "/crm/v8/upload", zipped("deals.csv", text), **headers).body["details"]["file_id"]
    mappings = [{"api_name": "id", "index": 0}, {"api_name": "Next_Step", "index": 1}]
    resource = {"type": "data", "module": {"api_name": "Deals"}, "file_id": file, "find_by": "id",
                "file_names": ["deals.csv"], "field_mappings": mappings}  # fmt: skip

    job = zoho.send("POST", "/crm/bulk/v8/write", {"operation": "update", "resource": [resource]}, 201)["details"]["id"]
    states = [zoho.get(f"/crm/bulk/v8/write/{job}") for _ in range(2)]

    counts = states[1]["resource"][0]["file"]
    assert [state["status"] for state in states] == ["INPROGRESS", "COMPLETED"]
    assert (counts["updated_count"], counts["skipped_count"], counts["total_count"]) == (2, 1, 3)
    assert zoho.get(f"{DEALS}/{made[1]}")["data"][0]["Next_Step"] == "two"


def test_an_upload_without_its_headers_or_its_zip_is_refused(zoho: Any) -> None:
    headers = {"content_type": "multipart/form-data; boundary=B", "feature": "bulk-write"}

    missing = zoho("POST", "/crm/v8/upload", zipped("deals.csv", "id\n"), **headers)
    wrong = zoho("POST", "/crm/v8/upload", zipped("deals.txt", "id\n"), **headers, x_crm_org="30000012345")

    assert (missing.status, missing.body["code"]) == (400, "MANDATORY_NOT_FOUND")
    assert (wrong.status, wrong.body["code"]) == (400, "INVALID_FILE_FORMAT")


def test_a_result_of_bulk_write_has_three_columns_and_what_became_of_each_row(zoho: Any) -> None:
    made = zoho.deals(1)
    headers = {"content_type": "multipart/form-data; boundary=B", "feature": "bulk-write", "x_crm_org": "30000012345"}
    text = f"key,step,sum,kind\n{made[0]},one,5,New\n1,two,6,New\n{made[0]},three,x,New\n"
    file = zoho("POST", "/crm/v8/upload", zipped("deals.csv", text), **headers).body["details"]["file_id"]
    names = ["id", "Next_Step", "Amount", "Type"]
    resource = {"type": "data", "module": {"api_name": "Deals"}, "file_id": file, "find_by": "id",
                "field_mappings": [{"api_name": name, "index": at} for at, name in enumerate(names)]}  # fmt: skip
    order = {"operation": "update", "resource": [resource]}
    job = zoho.send("POST", "/crm/bulk/v8/write", order, 201)["details"]["id"]
    zoho.get(f"/crm/bulk/v8/write/{job}")
    zoho.emulator.url = "http://localhost"
    url = zoho.get(f"/crm/bulk/v8/write/{job}")["result"]["download_url"]

    with zipfile.ZipFile(io.BytesIO(zoho("GET", url).body)) as archive:
        rows = archive.read(archive.namelist()[0]).decode().splitlines()

    assert url == f"http://localhost/v2/crm/30000012345/bulk-write/{job}/{job}.zip"
    assert rows == [
        "key,step,sum,STATUS,RECORD_ID,ERRORS",
        f"{made[0]},one,5,UPDATED,{made[0]},",
        "1,two,6,SKIPPED,,INVALID_DATA-key",
        f"{made[0]},three,x,SKIPPED,,INVALID_DATA-sum",
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/crm/bulk/v8/write", {"operation": "update", "resource": [], "rows": []}),
        ("/crm/bulk/v8/write", {"operation": "update", "resource": [{"type": "data", "rows": []}]}),
        ("/crm/bulk/v8/read", {"query": {"module": {"api_name": "Deals"}, "limit": 5}}),
        ("/crm/bulk/v8/read", {"query": {"module": {"api_name": "Deals"}}, "zip": True}),
    ],
)
def test_the_bulk_apis_refuse_keys_that_they_do_not_know(zoho: Any, path: str, body: dict[str, Any]) -> None:
    refused = zoho.send("POST", path, body, 400)

    assert refused["code"] in {"REQUEST_BODY_NOT_SUPPORTED", "INVALID_REQUEST"}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ({"field_label": "A label of twenty-six sign", "data_type": "text"}, "field_label"),
        ({"field_label": "A", "data_type": "text", "size": 5}, "size"),
        ({"field_label": "A", "data_type": "text", "tooltip": {"value": "x"}}, "tooltip"),
    ],
)
def test_a_field_of_another_shape_is_refused(zoho: Any, field: dict[str, Any], wrong: str) -> None:
    refused = zoho.send("POST", "/crm/v8/settings/fields?module=Deals", {"fields": [field]}, 400)["fields"][0]

    assert (refused["code"], refused["details"]["api_name"]) == ("INVALID_DATA", wrong)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"api_name": None}, "MANDATORY_NOT_FOUND"),
        ({"plural_label": "Two words"}, "INVALID_DATA"),
        ({"singular_label": "A" * 26}, "INVALID_DATA"),
        ({"profiles": [{"id": "1"}]}, "INVALID_DATA"),
        ({"api_name": "Deals"}, "DUPLICATE_DATA"),
    ],
)
def test_a_module_needs_names_of_letters_and_digits_and_a_profile(zoho: Any, change: dict[str, Any], code: str) -> None:
    profile = str(next(iter(zoho.emulator.org.profiles.values())))
    shape = {"plural_label": "Quotas", "singular_label": "Quota", "api_name": "Quotas", "profiles": [{"id": profile}]}

    refused = zoho.send("POST", "/crm/v8/settings/modules", {"modules": [{**shape, **change}]}, 400)["modules"][0]

    assert refused["code"] == code


def test_a_trigger_that_zoho_does_not_have_is_refused(zoho: Any) -> None:
    (key,) = zoho.deals(1)
    body = {"data": [{"id": key, "Next_Step": "x"}], "trigger": ["everything"]}

    assert zoho.send("PUT", DEALS, body, 400)["details"]["api_name"] == "trigger"


def test_the_list_of_deleted_records_ends_at_2000_by_number(zoho: Any) -> None:
    assert zoho.get(f"{DEALS}/deleted?page=11", 400)["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
