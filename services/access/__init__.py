"""Who is asking: users, organisations, roles, grants, API clients, sign-in, audit and the scope they give."""
