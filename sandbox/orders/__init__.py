"""Invented VTEX orders of every shape that is known to occur, reproducible from a seed."""

from sandbox.orders.generator import GeneratedOrder, PlannedOrder, generate, plan
from sandbox.orders.kinds import KINDS, POISON_KINDS

__all__ = ["KINDS", "POISON_KINDS", "GeneratedOrder", "PlannedOrder", "generate", "plan"]
