"""Which subjects are one person."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of other Patient IDs, of links between subjects and of what is in doubt."""
    op.create_table(
        "tr_other_patient_id",
        sa.Column("other_key", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("other_key", "subject_key"),
    )
    op.create_index("ix_tr_other_patient_id_subject_key", "tr_other_patient_id", ["subject_key"])
    op.create_table(
        "tr_subject_link",
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.Column("same_as", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject_key"),
    )
    op.create_table(
        "tr_patient_doubt",
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.Column("other_key", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", "other_key"),
    )
