"""Which installation does a command talk to? What the environment names, else the running embedded stack."""

from forebay.settings import Settings, load


def installation() -> Settings:
    """Settings of the installation at hand; an embedded stack that runs in this directory is found by itself."""
    from forebay.embedded.discovery import apply_to_environment

    apply_to_environment()
    return load()
