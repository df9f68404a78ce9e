"""The steps of the order loop: one module each, without Airflow.

Each step is check-then-act on the ledger, so it may be killed at any line and run again. What a kill leaves
behind, and who cleans it up:

=====================================  =======================================  ==================================
killed after                           what is left                             cleaned up by
=====================================  =======================================  ==================================
pull: VTEX gave events                 events hidden in the feed                VTEX: they come back
pull: events in the ledger             events without order entry               the rerun, or the next run
deduplicate: order entries written     order entries without batch, due now     the rerun, or the next run
deduplicate: plan written              a plan under the run's id                the rerun, which finds it
any step: orders claimed               a lease                                  the batch's next task at once,
                                                                                others when it has run out
fetch: order read                      nothing                                  the rerun, which reads again
map: sales order made                  nothing                                  the rerun, which maps again
submit: `submitting` written           in doubt                                 the rerun: looks the order up
submit: the probe was won              an ERP that is down and not tried       the next minute's probe
submit: ERP created the order          in doubt                                 the rerun: looks it up, finds it
submit: ERP cancelled the order        an order that is `cancelling`            the rerun: cancels again, harmless
commit: VTEX took the commit           a handle that is spent                   the rerun: commits it again; VTEX
                                                                                takes it or refuses it, both end
start handling: request noted          handling perhaps requested               the rerun: reads the order first
start handling: VTEX started           handling requested                       the rerun: reads, finds it started
any request to VTEX: budget leased     requests that nobody makes              they lapse after 1.5 seconds
outcome                                leases                                   they run out
=====================================  =======================================  ==================================
"""
