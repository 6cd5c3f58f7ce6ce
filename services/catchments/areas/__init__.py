"""Areas of a draft on the planner's table: what is wrong with them, repairs, and the acts on them."""
