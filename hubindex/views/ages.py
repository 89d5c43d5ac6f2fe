"""How long ago, and for how long, in words."""


def age(moment: int | None, now: int) -> str:
    """`3 months ago`; empty for None."""
    if moment is None:
        return ""
    return "now" if now - moment < 1000 else f"{duration(now - moment)} ago"


def duration(milliseconds: int) -> str:
    """`3 months`, rounded down as docker does (units.HumanDuration in docker/go-units)."""
    seconds = milliseconds // 1000
    hours = (seconds + 1800) // 3600
    if seconds < 1:
        return "less than a second"
    if seconds < 60:
        return _number(seconds, "second")
    if seconds < 3600:
        return _number(seconds // 60, "minute")
    if hours < 48:
        return _number(hours, "hour")
    for limit, unit_hours, unit in ((14, 24, "day"), (60, 168, "week"), (730, 720, "month")):
        if hours < limit * 24:
            return _number(hours // unit_hours, unit)
    return _number(hours // 8760, "year")


def _number(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
