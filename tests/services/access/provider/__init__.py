"""A real OpenID provider for tests: django-allauth's, in a process of its own with settings of its own."""

APP, SECRET = "quantu-test", "a-secret-of-both"
