"""What is said to an operator who asks for something that there is not?"""


class InvalidChoiceError(ValueError):
    """What was asked for does not exist or means nothing; nothing was done. The message says what there is instead.

    Args:
        message: for the operator.
        field: the name of the argument that is meant, where one is.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field
