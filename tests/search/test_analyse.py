"""The analyser: which terms a text has, and that offsets and terms of one word are those of the whole text."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.search import analyse, document, names


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Tortured prisoners' families", "tortur prison famili"),
        ("The guard's ﬁle", "the guard file"),
        ("ＣＡＭＰ １５", "camp 15"),
        ("Yodŏk Ch'ŏngjin", "yodok chongjin"),
        ("고문을", "고문 문을"),
        ("한", "한"),
        ("KPA의 北韓", "kpa 의 北韓"),
        ("ｶﾀｶﾅ", "カタ タカ カナ"),
        (unicodedata.normalize("NFD", "요덕"), "요덕"),
        ("ㄱ", "ᄀ"),
        ("A/HRC/25/63", "a hrc 25 63"),
        ("a_b", "a b"),
        ("ZQ zq15 zoo", "zzq zzq15 zoo"),
        ("soft\u00adhyphen", "softhyphen"),
        ("…!?", ""),
    ],
)
def test_terms_of_a_text(text, terms):
    assert analyse.terms(text)[0] == terms.split()


SIGNS = (*"a -_7.\t\u0301\u200b\u2010", " ", "Kim", "Jong", "un", "\u2019s", "김", "정은", "漢")


@given(st.lists(st.sampled_from(SIGNS), max_size=16).map("".join) | st.text(max_size=60))
@example("Kim " * 20 + "Jong-Un")
@example("정" * 50 + " Kim")
def test_the_terms_of_a_text_are_those_of_its_words(text):
    found = list(analyse.words(text))
    terms = [term for _, _, some, _, _ in found for term in some]
    assert analyse.terms(text) == (terms, [key for *_, named in found for _, key in named])


@pytest.mark.parametrize(
    ("hangul", "latin"),
    [
        ("요덕", ("Yodok", "Yodŏk", "Yodeok")),
        ("회령", ("Hoeryong", "Hoeryŏng", "Hoeryeong")),
        ("청진", ("Chongjin", "Ch'ŏngjin", "Cheongjin")),
        ("평양", ("Pyongyang", "P'yŏngyang", "Pyeongyang")),
        ("성택", ("Songtaek", "Seongtaek", "Sŏngt'aek", "Songthaek")),
        ("신의주", ("Sinuiju", "Sinŭiju", "Shinuiju")),
        ("개성", ("Kaesong", "Kaesŏng", "Gaeseong")),
        ("함흥", ("Hamhung", "Hamhŭng", "Hamheung")),
        ("전거리", ("Jongori", "Chŏngŏri", "Jeongeori")),
        ("신동혁", ("Shin Dong-hyuk", "Sin Tong-hyŏk", "Shin Donghyeok")),
        ("정광일", ("Jung Gwang-il", "Jeong Kwang-il", "Chung Kwang Il")),
        ("김정욱", ("Kim Jung-wook", "Kim Jong-uk", "Kim Chŏng-uk")),
        ("김영순", ("Kim Young-soon", "Kim Yong-sun", "Kim Yeong-sun")),
        ("윤현철", ("Yoon Hyun-chul", "Yun Hyon-chol", "Yun Hyeoncheol")),
        ("박명경", ("Park Myung-kyung", "Pak Myong-gyong", "Bak Myeong-gyeong")),
        ("안명철", ("Ahn Myong Chul", "An Myŏng-ch'ŏl", "Ahn Myung-chul")),
        ("이재근", ("Lee Jae Geun", "Ri Jae-gŭn", "Rhee Jae-keun", "Yi Chae-gŭn")),
        ("리재근", ("Lee Jae Geun", "Ri Jae-gun")),
        ("노희창", ("Roh Hui Chang", "Noh Hui-chang", "Ro Hŭi-ch'ang")),
        ("량강도", ("Ryanggangdo", "Yanggangdo")),
        ("전효빈", ("Jeon Hyo-Vin", "Chon Hyo-bin")),
        ("유우성", ("Yoo Woo-sung", "Ryu Usong")),
    ],
)
def test_a_name_has_one_key_in_every_spelling(hangul, latin):
    whole = [[str(names.of_latin(analyse.folded(part))) for part in re.split("[ -]", one)] for one in latin]
    assert {names.joined("".join(parts)) for parts in whole} == {names.of_hangul(hangul)}


@pytest.mark.parametrize(
    ("hangul", "latin"),
    [
        ("임현수", "Hyeon Soo Lim"),
        ("김혁철", "Hyuk-chul Kim"),
        ("노영학", "Young Hak Roh"),
        ("류경완", "Kyung-wan Ryu"),
    ],
)
def test_a_name_in_hangul_is_found_with_the_family_name_last(hangul, latin):
    keys = {names.joined("".join(map(str, map(names.of_latin, re.split("[ -]", latin.lower())))))}
    assert keys & set(names.family_last(hangul))
    assert names.family_last("요덕") == names.family_last("제15") == ()


@pytest.mark.parametrize("word", ["political", "camp", "prison", "family", "x", "15", "execution"])
def test_what_can_be_no_korean_name_has_no_key(word):
    assert names.of_latin(word) is None


def test_the_parts_of_a_name_are_a_name():
    assert "zqkimcoqun" in analyse.terms("Kim Jong-un")[1]
    assert "zqkimcoqun" in analyse.terms("김정은은")[1]
    assert analyse.terms("a song of un")[1] == []


def test_offsets_are_in_the_text_as_it_stands():
    text = "In Yodo\u0306k, 정치범 15"
    assert [text[one.start : one.end] for one in analyse.tokens(text)] == ["In", "Yodo\u0306k", "정치범", "15"]


@pytest.mark.parametrize("word", ["z", "zq", "zqq", "zqk", "za", "camp"])
def test_nothing_but_words_begins_like_the_beginning_of_a_word(word):
    begins = analyse.beginnings(word)
    ours = (analyse.KEY, document.HEAD, *analyse.terms("요덕 Kim Jong Un")[1])
    assert not any(term.startswith(begin) for term in ours for begin in begins)
    for rest in ("a", "z1", "oo", "\u00f8"):
        assert analyse.terms(word + rest)[0][0].startswith(begins)


@given(st.text())
@example("zq zqq zqkimcoqun zoo")
def test_any_text_has_terms_of_letters_and_digits_only(text):
    terms, keys = analyse.terms(text)
    assert all(one.isalnum() and len(one) <= analyse.MOST_LETTERS for one in (*terms, *keys))
    assert all(one.startswith(analyse.KEY) for one in keys) and not any(one.startswith(analyse.KEY) for one in terms)
    assert terms == [term for token in analyse.tokens(text) for term in token.terms]
