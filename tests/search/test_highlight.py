"""Highlights: the spans of a text that a query's words and phrases have, and nothing beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search import analyse, highlight
from app.search.query import Unclear, parse


def marked(text: str, q: str) -> list[str]:
    return [text[start:end] for start, end in highlight.spans(text, parse(q))]


@pytest.mark.parametrize(
    ("text", "q", "found"),
    [
        ("They were tortured; torture went on.", "torturing", ["tortured", "torture"]),
        ("A public execution. Public trials.", '"public execution"', ["public execution"]),
        ("A public execution. Public trials.", "public execution", ["public", "execution", "Public"]),
        ("Camps and campaigns", "camp*", ["Camps", "campaigns"]),
        ("Camps and surveillance", "surveilla*", ["surveillance"]),
        ("요덕 정치범수용소에서", "수용소", ["수용소"]),
        ("요덕 정치범수용소에서", "정치범수용소", ["정치범수용소"]),
        ("요덕 소식", "소", ["소"]),
        ("Sent to Yodŏk in 1970", "요덕", ["Yodŏk"]),
        ("Kim Jong-un's guards", "김정은", ["Kim Jong-un's"]),
        ("김정일은 Kim Chŏng-il, not Kim", "Kim Jong Il", ["김정일은", "Kim Chŏng-il", "Kim"]),
        ("요덕으로", "Yodok", ["요덕으로"]),
        ("the dan\u200dcer", "dancer", ["dan\u200dcer"]),
        ("😀 camp 😀", "camp", ["camp"]),
        ("camp prison", "camp -prison", ["camp"]),
        ("ﾔﾏﾀﾞ", "ヤマダ", ["ﾔﾏﾀﾞ"]),
        ("nothing of it", "camp", []),
        ("", "camp", []),
    ],
)
def test_words_are_found_as_they_are_written(text, q, found):
    assert marked(text, q) == found


def test_so_many_are_told_of_one_text():
    assert len(marked("camp " * 1_000, "camp")) == highlight.MOST


@given(st.text(max_size=200), st.text(max_size=60))
def test_spans_rise_lie_in_the_text_and_do_not_overlap(text, q):
    try:
        spans = highlight.spans(text, parse(q))
    except Unclear:
        return
    ends = [place for span in spans for place in span]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert ends == sorted(ends)


@given(st.text(alphabet=st.sampled_from("abctor ed요덕수용소 -'Kim"), min_size=1, max_size=80))
def test_every_word_of_a_text_is_found_in_it(text):
    for token in analyse.tokens(text):
        word = text[token.start : token.end]
        spans = highlight.spans(text, parse(f'"{word}"'))
        assert any(start <= token.start and token.end <= end for start, end in spans), (word, spans)
