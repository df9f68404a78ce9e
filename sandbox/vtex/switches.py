"""Every question that VTEX's documentation leaves open, and every unpleasantness, as one switch each.

The defaults are the behaviour that is documented, or else the one seen most. A client that means to be
right must pass with either answer.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class Switches(BaseModel):
    """The settings of the simulator; `PATCH /admin/switches` changes some, an unknown name is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    # The feed: reading
    shuffle: bool = True
    """A read takes its items in random order, as SQS standard queues may."""

    empty_read_p: Probability = 0.0
    """Probability that a read returns [] although items are visible."""

    partial_read_p: Probability = 0.0
    """Probability that a read returns fewer items than it could."""

    maxlot_out_of_range: Literal["clamp", "400"] = "clamp"
    """What maxlot below 1 or above 10 does; undocumented."""

    stable_event_id: bool = True
    """A redelivered item keeps its eventId; undocumented. False: a new one each time."""

    duplicate_p: Probability = 0.0
    """Probability that an event is queued twice, with the same eventId."""

    duplicate_new_id_p: Probability = 0.0
    """Probability that an event is queued twice, with another eventId."""

    both_domains: bool = False
    """Each status change is queued for the Marketplace and the Fulfillment workflow, as for a store that is
    its own seller."""

    from_orders_skip_p: Probability = 0.0
    """Probability that a FromOrders filter misses a change: a version of the document was skipped (known issue
    832400)."""

    from_orders_misses_own_payments: bool = False
    """A FromOrders filter is never told of payment-approved of the store's own orders, seller 1 (known issue
    640925)."""

    from_orders_item: Literal["degenerate", "full"] = "degenerate"
    """What a FromOrders event says: as little as the hook's sample does (state `unknow`), or all; undocumented for
    the feed."""

    # The feed: committing
    expired_handle: Literal["ok_noop", "400", "404"] = "ok_noop"
    """Commit of a handle whose visibility has passed: 200 and the item comes back, or an error."""

    foreign_handle: Literal["403", "400"] = "403"
    """Commit of a handle that was given to another app key."""

    malformed_handle: Literal["400", "404", "ok_noop"] = "400"
    """Commit of a text that is no handle."""

    bad_handle_spoils_commit: bool = False
    """One handle that is refused keeps the others of the call from being committed. False: the good ones
    are committed all the same."""

    partial_commit_p: Probability = 0.0
    """Probability that a commit answers 200 but leaves some items queued."""

    empty_commit: Literal["200", "400"] = "200"
    """Commit of an empty list of handles."""

    max_handles: Annotated[int, Field(ge=0)] = 0
    """More handles than this in one commit give 400; 0: no limit, as documented."""

    # The feed: configuration
    age_spelling: Literal["approximate", "aproximate"] = "approximate"
    """Spelling of approximateAgeOfOldestMessageInSeconds: the schema's or the guide's."""

    retention_spelling: Literal["message", "Message"] = "message"
    """Casing of messageRetentionPeriodInSeconds in GET: the samples' or the schema's."""

    config_missing: Literal["404", "200_empty"] = "404"
    """GET of the configuration of feed or hook when there is none; undocumented."""

    delete_drops_queue: bool = True
    """DELETE of the configuration throws the queued items away; undocumented."""

    queue_bounds: Literal["accept", "400"] = "accept"
    """A retention outside 345600..1209600 seconds or a visibility outside 1..43200 is taken as it is (for
    quick tests) or refused; the minimum of the visibility is undocumented."""

    # The hook
    hook_https_only: bool = True
    """The address must be https. False: tests may listen on http://127.0.0.1."""

    hook_ping_headers: bool = True
    """The ping of a new configuration carries the configured headers; undocumented."""

    hook_body: Literal["openapi", "guide"] = "openapi"
    """What a notification under FromWorkflow says: all fields, or no LastState and CurrentChange."""

    hook_retry_s: Seconds = 1.0
    """Seconds until the second try of a notification; the documents only say that intervals grow geometrically."""

    hook_retry_factor: Annotated[float, Field(ge=1)] = 1.112
    """How much longer each further interval is. With these two a hundred tries take a little less than the four
    days that are documented."""

    # Orders
    visibility_lag_s: Seconds = 0.0
    """Get order answers 404 for this long after the order was placed."""

    async_delay_s: Seconds = 0.2
    """Start handling and cancel move the order this long after their answer."""

    oms003_status: Literal[409, 400] = 409
    """Start handling in the wrong status: 409 by the schema, 400 as seen in 2026."""

    oms003_exception_field: bool = True
    """The error of the wrong status has its `exception` field; one seen in 2026 had not."""

    noop_2xx: bool = False
    """Start handling answers 204 and does nothing."""

    start_handling_while_moving: Literal["oms003", "accepted"] = "oms003"
    """A second start handling before the first has moved the order. Accepted counts as one more effect."""

    cancel_mode: Literal["two_step", "immediate"] = "two_step"
    """Cancel in ready-for-handling or handling: the first call only asks (cancellation-requested) and the
    second cancels; or the first one cancels."""

    cancel_invoiced: bool = False
    """An invoiced order can be cancelled (the PII schema says so, the guides do not)."""

    cancel_canceled: Literal["200", "400"] = "200"
    """Cancel of an order that is canceled: 200 with no receipt, or 400."""

    cancel_flips: bool = False
    """A canceled order goes back to cancel and is canceled once more (known issue 1242813)."""

    deny_returns_to: Literal["before", "ready-for-handling", "handling"] = "before"
    """Where a denied cancellation request leaves the order. Before: where it was, or in payment-approved if the
    marketplace had asked."""

    replaced_status: Literal["replaced", "canceled"] = "replaced"
    """Where an order that its shopper replaced by another one ends."""

    same_invoice_number: Literal["rotate_receipt", "400"] = "rotate_receipt"
    """The same invoiceNumber again: a new receipt only, or an error."""

    partial_invoice_status: Literal["invoice", "payment-approved", "handling"] = "payment-approved"
    """Where a partial invoice leaves the order."""

    price_definition_name: Literal["priceDefinition", "priceDefinitions"] = "priceDefinition"
    """How Get order spells it: as real documents do, or as the schema does."""

    # List orders
    index_lag_s: Seconds = 240.0
    """How far the list is behind the orders."""

    stale_status_p: Probability = 0.0
    """Share of the orders whose listed status stays what it was at first."""

    list_rows_move_p: Probability = 0.0
    """Probability that a page starts one row late: a row slipped by."""

    list_float_totals: bool = True
    """totalValue is a float (150.0), as it is in practice."""

    f_status_many: Literal["comma", "400"] = "comma"
    """f_status with several values: any of them, or an error; undocumented."""

    # Data protection
    data_protection: bool = False
    """An account with the PII data architecture: it answers under /api/orders only, and 403 under /api/oms."""

    clear_data_needs_profile_right: bool = False
    """Clear data needs the resource Get Item of the Profile System, too; undocumented for orders. A key without it
    gets masked data whatever its reason."""

    # Keys, limits and time
    missing_permission: Literal["403", "html"] = "403"
    """A key without the resource: 403, or redirects that end at the login page with 200."""

    rate_limit_per_minute: Annotated[int, Field(ge=1)] = 6000
    """Requests a minute that the account may make, all keys together."""

    retry_after: Literal["off", "seconds", "date"] = "seconds"
    """Whether and how 429 carries Retry-After; undocumented for orders."""

    vtex_latency_s: Seconds = 0.0
    """Real seconds that each VTEX call takes."""

    # The ERP
    erp_latency_s: Seconds = 0.0
    """Real seconds that each ERP call takes."""

    erp_token: str | None = None
    """The bearer token that the ERP wants; None: any or none."""

    erp_unique: bool = True
    """The ERP keeps external ids unique. False: a second PUT makes a second order, as in an ERP that can
    only search."""

    erp_lookup_lag_s: Seconds = 0.0
    """GET answers 404 for this long after an order was created."""
