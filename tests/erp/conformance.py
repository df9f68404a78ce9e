"""What every ERP client must do, as tests. An adapter's own test module passes them like this:

class TestMyErp(ErpConformance):
    @pytest.fixture
    def rig(self) -> ErpRig: ...
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.erp.orders import sales_order
from vtex_erp import errors
from vtex_erp.erp.protocol import Absent, Cancellation, ErpClient, Found, Guarantee, Unknown

if TYPE_CHECKING:
    from vtex_erp.sales.model import SalesOrder


class ErpRig(Protocol):
    """An empty ERP that can be told to misbehave, and the client under test."""

    client: ErpClient

    def creations(self, external_id: str) -> int:
        """How many sales orders the ERP made for the external id."""

    def lose_next_answer(self) -> None:
        """The next create is carried out, and its answer lost."""

    def hiccup_once(self) -> None:
        """The next create or cancellation is not carried out; the ERP says that it is in trouble."""

    def refuse(self, external_id: str) -> None:
        """The ERP refuses the order for good, with a reason that holds the words `no such article`."""

    def go_dark(self) -> None:
        """Lookups do not get through any more."""

    def lock_out(self) -> None:
        """The ERP does not accept the credentials any more."""

    def ship(self, external_id: str) -> None:
        """It is too late to cancel the order."""


AWKWARD = [
    sales_order("three-for-ten", quantity="3", total="10.00"),
    sales_order("many-for-little", quantity="1234", total="1.01"),
    sales_order("one-free", total="0.00"),
    sales_order("one-dear", total="9876543.21"),
]
"""Orders whose unit price has no end, and others that an ERP may round."""

ORDER = sales_order("v71425090str/01 é")
ID = ORDER.external_id


def ensure_at_last(client: ErpClient, tries: int = 5) -> str:
    """Do what the pipeline does after an unclear answer: look, and create only what is absent."""
    for _ in range(tries):
        try:
            return client.ensure(ORDER)
        except errors.UnclearError:  # noqa: PERF203
            found = client.lookup(ID)
            if isinstance(found, Found) and found.finished:
                return found.erp_id
            assert isinstance(found, (Absent, Found))
    raise AssertionError("never created")


class ErpConformance:
    """The tests. Each gets a fresh `rig`."""

    def test_it_says_what_it_guarantees(self, rig: ErpRig) -> None:
        assert isinstance(rig.client.guarantee, Guarantee)
        assert rig.client.settle_seconds >= 0
        assert rig.client.concurrency >= 1

    def test_an_order_that_nobody_created_is_absent(self, rig: ErpRig) -> None:
        assert rig.client.lookup(ID) == Absent()

    def test_what_was_created_is_found_under_the_same_id(self, rig: ErpRig) -> None:
        erp_id = rig.client.ensure(ORDER)
        assert erp_id
        found = rig.client.lookup(ID)
        assert isinstance(found, Found)
        assert found.erp_id == erp_id
        assert found.total in (None, ORDER.totals.total)
        assert not found.cancelled
        assert found.finished
        assert rig.client.lookup(f"{ID}x") == Absent()

    def test_ensure_again_gives_the_same_id_and_creates_nothing(self, rig: ErpRig) -> None:
        assert len({rig.client.ensure(ORDER) for _ in range(3)}) == 1
        assert rig.creations(ID) == 1

    @pytest.mark.parametrize("order", AWKWARD, ids=lambda order: order.source.order_id)
    def test_the_total_is_exact(self, rig: ErpRig, order: SalesOrder) -> None:
        rig.client.ensure(order)
        found = rig.client.lookup(order.external_id)
        assert isinstance(found, Found)
        assert found.total in (None, order.totals.total)

    def test_two_orders_are_two(self, rig: ErpRig) -> None:
        assert rig.client.ensure(ORDER) != rig.client.ensure(sales_order("v71425090str/02 é"))

    def test_a_lost_answer_is_unclear_and_settled_by_a_lookup(self, rig: ErpRig) -> None:
        rig.lose_next_answer()
        with pytest.raises(errors.UnclearError):
            rig.client.ensure(ORDER)
        found = rig.client.lookup(ID)
        assert isinstance(found, Found)
        # A draft is no order yet: it has no id that lasts, and ensure takes it on.
        assert rig.client.ensure(ORDER) == found.erp_id or not found.finished
        assert rig.creations(ID) == 1
        assert rig.client.lookup(ID) == Found(rig.client.ensure(ORDER), found.total, found.cancelled, finished=True)

    def test_eight_threads_create_one(self, rig: ErpRig) -> None:
        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(lambda _: ensure_at_last(rig.client), range(8)))
        assert len(set(ids)) == 1
        assert rig.creations(ID) == 1

    def test_a_refusal_is_for_good_and_creates_nothing(self, rig: ErpRig) -> None:
        rig.refuse(ID)
        for _ in range(2):
            with pytest.raises(errors.ParkError, match="no such article") as caught:
                rig.client.ensure(ORDER)
            assert caught.value.cause.startswith("erp-refused:")
            assert ID in str(caught.value)
        assert rig.client.lookup(ID) == Absent()
        assert rig.creations(ID) == 0

    def test_a_hiccup_is_no_refusal(self, rig: ErpRig) -> None:
        rig.hiccup_once()
        with pytest.raises(errors.RetryableError):
            rig.client.ensure(ORDER)
        assert rig.client.ensure(ORDER)
        assert rig.creations(ID) == 1

    def test_a_lookup_that_does_not_get_through_is_unknown(self, rig: ErpRig) -> None:
        rig.client.ensure(ORDER)
        rig.go_dark()
        for external_id in (ID, f"{ID}x"):
            assert isinstance(rig.client.lookup(external_id), Unknown)

    def test_wrong_credentials_stop_everything(self, rig: ErpRig) -> None:
        rig.lock_out()
        calls = (
            lambda: rig.client.lookup(ID),
            lambda: rig.client.ensure(ORDER),
            lambda: rig.client.cancel(ID, reason="asked"),
        )
        for call in calls:
            with pytest.raises(errors.CredentialsError):
                call()
        assert rig.creations(ID) == 0

    def test_many_lookups_in_one_say_the_same(self, rig: ErpRig) -> None:
        lookup_many = getattr(rig.client, "lookup_many", None)
        if lookup_many is None:
            pytest.skip("this client looks orders up one by one")
        rig.client.ensure(ORDER)
        wanted = [f"{ID}x", ID]
        assert lookup_many(wanted) == {each: rig.client.lookup(each) for each in wanted}
        rig.go_dark()
        assert {type(answer) for answer in lookup_many(wanted).values()} == {Unknown}

    def test_cancel(self, rig: ErpRig) -> None:
        rig.client.ensure(ORDER)
        assert rig.client.cancel(ID, reason="asked") is Cancellation.CANCELLED

    def test_cancel_again_is_harmless(self, rig: ErpRig) -> None:
        rig.client.ensure(ORDER)
        outcomes = {rig.client.cancel(ID, reason="asked") for _ in range(2)}
        assert outcomes == {Cancellation.CANCELLED}

    def test_cancel_of_what_nobody_created(self, rig: ErpRig) -> None:
        assert rig.client.cancel(ID, reason="asked") is Cancellation.UNKNOWN_ORDER

    def test_cancel_of_what_was_shipped(self, rig: ErpRig) -> None:
        rig.client.ensure(ORDER)
        rig.ship(ID)
        assert rig.client.cancel(ID, reason="asked") is Cancellation.TOO_LATE

    def test_cancel_through_a_hiccup(self, rig: ErpRig) -> None:
        rig.client.ensure(ORDER)
        rig.hiccup_once()
        with pytest.raises(errors.RetryableError):
            rig.client.cancel(ID, reason="asked")
        assert rig.client.cancel(ID, reason="asked") is Cancellation.CANCELLED
