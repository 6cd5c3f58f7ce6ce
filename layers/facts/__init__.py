"""Facts: what is counted by place and time, declared by their owners and counted in one place."""
