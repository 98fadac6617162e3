"""What was known of who is who, at each moment."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.join import ALWAYS, NEVER, Joined, Link
from features.known import Known, epochs
from tests.features.test_join import DEVICES, KNOWN, LINKS


@given(links=LINKS)
def test_at_each_moment_an_id_is_in_one_epoch_and_it_is_what_was_known(links: list[Link]) -> None:
    told = epochs(links)
    for one in {each for link_ in links for each in (link_.source, link_.target)}:
        mine = sorted((epoch for epoch in told if one in epoch.customer.members), key=lambda epoch: epoch.start_us)
        assert (mine[0].start_us, mine[-1].end_us) == (ALWAYS, NEVER)
        assert all(before.end_us == after.start_us for before, after in pairwise(mine))
        for epoch in mine:
            joined = Joined(each for each in links if each.known_us <= epoch.start_us)
            assert joined.customer(one) == epoch.customer


@given(links=LINKS, ids=st.lists(st.sampled_from((*KNOWN, *DEVICES, "nobody")), max_size=12), data=st.data())
def test_what_is_spread_to_a_customer_is_what_was_known_of_all_its_ids(
    links: list[Link], ids: list[str], data: st.DataObject
) -> None:
    moments = np.array([data.draw(st.integers(0, 5)) for _ in ids], dtype=np.int64)
    known = Known(links)
    spread = known.spread(ids, moments)
    for before in range(8):
        joined = Joined(each for each in links if each.known_us < before)
        for one in (*KNOWN, *DEVICES, "nobody"):
            customer = joined.customer(one)
            expected = [at for at, each in enumerate(ids) if each in customer.members and moments[at] < before]
            mine = [i for i, name in enumerate(spread.names) if name == customer.name and spread.moment_us[i] < before]
            newest = max((int(spread.epochs[i]) for i in mine), default=0)
            found = [int(spread.rows[i]) for i in mine if spread.epochs[i] == newest]
            if expected:
                assert found == expected
