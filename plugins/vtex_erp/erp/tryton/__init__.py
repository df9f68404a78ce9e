"""Tryton 8: its REST interface with an application key. Nothing of Tryton is in here but the names of its fields.

An order is one sale: (`web_shop`, `web_id`) is unique in Tryton's database, and `web_id` is the external id.
`ensure` looks the sale up, else makes the customer and a draft, quotes it, compares Tryton's total with the order's,
and confirms it. Each step is taken on from where the sale stands. What a worker that dies leaves, and who cleans up:

====================================  ======================================  ==================================
died after                            what is left                            cleaned up by
====================================  ======================================  ==================================
the customer was claimed              a claim                                 it runs out; until then only the
                                                                              orders of that customer wait
the customer was made                 a customer, perhaps a claim             found by the next order; no harm
an address was added                  an address                              found by the next order
the sale was created                  a draft                                 the rerun, which goes on with it:
the sale was quoted                   a quotation                             lookup says that it is unfinished
the sale was confirmed                the sale                                the rerun, which finds it done
the sale was refused                  a draft or a quotation                  the rerun, which is refused again
                                                                              and deletes it
====================================  ======================================  ==================================

When Tryton refuses to quote or to confirm, the draft is deleted before the order is parked. When its total differs, the
draft stays for a person to look at, and the order is parked with both totals: the next try takes the draft as it is
when a person has made its total right, and makes it anew otherwise. So does it with a half-made sale that nobody else
has touched, and that would be written in another way now. A create whose answer was lost may still be at work: the
unique key lets only one of two win, and a customer's claim is held until Tryton must have ended.
"""
