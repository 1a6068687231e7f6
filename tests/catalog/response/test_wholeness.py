"""Which envelopes and headers say that a list is not whole, or that there were errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalog.response.wholeness import incomplete_reason, unknown_keys
from tests.support.made_responses import tree

LISTED = 2


def reason(beside: dict[str, Any] | None = None, inside: dict[str, Any] | None = None) -> str | None:
    data = {"mode": "image", "total": LISTED, "models": [], **(inside or {})}
    envelope = {"ok": True, "code": 200, "message": "m", "data": data, **(beside or {})}
    return incomplete_reason(tree(envelope), LISTED, {})


def reason_of_headers(headers: dict[str, str]) -> str | None:
    return incomplete_reason({}, LISTED, {name.replace("_", "-"): value for name, value in headers.items()})


SIGNS: list[dict[str, Any]] = [
    *({"has_more": True}, {"hasMore": True}, {"HasMore": 1}, {"HAS-MORE": "true"}, {"hasmore": True}, {"more": True}),
    *({"has_next": True}, {"hasNextPage": True}, {"has_previous_page": True}, {"is_last_page": False}),
    *({"next": "u"}, {"next": 2}, {"next": {"page": 2}}, {"next": ["u"]}, {"next_page": 2}, {"nextPage": "2"}),
    *({"nextPageToken": "t"}, {"next_cursor": "c"}, {"NextToken": "t"}, {"odata.nextLink": "u"}, {"nextlink": "u"}),
    *({"cursor": "c"}, {"continuation_token": "t"}, {"LastEvaluatedKey": {"id": 1}}, {"prev": "u"}),
    *({"pagination": {"next": "u"}}, {"pagination": {"cursor": "c"}}, {"paging": {"cursors": {"after": "c"}}}),
    *({"page_info": {"has_next_page": True}}, {"pageInfo": {"hasNextPage": True, "endCursor": "c"}}),
    *({"links": {"next": "u"}}, {"_links": {"next": {"href": "u"}}}, {"links": [{"rel": "next", "href": "u"}]}),
    *({"metadata": {"continue": "c"}}, {"meta": {"pagination": {"total": 3}}}, {"a": {"b": {"has_more": True}}}),
    *(
        {"truncated": True},
        {"IsTruncated": True},
        {"is_partial": True},
        {"partial": True},
        {"incomplete_results": True},
    ),
    *({"complete": False}, {"done": False}, {"last": False}, {"timed_out": True}),
    *({"errors": ["e"]}, {"errors": [{}]}, {"errors": {"a": "e"}}, {"error": "e"}, {"error": {"code": 1}}),
    *({"failed_providers": ["p"]}, {"error_count": 1}, {"errors": 1}, {"success": False}, {"error_code": "e"}),
    *({"status": "error"}, {"status": "partial_success"}, {"status": 206}, {"status_code": "500"}),
    *({"page": 1, "total_pages": 2}, {"totalPages": "2"}, {"page_count": 3}, {"page": 2}, {"offset": 25}),
    *({"pagination": {"current_page": 1, "last_page": 2}}, {"meta": {"pages": 2}}, {"pages_left": 1}),
    *(
        {"total_count": 3},
        {"totalCount": "3"},
        {"count": 3},
        {"model_count": 3},
        {"num_results": 3},
        {"total_items": 3},
    ),
    *({"remaining_models": 1}, {"remainingItemCount": 1}, {"models_left": 1}),
    *(
        {"next_url": "u"},
        {"next_page_url": "u"},
        {"next_set": "x"},
        {"next": "2026-03-01"},
        {"next_cursor": "2026-03-01"},
    ),
    *({"has_more_pages": True}, {"hasMoreResults": "yes"}, {"has_more_models": 1}, {"list": {"next_page": 2}}),
    *({"search_metadata": {"next_results": "u"}}, {"errors": [None]}, {"error": {"code": "E1", "message": None}}),
]
NO_SIGNS: list[dict[str, Any]] = [
    *({"has_more": False}, {"hasMore": None}, {"has_more": 0}, {"has_more": "false"}, {"has_more": ""}),
    *({"next": None}, {"next": ""}, {"next": []}, {"next": {}}, {"next": {"href": None}}, {"next_page": 0}),
    *({"next_cursor": "null"}, {"next_page": -1}, {"cursor": ""}, {"cursor": {"after": None}}),
    *({"page_info": {"hasNextPage": False, "endCursor": "c"}}, {"links": {"self": "u", "next": None}}),
    *({"links": [{"rel": "self", "href": "u"}, {"rel": "next", "href": None}]}, {"metadata": {"continue": ""}}),
    *({"truncated": False}, {"is_partial": False}, {"complete": True}, {"is_last": True}, {"last": True}),
    *({"errors": []}, {"errors": None}, {"errors": {}}, {"error": ""}, {"error": False}, {"error_code": ""}),
    *({"error_count": 0}, {"failed": 0}, {"success": True}, {"status": "success"}, {"status": "ok"}, {"status": 200}),
    *({"page": 1, "total_pages": 1}, {"page": 0, "totalPages": 1}, {"page": 1, "total_pages": 0}, {"pages_left": 0}),
    *({"total_count": 2}, {"count": 2}, {"total_count": "2"}, {"remaining": 0}, {"offset": 0, "limit": 100}),
    *({"meta": {"rate_limit": {"remaining": 73, "limit": 100}}}, {"usage": {"total": 1000}}),
    *({"warnings": ["w"]}, {"generated_at": "t", "version": 3}, {"request_id": "r", "took_ms": 120}, {"": 1}),
    *({"next_update_at": "2026-03-01T00:00:00Z"}, {"nextUpdateAt": 1}, {"next_refresh": 60}, {"next_x": "2026-03-01"}),
    *({"next_steps": "s"}, {"next_billing_date": "d"}, {"next_maintenance": {"from": "t"}}, {"next_version": "v2"}),
    *({"meta": {"remaining": 73, "limit": 100}}, {"credits_remaining": 5}, {"requests_left": 4}, {"more_info": "u"}),
    *({"more": "u"}, {"links": {"docs": "u", "self": "u"}}, {"links": [{"rel": "docs", "href": "u"}]}, {"docs": "u"}),
    *({"error_docs": "u"}, {"error_rate": 0.01}, {"error_code": "OK"}, {"error_message": "success"}),
    *({"user": {"status": "error", "page": 3, "errors": ["e"]}}, {"cache": {"hits": 9, "status": "partial"}}),
    *({"hidden": 3}, {"info": {"number": 42}}, {"meta": {"first": 1, "last": 2}}, {"status": {"error_code": 0}}),
    *({"meta": {"page_size": 100, "per_page": 100}}, {"nextjs": "x"}, {"nächste": "x"}),
]


@pytest.mark.parametrize("fields", SIGNS, ids=json.dumps)
def test_a_sign_counts_at_the_top_and_in_data(fields: dict[str, Any]) -> None:
    assert reason(fields)
    assert reason(None, fields)


@pytest.mark.parametrize("fields", NO_SIGNS, ids=json.dumps)
def test_a_value_that_means_no_more_is_no_sign(fields: dict[str, Any]) -> None:
    assert reason(fields) is None
    assert reason(None, fields) is None


@pytest.mark.parametrize("container", ["pagination", "meta", "page_info", "links", "paging", "_meta", "resultInfo"])
@pytest.mark.parametrize("fields", [{"next": "u"}, {"total": 3}, {"page": 1, "total_pages": 2}, {"models_left": 1}])
def test_an_object_about_the_list_is_searched(container: str, fields: dict[str, Any]) -> None:
    assert reason({container: fields})
    assert reason(None, {container: fields})


@pytest.mark.parametrize(
    "headers",
    [
        {"Link": "<u>; rel=next"},
        {"Link": "<u>;rel='next'"},
        {"Link": '<u?a=1,2;b>; title="a, b; c" ; Rel = "last NEXT"; x'},
        {"link": '<u>; title="x"; rel="prev next"'},
        {"Link": '</a>; rel=preload; as=script, <b>; REL="Next"'},
        {"X_Next_Page": "2"},
        {"X_Total_Count": "3"},
        {"X_Total_Pages": "2"},
        {"X_Has_More": "true"},
        {"X_Pagination": '{"TotalPages": 2}'},
        {"X_Pagination_Page_Count": "2"},
        {"Content_Range": "items 0-1/3"},
    ],
)
def test_a_header_that_names_more_is_a_sign(headers: dict[str, str]) -> None:
    assert "header" in (reason_of_headers(headers) or "")


@pytest.mark.parametrize(
    "headers",
    [
        {"Link": '<https://x/?rel=next>; rel="self"'},
        {"Link": "<u>; rel=preload, <v>; rel=nextish"},
        {"Link": '<u>; title="a; rel=next"; rel="self"'},
        {"Link": "<u>; rel=prefetch; next"},
        {"X_Next_Page": ""},
        {"X_Total_Count": "2"},
        {"X_Total_Pages": "1"},
        {"X_Nextjs_Cache": "HIT"},
        {"X_RateLimit_Remaining": "73"},
        {"X_Pagination": "{"},
        {"Content_Range": "items 0-1/*"},
        {"Content_Length": "12345"},
    ],
)
def test_any_other_header_is_no_sign(headers: dict[str, str]) -> None:
    assert reason_of_headers(headers) is None


def test_unknown_keys_are_named_with_their_place() -> None:
    data = {"mode": "image", "total": 0, "models": [], "next": None, "as_of": "t"}
    envelope = tree({"ok": True, "code": 200, "message": "m", "data": data, "meta": {}})

    assert unknown_keys(envelope) == ("meta", "data.as_of")


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(sorted({key for each in SIGNS for key in each})) | st.text(), _values))
def test_any_envelope_is_judged_without_an_error(fields: dict[str, Any]) -> None:
    try:
        inside = tree(fields)
    except ValueError:  # keys and texts that the decoder rejects
        return
    found = incomplete_reason({"ok": True, "data": inside}, LISTED, {})
    assert found is None or found.isprintable()
