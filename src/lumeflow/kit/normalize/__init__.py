"""Bringing what people type into one form: phones, e-mail addresses, dates, names, countries, web addresses.

Each reader takes a text and gives the normal form, or None for what it cannot read: it never guesses, never raises for
bad data, and gives its own results back unchanged.
"""
