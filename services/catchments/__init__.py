"""Which kindergarten an address belongs to, and why: editions of rules and areas by district, matched and explained."""
