"""What is whoever runs a command called in the audit trail, unless they say it?"""


def account() -> str:
    """Name of the account that runs this process."""
    from forebay.operations.audit.opening import os_user

    return os_user()
