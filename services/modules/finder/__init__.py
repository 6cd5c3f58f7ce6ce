"""What people who look for places leave behind: the places they marked, and what they say is wrong with one."""
