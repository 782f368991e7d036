"""What can go wrong. No message names a person, so that each may be logged."""


class ConsentError(Exception):
    """Any error of this package's."""


class QuestionError(ConsentError, ValueError):
    """The question cannot be asked: it names nobody, or two people."""


class UnavailableError(ConsentError):
    """No whole answer came in time."""


class AnswerError(ConsentError):
    """What came back is no answer to what was asked."""


class RefusedError(ConsentError):
    """The backend said something other than 200: a problem document, a redirect."""

    def __init__(
        self, status: int, title: str = "", *, retry_after: float | None = None
    ) -> None:
        super().__init__(f"The consent backend answered {status} {title}".rstrip())
        self.status = status
        self.title = title
        self.retry_after = retry_after


class KeyRefusedError(RefusedError):
    """The key is wrong, retired, or not made for this (401, 403)."""


class WebhookError(ConsentError):
    """It was not sent by who has the secret, or not lately. Answer 400."""


class UnknownWebhookError(WebhookError):
    """Genuine, but of a kind that this version does not know. Answer 204."""
