"""Text from outside, made safe to show."""


def quote(text: str, most: int = 80) -> str:
    """The beginning of untrusted text, quoted on one line, control characters escaped, of bounded length."""
    shown = repr(text[:most])
    if len(text) <= most and len(shown) <= most + 2:
        return shown
    return f"{shown[:most]}…{shown[-1]}"
