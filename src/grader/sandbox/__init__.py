"""The sandboxes that student code runs in."""
