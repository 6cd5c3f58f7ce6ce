"""The smallest module: one matter with its steps, as a pattern for others and as the ground that the workflow is proven on."""
