"""The statuses that VTEX knows (Orders API, feed configuration) and what each allows."""

from __future__ import annotations

READY = "ready-for-handling"
START = "start-handling"
HANDLING = "handling"
PAID = "payment-approved"
REQUESTED = "request-cancel"
WAITING = "waiting-for-seller-decision"
ASKED = "cancellation-requested"
REPLACED = "replaced"
CANCEL = "cancel"
CANCELED = "canceled"
INVOICED = "invoiced"

UNPAID = frozenset(
    {
        "order-created",
        "order-create-error",
        "order-creation-error",
        "on-order-completed",
        "order-completed",
        "payment-pending",
        "waiting-for-order-authorization",
        "approve-payment",
        "order-accepted",
        CANCEL,
        CANCELED,
    }
)

# Moved on by VTEX itself: they accept neither a cancellation nor a change.
SYSTEM_STEPS = frozenset({"order-created", START, "invoice", CANCEL})

# What List orders' f_status understands, which is less than what the feed does.
LISTABLE = frozenset(
    {
        "waiting-for-sellers-confirmation",
        "payment-pending",
        "payment-approved",
        READY,
        HANDLING,
        INVOICED,
        CANCELED,
    }
)

# VTEX sends Portuguese texts whatever the store's language is.
DESCRIPTIONS = {
    "order-created": "Processando",
    "on-order-completed": "Processando",
    "payment-pending": "Pagamento Pendente",
    "approve-payment": "Aprovar Pagamento",
    "payment-approved": "Pagamento Aprovado",
    "authorize-fulfillment": "Autorizar Despacho",
    "window-to-cancel": "Carência para Cancelamento",
    READY: "Pronto para o manuseio",
    START: "Iniciar Manuseio",
    HANDLING: "Preparando Entrega",
    "waiting-for-seller-decision": "Aguardando decisão do Seller",
    ASKED: "Cancelamento Solicitado",
    "invoice": "Verificando Fatura",
    INVOICED: "Faturado",
    CANCEL: "Cancelar",
    CANCELED: "Cancelado",
}
