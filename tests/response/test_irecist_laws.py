"""What must hold of iRECIST in every course of disease."""

from dataclasses import replace
from decimal import Decimal
from itertools import compress
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.response.courses import visits
from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.measurement import LesionRole
from tumorresp.response import Visit, assess_recist_1_1
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.irecist_over_time import counting_iupd, irecist_progression_date
from tumorresp.response.irecist_parameters import (
    EarlyScan,
    ImprovementReference,
    IrecistParameters,
    LateScan,
    NonTargetState,
)
from tumorresp.response.irecist_state import I_FORM
from tumorresp.response.subject import dated_responses

SIZES = st.integers(8, 60).map(lambda halves: f"{Decimal(halves) / 2}")
TARGETS = st.one_of(SIZES, st.sampled_from(["absent", "small", "ne"]))
NON_TARGETS = st.sampled_from(["", "NT01=present", "NT01=absent", "NT01=pd", "NT01=20/pd", "NT01=21", "NT01=ne"])
NEW = st.sampled_from(["", "", "", "=6", "=7/pd", "=12", "=17", "=absent", "=equivocal", "=ne", "=small"])
NEW_NODES = st.sampled_from(["", "", "", "=9", "=11", "=16", "=21", "=absent", "=equivocal"])
PARAMETERS = st.builds(
    IrecistParameters,
    early_scan=st.sampled_from(EarlyScan),
    late_scan=st.sampled_from(LateScan),
    confirm_min_days=st.sampled_from([0, 28, 60]),
    confirm_max_days=st.sampled_from([56, 90]),
    non_target_state=st.sampled_from(NonTargetState),
    improvement_reference=st.sampled_from(ImprovementReference),
)


@st.composite
def courses(draw: st.DrawFn) -> tuple[Visit, ...]:
    """Courses with two targets, a non-target lesion, new lesions and nodes, equivocal and missing ones."""
    texts = ["T01=20 T02n=18 NT01=present"]
    for _ in range(draw(st.integers(1, 6))):
        items = [f"T01={draw(TARGETS)}", f"T02n={draw(TARGETS)}", draw(NON_TARGETS)]
        items += [f"{name}{state}" for name in ("NEW01", "NEW02") if (state := draw(NEW))]
        items += [f"{name}n{state}" for name in ("NEW03", "NT09") if (state := draw(NEW_NODES))]
        texts.append(" ".join(items))
    called_new = draw(st.integers(1, 6))
    return tuple(_named(visit, "NT09", "N09", new=number >= called_new) for number, visit in enumerate(visits(*texts)))


def _named(visit: Visit, lesion_id: str, name: str, *, new: bool) -> Visit:
    """Return a visit in which a node is another, called new or non-target: readers record normal nodes, too."""
    role = LesionRole.NEW if new else LesionRole.NON_TARGET
    observations = (
        replace(seen, lesion_id=name, role=role) if seen.lesion_id == lesion_id else seen for seen in visit.observations
    )
    return replace(visit, observations=tuple(observations))


def overall(assessed: tuple[Assessment, ...]) -> list[Category]:
    return [item.overall for item in assessed]


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS)
def test_confirmed_only_after_unconfirmed_and_for_good(course: tuple[Visit, ...], rules: IrecistParameters) -> None:
    found = overall(assess_irecist(course, rules))
    if Category.ICPD in found:
        first = found.index(Category.ICPD)
        # Before it, back to the last improvement, stands at least one iUPD and nothing but iUPD and NE.
        row = found[:first]
        while row and row[-1] is Category.NE:
            row.pop()
        assert row[-1] is Category.IUPD
        assert set(found[first:]) == {Category.ICPD}


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS)
def test_up_to_the_first_progression_it_is_recist_in_other_words(
    course: tuple[Visit, ...], rules: IrecistParameters
) -> None:
    recist, found = assess_recist_1_1(course), assess_irecist(course, rules)
    for plain, immune in zip(recist, found, strict=True):
        assert immune.overall is I_FORM.get(plain.overall, plain.overall)
        if plain.overall is Category.PD:
            break


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS)
def test_components_and_sums_are_those_of_recist(course: tuple[Visit, ...], rules: IrecistParameters) -> None:
    found = assess_irecist(course, rules)
    counted = [not any(item.code == "early-scan-disregarded" for item in immune.findings) for immune in found]
    recist = assess_recist_1_1(tuple(compress(course, counted)))
    for plain, immune in zip(recist, compress(found, counted), strict=True):
        assert immune.target is I_FORM.get(plain.target, plain.target)
        assert immune.non_target is I_FORM.get(plain.non_target, plain.non_target)
        assert (immune.target_sum, immune.nadir_sum) == (plain.target_sum, plain.nadir_sum)
        assert immune.new_lesions is plain.new_lesions


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS, st.randoms(use_true_random=False))
def test_order_of_lesions_is_irrelevant(course: tuple[Visit, ...], rules: IrecistParameters, random: Random) -> None:
    turned = []
    for visit in course:
        observations = list(visit.observations)
        random.shuffle(observations)
        turned.append(replace(visit, observations=tuple(observations)))
    found, other = assess_irecist(course, rules), assess_irecist(turned, rules)
    assert overall(found) == overall(other)
    assert [item.secondary for item in found] == [item.secondary for item in other]


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS)
def test_a_later_visit_changes_nothing_before(course: tuple[Visit, ...], rules: IrecistParameters) -> None:
    whole = assess_irecist(course, rules)
    for length in range(1, len(course)):
        assert assess_irecist(course[:length], rules) == whole[:length]


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS)
def test_complete_response_only_without_any_new_lesion(course: tuple[Visit, ...], rules: IrecistParameters) -> None:
    for item in assess_irecist(course, rules):
        if item.overall is Category.ICR:
            assert item.new_lesions != "yes"
            assert item.target is Category.ICR


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS)
def test_progression_dates_from_an_iupd_that_nothing_set_back(
    course: tuple[Visit, ...], rules: IrecistParameters
) -> None:
    responses = dated_responses(course, assess_irecist(course, rules))
    found = counting_iupd(responses)
    assert (found is None) == (irecist_progression_date(responses) is None)
    if found is not None:
        assert responses[found].overall is Category.IUPD
        later = {item.overall for item in responses[found:]}
        assert later <= {Category.IUPD, Category.ICPD, Category.NE}


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS, st.data())
def test_a_further_new_lesion_never_improves_a_visit(
    course: tuple[Visit, ...], rules: IrecistParameters, data: st.DataObject
) -> None:
    index = data.draw(st.integers(1, len(course) - 1))
    (extra,) = visits("NEW09=6")
    worse = replace(course[index], observations=(*course[index].observations, *extra.observations))
    after = assess_irecist((*course[:index], worse), rules)[index]
    assert after.overall in (Category.IUPD, Category.ICPD)


@settings(max_examples=200, deadline=None)
@given(courses(), PARAMETERS)
def test_the_first_progression_is_that_of_recist(course: tuple[Visit, ...], rules: IrecistParameters) -> None:
    recist, found = assess_recist_1_1(course), assess_irecist(course, rules)
    first = next((item for item in dated_responses(course, recist) if item.overall is Category.PD), None)
    immune = next((item for item in dated_responses(course, found) if item.overall is Category.IUPD), None)
    assert (first is None) == (immune is None)
    if first is not None and immune is not None:
        assert (immune.time_point_id, immune.progression_date) == (first.time_point_id, first.progression_date)


@settings(max_examples=200, deadline=None)
@given(courses(), PARAMETERS)
def test_no_iupd_comes_of_a_visit_that_is_no_progression_by_recist(
    course: tuple[Visit, ...], rules: IrecistParameters
) -> None:
    waits = False
    for plain, immune in zip(assess_recist_1_1(course), assess_irecist(course, rules), strict=True):
        if any(item.code == "early-scan-disregarded" for item in immune.findings):
            return  # from here on RECIST 1.1 sees other visits
        if immune.overall is Category.IUPD:
            assert waits or plain.overall is Category.PD
        waits = immune.overall is Category.IUPD or (waits and immune.overall is Category.NE)


@settings(max_examples=100, deadline=None)
@given(courses(), PARAMETERS)
def test_a_disregarded_scan_might_as_well_not_have_been(course: tuple[Visit, ...], rules: IrecistParameters) -> None:
    strict = replace(rules, early_scan=EarlyScan.DISREGARDED)
    found = assess_irecist(course, strict)
    counted = [not any(item.code == "early-scan-disregarded" for item in immune.findings) for immune in found]
    assert assess_irecist(tuple(compress(course, counted)), strict) == tuple(compress(found, counted))
