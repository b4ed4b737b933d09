"""`forebay tenants`: keys by which tenants are believed."""

from forebay.cli.tenants.commands import app

__all__ = ["app"]
