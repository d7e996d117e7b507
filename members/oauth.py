"""How partners get tokens: RFC 6749, client credentials only, on top of django-oauth-toolkit."""
