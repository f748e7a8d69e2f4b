"""Errors that end a run, one class an exit code."""

from __future__ import annotations


class TranscreateError(Exception):
    """Base: what went wrong, where, and what to do about it. `code` is the process's exit code."""

    code = 1


class ConfigError(TranscreateError):
    """The config or the command line is wrong."""

    code = 2


class InputError(TranscreateError):
    """Input is missing or unreadable as a whole."""

    code = 3


class LedgerError(TranscreateError):
    """The run finished, but its ledger does not balance or a quality floor is broken."""

    code = 4
