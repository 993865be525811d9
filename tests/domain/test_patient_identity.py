"""Who is the same person: what joins subjects, what keeps them apart, what a person must decide."""

from itertools import permutations

import pytest

from tumorresp.domain.patient_identity import (
    LinkDecisions,
    PatientId,
    PatientStatement,
    is_same_patient,
    names_agree,
    persons,
)

NAME = "Test^One"


def stated(value: str, *others: str | tuple[str, str], name: str = NAME, birth: str = "", issuer: str = ""):
    ids = tuple(PatientId(*((other,) if isinstance(other, str) else other)) for other in others)
    return PatientStatement(PatientId(value, issuer), ids, name, birth)


# What two subjects say, and whether they are joined (True), kept apart (False) or doubted (None).
PAIRS = {
    "nothing in common": (stated("P1"), stated("P2"), False),
    "the same name alone": (stated("P1", birth="19500101"), stated("P2", birth="19500101"), False),
    "one names the other": (stated("P1"), stated("H2", "P1"), True),
    "each names the other": (stated("P1", "H2"), stated("H2", "P1"), True),
    "the name was changed, the issuer says it": (
        stated("P1", issuer="A", name="Maiden^Eva"),
        stated("H2", ("P1", "A"), name="Married^Eva"),
        True,
    ),
    "the name was changed, the birth date says it": (
        stated("P1", name="Maiden^Eva", birth="19500101"),
        stated("H2", "P1", name="Married^Eva", birth="19500101"),
        True,
    ),
    "another issuer's ID of that value": (stated("1", issuer="A"), stated("H2", ("1", "B")), False),
    "another name, nothing to confirm": (stated("1", name="Somebody^Else"), stated("H2", "1"), None),
    "another birth date": (stated("P1", birth="19500101"), stated("H2", "P1", birth="19600101"), None),
    "another birth date, whatever the issuer": (
        stated("P1", issuer="A", birth="19500101"),
        stated("H2", ("P1", "A"), birth="19600101"),
        None,
    ),
    "no name": (stated("P1", name=""), stated("H2", "P1", name=""), True),
    "both name a third ID of one issuer": (stated("P1", ("N7", "STATE")), stated("H2", ("N7", "STATE")), True),
    "both name a third ID, one name": (stated("P1", "N7"), stated("H2", "N7"), True),
    "both name a third ID, no name": (stated("P1", "N7", name=""), stated("H2", "N7", name=""), None),
    "both name a third ID of two issuers": (stated("P1", ("N7", "A")), stated("H2", ("N7", "B")), False),
    "one ID of two issuers": (stated("1", issuer="A"), stated("1", issuer="B"), False),
    "an empty other ID": (stated("P1", ""), stated("P2", ""), False),
}


@pytest.mark.parametrize("situation", PAIRS)
def test_two_subjects(situation: str):
    one, other, is_one_person = PAIRS[situation]
    for first, second in ((one, other), (other, one)):
        found = persons({"s1": (first,), "s2": (second,)})
        assert found.joined == ((("s1", "s2"),) if is_one_person else ())
        assert bool(found.doubts) is (is_one_person is None)


def test_what_a_person_decides_outweighs_everything():
    one, other = stated("P1", birth="19500101"), stated("H2", "P1", birth="19600101")
    found = persons({"s1": (one,), "s2": (other,)}, LinkDecisions((("s2", "s1"), ("s1", "unknown"))))
    assert (found.joined, found.doubts) == ((("s1", "s2"),), ())


def test_a_chain_is_one_person_named_by_the_first():
    chain = {"a": (stated("A1", "B1"),), "b": (stated("B1"),), "c": (stated("C1", "B1"),), "d": (stated("D1"),)}
    for order in permutations(chain):
        (group,) = persons({key: chain[key] for key in order}).joined
        assert group == tuple(key for key in order if key != "d")


def test_no_doubt_tells_who_it_is():
    one, other = stated("P1", birth="19500101"), stated("H2", "P1", birth="19600101")
    (doubt,) = persons({"s1": (one,), "s2": (other,)}).doubts
    for secret in ("P1", "H2", "Test", "1950", "1960"):
        assert secret not in doubt.why


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (stated("P1"), stated("P1", name="Other^Name"), True),
        (stated("P1"), stated("P2"), False),
        (stated("P1", "P2"), stated("P2"), True),
        (stated("P1"), stated("P2", "P1"), True),
        (stated("P1", "N7"), stated("P2", "N7"), False),
        (stated("P1", issuer="A"), stated("P1", issuer="B"), False),
        (stated("P1", issuer="A"), stated("P1"), True),
        (stated(""), stated(""), False),
    ],
)
def test_ids_of_a_document_and_an_image(one: PatientStatement, other: PatientStatement, same: bool):
    assert is_same_patient(one, other) is is_same_patient(other, one) is same


def test_names_that_name_nobody_agree_with_none():
    assert names_agree(stated("1"), stated("2", name="TEST^ONE^^"))
    assert not names_agree(stated("1", name="Anonymous"), stated("2", name="Anonymous"))
    assert not names_agree(stated("1", name=""), stated("2", name=""))


@pytest.mark.parametrize(
    ("document", "images", "first"),
    [
        (stated("P1", "H2"), (stated("H2"),), "H2"),
        (stated("P1", "H2"), (stated("P1"),), "P1"),
        (stated("P1", "H2"), (stated("X"),), "P1"),
        (stated("P1", "H2", "N7"), (stated("X"), stated("N7")), "N7"),
    ],
)
def test_a_document_is_seen_from_its_images(
    document: PatientStatement, images: tuple[PatientStatement, ...], first: str
):
    seen = document.seen_from(images)
    assert seen.patient_id == PatientId(first)
    assert set(seen.ids) == set(document.ids)


def test_a_document_under_one_id_that_names_the_other_joins_both():
    document = stated("P1", "H2").seen_from([stated("H2")])
    assert persons({"s1": (stated("P1"),), "s2": (stated("H2"), document)}).joined == (("s1", "s2"),)
