from __future__ import annotations

from itertools import combinations

import pytest

from vtex_erp.vtex import statuses
from vtex_erp.vtex.statuses import normalise_status

GROUPS = (
    frozenset({statuses.READY_FOR_HANDLING}),
    statuses.HANDLING_STARTED,
    statuses.CANCELLED,
    statuses.CANCELLATION_ASKED,
    statuses.BEFORE_READY,
)


def test_no_status_means_two_things():
    for one, other in combinations(GROUPS, 2):
        assert not one & other


@pytest.mark.parametrize(("status", "normal"), [(None, ""), ("", ""), (" Handling", "handling")])
def test_statuses_are_compared_without_case_or_blanks(status, normal):
    assert normalise_status(status) == normal


def test_every_status_of_the_feed_filter_is_known():
    listed = """order-created on-order-completed on-order-completed-ffm payment-pending
        waiting-for-order-authorization approve-payment payment-approved request-cancel
        waiting-for-seller-decision waiting-ffmt-authorization waiting-for-authorization
        waiting-for-manual-authorization authorize-fulfillment order-create-error order-creation-error
        window-to-cancel window-to-change-seller waiting-for-mkt-authorization
        waiting-seller-handling ready-for-handling start-handling handling invoice-after-cancellation-deny
        order-accepted invoice invoiced replaced cancellation-requested cancel canceled"""
    assert set(listed.split()) <= frozenset().union(*GROUPS)
