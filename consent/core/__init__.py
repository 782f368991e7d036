"""The rules of consent as pure functions: no Django, no IO, no clock, no chance."""
