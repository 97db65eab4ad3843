"""Ids are random UUIDs in their canonical form."""

from __future__ import annotations

import uuid
from collections import Counter

from storage.documents import new_id


def test_a_new_id_is_a_random_uuid_of_which_every_other_bit_varies() -> None:
    made = [new_id() for _ in range(500)]
    ids = [uuid.UUID(one) for one in made]
    assert [str(one) for one in ids] == made
    assert {(one.version, one.variant) for one in ids} == {(4, uuid.RFC_4122)}
    set_bits = Counter(bit for one in ids for bit in range(128) if one.int >> bit & 1)
    always = {bit for bit, count in set_bits.items() if count == len(ids)}
    never = set(range(128)) - set(set_bits)
    assert always | never == {62, 63, 76, 77, 78, 79}
    assert len(set(made)) == len(made)
