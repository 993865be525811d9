"""A course derived again: as it is, lesion by lesion, and under the hypothesis of a mistake."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.parameters import Recist11Parameters
from tumorresp.response.recist_1_1 import assess_recist_1_1


@dataclass(frozen=True)
class Share:
    """What one target adds to the sum at one visit: a lesion, its fragments, or lesions that grew together.

    Parameters
    ----------
    lesions
        IDs of the baseline's targets in it.
    size
        mm; None where it was not assessed.
    """

    lesions: tuple[str, ...]
    size: Decimal | None

    @property
    def name(self) -> str:
        """What the diagnosis calls it."""
        return "/".join(self.lesions)


@dataclass(frozen=True)
class Derivation:
    """A subject's visits by RECIST 1.1, with what it takes to try hypotheses on them."""

    visits: tuple[Visit, ...]
    rules: Recist11Parameters

    @cached_property
    def assessments(self) -> tuple[Assessment, ...]:
        """One a visit, the baseline first."""
        return assess_recist_1_1(self.visits, self.rules)

    @cached_property
    def sums(self) -> tuple[Decimal | None, ...]:
        """The complete sums; None where one is incomplete."""
        return tuple(item.complete_sum for item in self.assessments)

    def shown(self, index: int) -> Decimal | None:
        """Return the sum to report at a visit: the complete one, or what the protocol shows of an incomplete one."""
        return self.assessments[index].target_sum

    @property
    def baseline_sum(self) -> Decimal | None:
        """The sum of the first visit."""
        return self.sums[0] if self.sums else None

    def nadir(self, index: int) -> Decimal | None:
        """Return the smallest complete sum before a visit."""
        return self.assessments[index].nadir_sum

    def previous(self, index: int) -> Decimal | None:
        """Return the last complete sum before a visit."""
        return next((total for total in reversed(self.sums[:index]) if total is not None), None)

    def shares(self, index: int) -> tuple[Share, ...]:
        """Return what every target adds to the sum of a visit."""
        return tuple(Share(lesions, sizes[index]) for lesions, sizes in self._shares)

    def missing(self, index: int) -> tuple[str, ...]:
        """Return the targets of the sum that were not assessed at a visit."""
        return tuple(lesion for share in self.shares(index) if share.size is None for lesion in share.lesions)

    def assessed(self, index: int) -> Decimal | None:
        """Return the sum of the targets that were assessed at a visit; None where none was."""
        sizes = [share.size for share in self.shares(index) if share.size is not None]
        return sum(sizes, Decimal(0)) if sizes else None

    def supposing(
        self,
        change: Callable[[Visit, int], Sequence[LesionObservation]] | None = None,
        rules: Recist11Parameters | None = None,
    ) -> "Derivation":
        """Return the derivation of the same course with other observations or by other rules.

        Parameters
        ----------
        change
            From a visit and its index to the observations that are supposed instead.
        """
        visits = self.visits
        if change is not None:
            visits = tuple(
                replace(visit, observations=tuple(change(visit, index))) for index, visit in enumerate(self.visits)
            )
        return Derivation(visits, rules or self.rules)

    def with_missing_as_absent(self, visits: range) -> "Derivation":
        """Return the derivation in which a target that was not assessed at some visits counts as gone there."""
        return self._with_missing(visits, lambda lesion, _: _as_absent(lesion))

    def with_missing_carried_forward(self, visits: range) -> "Derivation":
        """Return the derivation in which a target that was not assessed at some visits has its last known size."""
        return self._with_missing(visits, self._last_known)

    def without(self, lesions: Collection[str]) -> "Derivation":
        """Return the derivation of the course as if lesions had never been recorded."""
        return self.supposing(lambda visit, _: [item for item in visit.observations if item.lesion_id not in lesions])

    def without_markers(self) -> "Derivation":
        """Return the derivation of the course as if tumour markers had always been normal."""
        return Derivation(tuple(replace(visit, markers_elevated=False) for visit in self.visits), self.rules)

    @cached_property
    def _shares(self) -> tuple[tuple[tuple[str, ...], tuple[Decimal | None, ...]], ...]:
        """Lesions and their part of the sum at every visit.

        Each is derived as if there were no other target, so that the criterion alone knows what a lesion adds.
        """
        if not self.visits:
            return ()
        targets = {item.lesion_id for item in self.visits[0].observations if item.role is LesionRole.TARGET}
        shares = []
        for family in _families(self.visits):
            others = {item.lesion_id for visit in self.visits for item in visit.observations} - family
            own = self.without(others)
            if own.baseline_sum is not None:
                shares.append((tuple(sorted(targets & family)), own.sums))
        return tuple(sorted(shares))

    def _with_missing(
        self, visits: range, instead: Callable[[LesionObservation, int], LesionObservation]
    ) -> "Derivation":
        baseline = {item.lesion_id: item for item in self.visits[0].observations}

        def change(visit: Visit, index: int) -> list[LesionObservation]:
            gaps = self.missing(index) if index in visits else ()
            kept = [item for item in visit.observations if item.lesion_id not in gaps]
            return kept + [instead(baseline[lesion_id], index) for lesion_id in gaps]

        return self.supposing(change)

    def _last_known(self, lesion: LesionObservation, index: int) -> LesionObservation:
        for number in range(index - 1, 0, -1):
            seen = self.visits[number].of(lesion.lesion_id)
            if seen is not None and lesion.lesion_id not in self.missing(number):
                return seen
        return lesion


def _as_absent(lesion: LesionObservation) -> LesionObservation:
    return replace(
        lesion,
        state=LesionState.ABSENT,
        long_axis_mm=None,
        short_axis_mm=None,
        volume_mm3=None,
        viable_long_axis_mm=None,
    )


def _families(visits: Sequence[Visit]) -> list[set[str]]:
    """Return the IDs of lesions by descent: fragments with their parent, a conglomerate with its parents."""
    families: list[set[str]] = []
    for visit in visits:
        for item in visit.observations:
            kin = {item.lesion_id, *item.parents}
            joined = [family for family in families if family & kin]
            families = [family for family in families if not family & kin]
            families.append(kin.union(*joined))
    return families
