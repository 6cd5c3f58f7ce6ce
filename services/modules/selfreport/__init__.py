"""What institutions say of themselves: they confirm what stands, and report on a link that staff send to their telephone."""
