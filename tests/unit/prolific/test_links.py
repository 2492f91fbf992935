"""Who a link says is coming."""

import pytest

from listening.prolific import PLACEHOLDERS, Link, LinkError, PreviewLinkError, completion_url

QUERY = {"PROLIFIC_PID": "a" * 24, "STUDY_ID": "b" * 24, "SESSION_ID": "c" * 24}


def test_a_link_says_who_is_coming_and_can_be_written_again():
    link = Link.from_query(QUERY)
    assert (link.participant_id, link.study_id, link.submission_id) == tuple(QUERY.values())
    assert link.query == "&".join(f"{name}={value}" for name, value in QUERY.items())
    assert all(f"{name}={{{{%{name}%}}}}" in PLACEHOLDERS for name in QUERY)


@pytest.mark.parametrize("session", ["035orbpf1pk3", "035ORBPF1PK3"])
def test_the_preview_of_prolific_is_recognised(session):
    with pytest.raises(PreviewLinkError, match="preview"):
        Link.from_query({**QUERY, "SESSION_ID": session})


@pytest.mark.parametrize("session", ["", "{{%SESSION_ID%}}", "c" * 25, "../../etc", "12345"])
def test_what_is_merely_broken_is_no_preview(session):
    with pytest.raises(LinkError, match="SESSION_ID") as caught:
        Link.from_query({**QUERY, "SESSION_ID": session})
    assert not isinstance(caught.value, PreviewLinkError)


def test_the_stand_ins_preview_is_one(prolific, client, remote_draft):
    from urllib.parse import parse_qsl, urlsplit

    url = prolific.preview(client.create_study(remote_draft).id)
    with pytest.raises(PreviewLinkError):
        Link.from_query(dict(parse_qsl(urlsplit(url).query)))


def test_the_code_stands_escaped_in_the_completion_address():
    assert completion_url("A B&C") == "https://app.prolific.com/submissions/complete?cc=A+B%26C"
