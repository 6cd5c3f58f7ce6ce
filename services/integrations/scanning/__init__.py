"""The virus scanner: a client for what clamd speaks (INSTREAM), and a simulator that speaks the same."""

from services.integrations.scanning.client import Scanner, ScannerUnavailable, Verdict, configured_scanner

__all__ = ["Scanner", "ScannerUnavailable", "Verdict", "configured_scanner"]
