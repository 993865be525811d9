"""Series of several stacks come apart into them, whole, whatever tells them apart; single stacks stay single."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.image_stacks import StackImage, chosen_stack, divide_into_stacks


def image(z: float, name: str, number: int | None = None, **attributes: object) -> StackImage:
    plane = ImagePlane(
        f"1.{name}.{z:g}", None, "2", "3", "4", "", (-50, -40, z), (0.8, 0, 0), (0, 0.7, 0), 90, 100, 5.0
    )
    return StackImage(plane, attributes, number)


def stack(
    name: str, first: float, step: float, count: int, *, numbers: Sequence[int] | None = None, **attributes: object
) -> list[StackImage]:
    return [image(first + step * k, name, None if numbers is None else numbers[k], **attributes) for k in range(count)]


def divided(images: Sequence[StackImage]) -> list[list[str]]:
    """The names of the stacks' images, sorted: a stack that is whole and pure has one name only."""
    return [
        sorted({images[index].plane.sop_instance_uid.split(".")[1] for index in found.members})
        for found in divide_into_stacks(images)
    ]


SINGLE = {
    "even": stack("a", 0, 5, 20),
    "one image": stack("a", 0, 5, 1),
    "attributes that change within an even stack": [
        *stack("a", 0, 5, 10, AcquisitionNumber=1, WindowCenter=40),
        *stack("b", 50, 5, 10, AcquisitionNumber=2, WindowCenter=60),
    ],
    "a missing slice where the acquisition changes": [
        *stack("a", 0, 5, 10, AcquisitionNumber=1),
        *stack("b", 55, 5, 10, AcquisitionNumber=2),
    ],
    "spacing that changes, nothing else": [*stack("a", 0, 5, 10), *stack("b", 47.5, 2.5, 20)],
    "rotations of four slices": [
        one for turn in range(6) for one in stack("a", 20 * turn, 5, 4, AcquisitionNumber=turn)
    ],
    "a window that comes and goes": [image(5.0 * k, "a", WindowCenter=k * k % 5 % 2) for k in range(20)],
    "one image twice": [*stack("a", 0, 5, 10), image(20, "b")],
    "one image in the place of its neighbour": [
        *stack("a", 0, 5, 6, numbers=range(6)),
        image(25, "b", 6),
        *stack("c", 35, 5, 20, numbers=range(7, 27)),
    ],
    "spacing that changes with what is stated": [
        *stack("a", 0, 5, 10, SliceThickness=5, AcquisitionNumber=1),
        *stack("b", 47.5, 2.5, 20, SliceThickness=2.5, AcquisitionNumber=2),
    ],
    "an image of its own number at a taken position": [
        *stack("a", 0, 5, 10, numbers=range(1, 11)),
        image(20, "b", 11),
    ],
}


@pytest.mark.parametrize("images", SINGLE.values(), ids=SINGLE.keys())
def test_what_is_one_stack_stays_one(images: list[StackImage]) -> None:
    (found,) = divide_into_stacks(images)
    assert found.members == tuple(range(len(images)))
    assert found.told_apart_by == ""


TELLING = {
    "two kernels at the same positions": ("Kernel", 0.0, 5.0),
    "thin slices among thick ones": ("SliceThickness", 0.5, 1.25),
    "half a step between": ("AcquisitionNumber", 2.5, 5.0),
    "half a step between, one even stack together": ("Kernel", 2.5, 5.0),
    "a second phase of another range": ("TemporalPositionIdentifier", 20.0, 5.0),
}


@pytest.mark.parametrize(("name", "first", "step"), TELLING.values(), ids=TELLING.keys())
@given(data=st.data())
def test_an_attribute_tells_two_stacks_apart(name: str, first: float, step: float, data: st.DataObject) -> None:
    count = 23 if first == 2.5 and name == "Kernel" else 20
    images = [*stack("a", 0, 5, 24, **{name: "one"}), *stack("b", first, step, count, **{name: "other"})]
    shuffled = data.draw(st.permutations(images))
    assert divided(shuffled) == [["a"], ["b"]]
    assert {found.told_apart_by for found in divide_into_stacks(shuffled)} == {name}


@given(st.integers(2, 5), st.integers(4, 12), st.randoms())
def test_phases_of_one_position_come_apart_whole(phases: int, count: int, random) -> None:
    images = [one for phase in range(phases) for one in stack(f"p{phase}", 0, 3, count, AcquisitionNumber=phase)]
    # A time that every image has of its own tells no stacks apart.
    images = [replace(one, attributes={"Time": n, **one.attributes}) for n, one in enumerate(images)]
    random.shuffle(images)
    assert sorted(divided(images)) == [[f"p{phase}"] for phase in range(phases)]
    assert {len(found.members) for found in divide_into_stacks(images)} == {count}


def test_two_attributes_together() -> None:
    images = [
        *stack("a", 0, 5, 12, Kernel="soft", Phase=1),
        *stack("b", 0, 5, 12, Kernel="sharp", Phase=1),
        *stack("c", 0, 5, 12, Kernel="soft", Phase=2),
        *stack("d", 0, 5, 12, Kernel="sharp", Phase=2),
    ]
    assert sorted(divided(images)) == [["a"], ["b"], ["c"], ["d"]]
    assert divide_into_stacks(images)[0].told_apart_by == "Kernel and Phase"


BY_NUMBER = {
    "blocks at the same positions": (
        stack("a", 0, 5, 8, numbers=range(8)),
        stack("b", 0, 5, 8, numbers=range(8, 16)),
        "runs of Instance Number",
    ),
    "blocks, the second from the other end": (
        stack("a", 0, 5, 8, numbers=range(8)),
        stack("b", 0, 5, 8, numbers=range(20, 12, -1)),
        "runs of Instance Number",
    ),
    "turn by turn at each position": (
        stack("a", 0, 5, 8, numbers=range(0, 16, 2)),
        stack("b", 0, 5, 8, numbers=range(1, 17, 2)),
        "order of Instance Number at each position",
    ),
    "blocks of other spacing": (
        stack("a", 0, 5, 8, numbers=range(8)),
        stack("b", 1, 3, 12, numbers=range(8, 20)),
        "runs of Instance Number",
    ),
    "no numbers, a third of a step between": (stack("a", 0, 3, 8), stack("b", 1, 3, 8), "positions, 2 interleaved"),
}


@pytest.mark.parametrize(("one", "other", "words"), BY_NUMBER.values(), ids=BY_NUMBER.keys())
def test_where_nothing_else_differs_the_order_tells(one: list[StackImage], other: list[StackImage], words: str) -> None:
    images = [*one, *other]
    assert sorted(divided(images)) == [["a"], ["b"]]
    assert {found.told_apart_by for found in divide_into_stacks(images)} == {words}


def test_an_attribute_is_believed_before_the_numbers() -> None:
    """The numbers run on through two phases that are stored turn by turn."""
    images = [
        *stack("a", 0, 5, 8, numbers=range(8), Phase=1),
        *stack("b", 0, 5, 8, numbers=range(8, 16), Phase=2),
    ]
    assert divide_into_stacks(images)[0].told_apart_by == "Phase"


def test_images_of_another_shape_are_another_stack() -> None:
    small = [
        replace(one, plane=replace(one.plane, rows=40, sop_instance_uid=f"1.s.{n}"))
        for n, one in enumerate(stack("s", 0, 5, 3))
    ]
    found = divide_into_stacks([*stack("a", 0, 5, 8), *small])
    assert [len(one.members) for one in found] == [8, 3]
    assert {one.told_apart_by for one in found} == {"sizes"}


def test_the_stack_that_was_measured_on_is_chosen() -> None:
    images = [*stack("a", 0, 5, 12, Phase=1), *stack("b", 0, 5, 8, Phase=2)]
    found = divide_into_stacks(images)
    assert len(chosen_stack(images, found, ()).members) == 12
    assert len(chosen_stack(images, found, {"1.b.10"}).members) == 8
    assert len(chosen_stack(images, found, {("1.b.10", None)}).members) == 8
    assert len(chosen_stack(images, found, {"1.b.10", "1.a.5", "1.a.10"}).members) == 12
