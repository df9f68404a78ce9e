"""The stores that are served: dags/stores.yaml, its model, and what each status of an order means to a store."""
