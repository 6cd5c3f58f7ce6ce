"""Cases and matters: handled at the desk, applied for by residents, their flows and what is written down of them."""
