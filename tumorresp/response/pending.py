"""What is said of a lesion of which something waits for a person's decision."""

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.observation import LesionObservation


def waits_for_decision(seen: LesionObservation) -> Finding:
    """Say that what waits keeps a lesion from being judged."""
    words = f"{seen.name}: {seen.pending}. Until it is decided, what is known of it is provisional."
    return Finding("waits-for-decision", Severity.WARNING, words, seen.lesion_id, decides=True)
